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

using FakeGraph = std::vector<std::function<void()>>;

struct FakeStream {
  bool capturing = false;
  FakeGraph captured;
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

/// Notes the launch; on a capturing stream, each replay of the graph notes it.
void launched(FakeStream* stream, const char* name, const unsigned* grid, const unsigned* block, void** arguments);

/// A graph is what was enqueued between the two, copied by enqueue_graph. False where the calls do not fit together.
bool begin_capture(FakeStream* stream);
bool end_capture(FakeStream* stream, FakeGraph** out);
void enqueue_graph(FakeStream* stream, const FakeGraph* graph);
FakeGraph* copy_graph(const FakeGraph* graph);
void destroy(FakeGraph* graph);
/// Whether some stream captures: waiting for the whole device, or for that stream, is then an error.
bool some_stream_captures();
std::uint32_t argument_count();

/// How elements are stored; the values of portico_dtype.
enum class Storage { f32 = 0, f16 = 1, bf16 = 2 };
std::size_t size_of(Storage storage);

enum class Form { forward, row_sums, gradient };
enum class Act { none, relu, gelu_tanh };

/// Column-major P = alpha op(A) op(B) + beta C, in the meaning that the BLAS libraries share. forward: D = act(P +
/// bias), aux receives P + bias (gelu) or one bit an element (relu). row_sums: D = P, and bias_gradient the sums over k
/// of op(B)'s columns. gradient: D = P act'(aux), and bias_gradient the sums of D's rows.
struct Product {
  bool trans_a, trans_b;
  long m, n, k, lda, ldb, ldc;
  const void *a, *b;
  const void* c;
  void* d;
  float alpha, beta;
  const void* bias = nullptr;
  Storage storage = Storage::f32;
  Form form = Form::forward;
  Act act = Act::none;
  void* aux = nullptr;
  long ld_aux = 0;
  void* bias_gradient = nullptr;
};
void multiply(const Product& product);

/// The device's clock goes on by this much.
void spend(double milliseconds);
/// Whether the test says that streams are being captured.
bool capturing();
/// For the test: one product of the Lt library with this algorithm and type of computation.
void note_product(int algorithm, int compute);

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
/// Streams are being captured from now on, or no more.
void fake_capture(bool capturing);
/// Products of the Lt library so far, and the last one's algorithm and type of computation.
std::size_t fake_products(int* algorithm, int* compute);
}
