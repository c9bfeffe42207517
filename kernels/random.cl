// Random elements, and dropout, whose mask is a function of the seed and is made again in the gradient.
//
// Spec:  KIND  0 uniform: a + b u    1 normal: a + b n (Box and Muller, 1958)    2 dropout: x where kept, times b
//        T     storage type of x and y                CPU_SHAPE (lanes.h)
//        VALUES  1: key and base lie in memory, where a recorded step finds new ones at each replay
#include "lanes.h"
#include "philox.h"

// Element numbers of a block's four vectors, given the four words.
#if KIND == 0
#define VALUES(v)                                                             \
  UNROLL for (uint k = 0; k < 4; ++k) v[k] = a + b * unit_interval(words.w[k]);
#elif KIND == 1
#define VALUES(v)                                                                       \
  UNROLL for (uint k = 0; k < 4; k += 2) {                                              \
    const fvec u = (TO_FVEC(words.w[k] >> 8) + 1.0f) * 0x1p-24f; /* (0, 1]: log is finite */ \
    const fvec radius = b * sqrt(-2.0f * log(u));                                       \
    const fvec angle = 2.0f * unit_interval(words.w[k + 1]);                            \
    v[k] = a + radius * cospi(angle);                                                   \
    v[k + 1] = a + radius * sinpi(angle);                                               \
  }
#else
// Kept where the word is at least the threshold p 2^32.
#define KEPT(k) (words.w[k] >= (uvec)(threshold))
#endif

KERNEL void random(
#if KIND == 2
    IN(T, x),
#endif
    OUT(T, y), const uint count, const float a, const float b, const uint threshold,
#if VALUES
    IN(i32, values)) {
  OFFSET(values);
  const uint key0 = (uint)values[0], key1 = (uint)values[1], base_low = (uint)values[2], base_high = (uint)values[3];
#else
    const uint key0, const uint key1, const uint base_low, const uint base_high) {
#endif
#if KIND == 2
  OFFSET(x);
#endif
  OFFSET(y);
  (void)a;
  (void)threshold;
  const uint blocks = (count + 63) / 64;
#if CPU_SHAPE
  const uint first = (uint)((ulong)blocks * GROUP_ID / GROUPS);
  const uint last = (uint)((ulong)blocks * (GROUP_ID + 1) / GROUPS);
  for (uint block = first; block < last; ++block) {
    const ulong at = (((ulong)base_high << 32) | base_low) + (ulong)block * 16;
    const uvec low = (uvec)((uint)at) + LANE_NUMBERS;
    const uvec high = (uvec)((uint)(at >> 32)) + select((uvec)(0), (uvec)(1), low < (uvec)((uint)at));
    const Words words = philox(low, high, key0, key1);
    const uint i = block * 64;
#if KIND == 2
    UNROLL for (uint k = 0; k < 4; ++k) {
      if (i + 16 * k >= count) break;
      const uint n = min(16u, count - i - 16 * k);
      fvec v;
      if (n == 16) {
        v = VLOAD_AS(T, x, i + 16 * k);
      } else {
        VGATHER(T, v, x, i + 16 * k, 1, n, 0)
      }
      v = SELECT(KEPT(k), v * b, 0.0f);
#else
    fvec values[4];
    VALUES(values)
    UNROLL for (uint k = 0; k < 4; ++k) {
      if (i + 16 * k >= count) break;
      const uint n = min(16u, count - i - 16 * k);
      const fvec v = values[k];
#endif
      if (n == 16) {
        VSTORE_AS(T, y, i + 16 * k, v);
      } else {
        VSCATTER(T, y, i + 16 * k, 1, n, v)
      }
    }
  }
#else
  for (ulong counter = GLOBAL_ID; counter < (ulong)blocks * 16; counter += GLOBAL_SIZE) {
    const ulong at = (((ulong)base_high << 32) | base_low) + counter;
    const Words words = philox((uint)at, (uint)(at >> 32), key0, key1);
    const ulong i = counter / 16 * 64 + counter % 16;
#if KIND == 2
    UNROLL for (uint k = 0; k < 4; ++k)
      if (i + 16 * k < count) STORE_AS(T, y, i + 16 * k, KEPT(k) ? LOAD_AS(T, x, i + 16 * k) * b : 0.0f);
#else
    float values[4];
    VALUES(values)
    UNROLL for (uint k = 0; k < 4; ++k)
      if (i + 16 * k < count) STORE_AS(T, y, i + 16 * k, values[k]);
#endif
  }
#endif
}
