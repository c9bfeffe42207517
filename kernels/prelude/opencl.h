// OpenCL C 1.2 spelling of the kernel dialect. The same words in the same order as cuda.h and hip.h.
#define PORTICO_OPENCL 1

// Structure of a kernel
#define KERNEL __kernel
#define FN static inline
#define GLOBAL __global
#define LOCAL __local
#define LOCAL_PTR __local
#define RESTRICT restrict
#define IN(T, x) __global const T* restrict x, const ulong x##_offset
#define OUT(T, x) __global T* restrict x, const ulong x##_offset
#define OFFSET(x) x += x##_offset
#define GROUP_SIZE(n) __attribute__((reqd_work_group_size(n, 1, 1)))
#define GROUP_SIZE_128(n) GROUP_SIZE(n)
#define UNROLL _Pragma("unroll")
#define UNROLL_FOUR _Pragma("unroll 1")

// Where a thread is
#define LOCAL_ID ((uint)get_local_id(0))
#define GROUP_ID ((uint)get_group_id(0))
#define GROUP_ID_Y ((uint)get_group_id(1))
#define GROUP_ID_Z ((uint)get_group_id(2))
#define GROUPS ((uint)get_num_groups(0))
#define GLOBAL_ID ((uint)get_global_id(0))
#define GLOBAL_SIZE ((uint)get_global_size(0))
#define BARRIER() barrier(CLK_LOCAL_MEM_FENCE)

// Types. Half types are storage only: LOAD and STORE convert, the arithmetic is float.
typedef float f32;
typedef half f16;
typedef struct { ushort bits; } bf16;
typedef int i32;
typedef uchar u8;

// Words that the languages spell differently
#define AS_UINT(x) as_uint(x)
#define AS_FLOAT(x) as_float(x)
#define MUL_HI(a, b) mul_hi((uint)(a), (uint)(b))
#define ATOMIC_CAS(p, expected, value) atomic_cmpxchg((p), (expected), (value))
FN float bf16_to_f32(ushort bits) { return as_float((uint)bits << 16); }
FN ushort f32_to_bf16(float f) {
  const uint u = as_uint(f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return (ushort)((u >> 16) | 64u);
  return (ushort)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

// Memory access by storage type
#define LOAD_f32(x, i) ((x)[i])
#define STORE_f32(x, i, v) ((x)[i] = (v))
#define LOAD_f16(x, i) vload_half((i), (x))
#define STORE_f16(x, i, v) vstore_half_rte((v), (i), (x))
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
#define F32X4(a, b, c, d) ((float4)((a), (b), (c), (d)))
#define LOAD4(x, i) (*(__global const float4*)((x) + (i)))
#define STORE4(x, i, v) (*(__global float4*)((x) + (i)) = (v))
