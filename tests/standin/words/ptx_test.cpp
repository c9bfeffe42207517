// cuda.h and hip.h through the real NVRTC and the PTX machine. hip.h so gets a compiler that is not AMD's: its words
// and their values are tested, not what hipRTC makes of them.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>

#include "catch.hpp"
#include "tests/standin/check/compiler.hpp"
#include "tests/standin/ptx/module.hpp"
#include "text.hpp"
#include "words.hpp"

namespace portico::test {
namespace {

using namespace portico::standin;

constexpr int kSkipped = 77;

// All that hip.h uses and NVRTC lacks: the half type of HIP's compiler, rounding as the language has it.
constexpr char kHalfType[] = R"(
struct _Float16 {
  unsigned short bits;
  _Float16() = default;
  __device__ explicit _Float16(float f) { asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(f)); }
  __device__ explicit operator float() const {
    float f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(bits));
    return f;
  }
};
)";

std::string prelude(const std::string& name) {
  std::ifstream in(PORTICO_PRELUDES "/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class OnPtx final : public Machine {
 public:
  explicit OnPtx(const std::string& words) {
    const std::string text =
        (words == "hip.h" ? kHalfType : "") + ("#define REAL bf16\n" + prelude(words)) + kWordsText;
    module_ = ptx::Module::parse(check::compile(text, "compute_80"));
  }

  void run(const Call& call) override {
    const ptx::Function* function = module_->find(call.kernel);
    REQUIRE(function != nullptr);
    std::vector<std::uint64_t> values;  // a pointer, or the number in its first bytes
    for (const Argument& a : call.arguments) {
      if (a.data == nullptr) {
        values.push_back(a.number);
        continue;
      }
      void* const copy = memory_.allocate(a.bytes);
      std::copy_n(static_cast<const std::byte*>(a.data), a.bytes, static_cast<std::byte*>(copy));
      memory_.mark_written(copy, a.bytes);
      values.push_back(reinterpret_cast<std::uint64_t>(copy) + a.skip * a.element);
    }
    REQUIRE(function->parameter_count() == values.size());
    std::vector<void*> pointers;
    for (std::uint64_t& value : values) pointers.push_back(&value);
    ptx::Launch launch;
    std::copy(call.groups.begin(), call.groups.end(), launch.grid);
    launch.block[0] = call.threads;
    launch.arguments = pointers.data();
    INFO(call.kernel);
    ptx::run(*module_, *function, launch, memory_);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Argument& a = call.arguments[i];
      if (a.data == nullptr) continue;
      void* const copy = reinterpret_cast<void*>(values[i] - a.skip * a.element);
      std::copy_n(static_cast<const std::byte*>(copy), a.bytes, static_cast<std::byte*>(a.data));
      memory_.release(copy);
    }
  }

  const ptx::Function* find(const std::string& kernel) const { return module_->find(kernel); }

 private:
  Memory memory_{std::size_t{1} << 26};
  std::shared_ptr<ptx::Module> module_;
};

void check_prelude(const std::string& name) {
  std::unique_ptr<OnPtx> machine;
  try {
    machine = std::make_unique<OnPtx>(name);
  } catch (const check::NoCompiler& error) {
    std::fprintf(stderr, "skipped: %s\n", error.what());
    std::exit(kSkipped);  // every test of this program needs it
  }
  check_words(*machine);
  REQUIRE(machine->find("turned") != nullptr);
  CHECK(machine->find("turned")->max_threads() == 64);  // GROUP_SIZE
  REQUIRE(machine->find("tripled") != nullptr);
  CHECK(machine->find("tripled")->max_threads() == 16);  // GROUP_SIZE_128
}

}  // namespace

TEST_CASE("cuda.h: every word does what it says") { check_prelude("cuda.h"); }

TEST_CASE("hip.h: every word does what it says") { check_prelude("hip.h"); }

TEST_CASE("the text uses every word of the preludes") {
  static const std::regex kWord(R"(#define (\w+)|typedef [^;]*?(\w+);)");
  static const std::regex kAccess("(LOAD|STORE)_(f32|f16|bf16|i32|u8|)");  // reached by LOAD_AS and STORE_AS alone
  const std::string text = kWordsText;
  for (const char* name : {"cuda.h", "hip.h", "opencl.h"}) {
    const std::string words = prelude(name);
    int count = 0;
    for (std::sregex_iterator it(words.begin(), words.end(), kWord), end; it != end; ++it) {
      const std::string word = (*it)[1].matched ? (*it)[1] : (*it)[2];
      if (word.rfind("PORTICO_", 0) == 0 || std::regex_match(word, kAccess)) continue;
      ++count;
      INFO(name << ": " << word);
      CHECK(std::regex_search(text, std::regex("\\b" + word + "\\b")));
    }
    CHECK(count > 30);
  }
}

}  // namespace portico::test
