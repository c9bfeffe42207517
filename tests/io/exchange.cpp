// The C++ side of exchange.py:
//   io_exchange write FILE    saves tensors that follow a rule
//   io_exchange check FILE    exits with 0 when FILE holds the tensors of the same rule
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "portico/portico.hpp"

namespace {

using portico::DType;
using portico::Shape;
using portico::Tensor;

// Element i is (7 i mod 31) - 12, an exact number in every dtype; of u8, without the - 12.
Tensor by_rule(DType dtype, const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.count()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(7 * i % 31) - (dtype == DType::u8 ? 0.0f : 12.0f);
  return Tensor::from(values, shape, {.dtype = dtype});
}

portico::StateDict rule() {
  return {{"fc.weight", by_rule(DType::f32, {5, 7})},
          {"fc.bias", by_rule(DType::f16, {5})},
          {"conv.weight", by_rule(DType::bf16, {2, 3, 3, 1})},
          {"labels", by_rule(DType::i32, {4})},
          {"bytes", by_rule(DType::u8, {3, 1})},
          {"scalar", by_rule(DType::f32, {})},
          {"nothing", by_rule(DType::f32, {0, 4})}};
}

int check(const char* path) {
  std::map<std::string, std::string> metadata;
  const portico::StateDict read = portico::load_safetensors(path, {}, &metadata);
  const portico::StateDict wanted = rule();
  for (const auto& [name, tensor] : wanted) {
    const auto found = read.find(name);
    if (found == read.end() || found->second.shape() != tensor.shape() || found->second.dtype() != tensor.dtype() ||
        found->second.to_bytes() != tensor.to_bytes()) {
      std::fprintf(stderr, "%s: '%s' is missing or differs\n", path, name.c_str());
      return 1;
    }
  }
  if (read.size() != wanted.size() || metadata["from"] != "python") {
    std::fprintf(stderr, "%s: %zu tensors, metadata 'from' is '%s'\n", path, read.size(), metadata["from"].c_str());
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    portico::Device::current();
  } catch (const portico::Error& error) {
    std::fprintf(stderr, "skipped: %s\n", error.what());
    return error.code() == portico::ErrorCode::unsupported ? 77 : 1;
  }
  try {
    if (std::strcmp(argv[1], "check") == 0) return check(argv[2]);
    portico::save_safetensors(argv[2], rule(), {{"from", "portico"}});
    return 0;
  } catch (const portico::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
