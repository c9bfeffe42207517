// The functions that NVRTC's code calls and nobody defines: printf and assert on the device.
#include <cstdio>
#include <cstring>
#include <string>

#include "builder.hpp"

namespace portico::standin::ptx {
namespace {

// Parameters of the call, and its result behind them, are variables in local memory; operand n holds the n-th's offset.
std::size_t place(const Warp& w, const Instr& i, int n, int lane) {
  const Operand& o = i.op[n];
  const std::uint64_t offset = reinterpret_cast<const std::uint64_t*>(w.base[o.base] + o.offset)[lane];
  return (w.number * kLanes + static_cast<unsigned>(lane)) * w.block->program->local_bytes + offset;
}

template <typename T>
T argument(const Warp& w, const Instr& i, int n, int lane) {
  T value;
  std::memcpy(&value, w.block->local + place(w, i, n, lane), sizeof value);
  return value;
}

std::string text_at(std::uint64_t address) { return address == 0 ? "" : reinterpret_cast<const char*>(address); }

// One conversion of a printf at a time: "%5.2f" with the next 4 or 8 bytes of the packed arguments.
std::string formatted(const std::string& format, const std::uint8_t* packed) {
  std::string out;
  std::size_t at = 0, used = 0;
  while (at < format.size()) {
    if (format[at] != '%' || at + 1 == format.size()) {
      out += format[at++];
      continue;
    }
    if (format[at + 1] == '%') {
      out += '%';
      at += 2;
      continue;
    }
    const std::size_t end = format.find_first_of("diouxXcfFeEgGaAsp", at + 1);
    if (end == std::string::npos) return out + format.substr(at);
    std::string part = format.substr(at, end + 1 - at);
    const char kind = part.back();
    const bool real = std::strchr("fFeEgGaA", kind) != nullptr, address = kind == 's' || kind == 'p';
    const bool wide = real || address || part.find('l') != std::string::npos;
    if (wide) used = (used + 7) / 8 * 8;
    char text[512];
    if (real) {
      double v;
      std::memcpy(&v, packed + used, 8);
      std::snprintf(text, sizeof text, part.c_str(), v);
    } else if (wide) {
      std::uint64_t v;
      std::memcpy(&v, packed + used, 8);
      if (kind == 's')
        std::snprintf(text, sizeof text, part.c_str(), reinterpret_cast<const char*>(v));
      else if (kind == 'p')
        std::snprintf(text, sizeof text, part.c_str(), reinterpret_cast<void*>(v));
      else
        std::snprintf(text, sizeof text, part.c_str(), static_cast<unsigned long long>(v));
    } else {
      std::uint32_t v;
      std::memcpy(&v, packed + used, 4);
      std::snprintf(text, sizeof text, part.c_str(), v);
    }
    used += wide ? 8 : 4;
    out += text;
    at = end + 1;
  }
  return out;
}

void print(Warp& w, const Instr& i) {
  for (int k = 0; k < kLanes; ++k) {
    if (!(w.mask >> k & 1)) continue;
    const auto packed = reinterpret_cast<const std::uint8_t*>(argument<std::uint64_t>(w, i, 1, k));
    const std::string text = formatted(text_at(argument<std::uint64_t>(w, i, 0, k)), packed);
    std::fputs(text.c_str(), stdout);
    if (i.count < 3) continue;  // the call ignores the number of characters
    const int count = static_cast<int>(text.size());
    std::memcpy(w.block->local + place(w, i, 2, k), &count, sizeof count);
    std::memset(w.block->local_written + place(w, i, 2, k), 1, sizeof count);
  }
}

void assert_failed(Warp& w, const Instr& i) {
  const int k = __builtin_ctz(w.mask);
  fail(w, i, k, Fault::Kind::trap, 0,
       "assertion '" + text_at(argument<std::uint64_t>(w, i, 0, k)) + "' failed, " +
           text_at(argument<std::uint64_t>(w, i, 1, k)) + ":" + std::to_string(argument<std::uint32_t>(w, i, 2, k)));
}

}  // namespace

Handler external_function(std::string_view name) {
  if (name == "vprintf") return print;
  if (name == "__assertfail") return assert_failed;
  return nullptr;
}

}  // namespace portico::standin::ptx
