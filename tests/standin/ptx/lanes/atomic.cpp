// atom and red. Real atomics on the host too: two streams may run two kernels at once.
#include <cmath>
#include <type_traits>

#include "access.hpp"
#include "halves.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

enum Operation : u16 { kAdd, kMin, kMax, kInc, kDec, kAnd, kOr, kXor, kExch, kCas };
enum AtomicFlags : u16 { kSpaceMask = 7, kOperationShift = 3, kIsRed = 0x80 };

template <typename T>
T combine(Operation operation, T old, T b, T c) {
  using U = std::conditional_t<std::is_floating_point_v<T>, T,
                               std::make_unsigned_t<std::conditional_t<std::is_floating_point_v<T>, int, T>>>;
  switch (operation) {
    case kAdd:
      return static_cast<T>(static_cast<U>(old) + static_cast<U>(b));
    case kMin:
      return b < old ? b : old;
    case kMax:
      return b > old ? b : old;
    case kExch:
      return b;
    case kCas:
      return old == b ? c : old;
    default:
      break;
  }
  if constexpr (!std::is_floating_point_v<T>) {
    switch (operation) {
      case kInc:
        return old >= b ? T{0} : static_cast<T>(old + 1);
      case kDec:
        return old == 0 || old > b ? b : static_cast<T>(old - 1);
      case kAnd:
        return old & b;
      case kOr:
        return old | b;
      case kXor:
        return old ^ b;
      default:
        break;
    }
  }
  return old;
}

// What lies behind a word of bits, for arithmetic.
template <typename Bits, typename T>
struct Plain {
  static Bits apply(Operation operation, Bits old, Bits b, Bits c) {
    T x, y, z;
    std::memcpy(&x, &old, sizeof x);
    std::memcpy(&y, &b, sizeof y);
    std::memcpy(&z, &c, sizeof z);
    const T r = combine<T>(operation, x, y, z);
    Bits result;
    std::memcpy(&result, &r, sizeof result);
    return result;
  }
};
template <typename H>
struct One {
  static u16 apply(Operation, u16 old, u16 b, u16) { return nearest(H(), H::to_float(old) + H::to_float(b)); }
};
template <typename H>
struct Pair {
  static u32 apply(Operation, u32 old, u32 b, u32) {
    const u32 low = One<H>::apply(kAdd, static_cast<u16>(old), static_cast<u16>(b), 0);
    return low | static_cast<u32>(One<H>::apply(kAdd, static_cast<u16>(old >> 16), static_cast<u16>(b >> 16), 0)) << 16;
  }
};

template <typename Bits, typename How>
void atomic(Warp& w, const Instr& i) {
  const bool red = i.flags & kIsRed;
  const Operand* op = i.op + (red ? 0 : 1);
  const auto operation = static_cast<Operation>(i.flags >> kOperationShift & 15);
  Reach r;
  reach(w, i, op[0], sizeof(Bits), static_cast<Space>(i.flags & kSpaceMask), Use::atomic, r);
  const Bits *b = lanes<Bits>(w, op[1]), *c = operation == kCas ? lanes<Bits>(w, op[2]) : b;
  Bits before[kLanes] = {};
  each_lane(w.mask, [&](int k) {
    Bits* at = reinterpret_cast<Bits*>(r.at[r.uniform ? __builtin_ctz(w.mask) : k]);
    Bits old = __atomic_load_n(at, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(at, &old, How::apply(operation, old, b[k], c[k]), false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
    }
    before[k] = old;
  });
  w.block->atomic_serial = w.serial;
  if (!red) each<Bits>(w, i.op[0], [&](int k) { return before[k]; });
}

bool has_any(const Decoder& d, const char* const (&words)[3]) {
  return d.has(words[0]) || d.has(words[1]) || d.has(words[2]);
}

Handler handler_of(Type type, Operation operation) {
  switch (type) {
    case Type::b16:
      return operation == kCas ? atomic<u16, Plain<u16, u16>> : nullptr;
    case Type::b32:
    case Type::u32:
      return atomic<u32, Plain<u32, u32>>;
    case Type::s32:
      return atomic<u32, Plain<u32, s32>>;
    case Type::b64:
    case Type::u64:
      return atomic<u64, Plain<u64, u64>>;
    case Type::s64:
      return atomic<u64, Plain<u64, s64>>;
    default:
      break;
  }
  if (operation != kAdd) return nullptr;
  switch (type) {
    case Type::f32:
      return atomic<u32, Plain<u32, float>>;
    case Type::f64:
      return atomic<u64, Plain<u64, double>>;
    case Type::f16:
      return atomic<u16, One<Half>>;
    case Type::bf16:
      return atomic<u16, One<Brain>>;
    case Type::f16x2:
      return atomic<u32, Pair<Half>>;
    case Type::bf16x2:
      return atomic<u32, Pair<Brain>>;
    default:
      return nullptr;
  }
}

}  // namespace

bool decode_atomic(Decoder& d) {
  const bool red = d.is("red");
  if (!red && !d.is("atom")) return false;
  if (has_any(d, {"v2", "v4", "v8"}) || d.has("async")) return false;
  static const char* const kNames[] = {"add", "min", "max", "inc", "dec", "and", "or", "xor", "exch", "cas"};
  u16 operation = 10;
  for (u16 o = 0; o < 10; ++o)
    if (d.has(kNames[o])) operation = o;
  if (operation == 10) return false;
  const Type type = d.type();
  const Space space = d.space();
  d.out.run = handler_of(type, static_cast<Operation>(operation));
  if (!d.out.run) return false;
  d.out.flags = static_cast<u16>(static_cast<u16>(space) | operation << kOperationShift | (red ? kIsRed : 0));
  d.narrow_access(space, bytes_of(type));
  std::size_t at = 0;
  if (!red) d.dst(at++);
  d.address(at++);
  d.src(at++, type);
  if (operation == kCas) d.src(at, type);
  return true;
}

}  // namespace portico::standin::ptx::PTX_LANES
