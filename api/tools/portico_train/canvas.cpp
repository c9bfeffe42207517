#include "canvas.hpp"

#include <cstdlib>
#include <memory>

#include "font.hpp"
#include "output_file.hpp"
#include "portico/error.hpp"

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>

namespace portico::tools {

Canvas::Canvas(int width, int height, Colour background)
    : width_(width), height_(height), rgb_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3) {
  fill(0, 0, width, height, background);
}

void Canvas::set(int x, int y, Colour colour) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  std::uint8_t* at =
      &rgb_[(static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x)) * 3];
  at[0] = colour.r;
  at[1] = colour.g;
  at[2] = colour.b;
}

void Canvas::fill(int x, int y, int width, int height, Colour colour) {
  for (int row = y; row < y + height; ++row)
    for (int column = x; column < x + width; ++column) set(column, row, colour);
}

void Canvas::frame(int x, int y, int width, int height, int thickness, Colour colour) {
  fill(x, y, width, thickness, colour);
  fill(x, y + height - thickness, width, thickness, colour);
  fill(x, y, thickness, height, colour);
  fill(x + width - thickness, y, thickness, height, colour);
}

void Canvas::image(int x, int y, std::span<const std::uint8_t> pixels, int image_width, int scale) {
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const int column = static_cast<int>(i) % image_width, row = static_cast<int>(i) / image_width;
    fill(x + column * scale, y + row * scale, scale, scale, {pixels[i], pixels[i], pixels[i]});
  }
}

void Canvas::text(int x, int y, std::string_view text, int scale, Colour colour) {
  for (const char character : text) {
    for (int row = 0; row < kGlyphHeight; ++row)
      for (int column = 0; column < kGlyphWidth; ++column)
        if (glyph_dot(character, column, row)) fill(x + column * scale, y + row * scale, scale, scale, colour);
    x += (kGlyphWidth + 1) * scale;
  }
}

int Canvas::text_width(std::string_view text, int scale) {
  return text.empty() ? 0 : (static_cast<int>(text.size()) * (kGlyphWidth + 1) - 1) * scale;
}

void Canvas::save_png(const std::filesystem::path& path) const {
  int size = 0;
  const std::unique_ptr<unsigned char, decltype(&std::free)> png(
      stbi_write_png_to_mem(rgb_.data(), width_ * 3, width_, height_, 3, &size), &std::free);
  if (!png) throw Error(ErrorCode::io, path.string() + ": the picture could not be compressed");
  write_file(path, {png.get(), static_cast<std::size_t>(size)});
}

}  // namespace portico::tools
