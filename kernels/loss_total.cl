// The losses of all samples to one: their sum or their mean over the samples that count. One group, in a fixed order.
//
// Spec:  T   storage type of the result      MEAN  1: divided by the number of labels that count
//        WG  threads of the group; 1 on CPUs
KERNEL void loss_total(IN(f32, losses), IN(i32, labels), OUT(T, y), OUT(f32, scale), const uint count, const uint classes,
                       const int ignore) {
  LOCAL float sums[WG];
  LOCAL uint counts[WG];
  OFFSET(losses);
  OFFSET(labels);
  OFFSET(y);
  OFFSET(scale);
  float sum = 0.0f;
  uint counted = 0;
  for (uint i = LOCAL_ID; i < count; i += WG) {
    const int label = labels[i];
    sum += losses[i];
    counted += label != ignore && label >= 0 && (uint)label < classes ? 1 : 0;
  }
  sums[LOCAL_ID] = sum;
  counts[LOCAL_ID] = counted;
  BARRIER();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (LOCAL_ID < step) {
      sums[LOCAL_ID] += sums[LOCAL_ID + step];
      counts[LOCAL_ID] += counts[LOCAL_ID + step];
    }
    BARRIER();
  }
  if (LOCAL_ID == 0) {
#if MEAN
    const float factor = 1.0f / (float)counts[0];  // of nothing: NaN, as in PyTorch
    scale[0] = factor;
    STORE_AS(T, y, 0, counts[0] == 0 ? NAN : sums[0] * factor);
#else
    scale[0] = 1.0f;
    STORE_AS(T, y, 0, sums[0]);
#endif
  }
}
