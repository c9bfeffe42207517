#include "op_check.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "catch.hpp"
#include "tolerance.hpp"

namespace portico::test {
namespace {

// Splitmix64: the tests must not take their numbers from what they test.
class Random {
 public:
  explicit Random(std::string_view name) {
    for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

double rounded(double value, DType dtype) {
  const float f = static_cast<float>(value);
  if (dtype == DType::f16) return from_f16(to_f16(f));
  if (dtype == DType::bf16) return from_bf16(to_bf16(f));
  return f;
}

Values values_of(const OpCase& op, std::size_t input) {
  if (op.values.empty()) return {};
  return op.values[std::min(input, op.values.size() - 1)];
}

Doubles draw(const Values& values, std::int64_t count, Random& random) {
  Doubles result(static_cast<std::size_t>(count));
  for (double& value : result) {
    value = values.low + (values.high - values.low) * random.uniform();
    if (values.integers) value = std::floor(value);
    for (const double kink : values.kinks)
      if (std::abs(value - kink) < values.distance) value = kink + (value < kink ? -1.0 : 1.0) * values.distance;
  }
  if (values.distinct) {
    std::vector<std::size_t> order(result.size());
    std::iota(order.begin(), order.end(), 0u);
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.next() % i]);
    for (std::size_t i = 0; i < order.size(); ++i)
      result[order[i]] =
          values.low + (values.high - values.low) * (static_cast<double>(i) + 0.5) / static_cast<double>(result.size());
  }
  return result;
}

// An input inside a longer row of guard values. The extent in front makes its first element odd.
struct Guarded {
  static constexpr std::int64_t kFront = 7;
  static constexpr std::int64_t kBack = 33;
  static constexpr float kGuard = -77.0f;

  Guarded(const Doubles& values, const Shape& shape, DType dtype) {
    std::vector<float> all(kFront, dtype == DType::u8 ? 77.0f : kGuard);
    for (const double value : values) all.push_back(static_cast<float>(value));
    all.resize(all.size() + kBack, all.front());
    const auto count = static_cast<std::int64_t>(values.size());
    whole = Tensor::from(all, {count + kFront + kBack}, {.dtype = dtype});
    before = whole.to_bytes();
    tensor = whole.rows(kFront, kFront + count).reshape(shape);
  }

  Tensor whole;
  Tensor tensor;
  std::vector<std::byte> before;
};

DType dtype_of(const OpCase& op, std::size_t input, DType dtype) {
  return values_of(op, input).integers.value_or(dtype);
}

std::vector<float> floats(const Doubles& values) { return {values.begin(), values.end()}; }

std::vector<Tensor> aligned_inputs(const OpCase& op, const std::vector<Doubles>& values, DType dtype) {
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < values.size(); ++i)
    inputs.push_back(Tensor::from(floats(values[i]), op.inputs[i], {.dtype = dtype_of(op, i, dtype)}));
  return inputs;
}

void compare(const OpCase& op, const Tensor& y, const Doubles& expected, DType dtype) {
  const DType stored = is_floating(y.dtype()) ? dtype : DType::f32;
  check_values(y.to_vector(), expected, stored, op.length, op.magnitude, op.tolerance);
}

// Terms in the longest sum behind one element of an input's gradient, when every output element adds to it.
std::int64_t gradient_length(const OpCase& op, std::int64_t outputs, std::int64_t inputs) {
  return std::max(op.length, outputs / std::max<std::int64_t>(inputs, 1));
}

}  // namespace

std::vector<Doubles> make_values(const OpCase& op, DType dtype) {
  Random random(op.name);
  std::vector<Doubles> values;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    values.push_back(draw(values_of(op, i), op.inputs[i].count(), random));
    for (double& value : values.back()) value = rounded(value, dtype_of(op, i, dtype));
  }
  return values;
}

void check_values(const std::vector<float>& actual, const Doubles& expected, DType dtype, std::int64_t length,
                  double magnitude, double factor) {
  REQUIRE(actual.size() == expected.size());
  std::size_t worst = 0, wrong = 0;
  double worst_ratio = -1.0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double a = actual[i], e = expected[i];
    if (a == e || (std::isnan(a) && std::isnan(e))) continue;
    const double bound = tolerance(dtype, length, magnitude, factor, e);
    const double difference = std::abs(a - e);
    const double ratio = std::isfinite(difference) ? difference / bound : INFINITY;
    wrong += !(ratio <= 1.0);
    if (ratio > worst_ratio) worst_ratio = ratio, worst = i;
  }
  if (wrong == 0) {
    SUCCEED();
    return;
  }
  std::ostringstream text;
  text << wrong << " of " << actual.size() << " elements differ; worst at " << worst << ": " << actual[worst]
       << ", expected " << expected[worst] << ", accepted difference "
       << tolerance(dtype, length, magnitude, factor, expected[worst]);
  FAIL_CHECK(text.str());
}

void check_forward(const OpCase& op, DType dtype) {
  INFO("case " << op.name << " in " << name_of(dtype));
  const std::vector<Doubles> values = make_values(op, dtype);
  const Doubles expected = op.reference(values);
  {
    INFO("aligned inputs");
    compare(op, op.op(aligned_inputs(op, values, dtype)), expected, dtype);
  }
  {
    INFO("inputs at odd offsets between guards");
    std::vector<Guarded> guarded;
    std::vector<Tensor> inputs;
    for (std::size_t i = 0; i < values.size(); ++i) {
      guarded.emplace_back(values[i], op.inputs[i], dtype_of(op, i, dtype));
      inputs.push_back(guarded.back().tensor);
    }
    compare(op, op.op(inputs), expected, dtype);
    for (const Guarded& guard : guarded) CHECK(guard.whole.to_bytes() == guard.before);
  }
  const bool images = std::any_of(op.inputs.begin(), op.inputs.end(), [](const Shape& s) { return s.rank() == 4; });
  if (images) {
    INFO("channels-last inputs");
    std::vector<Tensor> inputs = aligned_inputs(op, values, dtype);
    for (Tensor& input : inputs)
      if (input.rank() == 4) input = input.contiguous(Layout::channels_last);
    compare(op, op.op(inputs), expected, dtype);
  }
}

void check_gradient(const OpCase& op, DType dtype, int samples) {
  INFO("gradient of case " << op.name << " in " << name_of(dtype));
  const std::vector<Doubles> values = make_values(op, dtype);
  Random random(op.name + " seed");

  std::vector<Tensor> inputs = aligned_inputs(op, values, dtype);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!values_of(op, i).integers) inputs[i].set_requires_grad();
  const Tensor y = op.op(inputs);
  Doubles seed = draw({}, y.count(), random);
  for (double& value : seed) value = rounded(value, dtype);
  const Tensor dy = Tensor::from(floats(seed), y.shape(), {.dtype = y.dtype()});
  y.backward(dy);

  const auto objective = [&](const std::vector<Doubles>& at) {
    const Doubles result = op.reference(at);
    return std::inner_product(result.begin(), result.end(), seed.begin(), 0.0);
  };

  const std::vector<std::string> features = Device::current().info().features();
  const bool has_library = std::find(features.begin(), features.end(), "gemm") != features.end();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (values_of(op, i).integers) continue;
    INFO("input " << i);
    const std::vector<float> gradient = inputs[i].grad().to_vector();
    REQUIRE(gradient.size() == values[i].size());
    REQUIRE(inputs[i].grad().shape() == op.inputs[i]);

    std::vector<Doubles> at = values;
    std::vector<float> sampled;
    std::vector<std::size_t> elements;
    Doubles numeric;
    const std::size_t count = values[i].size();
    const std::size_t take = std::min<std::size_t>(count, static_cast<std::size_t>(samples));
    for (std::size_t s = 0; s < take; ++s) {
      const std::size_t element = take == count ? s : random.next() % count;
      const double x = values[i][element];
      // Fourth-order differences: with this step the truncation is far below the tolerance, and so is the rounding.
      const double h = 1e-3 * std::max(0.25, std::abs(x));
      const auto shifted = [&](double by) {
        at[i][element] = x + by;
        return objective(at);
      };
      numeric.push_back((8.0 * (shifted(h) - shifted(-h)) - (shifted(2 * h) - shifted(-2 * h))) / (12.0 * h));
      at[i][element] = x;
      sampled.push_back(gradient[element]);
      elements.push_back(element);
    }
    check_values(sampled, numeric, dtype, gradient_length(op, y.count(), inputs[i].count()), 4.0 * op.magnitude,
                 2.0 * op.gradient_tolerance);

    if (inputs.size() == 1) continue;
    INFO("alone");
    std::vector<Tensor> single = aligned_inputs(op, values, dtype);
    single[i].set_requires_grad();
    op.op(single).backward(dy);
    const std::vector<float> alone = single[i].grad().to_vector();
    REQUIRE(alone.size() == gradient.size());
    // The same to the last bit but where a vendor's library makes two gradients in one call: it sums in its own order.
    if (!has_library) CHECK(alone == gradient);
    for (std::size_t s = 0; s < sampled.size(); ++s) sampled[s] = alone[elements[s]];
    check_values(sampled, numeric, dtype, gradient_length(op, y.count(), inputs[i].count()), 4.0 * op.magnitude,
                 2.0 * op.gradient_tolerance);
  }
}

void check_error(const std::function<void()>& callable, ErrorCode code, std::string_view part) {
  try {
    callable();
  } catch (const Error& error) {
    INFO("message: " << error.what());
    CHECK(static_cast<int>(error.code()) == static_cast<int>(code));
    CHECK(std::string_view(error.what()).find(part) != std::string_view::npos);
    return;
  }
  FAIL_CHECK("no error; expected one with \"" << part << '"');
}

std::vector<std::int64_t> strides_of(const Shape& shape) {
  std::vector<std::int64_t> strides(static_cast<std::size_t>(shape.rank()));
  std::int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

}  // namespace portico::test
