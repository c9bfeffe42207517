// Matrix product C_i = act(alpha * op(A_i) op(B_i) + beta * C_i + bias), row major, for each i below `batch`.
// op(A) is [m, k], op(B) is [k, n], C is [m, n]; bias has n elements. Products and sums are f32 whatever the storage.
// Shapes, leading dimensions, batch strides, alpha and beta are arguments; tiles, transposes and types are not.
//
// Spec:  REAL       storage type of A, B, C and bias
//        TRANS_A    1: A is stored [k, m]          TRANS_B  1: B is stored [n, k]
//        ACT        0 none, 1 relu, 2 gelu (exact), 3 gelu (tanh form)
//        CPU_SHAPE  1: gemm_cpu.h, one work-item a group; 0: gemm_gpu.h, local memory. Their further words stand there.
#include "gelu.h"
#if CPU_SHAPE
#include "gemm_cpu.h"
#else
#include "gemm_gpu.h"
#endif
