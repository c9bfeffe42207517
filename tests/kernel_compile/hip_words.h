// What hipRTC supplies of HIP without being asked, for a clang that has neither ROCm's headers nor its device library.
// Kernels are only compiled with it, never run: functions that the processor has no instruction for (erf, tanh, pow, ...)
// are stand-ins of about the real ones' size.
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __launch_bounds__(n) __attribute__((amdgpu_flat_work_group_size(1, n)))
#define HIP_FN static inline __device__ __attribute__((always_inline))

struct HipIds { unsigned x, y, z; };
HIP_FN HipIds hip_thread_ids() {
  return {__builtin_amdgcn_workitem_id_x(), __builtin_amdgcn_workitem_id_y(), __builtin_amdgcn_workitem_id_z()};
}
HIP_FN HipIds hip_group_ids() {
  return {__builtin_amdgcn_workgroup_id_x(), __builtin_amdgcn_workgroup_id_y(), __builtin_amdgcn_workgroup_id_z()};
}
HIP_FN HipIds hip_group_sizes() {
  return {__builtin_amdgcn_workgroup_size_x(), __builtin_amdgcn_workgroup_size_y(), __builtin_amdgcn_workgroup_size_z()};
}
HIP_FN HipIds hip_group_counts() {
  const HipIds size = hip_group_sizes();
  return {__builtin_amdgcn_grid_size_x() / size.x, __builtin_amdgcn_grid_size_y() / size.y,
          __builtin_amdgcn_grid_size_z() / size.z};
}
#define threadIdx (hip_thread_ids())
#define blockIdx (hip_group_ids())
#define blockDim (hip_group_sizes())
#define gridDim (hip_group_counts())

HIP_FN void __syncthreads() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
template <typename T>
HIP_FN T atomicCAS(T* at, T expected, T value) {
  __hip_atomic_compare_exchange_strong(at, &expected, value, __ATOMIC_RELAXED, __ATOMIC_RELAXED,
                                       __HIP_MEMORY_SCOPE_AGENT);
  return expected;
}
HIP_FN unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
HIP_FN float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }
HIP_FN float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
HIP_FN unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long)a * b >> 32); }

struct alignas(16) float4 { float x, y, z, w; };
HIP_FN float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

HIP_FN float fmax(float a, float b) { return __builtin_fmaxf(a, b); }
HIP_FN float fmin(float a, float b) { return __builtin_fminf(a, b); }
HIP_FN float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
HIP_FN float fabs(float x) { return __builtin_fabsf(x); }
HIP_FN float floor(float x) { return __builtin_floorf(x); }
HIP_FN float sqrt(float x) { return __builtin_sqrtf(x); }
HIP_FN float rsqrtf(float x) { return __builtin_amdgcn_rsqf(x); }
HIP_FN float exp(float x) { return __builtin_expf(x); }
HIP_FN float log(float x) { return __builtin_logf(x); }
HIP_FN float sin(float x) { return __builtin_amdgcn_sinf(x * 0.15915494f); }
HIP_FN float cos(float x) { return __builtin_amdgcn_cosf(x * 0.15915494f); }
HIP_FN float log1p(float x) { return x * log(1.0f + x) / ((1.0f + x) - 1.0f); }
HIP_FN float expm1(float x) { return fabs(x) < 0.1f ? x * (1.0f + 0.5f * x) : exp(x) - 1.0f; }
HIP_FN float tanh(float x) { return 1.0f - 2.0f / (exp(2.0f * x) + 1.0f); }
HIP_FN float pow(float x, float y) { return exp(y * log(fabs(x))); }
HIP_FN float erf(float x) {
  const float t = 1.0f / (1.0f + 0.3275911f * fabs(x));
  const float p = t * (0.2548296f + t * (-0.2844967f + t * (1.4214137f + t * (-1.453152f + t * 1.0614054f))));
  return __builtin_copysignf(1.0f - p * exp(-x * x), x);
}
template <typename T>
HIP_FN T min(T a, T b) { return b < a ? b : a; }
template <typename T>
HIP_FN T max(T a, T b) { return a < b ? b : a; }
HIP_FN bool isnan(float x) { return __builtin_isnan(x); }
HIP_FN bool isinf(float x) { return __builtin_isinf(x); }
