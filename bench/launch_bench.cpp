// Host costs: what one call takes before the device does anything. The tensors are tiny and nothing waits within a
// batch, so a row's time is the larger of the host's cost and the driver's own rate; `launch/empty` is the latter.
#include "portico/portico.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {
namespace {

using Call = std::function<void()>;

}  // namespace

void add_launch() {
  add("launch/empty", {}, []() -> Call {
    const Device device = Device::current();
    const Kernel kernel =
        device.compile("bench_empty", "KERNEL void empty(OUT(f32, y)) { OFFSET(y); y[0] = 1.0f; }", "empty", {});
    return [kernel, y = device.allocate(256)] { kernel({}, {{y, 0, 4}}); };
  });
  add("launch/pointwise", {}, []() -> Call {
    return [x = Tensor::ones({16})] {
      const NoGrad guard;
      relu(x);
    };
  });
  add("launch/pointwise_recorded", {}, []() -> Call {
    Tensor x = Tensor::ones({16});
    x.set_requires_grad();
    return [x] { relu(x); };
  });
  add("launch/wait", {}, []() -> Call {
    const Device device = Device::current();
    return [x = Tensor::ones({16}), device] {
      relu(x);
      device.synchronize();
    };
  });
}

}  // namespace portico::bench
