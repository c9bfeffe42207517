// Modules: names, loading, modes.
#include <filesystem>

#include "catch.hpp"
#include "op_check.hpp"

namespace portico::test {
namespace {

const auto kInvalid = ErrorCode::invalid_argument;

class Block : public nn::Module {
 public:
  Block() {
    add_child("fc", fc_);
    add_child("drop", drop_);
    scale = add_parameter("scale", Tensor::ones({2}));
  }
  Tensor forward(const Tensor& x) override { return mul(drop_(fc_(x)), scale); }
  const nn::Dropout& drop() const { return drop_; }
  Tensor scale;

 private:
  nn::Linear fc_{3, 2};
  nn::Dropout drop_{0.5f};
};

class Net : public nn::Module {
 public:
  Net() {
    add_child("first", first);
    add_child("last", last);
  }
  Tensor forward(const Tensor& x) override { return last(first(x)); }
  Block first;
  nn::Linear last{2, 1, {.bias = false}};
};

std::vector<std::string> names(const nn::Module& module) {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : module.named_parameters()) all.push_back(name);
  return all;
}

// A module whose constructor registers what it is given, to see what registration refuses.
struct Odd : nn::Module {
  Odd(const std::string& first, const std::string& second) {
    add_parameter(first, Tensor::ones({1}));
    add_parameter(second, Tensor::ones({1}));
  }
  explicit Odd(const std::string& name) {
    add_parameter("a", Tensor::ones({1}));
    add_child(name, child);
  }
  Tensor forward(const Tensor& x) override { return x; }
  nn::ReLU child;
};

struct Undefined : nn::Module {
  Undefined() { add_parameter("w", Tensor()); }
  Tensor forward(const Tensor& x) override { return x; }
};

}  // namespace

TEST_CASE("parameters are named as in PyTorch, own ones first", "[nn]") {
  const Net net;
  CHECK(names(net) == std::vector<std::string>{"first.scale", "first.fc.weight", "first.fc.bias", "last.weight"});
  CHECK(net.parameters().size() == 4);
  CHECK(net.parameter_count() == 2 + 6 + 2 + 2);
  for (const Tensor& parameter : net.parameters()) CHECK(parameter.requires_grad());
  CHECK(net.named_children().size() == 2);
  CHECK(net.named_children()[1].first == "last");
}

TEST_CASE("a module prints itself with its children", "[nn]") {
  CHECK(Net().describe() ==
        "Net(\n"
        "  (first): Block(\n"
        "    (fc): Linear(in_features=3, out_features=2, bias=True)\n"
        "    (drop): Dropout(p=0.5, inplace=False)\n"
        "  )\n"
        "  (last): Linear(in_features=2, out_features=1, bias=False)\n"
        ")");
}

TEST_CASE("a state goes from one module to another, through a file and converted", "[nn]") {
  const Net from;
  const auto path = std::filesystem::temp_directory_path() / "portico_module_test.safetensors";
  save_safetensors(path, from.state_dict());
  StateDict state = load_safetensors(path);
  std::filesystem::remove(path);
  state["last.weight"] = state["last.weight"].to(DType::bf16);

  Net to;
  to.load_state_dict(state);
  const auto wanted = from.named_parameters(), got = to.named_parameters();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    INFO(wanted[i].first);
    const Tensor expected = i == 3 ? wanted[i].second.to(DType::bf16) : wanted[i].second;
    CHECK(got[i].second.to_vector() == expected.to_vector());
    CHECK(got[i].second.dtype() == DType::f32);
  }
}

TEST_CASE("a module can load its own state", "[nn]") {
  Net net;
  const std::vector<float> before = net.last.weight.to_vector();
  net.load_state_dict(net.state_dict());
  CHECK(net.last.weight.to_vector() == before);
}

TEST_CASE("loading that does not fit lists everything and changes nothing", "[nn][errors]") {
  Net net;
  const std::vector<float> before = net.first.scale.to_vector();
  StateDict state = net.state_dict();
  for (auto& [name, tensor] : state) tensor = Tensor::full(tensor.shape(), 9.0f);
  state.erase("first.fc.bias");
  state["last.bias"] = Tensor::ones({1});
  state["last.weight"] = Tensor::ones({2, 1});
  state["first.fc.weight"] = Tensor();
  check_error([&] { net.load_state_dict(state); }, kInvalid,
              "Net: this state does not fit, nothing was changed; missing: first.fc.bias; unexpected: last.bias; wrong "
              "shape: first.fc.weight is undefined, last.weight is [2,1], the parameter [1,2]");
  CHECK(net.first.scale.to_vector() == before);
  check_error([&] { net.load_state_dict(state, false); }, kInvalid, "wrong shape: first.fc.weight is undefined");
  CHECK(net.first.scale.to_vector() == before);

  state.erase("first.fc.weight");
  state.erase("last.weight");
  check_error([&] { net.load_state_dict(state); }, kInvalid, "missing: first.fc.weight, first.fc.bias, last.weight");
  net.load_state_dict(state, false);
  CHECK(net.first.scale.to_vector() == std::vector<float>{9.0f, 9.0f});
}

TEST_CASE("loading marks the parameter's memory as changed", "[nn]") {
  Net net;
  const Net other;
  const std::uint64_t before = net.last.weight.buffer().version();
  net.load_state_dict(other.state_dict());
  CHECK(net.last.weight.buffer().version() > before);
}

TEST_CASE("training and evaluation reach every child", "[nn]") {
  Net net;
  CHECK(net.first.drop().training());
  net.eval();
  CHECK_FALSE(net.training());
  CHECK_FALSE(net.first.drop().training());
  const Tensor x = Tensor::ones({4, 3});
  CHECK(net(x).to_vector() == net(x).to_vector());
  net.train();
  CHECK(net.first.drop().training());
}

TEST_CASE("clear_grad reaches every parameter", "[nn]") {
  Net net;
  net.eval();
  sum(net(Tensor::ones({4, 3}))).backward();
  for (const Tensor& parameter : net.parameters()) CHECK(parameter.grad().defined());
  net.clear_grad();
  for (const Tensor& parameter : net.parameters()) CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("names that would be ambiguous are refused", "[nn][errors]") {
  check_error([] { Odd("a", "a"); }, kInvalid, "the name 'a' is taken by another parameter or child");
  check_error([] { Odd("a"); }, kInvalid, "the name 'a' is taken by another parameter or child");
  check_error([] { Odd("a.b", "c"); }, kInvalid, "the name 'a.b' cannot be used");
  check_error([] { Odd(""); }, kInvalid, "the name '' cannot be used");
  check_error([] { Undefined(); }, kInvalid, "w is undefined");
}

}  // namespace portico::test
