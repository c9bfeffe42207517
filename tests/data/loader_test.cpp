// Batches come out in the promised order, normalised, on every backend alike.
#include <algorithm>
#include <numeric>

#include "catch.hpp"
#include "op_check.hpp"
#include "portico/data/dataset.hpp"

namespace portico::test {
namespace {

using data::Batch;
using data::ImageSet;
using data::Loader;

// Image i holds i * 3 + pixel; its label is i mod 10.
ImageSet make_set(std::int64_t count, std::int64_t height, std::int64_t width) {
  ImageSet set{.count = count, .height = height, .width = width, .classes = 10};
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t p = 0; p < height * width; ++p) set.pixels.push_back(static_cast<std::uint8_t>(i * 3 + p));
    set.labels.push_back(static_cast<std::int32_t>(i % 10));
  }
  return set;
}

std::vector<std::int32_t> labels_of(Loader& loader) {
  std::vector<std::int32_t> all;
  for (Batch batch; loader.next(batch);)
    for (const std::int32_t label : batch.labels.to_ints()) all.push_back(label);
  return all;
}

}  // namespace

TEST_CASE("every image arrives normalised beside its label", "[loader]") {
  const auto [height, width] = GENERATE(std::pair{28, 28}, std::pair{1, 1}, std::pair{7, 33});
  const std::int64_t count = 37, size = height * width;
  const ImageSet set = make_set(count, height, width);
  Loader loader(set, {.batch = 8, .mean = 0.25f, .deviation = 0.5f});
  CHECK(loader.batches() == 5);
  CHECK(loader.examples() == count);

  std::int64_t seen = 0;
  for (Batch batch; loader.next(batch);) {
    const std::int64_t n = std::min<std::int64_t>(8, count - seen);
    REQUIRE(batch.images.shape() == Shape{n, 1, height, width});
    REQUIRE(batch.labels.shape() == Shape{n});
    Doubles expected;
    for (std::int64_t p = 0; p < n * size; ++p)
      expected.push_back((set.pixels[static_cast<std::size_t>(seen * size + p)] / 255.0 - 0.25) / 0.5);
    check_values(batch.images.to_vector(), expected, DType::f32);
    const auto labels = batch.labels.to_ints();
    CHECK(std::equal(labels.begin(), labels.end(), set.labels.begin() + seen));
    seen += n;
  }
  CHECK(seen == count);
}

TEST_CASE("drop_last leaves the short batch out", "[loader]") {
  Loader loader(make_set(20, 2, 2), {.batch = 8, .drop_last = true});
  CHECK(loader.batches() == 2);
  CHECK(loader.examples() == 16);
  CHECK(labels_of(loader).size() == 16);
  Loader none(make_set(7, 2, 2), {.batch = 8, .drop_last = true});
  CHECK(none.batches() == 0);
  CHECK(labels_of(none).empty());
}

TEST_CASE("a shuffle is a permutation, of its seed and epoch alone", "[loader]") {
  ImageSet set = make_set(1000, 1, 1);
  std::iota(set.labels.begin(), set.labels.end(), 0);
  Loader a(set, {.batch = 64, .shuffle = true, .seed = 3}), b(set, {.batch = 100, .shuffle = true, .seed = 3});
  Loader other(set, {.batch = 64, .shuffle = true, .seed = 4});

  a.start_epoch(1);
  const auto first = labels_of(a);
  a.start_epoch(2);
  const auto second = labels_of(a);
  b.start_epoch(2);  // without having been through epoch 1, and in other batches
  CHECK(labels_of(b) == second);
  other.start_epoch(2);
  CHECK(labels_of(other) != second);

  CHECK(first != second);
  auto sorted = first;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == set.labels);
  CHECK(first != sorted);

  // Computed outside this library from the definition (Fisher-Yates from the end, Lemire's bounded numbers, the first
  // word of each counter of Philox 4x32-10): it must not change, or a seed would mean another training run.
  CHECK(std::vector(first.begin(), first.begin() + 8) ==
        std::vector<std::int32_t>{53, 391, 868, 71, 502, 297, 290, 764});
  CHECK(std::vector(second.begin(), second.begin() + 8) ==
        std::vector<std::int32_t>{65, 24, 53, 300, 507, 450, 150, 449});
}

TEST_CASE("a batch stays what it was when the next one comes", "[loader]") {
  Loader loader(make_set(16, 4, 4), {.batch = 8});
  Batch first, second;
  REQUIRE(loader.next(first));
  const auto before = first.images.to_vector();
  REQUIRE(loader.next(second));
  CHECK(first.images.to_vector() == before);
  CHECK(second.images.to_vector() != before);
}

TEST_CASE("an empty set has no batches", "[loader]") {
  Loader loader(ImageSet{.height = 28, .width = 28, .classes = 10});
  CHECK(loader.batches() == 0);
  Batch batch;
  CHECK_FALSE(loader.next(batch));
}

TEST_CASE("a loader refuses what contradicts itself", "[loader][errors]") {
  ImageSet set = make_set(4, 2, 2);
  check_error([&] { Loader(set, {.batch = 0}); }, ErrorCode::invalid_argument, "Loader: batch is 0");
  check_error([&] { Loader(set, {.deviation = 0}); }, ErrorCode::invalid_argument, "Loader: deviation is 0");
  set.pixels.pop_back();
  check_error([&] { Loader{set}; }, ErrorCode::invalid_argument, "need 16 pixels, the set has 15");
  set = make_set(4, 2, 2);
  set.labels.push_back(1);
  check_error([&] { Loader{set}; }, ErrorCode::invalid_argument, "4 images need as many labels, the set has 5");
}

}  // namespace portico::test
