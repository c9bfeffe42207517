// A tuning that was imported is followed, by the nearest class too, and every choice computes the same product.
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "portico/portico.hpp"
#include "portico/tuning.hpp"
#include "runtime/sha256.hpp"
#include "runtime/tuning/gemm_class.hpp"

namespace portico::test {
namespace {

using Json = nlohmann::ordered_json;

// A tuning of this device with one choice for products of `trans` near m = n = k = 2^exponent.
std::string tuning_text(int trans, int exponent, const Json& choice) {
  Json root = Json::parse(export_tuning(Device::current()));
  Json entry = {{"class", {0, trans, exponent, exponent, exponent}},
                {"vendor", -1},
                {"rows", 0},
                {"vecs", 0},
                {"pack_b", -1},
                {"depth", 0},
                {"tile", -1},
                {"gain", 1.5}};
  entry.update(choice);
  root["gemm"] = Json::array({entry});
  detail::Sha256 hash;
  hash.field(root["identity"].get<std::string>());
  hash.field(root["gemm"].dump());
  root["digest"] = hash.hex();
  return root.dump();
}

void check_product(std::int64_t m, std::int64_t n, std::int64_t k, bool trans_a, bool trans_b) {
  const Tensor a = Tensor::uniform(trans_a ? Shape{k, m} : Shape{m, k}, -1.0f, 1.0f);
  const Tensor b = Tensor::uniform(trans_b ? Shape{n, k} : Shape{k, n}, -1.0f, 1.0f);
  const auto x = a.to_vector(), y = b.to_vector();
  const auto got = matmul(a, b, {.trans_a = trans_a, .trans_b = trans_b}).to_vector();
  double worst = 0;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t t = 0; t < k; ++t)
        sum += double{x[static_cast<std::size_t>(trans_a ? t * m + i : i * k + t)]} *
               y[static_cast<std::size_t>(trans_b ? j * k + t : t * n + j)];
      worst = std::max(worst, std::abs(sum - got[static_cast<std::size_t>(i * n + j)]));
    }
  INFO(m << "x" << n << "x" << k);
  CHECK(worst < 1e-5 * std::sqrt(static_cast<double>(k)));
}

}  // namespace

TEST_CASE("classes are the nearest powers of two", "[tuning]") {
  CHECK(detail::nearest_exponent(0) == 0);
  CHECK(detail::nearest_exponent(1) == 0);
  CHECK(detail::nearest_exponent(45) == 5);
  CHECK(detail::nearest_exponent(46) == 6);
  CHECK(detail::nearest_exponent(64) == 6);
  CHECK(detail::nearest_exponent(std::uint64_t{1} << 40) == 31);
}

TEST_CASE("every choice computes the product, in shapes that it does not fit too", "[tuning]") {
  const char* shape = std::getenv("PORTICO_KERNEL_SHAPE");
  const bool cpu = Device::current().info().is_cpu() && (shape == nullptr || std::string(shape) != "gpu");
  const std::vector<Json> choices = cpu ? std::vector<Json>{{{"rows", 7}, {"depth", 128}},
                                                            {{"rows", 16}, {"vecs", 1}, {"pack_b", 0}},
                                                            {{"vecs", 2}, {"pack_b", 0}}}
                                        : std::vector<Json>{{{"tile", 0}}, {{"tile", 2}, {"vendor", 0}}};
  for (const int trans : {0, 1, 2})
    for (const Json& choice : choices) {
      INFO(choice.dump() << " trans " << trans);
      import_tuning(Device::current(), tuning_text(trans, 5, choice));
      REQUIRE(tuned_entries(Device::current()).size() == 1);
      check_product(32, 32, 32, trans == 1, trans == 2);
      check_product(27, 37, 41, trans == 1, trans == 2);
      check_product(5, 20, 60, trans == 1, trans == 2);
    }
  forget_tuning(Device::current());
}

TEST_CASE("a value that no kernel is made for is refused even with a good digest", "[tuning]") {
  for (const Json& choice : {Json{{"rows", 3}}, Json{{"rows", 16}, {"vecs", 2}}, Json{{"tile", 9}},
                             Json{{"depth", 100}}, Json{{"vecs", "2"}}})
    try {
      import_tuning(Device::current(), tuning_text(0, 5, choice));
      FAIL("taken: " + choice.dump());
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::invalid_argument);
    }
  CHECK(tuned_entries(Device::current()).empty());
}

}  // namespace portico::test
