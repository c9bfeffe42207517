// y = factor * x, for any storage type.
#include "offsets.h"
KERNEL void scale(IN(REAL, x), OUT(REAL, y), const uint count, const float factor) {
  OFFSETS(x, y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) STORE(y, i, LOAD(x, i) * factor);
}
