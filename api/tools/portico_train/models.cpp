#include "models.hpp"

#include <cstdio>
#include <map>

#include "portico/error.hpp"
#include "portico/io.hpp"

namespace portico::tools {

std::unique_ptr<nn::Sequential> make_model(const std::string& name) {
  auto model = std::make_unique<nn::Sequential>();
  if (name == "mlp") {
    model->emplace<nn::Flatten>();
    model->emplace<nn::Linear>(kSide * kSide, 256);
    model->emplace<nn::ReLU>();
    model->emplace<nn::Linear>(256, kClasses);
    return model;
  }
  const nn::Conv2dLayerOptions padded{.padding = {1, 1}};
  model->emplace<nn::Conv2d>(1, 32, 3, padded);
  model->emplace<nn::ReLU>();
  model->emplace<nn::MaxPool2d>(2);
  model->emplace<nn::Conv2d>(32, 64, 3, padded);
  model->emplace<nn::ReLU>();
  model->emplace<nn::MaxPool2d>(2);
  model->emplace<nn::Flatten>();
  model->emplace<nn::Linear>(64 * (kSide / 4) * (kSide / 4), 128);
  model->emplace<nn::ReLU>();
  model->emplace<nn::Linear>(128, kClasses);
  return model;
}

void save_model(const std::filesystem::path& path, const nn::Module& model, const std::string& name, double accuracy) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", accuracy);
  save_safetensors(path, model.state_dict(),
                   {{"format", "pt"}, {"model", name}, {"dataset", "fashion-mnist"}, {"test_accuracy", text}});
}

LoadedModel load_model(const std::filesystem::path& path, const std::string& name) {
  std::map<std::string, std::string> metadata;
  const StateDict state = load_safetensors(path, {}, &metadata);
  LoadedModel loaded{.name = name};
  if (name.empty()) loaded.name = metadata["model"] == "mlp" ? "mlp" : "cnn";
  loaded.model = make_model(loaded.name);
  try {
    loaded.model->load_state_dict(state);
  } catch (const Error& error) {
    throw Error(error.code(), path.string() + ": not a " + loaded.name + " of portico-train: " + error.what());
  }
  return loaded;
}

}  // namespace portico::tools
