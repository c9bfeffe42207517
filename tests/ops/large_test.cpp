// Results larger than a processor's caches: its kernels write those past them, in whole lines where lines are whole and
// otherwise as ever. The same values as in pieces that are small.
#include <cstring>

#include "catch.hpp"
#include "portico/portico.hpp"

namespace portico::test {
namespace {

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// op over all of x against op over its rows [begin, end), a few at a time.
template <typename Op>
void check_in_pieces(const char* name, const Tensor& x, Op op) {
  const std::vector<float> whole = op(x).to_vector();
  const std::int64_t rows = x.shape()[0], step = (rows + 7) / 8;
  std::vector<float> pieces;
  for (std::int64_t row = 0; row < rows; row += step) {
    const std::vector<float> piece = op(x.rows(row, std::min(rows, row + step))).to_vector();
    pieces.insert(pieces.end(), piece.begin(), piece.end());
  }
  INFO(name << " of " << x.shape().to_string());
  CHECK(same(whole, pieces));
}

TEST_CASE("results larger than the caches are those of small ones") {
  NoGrad guard;
  // 36 MB each: rows of whole lines of 64 bytes, and of none.
  for (const Shape& shape : {Shape{9216, 1024}, Shape{9001, 1037}}) {
    const Tensor x = Tensor::uniform(shape, -2.0f, 2.0f);
    const Tensor row = Tensor::uniform({shape[1]}, -1.0f, 1.0f);
    check_in_pieces("relu", x, [](const Tensor& t) { return relu(t); });
    check_in_pieces("a sum with a row", x, [&](const Tensor& t) { return t + row; });
    check_in_pieces("softmax", x, [](const Tensor& t) { return softmax(t, 1); });
    check_in_pieces("log_softmax", x, [](const Tensor& t) { return log_softmax(t, 1); });
  }
  const Tensor lines = Tensor::uniform({4001, 2400}, -2.0f, 2.0f);  // longer than softmax keeps in private memory
  check_in_pieces("softmax", lines, [](const Tensor& t) { return softmax(t, 1); });
}

TEST_CASE("transposed matrices larger than the caches") {
  NoGrad guard;
  // Rows of whole lines with partial blocks and bands, and rows of none.
  for (const Shape& shape : {Shape{9, 976, 1000}, Shape{9, 970, 1009}})
    check_in_pieces("permute", Tensor::uniform(shape, -1.0f, 1.0f), [](const Tensor& t) {
      return permute(t, {0, 2, 1});
    });
}

TEST_CASE("pooling of images larger than the caches") {
  for (const std::int64_t channels : {std::int64_t{64}, std::int64_t{37}}) {
    Tensor x = Tensor::uniform({64, channels, 67, 66}, -1.0f, 1.0f).contiguous(Layout::channels_last);
    const auto gradient = [](const Tensor& images) {
      Tensor leaf = images.detach();
      leaf.set_requires_grad();
      const Tensor y = max_pool2d(leaf);
      y.backward(y.detach());
      return leaf.grad();
    };
    check_in_pieces("max_pool2d", x, [](const Tensor& t) { return max_pool2d(t); });
    check_in_pieces("avg_pool2d", x, [](const Tensor& t) { return avg_pool2d(t, {.kernel = {1, 1}}); });
    check_in_pieces("the gradient of max_pool2d", x, gradient);
  }
}

}  // namespace
}  // namespace portico::test
