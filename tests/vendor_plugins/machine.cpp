#include "machine.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

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
  static double clock = 0;
  event->milliseconds = clock += 0.25;
}

void wait_for(const FakeEvent* event) {
  const Lock lock(g_mutex);
  if (event->stream) drain_to(event->stream, event->position);
}

void launched(const char* name, const unsigned* grid, const unsigned* block, void** arguments) {
  const Lock lock(g_mutex);
  FakeLaunch launch{};
  std::strncpy(launch.name, name, sizeof launch.name - 1);
  std::copy(grid, grid + 3, launch.grid);
  std::copy(block, block + 3, launch.block);
  for (std::uint32_t i = 0; i < std::min(g_arguments, 16u); ++i) std::memcpy(&launch.values[i], arguments[i], 8);
  g_launches.push_back(launch);
}

std::uint32_t argument_count() { return g_arguments; }

void multiply(const Product& p) {
  for (long column = 0; column < p.n; ++column)
    for (long row = 0; row < p.m; ++row) {
      double sum = 0;
      for (long i = 0; i < p.k; ++i)
        sum += double(p.a[p.trans_a ? i + row * p.lda : row + i * p.lda]) *
               double(p.b[p.trans_b ? column + i * p.ldb : i + column * p.ldb]);
      float& c = p.c[row + column * p.ldc];
      double value = p.alpha * sum + (p.beta != 0 ? p.beta * c : 0.0) + (p.bias ? p.bias[row] : 0.0f);
      c = static_cast<float>(p.relu ? std::max(value, 0.0) : value);
    }
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
  return g_memory.size() + g_pinned.size() + g_streams.size();
}

void fake_memory(std::size_t bytes) { g_limit = bytes; }
