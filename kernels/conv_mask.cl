// Spec:  REAL  storage type

// dx = dy where y > 0: relu's gradient from its stored result, when no weight gradient makes it on the way.
KERNEL void conv_mask(IN(REAL, dy), IN(REAL, y), OUT(REAL, dx), const uint count) {
  OFFSET(dy);
  OFFSET(y);
  OFFSET(dx);
  for (uint i = GLOBAL_ID; i < count; i += GLOBAL_SIZE) STORE(dx, i, LOAD(y, i) > 0.0f ? LOAD(dy, i) : 0.0f);
}
