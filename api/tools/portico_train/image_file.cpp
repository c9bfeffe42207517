#include "image_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <system_error>

#include "models.hpp"

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_MAX_DIMENSIONS 8192
#include <stb/stb_image.h>

namespace portico::tools {
namespace {

constexpr int kTarget = static_cast<int>(kSide);

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorCode::io, path.string() + ": " + what);
}

enum class Kind { idx, picture, other };

Kind kind_of(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) fail(path, error ? error.message() : "No such file or directory");
  if (!std::filesystem::is_regular_file(status)) fail(path, "not a regular file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, std::strerror(errno));
  std::array<unsigned char, 4> b{};
  file.read(reinterpret_cast<char*>(b.data()), b.size());
  if (b[0] == 0x1f && b[1] == 0x8b) return Kind::idx;
  if (b[0] == 0 && b[1] == 0 && file.gcount() == 4) return Kind::idx;
  if (b[0] == 0x89 && b[1] == 'P' && b[2] == 'N' && b[3] == 'G') return Kind::picture;
  if (b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff) return Kind::picture;
  return Kind::other;
}

/// Mean of the source pixels under each target pixel, with the parts at the edges weighed.
std::vector<std::uint8_t> shrink(const std::uint8_t* source, int width, int height, int to_width, int to_height) {
  std::vector<std::uint8_t> result;
  for (int y = 0; y < to_height; ++y)
    for (int x = 0; x < to_width; ++x) {
      const double top = double(y) * height / to_height, bottom = double(y + 1) * height / to_height;
      const double left = double(x) * width / to_width, right = double(x + 1) * width / to_width;
      double sum = 0.0, area = 0.0;
      for (int row = int(top); row < height && row < bottom; ++row)
        for (int column = int(left); column < width && column < right; ++column) {
          const double part = (std::min(bottom, row + 1.0) - std::max(top, double(row))) *
                              (std::min(right, column + 1.0) - std::max(left, double(column)));
          sum += part * source[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
                               static_cast<std::size_t>(column)];
          area += part;
        }
      result.push_back(static_cast<std::uint8_t>(sum / area + 0.5));
    }
  return result;
}

bool border_is_bright(const std::uint8_t* pixels, int width, int height) {
  double sum = 0.0;
  int count = 0;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      if (x == 0 || y == 0 || x == width - 1 || y == height - 1) {
        sum += pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
        ++count;
      }
  return sum > 127.5 * count;
}

Images read_picture(const std::filesystem::path& path) {
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> pixels(
      stbi_load(path.c_str(), &width, &height, &channels, 1), &stbi_image_free);
  if (!pixels) fail(path, std::string("damaged or too large picture: ") + stbi_failure_reason());

  Images images;
  const bool invert = border_is_bright(pixels.get(), width, height);
  const int longest = std::max(width, height);
  const int w = std::max(1, width * kTarget / longest), h = std::max(1, height * kTarget / longest);
  const std::vector<std::uint8_t> small = shrink(pixels.get(), width, height, w, h);
  images.set = {.count = 1, .height = kTarget, .width = kTarget, .classes = kClasses};
  images.set.pixels.assign(static_cast<std::size_t>(kTarget * kTarget), 0);
  images.set.labels = {0};
  for (int y = 0; y < h; ++y)
    for (int x = 0; x < w; ++x) {
      const std::uint8_t value = small[static_cast<std::size_t>(y * w + x)];
      images.set.pixels[static_cast<std::size_t>((y + (kTarget - h) / 2) * kTarget + x + (kTarget - w) / 2)] =
          invert ? static_cast<std::uint8_t>(255 - value) : value;
    }
  if (longest != kTarget || width != height)
    images.note = std::to_string(width) + "x" + std::to_string(height) + " reduced to 28x28";
  if (invert) images.note += std::string(images.note.empty() ? "" : ", ") + "inverted, as its border is bright";
  return images;
}

Images read_idx_images(const std::filesystem::path& path) {
  data::IdxArray array = data::read_idx(path);
  if (array.dims.size() != 3 || array.dims[1] != kSide || array.dims[2] != kSide) {
    std::string dims;
    for (const std::int64_t dim : array.dims) dims += (dims.empty() ? "" : "x") + std::to_string(dim);
    fail(path, "holds " + dims + "; images to predict are [count]x28x28");
  }
  if (array.dims[0] == 0) fail(path, "holds no images");
  return {.set = {.count = array.dims[0],
                  .height = kSide,
                  .width = kSide,
                  .classes = kClasses,
                  .pixels = std::move(array.values),
                  .labels = std::vector<std::int32_t>(static_cast<std::size_t>(array.dims[0]), 0)},
          .note = {}};
}

}  // namespace

Images read_images(const std::filesystem::path& path) {
  switch (kind_of(path)) {
    case Kind::idx:
      return read_idx_images(path);
    case Kind::picture:
      return read_picture(path);
    case Kind::other:
      break;
  }
  fail(path, "neither an IDX file nor a PNG or JPEG picture");
}

}  // namespace portico::tools
