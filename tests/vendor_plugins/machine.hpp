// A device that exists in memory only, behind the small stand-in drivers of this folder. It runs no kernels: it moves
// data, keeps order, and writes down what was launched.
//
// Work is put off until something waits for it, as late as the rules of the real drivers allow, so that a source that
// was reused too early, or a wait that is missing, gives wrong data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace portico::test {

struct FakeStream {
  std::vector<std::function<void()>> queue;
  std::size_t done = 0;
};

struct FakeEvent {
  FakeStream* stream = nullptr;
  std::size_t position = 0;  // work of the stream that comes before it
  double milliseconds = 0;
};

struct FakeLaunch {
  char name[64];
  std::uint32_t grid[3];
  std::uint32_t block[3];
  std::uint64_t values[16];
};

/// The driver's side.
namespace machine {

/// The code that the test asked this function to fail with, or 0. `function` is the exported name.
int fault(const char* function);

void* allocate(std::size_t bytes);               ///< null when the device is full
bool release(void* memory);                      ///< false when it was never allocated
bool inside(const void* at, std::size_t bytes);  ///< whether all of it is allocated memory of the device
void* allocate_pinned(std::size_t bytes);
bool release_pinned(void* memory);

FakeStream* stream();
void destroy(FakeStream* stream);
void enqueue(FakeStream* stream, std::function<void()> work);
void drain(FakeStream* stream);
void drain_all();
void record(FakeEvent* event, FakeStream* stream);
void wait_for(const FakeEvent* event);

void launched(const char* name, const unsigned* grid, const unsigned* block, void** arguments);
std::uint32_t argument_count();

/// Column-major C = act(alpha op(A) op(B) + beta C + bias) on floats, the meaning that the BLAS libraries share.
struct Product {
  bool trans_a, trans_b;
  long m, n, k, lda, ldb, ldc;
  const float *a, *b, *bias;
  float* c;
  float alpha, beta;
  bool relu;
};
void multiply(const Product& product);

}  // namespace machine
}  // namespace portico::test

/// The test's side, found in the stand-in driver by name.
extern "C" {
/// The next call of `function` fails with `code`.
void fake_fail(const char* function, int code);
/// Kernels have this many arguments from now on; that many are written down at a launch.
void fake_arguments(std::uint32_t count);
std::size_t fake_launches(portico::test::FakeLaunch* out, std::size_t most);
/// Allocations, pinned allocations, streams and events that are alive.
std::size_t fake_alive();
/// Bytes that the device has; an allocation beyond fails.
void fake_memory(std::size_t bytes);
}
