#include "machine.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace portico::test::machine {
namespace {

std::recursive_mutex g_mutex;
std::map<const char*, std::size_t> g_memory;
std::map<void*, std::size_t> g_pinned;
std::vector<FakeStream*> g_streams;
std::map<std::string, int> g_faults;
std::vector<FakeLaunch> g_launches;
std::size_t g_used = 0, g_limit = std::size_t{1} << 30;
std::uint32_t g_arguments = 0;
double g_clock = 0;
std::size_t g_graphs = 0;
std::atomic<bool> g_capturing{false};
std::size_t g_products = 0;
int g_algorithm = -1, g_compute = -1;

using Lock = std::lock_guard<std::recursive_mutex>;

void drain_to(FakeStream* stream, std::size_t position) {
  while (stream->done < position) {
    const auto work = stream->queue[stream->done++];
    work();
  }
}

}  // namespace

int fault(const char* function) {
  const Lock lock(g_mutex);
  const auto found = g_faults.find(function);
  if (found == g_faults.end()) return 0;
  const int code = found->second;
  g_faults.erase(found);
  return code;
}

void* allocate(std::size_t bytes) {
  const Lock lock(g_mutex);
  if (g_used + bytes > g_limit) return nullptr;
  char* memory = static_cast<char*>(aligned_alloc(256, (bytes + 255) / 256 * 256));
  std::memset(memory, 0xcd, bytes);
  g_memory[memory] = bytes;
  g_used += bytes;
  return memory;
}

bool release(void* memory) {
  const Lock lock(g_mutex);
  const auto found = g_memory.find(static_cast<char*>(memory));
  if (found == g_memory.end()) return false;
  g_used -= found->second;
  std::memset(memory, 0xdd, found->second);
  g_memory.erase(found);
  free(memory);
  return true;
}

bool inside(const void* at, std::size_t bytes) {
  const Lock lock(g_mutex);
  const char* begin = static_cast<const char*>(at);
  auto found = g_memory.upper_bound(begin);
  if (found == g_memory.begin()) return false;
  --found;
  return begin + bytes <= found->first + found->second;
}

void* allocate_pinned(std::size_t bytes) {
  const Lock lock(g_mutex);
  void* memory = malloc(bytes);
  g_pinned[memory] = bytes;
  return memory;
}

bool release_pinned(void* memory) {
  const Lock lock(g_mutex);
  if (g_pinned.erase(memory) == 0) return false;
  free(memory);
  return true;
}

FakeStream* stream() {
  const Lock lock(g_mutex);
  return g_streams.emplace_back(new FakeStream);
}

void destroy(FakeStream* stream) {
  const Lock lock(g_mutex);
  std::erase(g_streams, stream);
  delete stream;
}

void enqueue(FakeStream* stream, std::function<void()> work) {
  const Lock lock(g_mutex);
  if (stream->capturing) return stream->captured.push_back(std::move(work));
  stream->queue.push_back(std::move(work));
}

void drain(FakeStream* stream) {
  const Lock lock(g_mutex);
  drain_to(stream, stream->queue.size());
}

void drain_all() {
  const Lock lock(g_mutex);
  for (FakeStream* stream : g_streams) drain_to(stream, stream->queue.size());
}

void record(FakeEvent* event, FakeStream* stream) {
  const Lock lock(g_mutex);
  event->stream = stream;
  event->position = stream->queue.size();
  event->milliseconds = g_clock += 0.25;
}

void wait_for(const FakeEvent* event) {
  const Lock lock(g_mutex);
  if (event->stream) drain_to(event->stream, event->position);
}

bool begin_capture(FakeStream* stream) {
  const Lock lock(g_mutex);
  return !std::exchange(stream->capturing, true);
}

bool end_capture(FakeStream* stream, FakeGraph** out) {
  const Lock lock(g_mutex);
  if (!std::exchange(stream->capturing, false)) return false;
  *out = new FakeGraph(std::move(stream->captured));
  stream->captured.clear();
  ++g_graphs;
  return true;
}

void enqueue_graph(FakeStream* stream, const FakeGraph* graph) {
  const Lock lock(g_mutex);
  stream->queue.insert(stream->queue.end(), graph->begin(), graph->end());
}

FakeGraph* copy_graph(const FakeGraph* graph) {
  const Lock lock(g_mutex);
  ++g_graphs;
  return new FakeGraph(*graph);
}

void destroy(FakeGraph* graph) {
  const Lock lock(g_mutex);
  --g_graphs;
  delete graph;
}

bool some_stream_captures() {
  const Lock lock(g_mutex);
  return std::any_of(g_streams.begin(), g_streams.end(), [](const FakeStream* stream) { return stream->capturing; });
}

void launched(FakeStream* stream, const char* name, const unsigned* grid, const unsigned* block, void** arguments) {
  const Lock lock(g_mutex);
  FakeLaunch launch{};
  std::strncpy(launch.name, name, sizeof launch.name - 1);
  std::copy(grid, grid + 3, launch.grid);
  std::copy(block, block + 3, launch.block);
  for (std::uint32_t i = 0; i < std::min(g_arguments, 16u); ++i) std::memcpy(&launch.values[i], arguments[i], 8);
  if (stream->capturing)
    stream->captured.push_back([launch] { g_launches.push_back(launch); });
  else
    g_launches.push_back(launch);
}

std::uint32_t argument_count() { return g_arguments; }

std::size_t size_of(Storage storage) { return storage == Storage::f32 ? 4 : 2; }

namespace {

// Halves by whole steps: the tests' numbers are few and small. Rounds to nearest even, as stores on a device do.
double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double value = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return bits & 0x8000 ? -value : value;
}
std::uint16_t half_bits(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::abs(value);
  if (size == 0) return sign;
  const int exponent = std::max(std::ilogb(size), -14);
  const double steps = std::nearbyint(std::ldexp(size, 10 - exponent));
  return static_cast<std::uint16_t>(sign | static_cast<int>(steps + std::ldexp(exponent + 14, 10)));
}

double load(Storage storage, const void* at, long i) {
  if (storage == Storage::f32) return static_cast<const float*>(at)[i];
  const std::uint16_t bits = static_cast<const std::uint16_t*>(at)[i];
  return storage == Storage::f16 ? half_value(bits) : std::bit_cast<float>(std::uint32_t{bits} << 16);
}
void store(Storage storage, void* at, long i, double value) {
  if (storage == Storage::f32) {
    static_cast<float*>(at)[i] = static_cast<float>(value);
  } else if (storage == Storage::f16) {
    static_cast<std::uint16_t*>(at)[i] = half_bits(value);
  } else {
    const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    static_cast<std::uint16_t*>(at)[i] = static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  }
}

double gelu(double x, bool slope) {
  const double inner = std::sqrt(2.0 / 3.14159265358979) * (x + 0.044715 * x * x * x), t = std::tanh(inner);
  if (!slope) return 0.5 * x * (1.0 + t);
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * std::sqrt(2.0 / 3.14159265358979) * (1.0 + 3 * 0.044715 * x * x);
}

bool bit_at(const void* bits, long i) { return static_cast<const unsigned char*>(bits)[i / 8] >> (i % 8) & 1; }
void set_bit(void* bits, long i, bool value) {
  unsigned char& byte = static_cast<unsigned char*>(bits)[i / 8];
  byte = static_cast<unsigned char>(value ? byte | 1 << (i % 8) : byte & ~(1 << (i % 8)));
}

}  // namespace

void multiply(const Product& p) {
  const auto op_a = [&](long row, long i) {
    return load(p.storage, p.a, p.trans_a ? i + row * p.lda : row + i * p.lda);
  };
  const auto op_b = [&](long i, long column) {
    return load(p.storage, p.b, p.trans_b ? column + i * p.ldb : i + column * p.ldb);
  };
  std::vector<double> sums(static_cast<std::size_t>(p.form == Form::row_sums ? p.n : p.m));
  for (long column = 0; column < p.n; ++column)
    for (long row = 0; row < p.m; ++row) {
      double value = 0;
      for (long i = 0; i < p.k; ++i) value += op_a(row, i) * op_b(i, column);
      const long at = row + column * p.ldc, aux = row + column * p.ld_aux;
      value = p.alpha * value + (p.beta != 0 ? p.beta * load(p.storage, p.c, at) : 0.0);
      if (p.form == Form::forward) {
        if (p.bias) value += load(p.storage, p.bias, row);
        if (p.aux && p.act == Act::gelu_tanh) store(p.storage, p.aux, aux, value);
        if (p.aux && p.act == Act::relu) set_bit(p.aux, aux, value > 0);
        if (p.act == Act::relu) value = std::max(value, 0.0);
        if (p.act == Act::gelu_tanh) value = gelu(value, false);
      } else if (p.form == Form::gradient) {
        value *= p.act == Act::relu ? bit_at(p.aux, aux) : gelu(load(p.storage, p.aux, aux), true);
        sums[static_cast<std::size_t>(row)] += value;
      }
      store(p.storage, p.d, at, value);
    }
  if (p.form == Form::row_sums)
    for (long column = 0; column < p.n; ++column)
      for (long i = 0; i < p.k; ++i) sums[static_cast<std::size_t>(column)] += op_b(i, column);
  if (p.bias_gradient)
    for (std::size_t i = 0; i < sums.size(); ++i) store(p.storage, p.bias_gradient, static_cast<long>(i), sums[i]);
}

void spend(double milliseconds) {
  const Lock lock(g_mutex);
  g_clock += milliseconds;
}

bool capturing() { return g_capturing; }

void note_product(int algorithm, int compute) {
  const Lock lock(g_mutex);
  ++g_products;
  g_algorithm = algorithm;
  g_compute = compute;
}

}  // namespace portico::test::machine

using namespace portico::test;
using namespace portico::test::machine;

void fake_fail(const char* function, int code) {
  const Lock lock(g_mutex);
  g_faults[function] = code;
}

void fake_arguments(std::uint32_t count) { g_arguments = count; }

std::size_t fake_launches(FakeLaunch* out, std::size_t most) {
  const Lock lock(g_mutex);
  const std::size_t count = std::min(most, g_launches.size());
  std::copy(g_launches.end() - static_cast<std::ptrdiff_t>(count), g_launches.end(), out);
  return g_launches.size();
}

std::size_t fake_alive() {
  const Lock lock(g_mutex);
  return g_memory.size() + g_pinned.size() + g_streams.size() + g_graphs;
}

void fake_memory(std::size_t bytes) { g_limit = bytes; }

void fake_capture(bool capturing) { g_capturing = capturing; }

std::size_t fake_products(int* algorithm, int* compute) {
  const Lock lock(g_mutex);
  *algorithm = g_algorithm;
  *compute = g_compute;
  return g_products;
}
