// OpCase: an operation described once, with an obvious reference in double, from which its checks follow.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "portico/portico.hpp"

namespace portico::test {

using Doubles = std::vector<double>;

/// Where the values of an input come from: uniform in [low, high), by a fixed seed.
struct Values {
  double low = -1.0;
  double high = 1.0;
  /// Points where the operation has no derivative; values nearer than `distance` are moved away from them.
  std::vector<double> kinks = {};
  double distance = 0.05;
  /// Whole numbers of this dtype instead (labels, indices): the input takes no gradient and keeps its dtype.
  std::optional<DType> integers = {};
  /// All values differ by at least 1 / count of the range: for max, argmax and pooling, where ties would decide.
  bool distinct = false;
};

struct OpCase {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Tensor(const std::vector<Tensor>&)> op;
  /// The result in row-major order from the inputs in row-major order.
  std::function<Doubles(const std::vector<Doubles>&)> reference;
  std::int64_t length = 1;          ///< terms in the longest sum behind one element of the result
  double magnitude = 1.0;           ///< size of one such term
  double tolerance = 1.0;           ///< factor on tolerance.hpp's bound
  double gradient_tolerance = 1.0;  ///< the same for gradients
  std::vector<Values> values = {};  ///< one an input; the last stands for those that follow
  double bytes = 0.0;               ///< least traffic of one call in f32, for the benchmarks
  double flops = 0.0;
};

inline std::ostream& operator<<(std::ostream& out, const OpCase& op) { return out << op.name; }

/// The inputs' values as check_forward makes them, rounded to `dtype`.
std::vector<Doubles> make_values(const OpCase& op, DType dtype);

/// Runs `op` with inputs of `dtype`: aligned, at odd element offsets between guard values that must stay, and, when an
/// input has four axes, on channels-last inputs. Holds shape-independent values against the reference. Guard words
/// behind the outputs are the pool's (PORTICO_DEBUG=1, which portico_add_test sets).
void check_forward(const OpCase& op, DType dtype = DType::f32);

/// Holds autograd's gradients for a random seed tensor against central differences of the reference: all inputs at
/// once, then each input alone, because gradients that nobody asked for are not computed. At most `samples` elements of
/// each input are differentiated numerically.
void check_gradient(const OpCase& op, DType dtype = DType::f32, int samples = 48);

/// `callable` must throw an Error of this code whose message contains `part`.
void check_error(const std::function<void()>& callable, ErrorCode code, std::string_view part);

/// |actual - expected| within tolerance.hpp's bound, element by element; reports the worst.
void check_values(const std::vector<float>& actual, const Doubles& expected, DType dtype, std::int64_t length = 1,
                  double magnitude = 1.0, double factor = 1.0);

/// Row-major strides in elements; index arithmetic for references.
std::vector<std::int64_t> strides_of(const Shape& shape);

}  // namespace portico::test
