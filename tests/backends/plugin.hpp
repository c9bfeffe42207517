// A plugin through its C table alone, without the core: what the tests of the slots share.
#pragma once

#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "catch.hpp"
#include "portico/backend_abi.h"

namespace portico::test {

const portico_backend& backend();
std::string backend_name();
/// What the plugin said last on this thread.
const std::string& last_message();

inline void ok(portico_status status) {
  INFO("message: " << (status == PORTICO_OK ? "" : last_message()));
  REQUIRE(status == PORTICO_OK);
}

inline bool message_has(const std::string& part) {
  UNSCOPED_INFO("message: " << last_message());
  return last_message().find(part) != std::string::npos;
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

inline std::string with_prelude(const std::string& text) {
  return std::string(static_cast<const char*>(backend().prelude.data), backend().prelude.size) + text;
}

inline portico_status compile(const std::string& text, portico_program** out) {
  const std::string source = with_prelude(text);
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

inline portico_arg buffer_arg(portico_buffer* buffer, uint64_t first_float = 0) {
  portico_arg arg{.kind = PORTICO_ARG_BUFFER, .size = sizeof(float), .offset = first_float, .value = {}};
  arg.value.buffer = buffer;
  return arg;
}

inline portico_arg uint_arg(uint32_t value) {
  portico_arg arg{.kind = PORTICO_ARG_SCALAR, .size = sizeof value, .offset = 0, .value = {}};
  arg.value.bits = value;
  return arg;
}

inline portico_status launch(portico_stream* stream, portico_kernel* kernel, uint32_t groups, uint32_t local,
                             const std::vector<portico_arg>& args) {
  const portico_launch call{.struct_size = sizeof(portico_launch),
                            .groups = {groups, 1, 1},
                            .local = {local, 1, 1},
                            .arg_count = static_cast<uint32_t>(args.size()),
                            .args = args.data()};
  return backend().launch(stream, kernel, &call);
}

using Floats = std::vector<float>;

/// The scratch memory of a call of a slot.
struct Lender {
  std::vector<Owned<portico_buffer>> lent;
  static portico_status lend(void* context, uint64_t bytes, portico_buffer** out) {
    auto& self = *static_cast<Lender*>(context);
    self.lent.push_back(make_buffer(bytes));
    *out = self.lent.back().get();
    return PORTICO_OK;
  }
};

inline void write(portico_stream* stream, portico_buffer* to, const Floats& values, size_t first = 0) {
  ok(backend().write(stream, to, first * sizeof(float), values.data(), values.size() * sizeof(float)));
}

inline Floats read(portico_stream* stream, const portico_buffer* from, size_t count, size_t first = 0) {
  Floats values(count, -1.0f);
  ok(backend().read(stream, from, first * sizeof(float), values.data(), count * sizeof(float)));
  return values;
}

// For long vectors: Catch would print every element of both.
inline bool same(const Floats& a, const Floats& b) { return a == b; }

inline Floats counting(size_t count, float first = 0.0f) {
  Floats values(count);
  std::iota(values.begin(), values.end(), first);
  return values;
}

inline constexpr const char* kAdd = R"(
KERNEL void add(IN(f32, a), IN(f32, b), OUT(f32, c), const uint count) {
  OFFSET(a);
  OFFSET(b);
  OFFSET(c);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) c[i] = a[i] + b[i];
}
KERNEL void slow(OUT(f32, x), const uint count, const uint rounds) {
  OFFSET(x);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
    float value = x[i];
    for (uint r = 0; r < rounds; ++r) value = fma(value, 0.5f, 1.0f);
    x[i] = value;
  }
}
)";

struct Adder {
  Owned<portico_program> program = make_program(kAdd);
  Owned<portico_kernel> add = make_kernel(program.get(), "add");
  Owned<portico_kernel> slow = make_kernel(program.get(), "slow");
};

// Enough work that what is queued behind it cannot have run by the time that the host gets on.
inline void queue_slow_work(const Adder& adder, portico_stream* stream, portico_buffer* scratch) {
  ok(launch(stream, adder.slow.get(), 64, 1, {buffer_arg(scratch), uint_arg(64), uint_arg(300000)}));
}

}  // namespace portico::test
