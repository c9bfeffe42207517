// An RGB picture in memory: rectangles, grey images, text, and a PNG file of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

namespace portico::tools {

struct Colour {
  std::uint8_t r, g, b;
};

class Canvas {
 public:
  Canvas(int width, int height, Colour background);

  void fill(int x, int y, int width, int height, Colour colour);
  void frame(int x, int y, int width, int height, int thickness, Colour colour);
  /// A grey image with its upper left corner at (x, y), every pixel as a square of `scale`.
  void image(int x, int y, std::span<const std::uint8_t> pixels, int image_width, int scale);
  /// Text with its upper left corner at (x, y); a dot of the font is a square of `scale`.
  void text(int x, int y, std::string_view text, int scale, Colour colour);
  static int text_width(std::string_view text, int scale);

  /// Written aside and renamed. Throws `Error{io}` naming the path.
  void save_png(const std::filesystem::path& path) const;

 private:
  void set(int x, int y, Colour colour);
  int width_, height_;
  std::vector<std::uint8_t> rgb_;
};

}  // namespace portico::tools
