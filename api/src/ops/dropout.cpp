// Dropout (Srivastava et al., JMLR 15, 2014): the mask is a stretch of random numbers that the gradient makes again.
#include <algorithm>

#include "ops/random.hpp"

namespace portico {

Tensor dropout(const Tensor& x, float p) {
  detail::require_defined(x, "dropout", "x");
  detail::require_floating(x, "dropout");
  if (!(p >= 0.0f && p <= 1.0f))
    throw Error(ErrorCode::invalid_argument, "dropout: p " + std::to_string(p) + " is not in [0, 1]");
  if (p == 0.0f) return x;
  if (p == 1.0f)
    return autograd::record("dropout", Tensor::zeros_like(x), {x}, [](const Tensor& dy, autograd::Needs) {
      return std::vector<Tensor>{Tensor::zeros_like(dy)};
    });

  const detail::Stretch stretch = detail::take_stretch(x.count());
  const double words = static_cast<double>(p) * 0x1p32;
  const auto threshold = static_cast<std::uint32_t>(std::min(words, 0xffffffff * 1.0));
  const float scale = 1.0f / (1.0f - p);
  const Tensor y = Tensor::empty_like(x);
  detail::launch_random(detail::Random::dropout, &x, y, 0.0f, scale, threshold, stretch);
  return autograd::record("dropout", y, {x},
                          [stretch, threshold, scale, layout = x.layout()](const Tensor& given, autograd::Needs) {
                            // The mask goes by position in memory, so dy must lie as x did.
                            const Tensor dy = detail::in_layout(given, layout);
                            const Tensor dx = Tensor::empty_like(dy);
                            detail::launch_random(detail::Random::dropout, &dy, dx, 0.0f, scale, threshold, stretch);
                            return std::vector<Tensor>{dx};
                          });
}

}  // namespace portico
