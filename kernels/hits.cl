// 1 where the largest of a row's logits (the first of equals) stands at the row's label, else 0. A row with a NaN
// predicts nothing and is never a hit, so that a network that diverged cannot score by its ties.
//
// Spec: REAL  storage type of the logits
KERNEL void count_hits(IN(REAL, logits), IN(i32, labels), OUT(i32, hits), const uint rows, const uint classes) {
  OFFSET(logits);
  OFFSET(labels);
  OFFSET(hits);
  for (uint row = GLOBAL_ID; row < rows; row += GLOBAL_SIZE) {
    const ulong at = (ulong)row * classes;
    float best = LOAD(logits, at);
    int best_class = 0;
    int sound = best == best;
    for (uint c = 1; c < classes; ++c) {
      const float value = LOAD(logits, at + c);
      if (value != value) sound = 0;
      if (value > best) {
        best = value;
        best_class = (int)c;
      }
    }
    hits[row] = sound && best_class == labels[row];
  }
}
