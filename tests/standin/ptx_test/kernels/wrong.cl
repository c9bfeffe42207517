// One mistake a kernel, but for the first; each runs in one block of 64 threads over 64 floats.
extern "C" __device__ int printf(const char*, ...);

KERNEL void right(OUT(float, y)) {
  LOCAL float s[64];
  s[LOCAL_ID] = exp(y[LOCAL_ID] * -0.01f);
  BARRIER();
  y[LOCAL_ID] = s[63 - LOCAL_ID];
}

KERNEL void past_the_end(OUT(float, y)) { y[LOCAL_ID + 1] = 1.0f; }

KERNEL void no_barrier(OUT(float, y)) {
  LOCAL float s[64];
  s[LOCAL_ID] = y[LOCAL_ID];
  BARRIER();
  s[LOCAL_ID] = s[63 - LOCAL_ID];
  y[LOCAL_ID] = s[LOCAL_ID];
}

KERNEL void one_word(OUT(float, y)) { y[0] = (float)LOCAL_ID; }

KERNEL void half_filled(OUT(float, y)) {
  LOCAL float s[64];
  if (LOCAL_ID < 32) s[LOCAL_ID] = y[LOCAL_ID];
  BARRIER();
  y[LOCAL_ID] = s[LOCAL_ID];
}

KERNEL void not_all(OUT(float, y)) {
  LOCAL float s[64];
  s[LOCAL_ID] = y[LOCAL_ID];
  if (LOCAL_ID < 40) BARRIER();
  y[LOCAL_ID] = s[LOCAL_ID];
}

KERNEL void crooked(OUT(float, y)) {
  if (LOCAL_ID < 8) STORE4(y, 4 * LOCAL_ID + 1, F32X4(1.0f, 2.0f, 3.0f, 4.0f));
}

KERNEL void stops(OUT(float, y)) {
  if (y[LOCAL_ID] == 13.0f) asm volatile("trap;");
}

KERNEL void talks(OUT(float, y)) {
  if (LOCAL_ID == 3) printf("thread %d says %.1f\n", LOCAL_ID, y[LOCAL_ID] * 0.5f);
}
