// The words of the dialect on whichever backend is asked for, with the prelude that its plugin carries.
#include <span>

#include "catch.hpp"
#include "portico/device.hpp"
#include "text.hpp"
#include "words.hpp"

namespace portico::test {
namespace {

class OnDevice final : public Machine {
 public:
  void run(const Call& call) override {
    const Device device = Device::current();
    const Kernel kernel = device.compile("words", kWordsText, call.kernel, Spec().set("REAL", "bf16"));
    std::vector<Buffer> buffers;
    buffers.reserve(call.arguments.size());  // an Arg points at its buffer
    std::vector<Arg> arguments;
    for (const Argument& a : call.arguments) {
      if (a.data == nullptr) {
        arguments.emplace_back(a.number);
        continue;
      }
      buffers.push_back(device.allocate(a.bytes));
      buffers.back().write(0, {static_cast<const std::byte*>(a.data), a.bytes});
      arguments.emplace_back(buffers.back(), a.skip, a.element);
    }
    kernel.launch({{call.groups[0], call.groups[1], call.groups[2]}, {call.threads}}, arguments);
    auto buffer = buffers.begin();
    for (const Argument& a : call.arguments)
      if (a.data != nullptr) (buffer++)->read(0, {static_cast<std::byte*>(a.data), a.bytes});
  }
};

}  // namespace

TEST_CASE("every word of the dialect does what it says on this device") {
  OnDevice machine;
  check_words(machine);
}

}  // namespace portico::test
