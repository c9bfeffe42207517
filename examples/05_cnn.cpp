// Example 5: a convolutional network on real images, through data::Loader and train::fit, saved and loaded again. A
// small part of Fashion-MNIST keeps it to seconds; portico-train does the whole.
//
//   05_cnn [folder of the four IDX files]
#include <cstdio>
#include <filesystem>

#include "portico/portico.hpp"

using portico::Tensor;
namespace data = portico::data;
namespace nn = portico::nn;

namespace {

nn::Sequential make_cnn() {
  return nn::Sequential(std::make_unique<nn::Conv2d>(1, 16, 3, nn::Conv2dLayerOptions{.padding = {1, 1}}),
                        std::make_unique<nn::ReLU>(), std::make_unique<nn::MaxPool2d>(2),
                        std::make_unique<nn::Conv2d>(16, 32, 3, nn::Conv2dLayerOptions{.padding = {1, 1}}),
                        std::make_unique<nn::ReLU>(), std::make_unique<nn::MaxPool2d>(2),
                        std::make_unique<nn::Flatten>(), std::make_unique<nn::Linear>(32 * 7 * 7, 10));
}

data::ImageSet first(const data::ImageSet& set, std::int64_t count) {
  data::ImageSet part{.count = count, .height = set.height, .width = set.width, .classes = set.classes};
  part.pixels.assign(set.pixels.begin(), set.pixels.begin() + count * set.height * set.width);
  part.labels.assign(set.labels.begin(), set.labels.begin() + count);
  return part;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "/usr/share/datasets/fashion-mnist";
  const data::ImageData all = data::load_mnist(folder);

  // The images lie on the device as bytes; a batch is put together and normalised there.
  const float mean = 0.286f, deviation = 0.353f;
  data::Loader train(first(all.train, 6000), {.batch = 64, .shuffle = true, .mean = mean, .deviation = deviation});
  data::Loader test(first(all.test, 2000), {.batch = 500, .mean = mean, .deviation = deviation});

  portico::seed(1);
  nn::Sequential model = make_cnn();
  portico::optim::Adam optimizer(model.parameters(), {.lr = 2e-3f});
  const auto result = portico::train::fit(model, optimizer, train, &test,
                                          {.epochs = 3, .on_epoch = [](const portico::train::EpochReport& epoch) {
                                             std::printf("epoch %d  loss %.4f  test accuracy %.4f\n", epoch.epoch,
                                                         epoch.loss, epoch.test_accuracy);
                                           }});
  const double accuracy = result.epochs.back().test_accuracy;

  // The file is safetensors with PyTorch's names: torch.load_state_dict takes it.
  const auto file = std::filesystem::temp_directory_path() / "portico_05_cnn.safetensors";
  portico::save_safetensors(file, model.state_dict());
  nn::Sequential again = make_cnn();
  again.load_state_dict(portico::load_safetensors(file));
  std::filesystem::remove(file);
  const double reloaded = portico::train::evaluate(again, test).accuracy;

  if (accuracy < 0.75 || reloaded != accuracy) {
    std::fprintf(stderr, "error: accuracy %.4f, %.4f after loading again\n", accuracy, reloaded);
    return 1;
  }
  std::printf(
      "shown: a CNN trained on %lld images gets %.3f of the test images right, and the same again from its file\n",
      static_cast<long long>(train.examples()), accuracy);
} catch (const portico::Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
