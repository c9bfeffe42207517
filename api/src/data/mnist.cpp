// The four files of MNIST and Fashion-MNIST.
#include <system_error>

#include "portico/data/dataset.hpp"

namespace portico::data {
namespace {

namespace fs = std::filesystem;

// Empty when neither the plain nor the compressed file is there.
fs::path find(const fs::path& folder, const std::string& name) {
  for (const char* ending : {"", ".gz"}) {
    std::error_code ignored;
    if (fs::path path = folder / (name + ending); fs::exists(path, ignored)) return path;
  }
  return {};
}

[[noreturn]] void fail(const fs::path& path, const std::string& what) {
  throw Error(ErrorCode::io, path.string() + ": " + what);
}

ImageSet load_set(const fs::path& image_path, const fs::path& label_path, int classes) {
  IdxArray images = read_idx(image_path);
  if (images.dims.size() != 3)
    fail(image_path, "has " + std::to_string(images.dims.size()) + " axes; images need 3 (count, height, width)");
  const IdxArray labels = read_idx(label_path);
  if (labels.dims.size() != 1) fail(label_path, "has " + std::to_string(labels.dims.size()) + " axes; labels need 1");
  if (images.dims[0] != labels.dims[0])
    fail(label_path, "holds " + std::to_string(labels.dims[0]) + " labels for the " + std::to_string(images.dims[0]) +
                         " images of " + image_path.string());
  if (images.values.empty()) fail(image_path, "holds no pixels");
  for (std::size_t i = 0; i < labels.values.size(); ++i)
    if (labels.values[i] >= classes)
      fail(label_path, "label " + std::to_string(labels.values[i]) + " of example " + std::to_string(i) +
                           " is not below " + std::to_string(classes));

  return {.count = images.dims[0],
          .height = images.dims[1],
          .width = images.dims[2],
          .classes = classes,
          .pixels = std::move(images.values),
          .labels = {labels.values.begin(), labels.values.end()}};
}

}  // namespace

ImageData load_mnist(const fs::path& folder, int classes) {
  std::error_code error;
  fs::directory_iterator(folder, error);  // says why a folder cannot be used better than four missing files would
  if (error) fail(folder, "cannot be read as a folder: " + error.message());

  const char* names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                         "t10k-labels-idx1-ubyte"};
  fs::path paths[4];
  std::string missing;
  for (int i = 0; i < 4; ++i) {
    paths[i] = find(folder, names[i]);
    if (paths[i].empty()) missing += (missing.empty() ? "" : ", ") + std::string(names[i]);
  }
  if (!missing.empty()) fail(folder, "lacks " + missing + " (plain or .gz)");

  ImageData data{load_set(paths[0], paths[1], classes), load_set(paths[2], paths[3], classes)};
  if (data.train.height != data.test.height || data.train.width != data.test.width)
    fail(folder, "the training images are " + std::to_string(data.train.height) + "x" +
                     std::to_string(data.train.width) + ", the test images " + std::to_string(data.test.height) + "x" +
                     std::to_string(data.test.width));
  return data;
}

}  // namespace portico::data
