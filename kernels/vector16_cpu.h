// Sixteen neighbouring elements of a storage type as a float16. Only for kernels' CPU shape: OpenCL C, no alignment needed.
#define LOAD16_f32(x, i) vload16(0, (x) + (i))
#define STORE16_f32(x, i, v) vstore16((v), 0, (x) + (i))
#define LOAD16_f16(x, i) vload_half16(0, (x) + (i))
#define STORE16_f16(x, i, v) vstore_half16_rte((v), 0, (x) + (i))
#define LOAD16_bf16(x, i) load16_bf16((x) + (i))
#define STORE16_bf16(x, i, v) store16_bf16((x) + (i), (v))
#define LOAD16_(T, x, i) LOAD16_##T(x, i)
#define STORE16_(T, x, i, v) STORE16_##T(x, i, v)
#define LOAD16_AS(T, x, i) LOAD16_(T, x, i)
#define STORE16_AS(T, x, i, v) STORE16_(T, x, i, v)

FN float16 load16_bf16(GLOBAL const bf16* x) {
  return as_float16(convert_uint16(vload16(0, (GLOBAL const ushort*)x)) << 16);
}
FN void store16_bf16(GLOBAL bf16* x, float16 f) {
  const uint16 u = as_uint16(f);
  const uint16 rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const uint16 quiet = (u >> 16) | 64u;
  vstore16(convert_ushort16(select(rounded, quiet, (u & 0x7fffffffu) > 0x7f800000u)), 0, (GLOBAL ushort*)x);
}
