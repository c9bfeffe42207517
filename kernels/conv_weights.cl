// The weights' two rearrangements: packing before a convolution, and after its weight gradient the sum of the splits.
//
// Spec:  REAL  storage type        KB  outputs of a block        CPU_SHAPE  1: conv_weights_cpu.h, f32 only

// packed[groups][blocks][rs][depth][KB] from w, where output `lane` of a block and input `d` lie lane * lane_stride and
// d * depth_stride apart; `lanes` outputs a group are there, the others become zero. The forward weights and those of
// the input's gradient (outputs and inputs exchanged) differ by the strides only. `tail` zeros follow.
#define CONV_PACK_ARGUMENTS                                                                                          \
  IN(REAL, w), OUT(REAL, packed), const uint all_blocks, const uint blocks, const uint rs_count, const uint depth,   \
      const uint lanes, const uint lane_stride, const uint depth_stride, const uint group_stride, const uint tail


// dweight [groups * kg, cg, rs_count] and dbias [groups * kg], where wanted, from the splits' sums of conv_weight.cl.
#define CONV_WEIGHT_SUM_ARGUMENTS                                                                                    \
  IN(f32, partial), OUT(REAL, dweight), OUT(REAL, dbias), const uint splits, const uint rs_count, const uint cg,     \
      const uint kg, const uint blocks, const uint all_blocks, const uint want_weight, const uint want_bias

#if CPU_SHAPE
#include "conv_weights_cpu.h"
#else
KERNEL void conv_pack(CONV_PACK_ARGUMENTS) {
  OFFSET(w);
  OFFSET(packed);
  const uint rows = all_blocks * rs_count * depth;
  for (uint i = GLOBAL_ID; i < rows * KB + tail; i += GLOBAL_SIZE) {
    const uint lane_in_block = i % KB, row = i / KB;
    const uint d = row % depth, rs = row / depth % rs_count, block = row / depth / rs_count;
    const uint group = block / blocks, lane = (block - group * blocks) * KB + lane_in_block;
    float value = 0.0f;
    if (row < rows && lane < lanes)
      value = LOAD(w, (ulong)group * group_stride + (ulong)lane * lane_stride + (ulong)d * depth_stride + rs);
    STORE(packed, i, value);
  }
}

KERNEL void conv_weight_sum(CONV_WEIGHT_SUM_ARGUMENTS) {
  OFFSET(partial);
  OFFSET(dweight);
  OFFSET(dbias);
  const uint rows = rs_count * cg + 1;  // the last one is the bias
  const ulong split_size = (ulong)all_blocks * rows * KB;
  for (uint i = GLOBAL_ID; i < all_blocks * rows * KB; i += GLOBAL_SIZE) {
    const uint lane = i % KB, row = i / KB % rows, block = i / KB / rows;
    const uint group = block / blocks, k = (block - group * blocks) * KB + lane;
    if (k >= kg || (row + 1 == rows ? !want_bias : !want_weight)) continue;
    float sum = 0.0f;
    for (uint j = 0; j < splits; ++j) sum += partial[j * split_size + i];
    const uint rs = row / cg, c = row - rs * cg;
    if (row + 1 == rows)
      STORE(dbias, group * kg + k, sum);
    else
      STORE(dweight, ((ulong)(group * kg + k) * cg + c) * rs_count + rs, sum);
  }
}
#endif
