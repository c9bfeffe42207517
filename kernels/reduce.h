// Reductions within a group of WG threads (GPU shape) and within the lanes of a V (CPU shape).
//
// Spec:  WG  threads in a group, a power of two (GPU shape)
#if CPU_SHAPE
FN float lanes_sum(const fvec v) {
  const float8 a = v.lo + v.hi;
  const float4 b = a.lo + a.hi;
  const float2 c = b.lo + b.hi;
  return c.lo + c.hi;
}
FN float lanes_max(const fvec v) {
  const float8 a = fmax(v.lo, v.hi);
  const float4 b = fmax(a.lo, a.hi);
  const float2 c = fmax(b.lo, b.hi);
  return fmax(c.lo, c.hi);
}
#else
// Every thread of the group must call these, and all receive the result. The order is fixed.
FN float group_sum(const float value, LOCAL_PTR float* scratch) {
  scratch[LOCAL_ID] = value;
  BARRIER();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (LOCAL_ID < step) scratch[LOCAL_ID] += scratch[LOCAL_ID + step];
    BARRIER();
  }
  const float total = scratch[0];
  BARRIER();  // scratch may be reused at once
  return total;
}
FN float group_max(const float value, LOCAL_PTR float* scratch) {
  scratch[LOCAL_ID] = value;
  BARRIER();
  for (uint step = WG / 2; step > 0; step /= 2) {
    if (LOCAL_ID < step) scratch[LOCAL_ID] = fmax(scratch[LOCAL_ID], scratch[LOCAL_ID + step]);
    BARRIER();
  }
  const float total = scratch[0];
  BARRIER();
  return total;
}
#endif
