// The networks that portico-train knows, and the data set they are for.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "portico/nn/layers.hpp"

namespace portico::tools {

inline constexpr int kClasses = 10;
inline constexpr std::int64_t kSide = 28;
inline constexpr std::array<const char*, kClasses> kClassNames = {
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"};

/// Mean and standard deviation of the training pixels, as fractions of 255.
inline constexpr float kPixelMean = 0.2860f, kPixelDeviation = 0.3530f;

/// "cnn": conv 3x3 1-32, relu, pool, conv 3x3 32-64, relu, pool, dense 3136-128, relu, dense 128-10.
/// "mlp": dense 784-256, relu, dense 256-10.
std::unique_ptr<nn::Sequential> make_model(const std::string& name);

/// Saves the weights by PyTorch's names, with what is needed to use them. Throws `Error{io}`.
void save_model(const std::filesystem::path& path, const nn::Module& model, const std::string& name, double accuracy);

struct LoadedModel {
  std::string name;
  std::unique_ptr<nn::Sequential> model;
};
/// `name` empty: what the file says, else the CNN. Throws `Error` when the file is damaged or holds another network.
LoadedModel load_model(const std::filesystem::path& path, const std::string& name);

}  // namespace portico::tools
