#define OFFSETS(x, y) \
  OFFSET(x);          \
  OFFSET(y)
