// Example 1: the lowest layer alone. Memory on a device, a kernel of your own, a launch; no tensors.
//
// The kernel is written in Portico's dialect (kernels/README.md): the same text is compiled by NVRTC on CUDA, hipRTC on
// HIP and the driver's compiler on OpenCL. PORTICO_BACKEND=cuda|hip|opencl chooses; nothing here changes.
#include <cstdio>
#include <span>
#include <vector>

#include "portico/device.hpp"

using portico::Arg;
using portico::Buffer;
using portico::Device;

// IN and OUT are arrays on the device, OFFSET honours a view's first element, and each thread takes every
// GLOBAL_SIZE-th element, so that any grid is right for any count.
constexpr const char* kSource = R"(
KERNEL void vector_add(IN(f32, a), IN(f32, b), OUT(f32, c), const uint count) {
  OFFSET(a);
  OFFSET(b);
  OFFSET(c);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) c[i] = a[i] + b[i];
}
)";

int main() try {
  const Device device = Device::current();

  constexpr std::uint32_t kCount = 1'000'000;
  std::vector<float> a(kCount), b(kCount), c(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) {
    a[i] = static_cast<float>(i);
    b[i] = 0.5f * static_cast<float>(i);
  }

  // Memory comes from the device's pool and goes back to it when the last copy of the Buffer is gone.
  const std::size_t bytes = kCount * sizeof(float);
  const Buffer on_a = device.allocate(bytes), on_b = device.allocate(bytes), on_c = device.allocate(bytes);
  on_a.write(0, std::as_bytes(std::span(a)));
  on_b.write(0, std::as_bytes(std::span(b)));

  // Compiled at run time, once: the next start of this program finds it in the disk cache.
  const portico::Kernel add = device.compile("vector_add", kSource, "vector_add", {});

  // 256 groups of 64 threads. The call returns before the work is done; read() waits for it.
  const auto view = [](const Buffer& buffer) { return Arg(buffer, 0, sizeof(float)); };
  add({.groups = {256}, .local = {64}}, {view(on_a), view(on_b), view(on_c), kCount});
  on_c.read(0, std::as_writable_bytes(std::span(c)));

  std::uint32_t wrong = 0;
  for (std::uint32_t i = 0; i < kCount; ++i) wrong += c[i] != a[i] + b[i];
  if (wrong != 0) {
    std::fprintf(stderr, "error: %u of %u sums are wrong\n", wrong, kCount);
    return 1;
  }
  std::printf("shown: %u sums computed on %s by a kernel of our own, all equal to the host's\n", kCount,
              device.label().c_str());
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
