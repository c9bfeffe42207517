// quickstart.png: test images with what the network sees in them.
#pragma once

#include <filesystem>

#include "portico/data/dataset.hpp"
#include "portico/nn/module.hpp"

namespace portico::tools {

/// The first images of `set` in a grid, each with the predicted class and its probability; wrong ones in red, with the
/// right class. `accuracy` is of the whole set. Throws `Error{io}`.
void save_picture(const std::filesystem::path& path, nn::Module& model, const data::ImageSet& set, double accuracy);

}  // namespace portico::tools
