// The weights' rearrangements for a CPU under OpenCL, with no division in a loop.
//
// Spec:  CHUNK  inputs that a work-item of conv_pack takes, of one filter position of one block
KERNEL void conv_pack(CONV_PACK_ARGUMENTS) {
  OFFSET(w);
  OFFSET(packed);
  const uint rows = all_blocks * rs_count * depth;
  const uint chunks = (depth + CHUNK - 1) / CHUNK;
  const uint chunk = GROUP_ID % chunks, rs = GROUP_ID / chunks % rs_count, block = GROUP_ID / chunks / rs_count;
  const uint group = block / blocks, first = (block - group * blocks) * KB, count = min((uint)KB, lanes - first);
  GLOBAL const float* const from = w + (ulong)group * group_stride + (ulong)first * lane_stride + rs;
  GLOBAL float* const to = packed + ((ulong)block * rs_count + rs) * depth * KB;
  const uint end = min((chunk + 1) * CHUNK, depth);
  for (uint d = chunk * CHUNK; d < end; ++d) {
    GLOBAL const float* const row = from + (ulong)d * depth_stride;
    if (count == KB) {
      UNROLL for (uint lane = 0; lane < KB; ++lane) to[d * KB + lane] = row[(ulong)lane * lane_stride];
    } else {
      for (uint lane = 0; lane < KB; ++lane) to[d * KB + lane] = lane < count ? row[(ulong)lane * lane_stride] : 0.0f;
    }
  }
  if (GROUP_ID == 0)
    for (uint i = 0; i < tail; ++i) packed[(ulong)rows * KB + i] = 0.0f;
}

// A work-item takes one input of one block.
KERNEL void conv_weight_sum(CONV_WEIGHT_SUM_ARGUMENTS) {
  OFFSET(partial);
  OFFSET(dweight);
  OFFSET(dbias);
  const uint rows = rs_count * cg + 1;  // the last one is the bias
  const ulong split_size = (ulong)all_blocks * rows * KB;
  const uint block = GROUP_ID / (cg + 1), c = GROUP_ID - block * (cg + 1);
  const uint group = block / blocks, first = (block - group * blocks) * KB, count = min((uint)KB, kg - first);
  partial += (ulong)block * rows * KB;
  GLOBAL float* const to = c == cg ? dbias + group * kg + first
                                   : dweight + ((ulong)(group * kg + first) * cg + c) * rs_count;
  const uint lane_stride = c == cg ? 1 : cg * rs_count;
  if (c == cg ? !want_bias : !want_weight) return;
  for (uint rs = 0; rs < (c == cg ? 1 : rs_count); ++rs) {
    GLOBAL const float* const from = partial + (c == cg ? rows - 1 : rs * cg + c) * KB;
    for (uint v = 0; v < KB / 16; ++v) {
      float16 sum = 0.0f;
      for (uint i = 0; i < splits; ++i) sum += vload16(v, from + i * split_size);
      float lanes[16];
      vstore16(sum, 0, lanes);
      for (uint lane = 0; lane < 16 && v * 16 + lane < count; ++lane)
        to[(ulong)(v * 16 + lane) * lane_stride + rs] = lanes[lane];
    }
  }
}
