// Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four 32-bit
// numbers from a 64-bit counter and a 64-bit key. Over V of lanes.h, a counter a lane.
//
// A stretch of random elements is cut into blocks of 64, a block has 16 counters: element i is made from counter
// 16 (i / 64) + i % 16, word i / 16 % 4. So sixteen lanes write their four words as four whole vectors, and neighbouring
// GPU threads write neighbouring elements.
typedef struct {
  uvec w[4];
} Words;

FN Words philox(uvec low, uvec high, uint key0, uint key1) {
  uvec c0 = low, c1 = high, c2 = (uvec)(0), c3 = (uvec)(0);
  UNROLL for (uint round = 0; round < 10; ++round) {
    const uvec h0 = MUL_HI_V(0xD2511F53u, c0), l0 = (uvec)(0xD2511F53u) * c0;
    const uvec h1 = MUL_HI_V(0xCD9E8D57u, c2), l1 = (uvec)(0xCD9E8D57u) * c2;
    c0 = h1 ^ c1 ^ (uvec)(key0);
    c1 = l1;
    c2 = h0 ^ c3 ^ (uvec)(key1);
    c3 = l0;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  Words words;
  words.w[0] = c0;
  words.w[1] = c1;
  words.w[2] = c2;
  words.w[3] = c3;
  return words;
}

// In [0, 1): multiples of 2^-24, so that every value is exact.
FN fvec unit_interval(const uvec word) { return TO_FVEC(word >> 8) * 0x1p-24f; }
