// Whose word counts for the precision of products: the thread's innermost guard's, else what was set for all.
#include "portico/precision.hpp"

#include <thread>

#include "catch.hpp"

namespace portico::test {

TEST_CASE("a guard speaks for its thread and scope, a setting for all others", "[precision]") {
  CHECK(float32_precision() == Precision::strict);
  {
    const PrecisionGuard outer(Precision::bf16);
    CHECK(float32_precision() == Precision::bf16);
    {
      const PrecisionGuard inner(Precision::strict);
      CHECK(float32_precision() == Precision::strict);
    }
    CHECK(float32_precision() == Precision::bf16);
    Precision elsewhere = Precision::bf16;
    std::thread([&] {
      set_float32_precision(Precision::tf32);
      elsewhere = float32_precision();
    }).join();
    CHECK(elsewhere == Precision::tf32);
    CHECK(float32_precision() == Precision::bf16);
  }
  CHECK(float32_precision() == Precision::tf32);
  set_float32_precision(Precision::strict);
  CHECK(float32_precision() == Precision::strict);
}

}  // namespace portico::test
