// Gradients of a 3x3-like convolution, stride 1, whose relu and 2x2 max-pooling were done at once (conv.cl, POOL). At most
// one of a window's four pixels has a gradient, so both are a quarter of the dense work or less, and exact.
//
// x [n, h, wd, c], dy and which [n, p, q, k] pooled. CPU shape only, f32.
//
// Spec:  R, S    the filter
//        FRAME   float16 vectors of an item's private piece of an image
//        WINDOWS pooled pixels of a band, at most
#if CPU_SHAPE
#include "conv_pool_cpu.h"
#endif
