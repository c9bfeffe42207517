// Example 6: two devices in one process, of one backend or of two. A tensor knows its device; work on one does not wait
// for the other; tensors move by to(device), and mixing them in one operation is an error that names both.
//
// On a machine with a single device the two workers are two streams of it, and the last line says so.
#include <cmath>
#include <cstdio>
#include <vector>

#include "portico/portico.hpp"

using portico::Device;
using portico::Tensor;

namespace {

/// Every device of every backend; those that fail to open are left out.
std::vector<Device> open_all() {
  std::vector<Device> devices;
  for (const portico::BackendReport& backend : Device::survey())
    for (const portico::DeviceInfo& info : backend.devices) try {
        devices.push_back(Device::open(info.backend + ":" + std::to_string(info.index)));
      } catch (const portico::Error& error) {
        std::printf("%s:%d cannot be opened: %s\n", info.backend.c_str(), info.index, error.what());
      }
  return devices;
}

/// Some work whose result is easy to know: the mean of m^rounds, where every row of m sums to 1, is 1 / n.
Tensor work(const Device& device, std::int64_t n, int rounds) {
  const portico::DeviceGuard here(device);  // what is made below lies on this device
  const Tensor m = Tensor::full({n, n}, 1.0f / static_cast<float>(n));
  Tensor power = m;
  for (int i = 0; i < rounds; ++i) power = matmul(power, m);
  return mean(power);
}

bool right(const Tensor& result, std::int64_t n) {
  return std::abs(result.item() * static_cast<float>(n) - 1.0f) < 1e-4f;
}

int two_devices(const Device& first, const Device& second) {
  std::printf("two devices: %s and %s\n", first.label().c_str(), second.label().c_str());
  const Tensor a = work(first, 128, 20);   // queued on the first ...
  const Tensor b = work(second, 256, 20);  // ... and on the second, without waiting for it
  if (!right(a, 128) || !right(b, 256)) {
    std::fprintf(stderr, "error: wrong results: %g and %g\n", a.item(), b.item());
    return 1;
  }

  bool refused = false;
  try {
    add(a, b);
  } catch (const portico::Error& error) {
    std::printf("mixing them is refused: %s\n", error.what());
    refused = true;
  }
  const float sum = (a + b.to(first)).item();
  if (!refused || std::abs(sum - (1.0f / 128 + 1.0f / 256)) > 1e-6f) {
    std::fprintf(stderr, "error: %s, and the moved sum is %g\n", refused ? "refused" : "mixing was not refused", sum);
    return 1;
  }
  std::printf("shown: two devices at work in one process, %s and %s, and tensors moved between them\n",
              first.label().c_str(), second.label().c_str());
  return 0;
}

int two_streams(const Device& device) {
  std::printf("only one device here, %s: two streams of it instead\n", device.label().c_str());
  const portico::Stream other = device.create_stream();
  const Tensor a = work(device, 128, 20);
  Tensor b;
  {
    const portico::StreamGuard guard(other);  // this thread's work on the device goes there
    b = work(device, 256, 20);
  }
  // The sum runs on the first stream and needs b of the second: the library ties the two by an event.
  const float sum = (a + b).item();
  if (!right(a, 128) || !right(b, 256) || std::abs(sum - (1.0f / 128 + 1.0f / 256)) > 1e-6f) {
    std::fprintf(stderr, "error: wrong results: %g, %g, sum %g\n", a.item(), b.item(), sum);
    return 1;
  }
  std::printf("shown: two streams of one device (%s) at work in one process; a second device was not to be had\n",
              device.label().c_str());
  return 0;
}

}  // namespace

int main() try {
  const std::vector<Device> devices = open_all();
  if (devices.size() >= 2) return two_devices(devices[0], devices[1]);
  return two_streams(Device::current());  // with no device at all, this says why
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
