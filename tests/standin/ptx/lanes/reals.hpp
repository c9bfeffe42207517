// What float and double have in common here: modifiers, not-a-number as the hardware spells it, rounding.
#pragma once

#include <cfenv>
#include <cmath>
#include <limits>

#include "lanes.hpp"

namespace portico::standin::ptx::PTX_LANES {

enum RealFlags : u16 { kRoundMask = 3, kFtz = 4, kSat = 8, kNan = 16, kRelu = 32, kAbs = 64 };

/// Sets kRoundMask..kRelu from the modifiers.
inline u16 real_flags(const Decoder& d) {
  u16 flags = d.has("rz") ? 1 : d.has("rm") ? 2 : d.has("rp") ? 3 : 0;
  if (d.has("ftz")) flags |= kFtz;
  if (d.has("sat")) flags |= kSat;
  if (d.has("NaN")) flags |= kNan;
  if (d.has("relu")) flags |= kRelu;
  return flags;
}

/// The processor's rounding for a while.
class Rounding {
 public:
  explicit Rounding(unsigned mode) : directed_(mode != 0) {
    static const int kModes[4] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
    if (directed_) std::fesetround(kModes[mode & 3]);
  }
  ~Rounding() {
    if (directed_) std::fesetround(FE_TONEAREST);
  }
  Rounding(const Rounding&) = delete;
  Rounding& operator=(const Rounding&) = delete;

 private:
  bool directed_;
};

// Results that are no number have one spelling.
inline float canonical(float v) {
  u32 b;
  std::memcpy(&b, &v, 4);
  b = (b & 0x7fffffff) > 0x7f800000 ? 0x7fffffff : b;
  std::memcpy(&v, &b, 4);
  return v;
}
inline double canonical(double v) {
  u64 b;
  std::memcpy(&b, &v, 8);
  b = (b & 0x7fffffffffffffff) > 0x7ff0000000000000 ? 0x7fffffffffffffff : b;
  std::memcpy(&v, &b, 8);
  return v;
}

template <typename T>
inline T flushed(T v) {
  return v != 0 && std::fabs(v) < std::numeric_limits<T>::min() ? std::copysign(T{0}, v) : v;
}
template <typename T>
inline T saturated(T v) {
  return v > 0 ? (v < 1 ? v : T{1}) : T{0};  // what is no number becomes 0
}

}  // namespace portico::standin::ptx::PTX_LANES
