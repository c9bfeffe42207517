// Operations bound by memory: each row's work is the least traffic that the operation could cause.
#include "portico/portico.hpp"
#include "suites.hpp"
#include "timing.hpp"

namespace portico::bench {
namespace {

using Call = std::function<void()>;

Tensor random(const Shape& shape) { return Tensor::uniform(shape, -1.0f, 1.0f); }

void add_unary(const std::string& name, std::int64_t count, Tensor (*op)(const Tensor&)) {
  add("pointwise/" + name + "/count:" + std::to_string(count), {.bytes = 8.0 * static_cast<double>(count)},
      [=]() -> Call { return [x = random({count}), op] { op(x); }; });
}

}  // namespace

void add_pointwise() {
  for (const std::int64_t count : {std::int64_t{1} << 12, std::int64_t{1} << 20, std::int64_t{1} << 26}) {
    const std::string size = "/count:" + std::to_string(count);
    const double bytes = static_cast<double>(count) * 4;
    add("pointwise/add" + size, {.bytes = 3 * bytes},
        [=]() -> Call { return [a = random({count}), b = random({count})] { portico::add(a, b); }; });
    add_unary("relu", count, [](const Tensor& x) { return relu(x); });
    add_unary("gelu", count, [](const Tensor& x) { return gelu(x); });
    add_unary("exp", count, [](const Tensor& x) { return exp(x); });
    add_unary("sigmoid", count, [](const Tensor& x) { return sigmoid(x); });
    add_unary("tanh", count, [](const Tensor& x) { return tanh(x); });
    add_unary("gelu_tanh", count, [](const Tensor& x) { return gelu(x, Gelu::tanh); });
    add_unary("silu", count, [](const Tensor& x) { return silu(x); });
    add_unary("softplus", count, [](const Tensor& x) { return softplus(x); });
    add_unary("elu", count, [](const Tensor& x) { return elu(x); });
    add_unary("log", count, [](const Tensor& x) { return log(x); });
    add_unary("sqrt", count, [](const Tensor& x) { return sqrt(x); });
    add_unary("rsqrt", count, [](const Tensor& x) { return rsqrt(x); });
    add_unary("pow", count, [](const Tensor& x) { return pow(x, 2.5f); });
  }
  for (const Shape& shape : {Shape{4096, 1024}, Shape{65536, 256}}) {
    const std::string size = "/rows:" + std::to_string(shape[0]) + "/cols:" + std::to_string(shape[1]);
    const double bytes = static_cast<double>(shape.count()) * 4;
    add("broadcast/add_row" + size, {.bytes = 2 * bytes},
        [=]() -> Call { return [x = random(shape), b = random({shape[1]})] { portico::add(x, b); }; });
    add("broadcast/add_column" + size, {.bytes = 2 * bytes}, [=]() -> Call {
      return [x = random(shape), b = random({shape[0], 1})] { portico::add(x, b); };
    });
    add("reduce/sum_all" + size, {.bytes = bytes}, [=]() -> Call { return [x = random(shape)] { sum(x); }; });
    add("reduce/sum_rows" + size, {.bytes = bytes}, [=]() -> Call { return [x = random(shape)] { sum(x, {1}); }; });
    add("reduce/sum_columns" + size, {.bytes = bytes}, [=]() -> Call { return [x = random(shape)] { sum(x, {0}); }; });
    add("softmax" + size, {.bytes = 2 * bytes}, [=]() -> Call { return [x = random(shape)] { softmax(x); }; });
    add("transpose" + size, {.bytes = 2 * bytes}, [=]() -> Call { return [x = random(shape)] { transpose(x); }; });
  }
  for (const std::int64_t n : {64, 256}) {
    const Shape shape = {n, 64, 28, 28};
    const double bytes = static_cast<double>(shape.count()) * 4;
    const auto image = [=] { return random(shape).contiguous(Layout::channels_last); };
    const std::string size = "/n:" + std::to_string(n) + "/c:64/h:28/w:28";
    add("pool/max" + size, {.bytes = 1.25 * bytes}, [=]() -> Call { return [x = image()] { max_pool2d(x); }; });
    add("pool/avg" + size, {.bytes = 1.25 * bytes}, [=]() -> Call { return [x = image()] { avg_pool2d(x); }; });
    // x, y and dx, dy once each, and the position of each maximum twice.
    add("pool/max_and_gradient" + size, {.bytes = 2.625 * bytes}, [=]() -> Call {
      Tensor x = image();
      x.set_requires_grad();
      return [x, dy = max_pool2d(x).detach()]() mutable {
        x.set_grad({});
        max_pool2d(x).backward(dy);
      };
    });
    add("layout/to_channels_last" + size, {.bytes = 2 * bytes},
        [=]() -> Call { return [x = random(shape)] { (void)x.contiguous(Layout::channels_last); }; });
  }
}

}  // namespace portico::bench
