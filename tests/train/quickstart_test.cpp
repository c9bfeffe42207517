// The quickstart on a small part of its data set: this backend trains to the loss that OpenCL trains to. On a machine
// without a GPU the backend is a stand-in, for CUDA with the kernels' own PTX executed.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <regex>

#include "catch.hpp"
#include "portico/io.hpp"
#include "run_program.hpp"
#include "temporary_folder.hpp"

namespace portico::test {
namespace {

constexpr const char* kData = "/usr/share/datasets/fashion-mnist";

struct Trained {
  double loss = 0, accuracy = 0;
  std::string backend, out;
  StateDict network;
};

// As examples/quickstart.sh calls it, with fewer images.
Trained train(const TemporaryFolder& folder, const std::string& backend, int epochs) {
  const ProgramRun run = run_program("cd '" + folder.path().string() + "' && env PORTICO_BACKEND=" + backend +
                                     " '" PORTICO_TRAIN "' --limit 64 --batch 16 --epochs " + std::to_string(epochs));
  INFO(run.out << run.err);
  REQUIRE(run.code == 0);
  Trained trained{.out = run.out, .network = load_safetensors((folder.path() / "quickstart.safetensors").string())};
  std::smatch found;
  if (std::regex_search(run.out, found, std::regex("epoch 1/1  loss ([0-9.]+)"))) trained.loss = std::stod(found[1]);
  REQUIRE(std::regex_search(run.out, found, std::regex("backend=([a-z]+) .* test_accuracy=([0-9.]+)")));
  trained.backend = found[1];
  trained.accuracy = std::stod(found[2]);
  return trained;
}

// The root of the sum of squared differences of all weights.
double distance(const StateDict& a, const StateDict& b) {
  double sum = 0;
  for (auto at = a.begin(), other = b.begin(); at != a.end(); ++at, ++other) {
    REQUIRE(at->first == other->first);
    const std::vector<float> x = at->second.to_vector(), y = other->second.to_vector();
    REQUIRE(x.size() == y.size());
    for (std::size_t i = 0; i < x.size(); ++i) sum += (double{x[i]} - y[i]) * (double{x[i]} - y[i]);
  }
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("the quickstart trains as on OpenCL", "[quickstart]") {
  if (!std::filesystem::exists(kData)) {
    std::printf("skipped: there is no %s\n", kData);
    std::fflush(stdout);
    std::_Exit(77);
  }
  const std::string backend = std::getenv("PORTICO_BACKEND");
  const TemporaryFolder folder;
  const Trained untrained = train(folder, "opencl", 0), reference = train(folder, "opencl", 1);
  const Trained here = train(folder, backend, 1);
  CHECK(reference.backend == "opencl");
  CHECK(here.backend == backend);
  REQUIRE(reference.loss > 0);
  // Both round in another order, step for step: a thousandth of the loss, and a hundredth of the way that the weights
  // have gone, of which Adam gives small gradients of either sign the same part.
  CHECK(std::abs(here.loss - reference.loss) <= 1e-3 * reference.loss);
  const double way = distance(reference.network, untrained.network), apart = distance(reference.network, here.network);
  CHECK(way > 0.3);
  CHECK(apart <= 0.01 * way);
  CHECK(std::abs(here.accuracy - reference.accuracy) <= 0.001);  // of 64 images, none
  std::printf("loss %.4f, on OpenCL %.4f; weights %.5f apart after a way of %.3f\n", here.loss, reference.loss, apart,
              way);
}

}  // namespace portico::test
