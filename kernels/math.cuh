// Mathematics of the training kernels: fast, and within float tolerance on every device. Data
// kernels have their own, in philox.cuh.
#pragma once
#include "common.cuh"

// The largest of value(i) for i below count, on every thread. In one thread 16 running maxima stand
// in for the threads: a single one would not vectorise, since NaN makes the order of maxima matter.
template <class Value>
__device__ __forceinline__ float largest_of(int count, Value value) {
  if constexpr (kOneThreadPerBlock) {
    constexpr int kMaxima = 16;
    float maxima[kMaxima];
    for (int lane = 0; lane < kMaxima; ++lane) {
      maxima[lane] = value(0);
    }
    int i = 0;
    for (; i + kMaxima <= count; i += kMaxima) {
      for (int lane = 0; lane < kMaxima; ++lane) {
        maxima[lane] = value(i + lane) > maxima[lane] ? value(i + lane) : maxima[lane];
      }
    }
    for (int lane = 0; lane < count - i; ++lane) {
      maxima[lane] = value(i + lane) > maxima[lane] ? value(i + lane) : maxima[lane];
    }
    float largest = maxima[0];
    for (int lane = 1; lane < kMaxima; ++lane) {
      largest = maxima[lane] > largest ? maxima[lane] : largest;
    }
    return largest;
  } else {
    float largest = value(0);
    for (int i = threadIdx.x; i < count; i += blockDim.x) {
      largest = fmaxf(largest, value(i));
    }
    return block_max(largest);
  }
}

// The largest of row(count), on every thread.
__device__ __forceinline__ float row_max(const float* __restrict__ row, int count) {
  return largest_of(count, [=](int i) { return row[i]; });
}

// e^x, as fast as the device can. On CPUs: x = n log 2 + r with |r| <= log 2 / 2 and Taylor's
// polynomial of degree 7, whose error is below a unit in the last place; inline, so that loops
// around it use the whole width of the vectors, which calls to the mathematics library do not. 0
// below e^-87.3.
__device__ __forceinline__ float exponential(float x) {
#if defined(SIMT_ONE_THREAD)
  const float bounded = x > 88.7f ? 88.7f : x > -87.3f ? x : -87.3f;
  const float n = __builtin_rintf(bounded * 1.44269504f);
  const float r = fmaf(n, 2.12194440e-4f, fmaf(n, -0.693359375f, bounded));
  float p = fmaf(r, 1.98412698e-4f, 1.38888889e-3f);
  p = fmaf(p, r, 8.33333333e-3f);
  p = fmaf(p, r, 4.16666667e-2f);
  p = fmaf(p, r, 0.166666667f);
  p = fmaf(p, r, 0.5f);
  p = fmaf(p, r, 1.0f);
  p = fmaf(p, r, 1.0f);
  const float scaled = p * __int_as_float((static_cast<int>(n) + 127) << 23);
  return x > 88.7f ? __builtin_inff() : x < -87.3f ? 0.0f : x != x ? x : scaled;
#else
  return expf(x);
#endif
}
