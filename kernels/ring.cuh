// What a run reports stays on the device, in a ring that the host reads now and then: (slots,
// width) words, of which a step writes row step mod slots. A row begins with the bits of its step.
#pragma once
#include "common.cuh"

// The row of the step that step[0] counts, begun. For one thread.
__device__ __forceinline__ float* ring_row(float* ring, const unsigned* step, int slots, int width) {
  const unsigned now = step[0];
  float* row = ring + static_cast<size_t>(now % static_cast<unsigned>(slots)) * width;
  row[0] = __uint_as_float(now);
  return row;
}
