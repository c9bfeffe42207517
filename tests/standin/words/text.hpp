// One text in the dialect that uses every word of it: small kernels, each about a few words.
#pragma once

namespace portico::test {

inline constexpr char kWordsText[] = R"cl(
FN float seen(LOCAL_PTR const float* row, const uint at) { return row[at % 64]; }
FN int first(GLOBAL const i32* RESTRICT x) { return LOAD_AS(i32, x, 0); }

// Seven numbers of every thread of 3 x 2 x 4 groups of 8.
KERNEL void places(IN(i32, x), OUT(i32, y)) {
  OFFSET(x);
  OFFSET(y);
  const uint thread = ((GROUP_ID_Z * 2 + GROUP_ID_Y) * GROUPS + GROUP_ID) * 8 + LOCAL_ID;
  const uint at = thread < 192 ? 7 * thread : 0;
  y[at] = LOCAL_ID + first(x);
  y[at + 1] = GROUP_ID;
  y[at + 2] = GROUP_ID_Y;
  y[at + 3] = GROUP_ID_Z;
  y[at + 4] = GROUPS;
  y[at + 5] = GLOBAL_ID;
  y[at + 6] = GLOBAL_SIZE;
}

KERNEL GROUP_SIZE(64) void turned(IN(f32, x), OUT(f32, y)) {
  LOCAL float row[64];
  OFFSET(x);
  OFFSET(y);
  row[LOCAL_ID] = LOAD_AS(f32, x, GLOBAL_ID);
  BARRIER();
  float sum = 0.0f;
  UNROLL for (uint i = 0; i < 3; ++i) sum = 16.0f * sum + seen(row, 63 - LOCAL_ID + i);
  STORE_AS(f32, y, GLOBAL_ID, sum);
}

#define WORDS_OF(T)                                                                           \
  KERNEL void load_##T(IN(T, x), OUT(f32, y), const uint count) {                             \
    OFFSET(x);                                                                                \
    OFFSET(y);                                                                                \
    for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) STORE_AS(f32, y, i, LOAD_AS(T, x, i)); \
  }                                                                                           \
  KERNEL void store_##T(IN(f32, x), OUT(T, y), const uint count) {                            \
    OFFSET(x);                                                                                \
    OFFSET(y);                                                                                \
    for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) STORE_AS(T, y, i, LOAD_AS(f32, x, i)); \
  }
WORDS_OF(f32)
WORDS_OF(f16)
WORDS_OF(bf16)
WORDS_OF(i32)
WORDS_OF(u8)

KERNEL GROUP_SIZE_128(16) void tripled(IN(REAL, x), OUT(REAL, y), const uint count) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
    float sum = 0.0f;
    UNROLL_FOUR for (uint k = 0; k < 3; ++k) sum += LOAD(x, i);
    STORE(y, i, sum);
  }
}

KERNEL void fours(IN(f32, x), OUT(f32, y), const uint count) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = 4 * GLOBAL_ID; i < count; i += 4 * GLOBAL_SIZE) {
    const float4 v = LOAD4(x, i);
    STORE4(y, i, F32X4(v.w, v.x + 1.0f, v.z, v.y));
  }
}

KERNEL void bits(IN(f32, x), OUT(i32, y), const uint count) {
  OFFSET(x);
  OFFSET(y);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) {
    const float v = x[i];
    const uint u = AS_UINT(v);
    const float none = NAN;
    y[10 * i] = (int)u;
    y[10 * i + 1] = (int)AS_UINT(2.0f * AS_FLOAT(u));
    y[10 * i + 2] = (int)MUL_HI(u, 0x9e3779b9u);
    y[10 * i + 3] = (int)MUL_HI(-(int)u, -5);
    y[10 * i + 4] = (int)(((ulong)u * u) >> 24);
    y[10 * i + 5] = (int)(ushort)u + (int)(uchar)u;
    y[10 * i + 6] = (int)AS_UINT(INFINITY);
    y[10 * i + 7] = none != none;
    y[10 * i + 8] = (int)AS_UINT(fma(v, v, -3.0f));
    y[10 * i + 9] = (int)AS_UINT(rsqrt(v));
  }
}

// Two threads want each place; one of them gets it.
KERNEL void claims(OUT(i32, places), OUT(i32, found), const uint count) {
  OFFSET(places);
  OFFSET(found);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) found[i] = ATOMIC_CAS(places + i / 2, -1, (int)i);
}
)cl";

}  // namespace portico::test
