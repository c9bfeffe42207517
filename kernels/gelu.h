// The tanh form of GELU (Hendrycks and Gimpel, arXiv:1606.08415): what the vendors' libraries call GELU, and PyTorch
// approximate="tanh". Its difference to the exact form is at most 5e-4.
#include "lanes_math.h"

#define GELU_INNER(x) (0.7978845608f * (x) * (1.0f + 0.044715f * (x) * (x)))
#define GELU_TANH(x) (0.5f * (x) * (1.0f + TANH(GELU_INNER(x))))
// Its derivative where t = tanh(GELU_INNER(x)).
#define GELU_TANH_SLOPE(x, t) \
  (0.5f * (1.0f + (t)) + 0.5f * (x) * (1.0f - (t) * (t)) * 0.7978845608f * (1.0f + 0.134145f * (x) * (x)))
