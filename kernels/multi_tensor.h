// One launch over many pairs of a parameter and its gradient, each pair a slot. A group takes CHUNK elements of one slot.
//
// Spec:  REAL   storage type of the parameters      GRAD  of the gradients
//        SLOTS  8 or 16                             CHUNK elements a group, a multiple of 16
//        WG     threads in a group, 1 in the CPU shape
//
// n is a slot's number of elements, base where its state starts in the flat arrays, end the first group after its own.
// A slot with n = 0 has no groups, so what its pointers point to is never touched and may repeat another slot's.
#define SLOT(k) OUT(REAL, p##k), IN(GRAD, g##k), const uint n##k, const ulong base##k, const uint end##k
#define SLOTS_0_TO_7 SLOT(0), SLOT(1), SLOT(2), SLOT(3), SLOT(4), SLOT(5), SLOT(6), SLOT(7)
#define SLOTS_8_TO_15 SLOT(8), SLOT(9), SLOT(10), SLOT(11), SLOT(12), SLOT(13), SLOT(14), SLOT(15)

// Only pointers are chosen here, so that the update itself is compiled once and not once a slot.
#define TAKE(k, first_group)  \
  {                           \
    OFFSET(p##k);             \
    OFFSET(g##k);             \
    p = p##k;                 \
    g = g##k;                 \
    count = n##k;             \
    base = base##k;           \
    first = first_group;      \
  }
#define TAKE_AFTER(k, previous) \
  if (GROUP_ID >= end##previous) TAKE(k, end##previous)
#define TAKE_0_TO_7                                                                        \
  TAKE(0, 0)                                                                               \
  TAKE_AFTER(1, 0) TAKE_AFTER(2, 1) TAKE_AFTER(3, 2) TAKE_AFTER(4, 3) TAKE_AFTER(5, 4)     \
  TAKE_AFTER(6, 5) TAKE_AFTER(7, 6)
#define TAKE_8_TO_15                                                                       \
  TAKE_AFTER(8, 7) TAKE_AFTER(9, 8) TAKE_AFTER(10, 9) TAKE_AFTER(11, 10) TAKE_AFTER(12, 11) \
  TAKE_AFTER(13, 12) TAKE_AFTER(14, 13) TAKE_AFTER(15, 14)

#if SLOTS == 8
#define ALL_SLOTS SLOTS_0_TO_7
#define TAKE_ONE TAKE_0_TO_7
#else
#define ALL_SLOTS SLOTS_0_TO_7, SLOTS_8_TO_15
#define TAKE_ONE TAKE_0_TO_7 TAKE_8_TO_15
#endif

// Declares p, g, base and the range [start, stop) of this group.
#define CHOOSE_SLOT                                             \
  GLOBAL REAL* p;                                               \
  GLOBAL const GRAD* g;                                         \
  uint count, first;                                            \
  ulong base;                                                   \
  TAKE_ONE                                                      \
  const uint start = (GROUP_ID - first) * CHUNK;                \
  const uint stop = count - start < CHUNK ? count : start + CHUNK;
