// Convolution on channels-last data without im2col: conv_forward walks the pixels of its result and collects, for each
// filter position, from the pixel of x that lies there. With GRADIENT the same walk makes the input's gradient: the
// roles of x and y change, weights are packed with inputs and outputs exchanged, and a stride divides positions instead
// of multiplying them. Pixels whose position is the same modulo the stride (a phase) share their filter positions, so
// one launch handles one phase and multiplies nothing in vain.
//
// Arguments: x [n, h, wd, c_all], y [n, out_h, out_w, k_all]; group g reads channels g * cg and on, and writes g * kg and
// on. pixels = n * p * q result pixels are walked; those of (p, q) lie at out0 + step * (p, q), step being 1 forward.
// w is packed by conv_weights.cl: [groups][blocks][r][s][cg][KB], outputs beyond kg zero, then a run of zeros.
//
// Spec:  REAL      storage type
//        CPU_SHAPE 1: conv_cpu.h, f32 only        0: conv_gpu.h
//        GRADIENT  1: the input's gradient
//        ACT       0 none, 1 relu, 2 gelu, 3 gelu (tanh form)
//        BIAS      1: bias [k_all] is added before ACT
//        POOL      1: relu and max-pooling of 2x2 windows follow at once (CPU shape, stride 1, k_all a multiple of KB):
//                  p, q and pixels count windows, y is pooled, and `which` holds each maximum's place in its window, in
//                  row order, or 4 where nothing passed
// and those of the shape's own file.
#define CONV_ARGUMENTS                                                                                               \
  IN(REAL, x), IN(REAL, w), IN(REAL, bias), OUT(REAL, y), const uint pixels, const int h, const int wd,              \
      const int c_all, const int cg, const int k_all, const int kg, const int p, const int q, const int r_count,     \
      const int s_count, const int sh, const int sw, const int ph, const int pw, const int dh, const int dw,         \
      const int out_h, const int out_w, const int out_h0, const int out_w0, const uint blocks, const uint all_blocks, \
      const uint chunks, const uint tiles

#if POOL
#define CONV_PARAMETERS CONV_ARGUMENTS, OUT(u8, which)
#else
#define CONV_PARAMETERS CONV_ARGUMENTS
#endif

#include "gelu.h"
#if CPU_SHAPE
#include "conv_cpu.h"
#else
#include "conv_gpu.h"
#endif
