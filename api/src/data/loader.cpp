// Mini-batches from a set that lies on the device.
#include <numeric>
#include <span>

#include "ops/gather.hpp"
#include "portico/data/dataset.hpp"

namespace portico::data {
namespace {

// A number below `bound` without bias (Lemire, ACM TOMACS 29, 2019).
std::uint32_t below(Generator& random, std::uint32_t bound) {
  std::uint64_t product = std::uint64_t{random.next()} * bound;
  const std::uint32_t threshold = (0u - bound) % bound;
  while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{random.next()} * bound;
  return static_cast<std::uint32_t>(product >> 32);
}

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::invalid_argument, "Loader: " + what); }

}  // namespace

struct Loader::Impl {
  LoaderOptions options;
  Device device;
  std::int64_t count, height, width;
  Tensor pixels, labels, order;
  std::int64_t position = 0;
  float scale, shift;

  Impl(const ImageSet& set, const LoaderOptions& given)
      : options(given),
        device(given.device ? *given.device : Device::current()),
        count(set.count),
        height(set.height),
        width(set.width),
        scale(1.0f / (255.0f * given.deviation)),
        shift(-given.mean / given.deviation) {}

  std::int64_t examples() const { return options.drop_last ? count / options.batch * options.batch : count; }

  bool gather(const Batch& batch) {
    detail::gather_images(pixels, labels, order, position, batch.images, batch.labels, scale, shift);
    position += batch.labels.count();
    return true;
  }

  // The host shuffles, so that every backend sees one order; the stretch of counters belongs to the epoch alone, so
  // that an epoch's order does not depend on the epochs before it.
  void start_epoch(int epoch) {
    position = 0;
    if (order.defined() && !options.shuffle) return;
    std::vector<std::int32_t> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), 0);
    if (options.shuffle) {
      Generator random(options.seed);
      random.reset(options.seed, static_cast<std::uint64_t>(epoch) << 40);
      for (std::size_t i = indices.size(); i > 1; --i)
        std::swap(indices[i - 1], indices[below(random, static_cast<std::uint32_t>(i))]);
    }
    order = Tensor::from_ints(indices, {count}, device);
  }
};

Loader::Loader(const ImageSet& set, const LoaderOptions& options) {
  if (options.batch < 1) refuse("batch is " + std::to_string(options.batch) + ", it must be at least 1");
  if (!(options.deviation > 0)) refuse("deviation is " + std::to_string(options.deviation) + ", it must be above 0");
  const Shape shape{set.count, 1, set.height, set.width};
  if (static_cast<std::int64_t>(set.pixels.size()) != shape.count())
    refuse("images " + shape.to_string() + " need " + std::to_string(shape.count()) + " pixels, the set has " +
           std::to_string(set.pixels.size()));
  if (static_cast<std::int64_t>(set.labels.size()) != set.count)
    refuse(std::to_string(set.count) + " images need as many labels, the set has " + std::to_string(set.labels.size()));
  if (set.count > INT32_MAX) refuse(std::to_string(set.count) + " images are more than indices of 32 bits reach");

  impl_ = std::make_unique<Impl>(set, options);
  impl_->pixels = Tensor::from_bytes(std::as_bytes(std::span(set.pixels)), shape, DType::u8, impl_->device);
  impl_->labels = Tensor::from_ints(set.labels, {set.count}, impl_->device);
  impl_->start_epoch(0);
}

Loader::~Loader() = default;

void Loader::start_epoch(int epoch) { impl_->start_epoch(epoch); }

// New tensors every time: the caller, or a gradient, may still hold the last batch. The pool makes them cheap.
bool Loader::next(Batch& batch) {
  batch = {};
  return refill(batch);
}

bool Loader::refill(Batch& batch) {
  Impl& self = *impl_;
  const std::int64_t size = std::min(self.options.batch, self.examples() - self.position);
  if (size <= 0) return false;
  if (batch.images.defined() && batch.images.shape() == Shape{size, 1, self.height, self.width} &&
      batch.images.dtype() == DType::f32 && batch.images.layout() == Layout::row_major &&
      batch.images.device() == self.device && batch.labels.defined() && batch.labels.shape() == Shape{size} &&
      batch.labels.dtype() == DType::i32 && batch.labels.device() == self.device) {
    batch.images.buffer().bump_version();
    batch.labels.buffer().bump_version();
    return self.gather(batch);
  }
  batch.images = Tensor::empty({size, 1, self.height, self.width}, {.device = self.device});
  batch.labels = Tensor::empty({size}, {.dtype = DType::i32, .device = self.device});
  return self.gather(batch);
}

std::int64_t Loader::batches() const {
  const std::int64_t examples = impl_->examples();
  return (examples + impl_->options.batch - 1) / impl_->options.batch;
}

std::int64_t Loader::examples() const { return impl_->examples(); }

const Device& Loader::device() const { return impl_->device; }

}  // namespace portico::data
