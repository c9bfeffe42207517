// The weights' and the bias' gradients of a convolution on channels-last data; conv.cl has the forward pass.
//
// The pixels of dy are cut into splits of `span`; the sums of a split go to its own part of `partial`:
// [splits][groups][blocks] of { [r][s][cg][KB] weights, [KB] bias }, and conv_weights.cl adds the splits in order. So
// the result depends on the plan alone and not on which group came first.
//
// Spec:  REAL       storage type
//        CPU_SHAPE  1: conv_weight_cpu.h, f32 only        0: conv_weight_gpu.h
//        ACT        1: relu; dy counts where y > 0, y being the stored result
//        MASKED     1: such dy is written to `masked`, for the input's gradient
//        KB         outputs of a block
//        POOL       1: y was pooled at once (conv.cl). dy is pooled and `which` says which of four pixels, if any, each of
//                   its elements goes to; CPU shape
// and those of the shape's own file.
#define CONV_WEIGHT_ARGUMENTS                                                                                        \
  IN(REAL, x), IN(REAL, dy), IN(REAL, y), OUT(f32, partial), OUT(REAL, masked), const uint pixels, const int h,      \
      const int wd, const int c_all, const int cg, const int k_all, const int kg, const int p, const int q,          \
      const int r_count, const int s_count, const int sh, const int sw, const int ph, const int pw, const int dh,    \
      const int dw, const uint span, const uint blocks, const uint all_blocks

#if POOL
#define CONV_WEIGHT_PARAMETERS CONV_WEIGHT_ARGUMENTS, IN(u8, which), const int pooled_p, const int pooled_q
#else
#define CONV_WEIGHT_PARAMETERS CONV_WEIGHT_ARGUMENTS
#endif

#if CPU_SHAPE
#include "conv_weight_cpu.h"
#else
#include "conv_weight_gpu.h"
#endif
