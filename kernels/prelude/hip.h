// HIP spelling of the kernel dialect, for hipRTC. The same words in the same order as opencl.h and cuda.h.
#define PORTICO_HIP 1

// Structure of a kernel
#define KERNEL extern "C" __global__
#define FN static inline __device__
#define GLOBAL
#define LOCAL __shared__
#define LOCAL_PTR
#define RESTRICT __restrict__
#define IN(T, x) const T* __restrict__ x
#define OUT(T, x) T* __restrict__ x
#define OFFSET(x)
#define GROUP_SIZE(n) __launch_bounds__(n)
#define GROUP_SIZE_128(n) GROUP_SIZE(n)
#define UNROLL _Pragma("unroll")
#define UNROLL_FOUR _Pragma("unroll 1")

// Where a thread is
#define LOCAL_ID (threadIdx.x)
#define GROUP_ID (blockIdx.x)
#define GROUP_ID_Y (blockIdx.y)
#define GROUP_ID_Z (blockIdx.z)
#define GROUPS (gridDim.x)
#define GLOBAL_ID (blockIdx.x * blockDim.x + threadIdx.x)
#define GLOBAL_SIZE (gridDim.x * blockDim.x)
#define BARRIER() __syncthreads()

// Types. Half types are storage only: LOAD and STORE convert, the arithmetic is float.
typedef unsigned int uint;
typedef unsigned long ulong;  // as ROCm 5 itself has it: a second typedef must be of the same type
typedef unsigned short ushort;
typedef unsigned char uchar;
typedef float f32;
typedef _Float16 f16;
struct bf16 { ushort bits; };
typedef int i32;
typedef uchar u8;

// Words that the languages spell differently
#define AS_UINT(x) __float_as_uint(x)
#define AS_FLOAT(x) __uint_as_float(x)
#define MUL_HI(a, b) __umulhi((uint)(a), (uint)(b))
#define ATOMIC_CAS(p, expected, value) atomicCAS((p), (expected), (value))
#define rsqrt(x) rsqrtf(x)  // the plain name is of double in ROCm 5
#define INFINITY (__int_as_float(0x7f800000))
#define NAN (__int_as_float(0x7fffffff))
FN float bf16_to_f32(ushort bits) { return __uint_as_float((uint)bits << 16); }
FN ushort f32_to_bf16(float f) {
  const uint u = __float_as_uint(f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return (ushort)((u >> 16) | 64u);
  return (ushort)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

// Memory access by storage type
#define LOAD_f32(x, i) ((x)[i])
#define STORE_f32(x, i, v) ((x)[i] = (v))
#define LOAD_f16(x, i) ((float)(x)[i])
#define STORE_f16(x, i, v) ((x)[i] = (_Float16)(v))
#define LOAD_bf16(x, i) bf16_to_f32((x)[i].bits)
#define STORE_bf16(x, i, v) ((x)[i].bits = f32_to_bf16(v))
#define LOAD_i32(x, i) ((x)[i])
#define STORE_i32(x, i, v) ((x)[i] = (int)(v))
#define LOAD_u8(x, i) ((x)[i])
#define STORE_u8(x, i, v) ((x)[i] = (uchar)(v))
#define LOAD_(T, x, i) LOAD_##T(x, i)
#define STORE_(T, x, i, v) STORE_##T(x, i, v)
#define LOAD_AS(T, x, i) LOAD_(T, x, i)
#define STORE_AS(T, x, i, v) STORE_(T, x, i, v)
#define LOAD(x, i) LOAD_AS(REAL, x, i)
#define STORE(x, i, v) STORE_AS(REAL, x, i, v)

// Four neighbouring floats in one access; i counts floats, and x + i is aligned to 16 bytes.
#define F32X4(a, b, c, d) make_float4((a), (b), (c), (d))
#define LOAD4(x, i) (*reinterpret_cast<const float4*>((x) + (i)))
#define STORE4(x, i, v) (*reinterpret_cast<float4*>((x) + (i)) = (v))
