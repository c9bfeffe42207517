// Operations bound by memory. A row's work is the least traffic that the operation could cause.
#include <memory>

#include "portico/portico.hpp"
#include "suite/table.hpp"
#include "suite/workload.hpp"

namespace portico::bench {
namespace {

using Make = std::function<Call()>;

Tensor random(const Shape& shape) { return Tensor::uniform(shape, -1.0f, 1.0f); }

// One recorded forward whose graph is kept; each call runs its gradient.
Call gradient_of(Tensor x, Tensor (*op)(const Tensor&)) {
  x.set_requires_grad();
  const Tensor y = op(x);
  const Tensor seed = random(y.shape()).contiguous(y.layout());
  return [x, y, seed] {
    x.clear_grad();
    y.backward(seed, true);
  };
}

Call without_history(std::function<void()> call) {
  return [call = std::move(call)] {
    const NoGrad guard;
    call();
  };
}

struct Operation {
  double arrays;  ///< of the input's size that are read or written at least
  std::function<Call(std::int64_t rows, std::int64_t cols)> make;
};

template <typename Op>
Operation unary(double arrays, Op op) {
  return {arrays, [op](std::int64_t rows, std::int64_t cols) {
            return without_history([x = random({rows, cols}), op] { op(x); });
          }};
}

const std::map<std::string, Operation>& operations() {
  static const std::map<std::string, Operation> all = {
      {"add",
       {3,
        [](std::int64_t r, std::int64_t c) {
          return without_history([a = random({r, c}), b = random({r, c})] { add(a, b); });
        }}},
      {"add_row",
       {2,
        [](std::int64_t r, std::int64_t c) {
          return without_history([a = random({r, c}), b = random({c})] { add(a, b); });
        }}},
      {"add_column",
       {2,
        [](std::int64_t r, std::int64_t c) {
          return without_history([a = random({r, c}), b = random({r, 1})] { add(a, b); });
        }}},
      {"relu", unary(2, [](const Tensor& x) { relu(x); })},
      {"gelu", unary(2, [](const Tensor& x) { gelu(x); })},
      {"exp", unary(2, [](const Tensor& x) { exp(x); })},
      {"sum_all", unary(1, [](const Tensor& x) { sum(x); })},
      {"sum_rows", unary(1, [](const Tensor& x) { sum(x, {1}); })},
      {"sum_columns", unary(1, [](const Tensor& x) { sum(x, {0}); })},
      {"softmax", unary(2, [](const Tensor& x) { softmax(x); })},
      {"softmax_gradient",
       {3,
        [](std::int64_t r, std::int64_t c) {
          return gradient_of(random({r, c}), [](const Tensor& x) { return softmax(x); });
        }}},
      {"transpose", unary(2, [](const Tensor& x) { transpose(x); })},
  };
  return all;
}

Workload own(const std::string& list, const Row& row, const std::string& name, double bytes, double memory, Make make) {
  return {.list = list,
          .name = name,
          .work = {.bytes = bytes},
          .memory = memory,
          .quick = row.flag("quick"),
          .columns = own_column(std::move(make))};
}

void add_memory_bound(std::vector<Workload>& all) {
  for (const Row& row : table("memory_bound")) {
    const std::string& op = row.text("op");
    const std::int64_t rows = row.number("rows"), cols = row.number("cols");
    const auto at = operations().find(op);
    if (at == operations().end()) throw Error(ErrorCode::invalid_argument, "memory_bound.csv: no operation " + op);
    const double array = 4.0 * static_cast<double>(rows * cols), bytes = at->second.arrays * array;
    const std::string name = op + (rows == 1 ? "" : "/rows:" + std::to_string(rows)) + "/cols:" + std::to_string(cols);
    all.push_back(own("memory_bound", row, name, bytes, std::max(2 * array, bytes),
                      [make = at->second.make, rows, cols] { return make(rows, cols); }));
  }
}

Call pooling(const std::string& op, const Shape& shape, std::int64_t kernel, std::int64_t stride) {
  const Tensor x = random(shape).contiguous(Layout::channels_last);
  const MaxPool2dOptions options = {
      .kernel = {kernel, kernel}, .stride = Pair{stride, stride}, .padding = kernel == 3 ? Pair{1, 1} : Pair{0, 0}};
  if (op == "avg") return without_history([x] { avg_pool2d(x); });
  if (op == "max") return without_history([x, options] { max_pool2d(x, options); });
  Tensor leaf = x;
  leaf.set_requires_grad();
  const Tensor y = max_pool2d(leaf, options);
  const Tensor seed = random(y.shape()).contiguous(y.layout());
  return [leaf, y, seed] {
    leaf.clear_grad();
    y.backward(seed, true);
  };
}

void add_pooling(std::vector<Workload>& all) {
  for (const Row& row : table("pooling")) {
    const std::string& op = row.text("op");
    const Shape shape = {row.number("n"), row.number("c"), row.number("h"), row.number("w")};
    const std::int64_t kernel = row.number("kernel"), stride = row.number("stride");
    std::string name = op;
    for (const char* column : {"n", "c", "h", "w", "kernel", "stride"})
      name += "/" + std::string(column) + ":" + std::to_string(row.number(column));
    const double array = 4.0 * static_cast<double>(shape.count()),
                 pooled = array / static_cast<double>(stride * stride);
    // The gradient reads dy and x (or the winners' places, which are less) and writes dx.
    const double bytes = op == "max_gradient" ? pooled + array : array + pooled;
    all.push_back(own("pooling", row, name, bytes, 3 * array, [=] { return pooling(op, shape, kernel, stride); }));
  }
}

void add_optimizers(std::vector<Workload>& all) {
  for (const Row& row : table("optimizer")) {
    const std::string& op = row.text("op");
    const std::int64_t count = row.number("count");
    const double array = 4.0 * static_cast<double>(count), arrays = op == "sgd" ? 3 : 7;
    all.push_back(
        own("optimizer", row, op + "/count:" + std::to_string(count), arrays * array, 5 * array, [op, count]() -> Call {
          Tensor parameter = random({count});
          parameter.set_requires_grad();
          parameter.set_grad(random({count}));
          std::shared_ptr<optim::Optimizer> optimizer;
          if (op == "sgd")
            optimizer = std::make_shared<optim::SGD>(std::vector{parameter}, optim::SGDOptions{});
          else if (op == "adam")
            optimizer = std::make_shared<optim::Adam>(std::vector{parameter}, optim::AdamOptions{});
          else
            optimizer = std::make_shared<optim::AdamW>(std::vector{parameter}, optim::AdamWOptions{});
          return [optimizer] { optimizer->step(); };
        }));
  }
}

void add_transfers(std::vector<Workload>& all) {
  for (const Row& row : table("transfer")) {
    const std::string& op = row.text("op");
    const auto bytes = static_cast<std::size_t>(row.number("bytes"));
    const double amount = static_cast<double>(bytes);
    const bool on_device = op == "on_device";
    all.push_back({.list = "transfer",
                   .name = op + "/bytes:" + std::to_string(bytes),
                   .work = {.bytes = on_device ? 2 * amount : 0, .host_bytes = on_device ? 0 : amount},
                   .memory = 2 * amount,
                   .quick = row.flag("quick"),
                   .on_host = !on_device,
                   .columns = own_column([op, bytes, on_device]() -> Call {
                     const Device device = Device::current();
                     const Buffer x = device.allocate(bytes);
                     x.fill(0, 0, bytes);
                     if (on_device) return [x, y = device.allocate(bytes), bytes] { y.copy_from(0, x, 0, bytes); };
                     const auto host = std::make_shared<std::vector<std::byte>>(bytes);
                     if (op == "to_device") return [x, host] { x.write(0, *host); };
                     return [x, host] { x.read(0, *host); };
                   })});
  }
}

}  // namespace

std::vector<Workload> memory_workloads() {
  std::vector<Workload> all;
  add_memory_bound(all);
  add_pooling(all);
  add_optimizers(all);
  add_transfers(all);
  return all;
}

}  // namespace portico::bench
