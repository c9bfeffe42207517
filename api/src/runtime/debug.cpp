#include "runtime/debug.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "runtime/capture.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/environment.hpp"
#include "runtime/status.hpp"

namespace portico::detail {
namespace {

constexpr std::uint32_t kUnset = 0x7fc0dead;  // a quiet NaN as f32; as f16 and bf16 also far from anything sensible
constexpr std::uint32_t kGuard = 0xa5c3f00d;
constexpr std::size_t kGuardWords = 64;

std::size_t guard_begin(const Block& block) { return (block.requested + 3) / 4 * 4; }

}  // namespace

bool debug_enabled() {
  static const bool enabled = variable_switch("PORTICO_DEBUG", false);
  return enabled;
}

std::size_t debug_guard_bytes() { return debug_enabled() ? (kGuardWords + 1) * 4 : 0; }

void debug_prepare(Block& block, StreamImpl& stream) {
  const auto fill = [&](std::size_t offset, std::uint32_t pattern, std::size_t bytes) {
    return stream.recorder != nullptr ? stream.recorder->fill(block.handle, offset, pattern, bytes)
                                      : block.device->api.fill(stream.handle, block.handle, offset, pattern, bytes);
  };
  const std::size_t begin = guard_begin(block);
  block.guarded = false;
  if (begin > 0) check(fill(0, kUnset, begin), "fill fresh memory");
  check(fill(begin, kGuard, kGuardWords * 4), "fill guard");
  block.guarded = true;
}

void debug_examine(Block& block) noexcept {
  if (!block.guarded) return;
  std::array<std::uint32_t, kGuardWords> words{};
  StreamImpl& stream = *block.last_stream.load();
  if (block.device->api.read(stream.handle, block.handle, guard_begin(block), words.data(), sizeof words) != PORTICO_OK)
    return;  // a lost device says so elsewhere
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == kGuard) continue;
    std::fprintf(stderr,
                 "portico: PORTICO_DEBUG: a kernel wrote behind a block of %zu bytes on %s: guard word %zu is 0x%08x\n",
                 block.requested, block.device->label.c_str(), i, words[i]);
    std::abort();
  }
}

}  // namespace portico::detail
