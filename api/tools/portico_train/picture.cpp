#include "picture.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "canvas.hpp"
#include "font.hpp"
#include "models.hpp"
#include "portico/train/train.hpp"

namespace portico::tools {
namespace {

constexpr int kColumns = 8, kRows = 5;
constexpr int kScale = 4, kImage = static_cast<int>(kSide) * kScale, kFrame = 4;
constexpr int kCell = 140, kCellHeight = kFrame + kImage + kFrame + 56, kMargin = 16, kHead = 44;
constexpr int kText = 2;
constexpr Colour kPaper{255, 255, 255}, kInk{32, 36, 44}, kPale{128, 134, 144}, kWrong{208, 32, 48};

void centred(Canvas& canvas, int x, int y, const std::string& text, Colour colour) {
  canvas.text(x + (kCell - Canvas::text_width(text, kText)) / 2, y, text, kText, colour);
}

}  // namespace

void save_picture(const std::filesystem::path& path, nn::Module& model, const data::ImageSet& set, double accuracy) {
  const std::int64_t shown = std::min<std::int64_t>(kColumns * kRows, set.count);
  data::Loader loader(set, {.batch = shown, .mean = kPixelMean, .deviation = kPixelDeviation});
  data::Batch batch;
  loader.next(batch);
  const std::vector<float> probabilities = train::predict(model, batch.images).to_vector();

  Canvas canvas(2 * kMargin + kColumns * kCell, kMargin + kHead + kRows * kCellHeight, kPaper);
  int wrong = 0;
  for (int i = 0; i < static_cast<int>(shown); ++i) {
    const float* row = &probabilities[static_cast<std::size_t>(i) * kClasses];
    const auto predicted = static_cast<int>(std::max_element(row, row + kClasses) - row);
    const int label = set.labels[static_cast<std::size_t>(i)];
    const bool right = predicted == label;
    wrong += !right;

    const int x = kMargin + i % kColumns * kCell, y = kMargin + kHead + i / kColumns * kCellHeight;
    const int left = x + (kCell - kImage) / 2;
    const std::size_t size = static_cast<std::size_t>(kSide * kSide);
    if (!right) canvas.fill(left - kFrame, y, kImage + 2 * kFrame, kImage + 2 * kFrame, kWrong);
    canvas.image(left, y + kFrame, {&set.pixels[static_cast<std::size_t>(i) * size], size}, static_cast<int>(kSide),
                 kScale);

    const int percent = static_cast<int>(row[predicted] * 100.0f + 0.5f);
    const int first = y + kImage + 2 * kFrame + 4, second = first + (kGlyphHeight + 2) * kText;
    centred(canvas, x, first, kClassNames[static_cast<std::size_t>(predicted)], right ? kInk : kWrong);
    centred(canvas, x, second,
            right ? std::to_string(percent) + "%" : std::string("is ") + kClassNames[static_cast<std::size_t>(label)],
            right ? kPale : kWrong);
  }
  char title[160];
  std::snprintf(title, sizeof title, "Fashion-MNIST: %.1f%% of %lld test images right, %d of these %d wrong (red)",
                accuracy * 100.0, static_cast<long long>(set.count), wrong, static_cast<int>(shown));
  canvas.text(kMargin + (kCell - kImage) / 2, kMargin, title, kText, kInk);
  canvas.save_png(path);
}

}  // namespace portico::tools
