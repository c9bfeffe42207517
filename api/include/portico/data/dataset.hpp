// Labelled images in memory, read from IDX files (MNIST, Fashion-MNIST), and shuffled mini-batches of them on a device.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "portico/random.hpp"
#include "portico/tensor.hpp"

namespace portico::data {

/// An IDX file's contents: unsigned bytes with their extents.
struct IdxArray {
  std::vector<std::int64_t> dims;
  std::vector<std::uint8_t> values;
};

/// Reads `path`, plain or gzip-compressed (told by content, not name). Throws `Error{io}` naming the path and what is
/// wrong: not IDX, another element type, truncated, longer than its header says, a damaged gzip stream. What the header
/// claims is not believed: memory grows only with bytes that are there.
PORTICO_API IdxArray read_idx(const std::filesystem::path& path);

/// Images [count, 1, height, width] as bytes, with one label each.
struct ImageSet {
  std::int64_t count = 0, height = 0, width = 0;
  int classes = 0;
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
};

struct ImageData {
  ImageSet train, test;
};

/// The four files `{train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]` of `folder`. Throws `Error{io}` listing what is
/// missing, or when images and labels do not match in number, or a label is not below `classes`.
PORTICO_API ImageData load_mnist(const std::filesystem::path& folder, int classes = 10);

struct Batch {
  Tensor images;  ///< f32 [n, 1, h, w]: (pixel / 255 - mean) / deviation
  Tensor labels;  ///< i32 [n]
};

struct LoaderOptions {
  std::int64_t batch = 64;
  bool shuffle = false;
  bool drop_last = false;
  float mean = 0.0f;
  float deviation = 1.0f;
  std::uint64_t seed = 0;  ///< of the shuffle; epoch e of one seed has the same order on every backend
  std::optional<Device> device = {};
};

/// The set lies on the device as bytes; a batch is gathered and normalised there, so that an epoch sends only indices.
/// Throws `Error{invalid_argument}` when the set's sizes contradict each other. One thread at a time.
class PORTICO_API Loader {
 public:
  Loader(const ImageSet& set, const LoaderOptions& options = {});
  ~Loader();
  void start_epoch(int epoch);  ///< back to the first batch, in this epoch's order; a new Loader stands at epoch 0
  bool next(Batch& batch);      ///< false at the end of the epoch; the last batch may be short
  /// As next(), but into the tensors that `batch` has, where they have the next batch's shape: for a recorded step,
  /// which reads the same tensors every time. Whoever still holds them sees them change.
  bool refill(Batch& batch);
  std::int64_t batches() const;   ///< in an epoch
  std::int64_t examples() const;  ///< in an epoch
  const Device& device() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portico::data
