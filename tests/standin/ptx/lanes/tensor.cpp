// mma.sync: a warp multiplies two small matrices whose elements its lanes hold.
//
// With g = lane / 4 and t = lane % 4, and e elements in a register: register r of A holds row g + 8 * (r % 2), columns
// e * t + 4 * e * (r / 2) and on; register r of B rows e * t + 4 * e * r and on of column g; C and D hold rows g and
// g + 8, columns 2 * t and 2 * t + 1 (PTX ISA, "Matrix fragments for mma"). Products are summed in double and rounded
// once: nearer to the truth than hardware, which may truncate in between.
#include "halves.hpp"

namespace portico::standin::ptx::PTX_LANES {
namespace {

constexpr int kColumns = 8, kMostRows = 16, kMostDepth = 32;

struct Shape {
  int rows, depth;
};

template <typename Sum>
struct Tile {
  Sum a[kMostRows][kMostDepth] = {};
  Sum b[kMostDepth][kColumns] = {};
  Sum c[kMostRows][kColumns] = {};
};

// The elements of A's and B's registers, by type.
struct AsHalf {
  using Bits = u32;
  static constexpr int kElements = 2;
  static double value(u32 bits, int e) { return Half::to_float(static_cast<u16>(bits >> (16 * e))); }
};
struct AsBrain {
  using Bits = u32;
  static constexpr int kElements = 2;
  static double value(u32 bits, int e) { return Brain::to_float(static_cast<u16>(bits >> (16 * e))); }
};
struct AsTf32 {  // the hardware reads the upper 19 bits
  using Bits = u32;
  static constexpr int kElements = 1;
  static double value(u32 bits, int) {
    bits &= 0xffffe000;
    float v;
    std::memcpy(&v, &bits, 4);
    return v;
  }
};
struct AsDouble {
  using Bits = u64;
  static constexpr int kElements = 1;
  static double value(u64 bits, int) {
    double v;
    std::memcpy(&v, &bits, 8);
    return v;
  }
};
template <typename T>
struct AsByte {
  using Bits = u32;
  static constexpr int kElements = 4;
  static s64 value(u32 bits, int e) { return static_cast<T>(bits >> (8 * e)); }
};

template <typename A, typename B, typename Sum>
void read_factors(const Warp& w, const Operand* op, Shape shape, int a_registers, Tile<Sum>& tile) {
  constexpr int kE = A::kElements;
  const int row_groups = shape.rows / 8;
  for (int k = 0; k < kLanes; ++k) {
    const int g = k / 4, t = k % 4;
    for (int r = 0; r < a_registers; ++r)
      for (int e = 0; e < kE; ++e)
        tile.a[g + 8 * (r % row_groups)][kE * t + 4 * kE * (r / row_groups) + e] =
            static_cast<Sum>(A::value(lanes<typename A::Bits>(w, op[r])[k], e));
    for (int r = 0; r < a_registers / row_groups; ++r)
      for (int e = 0; e < kE; ++e)
        tile.b[kE * t + 4 * kE * r + e][g] =
            static_cast<Sum>(B::value(lanes<typename B::Bits>(w, op[a_registers + r])[k], e));
  }
}

template <typename Sum>
void multiply(Shape shape, Tile<Sum>& tile) {
  for (int i = 0; i < shape.rows; ++i)
    for (int k = 0; k < shape.depth; ++k)
      for (int j = 0; j < kColumns; ++j) tile.c[i][j] += tile.a[i][k] * tile.b[k][j];
}

// How C and D lie in registers: one element each, or two halves.
template <typename T>
struct Singles {
  static constexpr int kElements = 1;
  using Bits = T;
  static T get(T bits, int) { return bits; }
  template <typename Sum>
  static T put(Sum first, Sum) {
    return static_cast<T>(first);
  }
};
struct Halves {
  static constexpr int kElements = 2;
  using Bits = u32;
  static double get(u32 bits, int e) { return Half::to_float(static_cast<u16>(bits >> (16 * e))); }
  static u32 put(double first, double second) {
    return static_cast<u32>(to_half<Half>(second, 0)) << 16 | to_half<Half>(first, 0);
  }
};

template <typename A, typename B, typename Sum, typename C>
void mma(Warp& w, const Instr& i) {
  if (w.mask != kAllLanes)
    fail(w, i, __builtin_ctz(w.mask), Fault::Kind::barrier, 0, "not all lanes of the warp reach mma");
  const Shape shape{static_cast<int>(i.flags & 0xff), static_cast<int>(i.flags >> 8)};
  const int row_groups = shape.rows / 8;
  const int a_registers = row_groups * shape.depth / (4 * A::kElements), b_registers = a_registers / row_groups;
  const int results = 2 * row_groups / C::kElements;
  const Operand *a = i.op + results, *c = a + a_registers + b_registers;
  Tile<Sum> tile;
  read_factors<A, B, Sum>(w, a, shape, a_registers, tile);
  const auto at = [&](int k, int element) -> Sum& {
    return tile.c[k / 4 + 8 * (element / 2)][2 * (k % 4) + element % 2];
  };
  for (int k = 0; k < kLanes; ++k)
    for (int r = 0; r < results; ++r)
      for (int e = 0; e < C::kElements; ++e)
        at(k, r * C::kElements + e) = static_cast<Sum>(C::get(lanes<typename C::Bits>(w, c[r])[k], e));
  multiply(shape, tile);
  for (int r = 0; r < results; ++r)
    each<typename C::Bits>(
        w, i.op[r], [&](int k) { return C::put(at(k, r * C::kElements), at(k, r * C::kElements + C::kElements - 1)); });
}

Handler handler_of(Type d, Type a, Type b) {
  if (a == Type::f16 && b == a) {
    if (d == Type::f32) return mma<AsHalf, AsHalf, double, Singles<float>>;
    if (d == Type::f16) return mma<AsHalf, AsHalf, double, Halves>;
  }
  if (a == Type::bf16 && b == a && d == Type::f32) return mma<AsBrain, AsBrain, double, Singles<float>>;
  if (a == Type::tf32 && b == a && d == Type::f32) return mma<AsTf32, AsTf32, double, Singles<float>>;
  if (a == Type::f64 && b == a && d == Type::f64) return mma<AsDouble, AsDouble, double, Singles<double>>;
  if (d != Type::s32) return nullptr;
  if (a == Type::s8)
    return b == Type::s8   ? mma<AsByte<s8>, AsByte<s8>, s64, Singles<s32>>
           : b == Type::u8 ? mma<AsByte<s8>, AsByte<u8>, s64, Singles<s32>>
                           : nullptr;
  if (a == Type::u8)
    return b == Type::s8   ? mma<AsByte<u8>, AsByte<s8>, s64, Singles<s32>>
           : b == Type::u8 ? mma<AsByte<u8>, AsByte<u8>, s64, Singles<s32>>
                           : nullptr;
  return nullptr;
}

bool shape_of(const Decoder& d, Shape& shape) {
  struct Row {
    const char* name;
    Shape shape;
  };
  static const Row kRows[] = {{"m16n8k4", {16, 4}},   {"m16n8k8", {16, 8}}, {"m16n8k16", {16, 16}},
                              {"m16n8k32", {16, 32}}, {"m8n8k4", {8, 4}},   {"m8n8k16", {8, 16}}};
  for (const Row& row : kRows)
    if (d.has(row.name)) {
      shape = row.shape;
      return true;
    }
  return false;
}

}  // namespace

bool decode_tensor(Decoder& d) {
  Shape shape{};
  if (!d.is("mma") || !d.has("sync") || d.has("sp") || d.has("satfinite") || d.types() != 4 || !shape_of(d, shape))
    return false;
  if (!d.has("row") || !d.has("col")) return false;
  const Type result = d.type(0), a = d.type(1), b = d.type(2), c = d.type(3);
  if (c != result) return false;
  d.out.run = handler_of(result, a, b);
  if (!d.out.run) return false;
  d.out.flags = static_cast<u16>(shape.rows | shape.depth << 8);
  const std::size_t elements = a == Type::f16 || a == Type::bf16 ? 2 : a == Type::s8 || a == Type::u8 ? 4 : 1;
  const std::size_t groups = static_cast<std::size_t>(shape.rows) / 8;
  const std::size_t b_registers = static_cast<std::size_t>(shape.depth) / (4 * elements),
                    a_registers = groups * b_registers;
  const std::size_t results = 2 * groups / (result == Type::f16 ? 2 : 1);
  if (b_registers == 0 || d.items(0) != results || d.items(1) != a_registers || d.items(2) != b_registers ||
      d.items(3) != results)
    return false;
  const Type factor = a == Type::f64 ? Type::f64 : Type::b32, total = result == Type::f64 ? Type::f64 : Type::b32;
  for (std::size_t r = 0; r < results; ++r) d.dst(d.item(0, r));
  for (std::size_t r = 0; r < a_registers; ++r) d.src(d.item(1, r), factor);
  for (std::size_t r = 0; r < b_registers; ++r) d.src(d.item(2, r), factor);
  for (std::size_t r = 0; r < results; ++r) d.src(d.item(3, r), total);
  return true;
}

}  // namespace portico::standin::ptx::PTX_LANES
