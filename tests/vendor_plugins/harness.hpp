// The plugin under test and its stand-in driver, in the words of the tests of this folder.
#pragma once

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "portico/backend_abi.h"
#include "tests/standin/stand_in.hpp"

namespace portico::test {

inline thread_local std::string t_message;

/// What the plugin gave the core to remember. While `answer` is set every question gets it, whatever its key.
struct Memory {
  std::map<std::string, std::string> entries;
  std::optional<std::string> answer;
};
inline Memory g_memory;

inline std::string text_of(portico_bytes bytes) { return {static_cast<const char*>(bytes.data), bytes.size}; }

inline const portico_host kHost = {
    .struct_size = sizeof(portico_host),
    .set_error = [](const char* message, size_t size) { t_message.assign(message, size); },
    .log = [](int32_t, const char* message, size_t size) { std::printf("log: %.*s\n", int(size), message); },
    .recall = [](portico_bytes key, void* out, size_t size) -> int32_t {
      const auto at = g_memory.entries.find(text_of(key));
      if (!g_memory.answer && at == g_memory.entries.end()) return 0;
      const std::string& value = g_memory.answer ? *g_memory.answer : at->second;
      if (value.size() != size) return 0;
      std::memcpy(out, value.data(), size);
      return 1;
    },
    .remember = [](portico_bytes key, portico_bytes value) { g_memory.entries[text_of(key)] = text_of(value); },
};

inline const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

inline std::string backend_name() { return variable("PORTICO_BACKEND"); }

inline const portico_backend& backend() {
  static const portico_backend* const table = [] {
    const std::string file = "libportico_" + backend_name() + ".so";
    const auto beside = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../lib/portico";
    const std::filesystem::path folder = *variable("PORTICO_BACKEND_DIR") ? variable("PORTICO_BACKEND_DIR") : beside;
    void* library = dlopen((folder / file).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) throw std::runtime_error(dlerror());
    const auto entry = reinterpret_cast<portico_backend_entry>(dlsym(library, PORTICO_BACKEND_ENTRY));
    const portico_backend* made = entry(&kHost);
    int32_t count = 0;
    if (made->device_count(&count) != PORTICO_OK) throw std::runtime_error(t_message);
    return made;
  }();
  return *table;
}

inline bool is_cuda() { return backend_name() == "cuda"; }
/// Whether the variant has cuBLASLt or hipBLASLt.
inline bool has_lt() { return std::string(variable("TEST_BLAS")) != "classic"; }

// The plugin has opened the same library.
inline const StandIn& stand_in() {
  static const StandIn opened;
  return opened;
}
/// The next call of this function fails with `code`. Lt: the name without the library's.
inline void fail_next(const std::string& cuda_name, const std::string& hip_name, int code) {
  stand_in().faults((is_cuda() ? cuda_name : hip_name) + ":1:" + std::to_string(code));
}
/// Everything that the driver holds for the plugin.
inline std::uint64_t alive() {
  std::uint64_t all = 0;
  for (const auto& [kind, count] : stand_in().alive()) all += count;
  return all;
}

inline void ok(portico_status status) {
  INFO("message: " << (status == PORTICO_OK ? "" : t_message));
  REQUIRE(status == PORTICO_OK);
}

template <typename T>
using Owned = std::unique_ptr<T, std::function<void(T*)>>;

inline portico_device* device() {
  static portico_device* const opened = [] {
    portico_device* made = nullptr;
    ok(backend().device_open(0, &made));
    return made;
  }();
  return opened;
}
inline Owned<portico_stream> make_stream() {
  portico_stream* made = nullptr;
  ok(backend().stream_create(device(), &made));
  return {made, backend().stream_destroy};
}
inline Owned<portico_event> make_event() {
  portico_event* made = nullptr;
  ok(backend().event_create(device(), &made));
  return {made, backend().event_destroy};
}
inline Owned<portico_buffer> make_buffer(size_t bytes) {
  portico_buffer* made = nullptr;
  ok(backend().buffer_create(device(), bytes, &made));
  return {made, backend().buffer_destroy};
}

using Floats = std::vector<float>;

inline void write(portico_stream* stream, portico_buffer* to, const Floats& values) {
  ok(backend().write(stream, to, 0, values.data(), values.size() * sizeof(float)));
}
inline Floats read(portico_stream* stream, const portico_buffer* from, size_t count) {
  Floats values(count, -1.0f);
  ok(backend().read(stream, from, 0, values.data(), count * sizeof(float)));
  return values;
}
inline Floats numbers(size_t count, unsigned seed) {
  Floats values(count);
  for (float& value : values) value = static_cast<float>((seed = seed * 1664525u + 1013904223u) >> 28) - 8.0f;
  return values;
}

inline portico_arg buffer_arg(portico_buffer* buffer, uint64_t first, uint32_t size = sizeof(float)) {
  portico_arg arg{.kind = PORTICO_ARG_BUFFER, .size = size, .offset = first, .value = {}};
  arg.value.buffer = buffer;
  return arg;
}
inline portico_arg scalar_arg(uint64_t bits, uint32_t size) {
  portico_arg arg{.kind = PORTICO_ARG_SCALAR, .size = size, .offset = 0, .value = {}};
  arg.value.bits = bits;
  return arg;
}

inline const char* const kAdd = R"(
KERNEL void add(IN(f32, x), OUT(f32, y), const uint count) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) y[i] += x[i];
}
)";

inline portico_status compile(const std::string& text, portico_program** out) {
  const std::string source =
      std::string(static_cast<const char*>(backend().prelude.data), backend().prelude.size) + text;
  return backend().program_compile(device(), {source.data(), source.size()}, out);
}
inline Owned<portico_program> make_program(const std::string& text) {
  portico_program* made = nullptr;
  ok(compile(text, &made));
  return {made, backend().program_destroy};
}
inline Owned<portico_kernel> make_kernel(portico_program* program, const char* name) {
  portico_kernel* made = nullptr;
  ok(backend().kernel_create(program, name, &made));
  return {made, backend().kernel_destroy};
}

/// Lends memory to one call, as the core does, and takes it back at the end.
class Lender {
 public:
  explicit Lender(portico_gemm& call) {
    call.scratch = [](void* context, uint64_t bytes, portico_buffer** out) -> portico_status {
      auto& self = *static_cast<Lender*>(context);
      if (self.refuse) return PORTICO_OUT_OF_MEMORY;
      self.lent_.push_back(make_buffer(bytes));
      *out = self.lent_.back().get();
      return PORTICO_OK;
    };
    call.scratch_context = this;
  }
  bool refuse = false;
  std::size_t count() const { return lent_.size(); }

 private:
  std::vector<Owned<portico_buffer>> lent_;
};

}  // namespace portico::test
