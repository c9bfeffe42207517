// A tuning that was imported is followed, by the nearest class too, and every choice computes the same product.
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catch.hpp"
#include "portico/portico.hpp"
#include "portico/tuning.hpp"
#include "runtime/sha256.hpp"
#include "runtime/tuning/gemm_class.hpp"

namespace portico::test {
namespace {

using Json = nlohmann::ordered_json;

// A tuning of this device with one choice for products of `trans` near m = n = k = 2^exponent.
std::string signed_text(const Json& gemm, const Json& conv) {
  Json root = Json::parse(export_tuning(Device::current()));
  root["gemm"] = gemm;
  root["conv"] = conv;
  detail::Sha256 hash;
  hash.field(root["identity"].get<std::string>());
  hash.field(root["gemm"].dump());
  hash.field(root["conv"].dump());
  root["digest"] = hash.hex();
  return root.dump();
}

std::string tuning_text(int trans, int exponent, const Json& choice) {
  Json entry = {{"class", {0, trans, exponent, exponent, exponent}},
                {"vendor", -1},
                {"rows", 0},
                {"vecs", 0},
                {"pack_b", -1},
                {"depth", 0},
                {"tile", -1},
                {"gain", 1.5}};
  entry.update(choice);
  return signed_text(Json::array({entry}), Json::array());
}

// The same for plain 3x3 convolutions of `pass` with 64 channels and 2^pixels results.
std::string conv_text(int pass, int pixels, const Json& choice) {
  Json entry = {{"class", {0, pass, 1, 6, 6, pixels}}, {"vendor", -1}, {"winograd", -1}, {"tile", 0}, {"gain", 1.5}};
  entry.update(choice);
  return signed_text(Json::array(), Json::array({entry}));
}

// A convolution and its gradients: forward, x's, weight's.
std::vector<std::vector<float>> convolved(std::int64_t channels, std::int64_t size, ConvAlgorithm algorithm) {
  seed(3);
  Tensor x = Tensor::uniform({2, channels, size, size}, -1.0f, 1.0f).set_requires_grad(true);
  Tensor w = Tensor::uniform({channels, channels, 3, 3}, -1.0f, 1.0f).set_requires_grad(true);
  const Tensor y = conv2d(x, w, {}, {.padding = {1, 1}, .algorithm = algorithm});
  y.backward(Tensor::ones(y.shape()));
  return {y.to_vector(), x.grad().to_vector(), w.grad().to_vector()};
}

void check_product(std::int64_t m, std::int64_t n, std::int64_t k, bool trans_a, bool trans_b) {
  const Tensor a = Tensor::uniform(trans_a ? Shape{k, m} : Shape{m, k}, -1.0f, 1.0f);
  const Tensor b = Tensor::uniform(trans_b ? Shape{n, k} : Shape{k, n}, -1.0f, 1.0f);
  const auto x = a.to_vector(), y = b.to_vector();
  const auto got = matmul(a, b, {.trans_a = trans_a, .trans_b = trans_b}).to_vector();
  double worst = 0;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (std::int64_t t = 0; t < k; ++t)
        sum += double{x[static_cast<std::size_t>(trans_a ? t * m + i : i * k + t)]} *
               y[static_cast<std::size_t>(trans_b ? j * k + t : t * n + j)];
      worst = std::max(worst, std::abs(sum - got[static_cast<std::size_t>(i * n + j)]));
    }
  INFO(m << "x" << n << "x" << k);
  CHECK(worst < 1e-5 * std::sqrt(static_cast<double>(k)));
}

}  // namespace

TEST_CASE("classes are the nearest powers of two", "[tuning]") {
  CHECK(detail::nearest_exponent(0) == 0);
  CHECK(detail::nearest_exponent(1) == 0);
  CHECK(detail::nearest_exponent(45) == 5);
  CHECK(detail::nearest_exponent(46) == 6);
  CHECK(detail::nearest_exponent(64) == 6);
  CHECK(detail::nearest_exponent(std::uint64_t{1} << 40) == 31);
}

TEST_CASE("every choice computes the product, in shapes that it does not fit too", "[tuning]") {
  const char* shape = std::getenv("PORTICO_KERNEL_SHAPE");
  const bool cpu = Device::current().info().is_cpu() && (shape == nullptr || std::string(shape) != "gpu");
  const std::vector<Json> choices = cpu ? std::vector<Json>{{{"rows", 7}, {"depth", 128}},
                                                            {{"rows", 16}, {"vecs", 1}, {"pack_b", 0}},
                                                            {{"vecs", 2}, {"pack_b", 0}}}
                                        : std::vector<Json>{{{"tile", 0}}, {{"tile", 2}, {"vendor", 0}}};
  for (const int trans : {0, 1, 2})
    for (const Json& choice : choices) {
      INFO(choice.dump() << " trans " << trans);
      import_tuning(Device::current(), tuning_text(trans, 5, choice));
      REQUIRE(tuned_entries(Device::current()).size() == 1);
      check_product(32, 32, 32, trans == 1, trans == 2);
      check_product(27, 37, 41, trans == 1, trans == 2);
      check_product(5, 20, 60, trans == 1, trans == 2);
    }
  forget_tuning(Device::current());
}

TEST_CASE("convolutions follow the tuner's choice, by the nearest class, and only where it is left open", "[tuning]") {
  const Device device = Device::current();
  import_tuning(device, signed_text(Json::array(), Json::array()));
  const auto direct = convolved(64, 8, ConvAlgorithm::direct);
  const auto close = [](const std::vector<float>& a, const std::vector<float>& b) {
    REQUIRE(a.size() == b.size());
    double worst = 0, most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      worst = std::max(worst, std::abs(double{a[i]} - b[i]));
      most = std::max(most, std::abs(double{b[i]}));
    }
    return worst < 1e-4 * most;
  };
  // The tile shows in the last bits: a choice gives those of the algorithm asked for by name, and no other. The GPU
  // shape follows its choice by the same lines, and its kernels take long to compile: one tile is enough there.
  const char* shape = std::getenv("PORTICO_KERNEL_SHAPE");
  const bool cpu = device.info().is_cpu() && (shape == nullptr || std::string(shape) != "gpu");
  std::vector<std::pair<int, ConvAlgorithm>> tiles = {{2, ConvAlgorithm::winograd_2x2}};
  if (cpu) tiles.insert(tiles.end(), {{0, ConvAlgorithm::direct}, {4, ConvAlgorithm::winograd_4x4}});
  for (const auto& [tile, algorithm] : tiles) {
    const auto named = convolved(64, 8, algorithm);
    for (const int pass : {0, 1, 2}) {
      INFO("winograd " << tile << ", pass " << pass);
      import_tuning(device, conv_text(pass, 7, {{"winograd", tile}}));
      REQUIRE(tuned_entries(device).size() == 1);
      const auto tuned = convolved(64, 8, ConvAlgorithm::automatic);
      const auto at = static_cast<std::size_t>(pass);
      CHECK(tuned[at] == named[at]);
      CHECK(close(tuned[at], direct[at]));
      if (tile != 0) CHECK(tuned[at] != direct[at]);
      CHECK(convolved(64, 8, ConvAlgorithm::direct)[at] == direct[at]);  // asked for by name
    }
  }
  // 2^7 pixels: a class three doublings away is still taken, one of four is not.
  const auto forced = convolved(64, 8, ConvAlgorithm::winograd_2x2);
  import_tuning(device, conv_text(0, 10, {{"winograd", 2}}));
  CHECK(convolved(64, 8, ConvAlgorithm::automatic)[0] == forced[0]);
  import_tuning(device, signed_text(Json::array(), Json::array()));
  const auto by_rule = convolved(64, 8, ConvAlgorithm::automatic);
  import_tuning(device, conv_text(0, 11, {{"winograd", 2}}));
  CHECK(convolved(64, 8, ConvAlgorithm::automatic)[0] == by_rule[0]);
  // The direct kernel's tile changes no sum's order.
  for (const int tile : {4, 8, 12}) {
    import_tuning(device, conv_text(0, 7, {{"winograd", 0}, {"tile", tile}}));
    CHECK(convolved(64, 8, ConvAlgorithm::automatic)[0] == direct[0]);
  }
  forget_tuning(device);
}

TEST_CASE("a value that no kernel is made for is refused even with a good digest", "[tuning]") {
  forget_tuning(Device::current());
  for (const Json& choice : {Json{{"rows", 3}}, Json{{"rows", 16}, {"vecs", 2}}, Json{{"tile", 9}},
                             Json{{"depth", 100}}, Json{{"vecs", "2"}}})
    try {
      import_tuning(Device::current(), tuning_text(0, 5, choice));
      FAIL("taken: " + choice.dump());
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::invalid_argument);
    }
  for (const Json& choice :
       {Json{{"winograd", 3}}, Json{{"tile", 5}}, Json{{"vendor", 2}}, Json{{"class", {0, 0, 9, 6, 6, 7}}}})
    CHECK_THROWS_AS(import_tuning(Device::current(), conv_text(0, 7, choice)), Error);
  CHECK(tuned_entries(Device::current()).empty());
}

}  // namespace portico::test
