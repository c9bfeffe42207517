// A line is what softmax and its kin normalise over: the middle axis of [outer, len, inner]. One text serves four ways of
// walking it; a kernel says LINES, then loops with EACH(c) and reduces with TOTAL_SUM and TOTAL_MAX.
//
// Spec:  WALK  0 CPU, inner is 1: lanes along the line        1 CPU: lanes across sixteen lines
//              2 GPU: a thread a line, any inner              3 GPU, inner is 1: a group of WG threads a line
//        STREAM  1: PUT_LAST writes past the caches
//        CPU_SHAPE (lanes.h), WG (reduce.h)
#include "lanes.h"
#include "reduce.h"

#if WALK == 0
#define LINE_SCRATCH
#define LINES                                                               \
  for (uint unit = (uint)((ulong)outer * GROUP_ID / GROUPS),                \
            line_end = (uint)((ulong)outer * (GROUP_ID + 1) / GROUPS);      \
       unit < line_end; ++unit)
#define LINE_BASE                                    \
  const ulong base = (ulong)unit * len;              \
  const ulong read_limit = (ulong)outer * len;       \
  const ulong write_limit = (ulong)line_end * len;   \
  (void)inner;                                       \
  (void)read_limit;                                  \
  (void)write_limit;
#define EACH(c) for (uint c = 0; c < len; c += 16)
#define GET(T, v, x, c, rest)                              \
  if (c + 16 <= len) {                                     \
    v = VLOAD_AS(T, x, base + c);                          \
  } else {                                                 \
    VLOAD_SOME(T, v, x, base + c, len - c, rest, read_limit) \
  }
#define PUT(T, x, c, v)                                    \
  if (c + 16 <= len) {                                     \
    VSTORE_AS(T, x, base + c, v);                          \
  } else {                                                 \
    VSTORE_SOME(T, x, base + c, len - c, v, write_limit)   \
  }
#if STREAM
#define PUT_LAST(T, x, c, v)                           \
  if (((ulong)(x) & 63) == 0 && len % 16 == 0) {       \
    store_past_caches((x) + base + (c), v);            \
  } else {                                             \
    PUT(T, x, c, v)                                    \
  }
#endif
#define POSITION(c) (LANE_NUMBERS + c)
#define TOTAL_SUM(v) (V)(lanes_sum(v))
#define TOTAL_MAX(v) (V)(lanes_max(v))
#define FIRST_OF(v) ((v).s0)
#define LEADS 1

#elif WALK == 1
#define LINE_SCRATCH
#define LINE_UNITS (outer * ((inner + 15) / 16))
#define LINES                                                                        \
  for (uint unit = (uint)((ulong)(LINE_UNITS) * GROUP_ID / GROUPS),                  \
            line_end = (uint)((ulong)(LINE_UNITS) * (GROUP_ID + 1) / GROUPS);        \
       unit < line_end; ++unit)
#define LINE_BASE                                                          \
  const uint line_blocks = (inner + 15) / 16;                              \
  const uint line_at = unit % line_blocks * 16;                            \
  const uint line_width = min(16u, inner - line_at);                       \
  const ulong base = (ulong)(unit / line_blocks) * len * inner + line_at;
#define EACH(c) for (uint c = 0; c < len; ++c)
#define GET(T, v, x, c, rest)                                              \
  if (line_width == 16) {                                                  \
    v = VLOAD_AS(T, x, base + (ulong)(c) * inner);                         \
  } else {                                                                 \
    VLOAD_SOME(T, v, x, base + (ulong)(c) * inner, line_width, rest, (ulong)outer * len * inner) \
  }
#define PUT(T, x, c, v)                                                    \
  if (line_width == 16) {                                                  \
    VSTORE_AS(T, x, base + (ulong)(c) * inner, v);                         \
  } else {                                                                 \
    VSCATTER(T, x, base + (ulong)(c) * inner, 1, line_width, v)            \
  }
#define TOTAL_SUM(v) (v)
#define TOTAL_MAX(v) (v)

#elif WALK == 2
#define LINE_SCRATCH
#define LINES for (ulong unit = GLOBAL_ID; unit < (ulong)outer * inner; unit += GLOBAL_SIZE)
#define LINE_BASE const ulong base = unit / inner * len * inner + unit % inner;
#define EACH(c) for (uint c = 0; c < len; ++c)
#define GET(T, v, x, c, rest) v = LOAD_AS(T, x, base + (ulong)(c) * inner);
#define PUT(T, x, c, v) STORE_AS(T, x, base + (ulong)(c) * inner, v);
#define POSITION(c) (c)
#define TOTAL_SUM(v) (v)
#define TOTAL_MAX(v) (v)
#define FIRST_OF(v) (v)
#define LEADS 1

#else
#define LINE_SCRATCH LOCAL float scratch[WG];
#define LINES for (uint unit = GROUP_ID; unit < outer; unit += GROUPS)
#define LINE_BASE const ulong base = (ulong)unit * len; (void)inner;
#define EACH(c) for (uint c = LOCAL_ID; c < len; c += WG)
#define GET(T, v, x, c, rest) v = LOAD_AS(T, x, base + (c));
#define PUT(T, x, c, v) STORE_AS(T, x, base + (c), v);
#define POSITION(c) (c)
#define TOTAL_SUM(v) group_sum(v, scratch)
#define TOTAL_MAX(v) group_max(v, scratch)
#define FIRST_OF(v) (v)
#define LEADS (LOCAL_ID == 0)
#endif
// For a result that is written once and, where STREAM is 1, f32 and larger than the caches.
#ifndef PUT_LAST
#define PUT_LAST(T, x, c, v) PUT(T, x, c, v)
#endif
