// The step function u of section 5, which rounds down to a level: levels are z[0] < z[1] < ... <
// z[count - 1].
#pragma once

// The index of the largest level that is at most r, by binary search; 0 where r lies below all of
// them (or is NaN).
__device__ __forceinline__ int level_index(float r, const float* __restrict__ z, int count) {
  int low = 0;
  for (int left = count; left > 1;) {
    const int half = left / 2;
    low += z[low + half] <= r ? half : 0;
    left -= half;
  }
  return low;
}
