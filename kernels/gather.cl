// A mini-batch out of a data set that lies on the device as bytes: image order[first + b] becomes image b of the batch,
// normalised to pixel * scale + shift, and its label goes along. One text for both shapes: a group takes every GROUPS-th
// image; on a CPU it is one work-item, whose inner loop the compiler turns into vectors.
//
// Spec: WG  threads in a group; 1 is the CPU shape
KERNEL GROUP_SIZE(WG) void gather_images(IN(u8, pixels), IN(i32, all_labels), IN(i32, order), OUT(f32, images),
                                         OUT(i32, labels), const uint first, const uint count, const uint size,
                                         const float scale, const float shift) {
  OFFSET(pixels);
  OFFSET(all_labels);
  OFFSET(order);
  OFFSET(images);
  OFFSET(labels);
  for (uint b = GROUP_ID; b < count; b += GROUPS) {
    const uint source = (uint)order[first + b];
    const ulong from = (ulong)source * size;
    const ulong to = (ulong)b * size;
    for (uint p = LOCAL_ID; p < size; p += WG) images[to + p] = fma((float)pixels[from + p], scale, shift);
    if (LOCAL_ID == 0) labels[b] = all_labels[source];
  }
}
