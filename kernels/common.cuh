// What every kernel file shares: indexing and block collectives.
#pragma once

// True only where a cooperative kernel's block is a single thread whose loops the compiler vectorises: the build for CPUs.
#if defined(SIMT_ONE_THREAD)
[[maybe_unused]] constexpr bool kOneThreadPerBlock = true;
#else
[[maybe_unused]] constexpr bool kOneThreadPerBlock = false;
#endif

[[maybe_unused]] constexpr unsigned kFullMask = 0xffffffffu;
[[maybe_unused]] constexpr int kWarpThreads = 32;

// An elementwise kernel's element along x. On CPUs its threads are the iterations of one vectorised loop.
__device__ __forceinline__ int element_index() {
#if defined(SIMT_ONE_THREAD)
  return simt::element;
#else
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
#endif
}

__device__ __forceinline__ int ceil_div(int a, int b) { return (a + b - 1) / b; }

// The sum of every thread's value, on every thread. Lanes are added as a tree, warps in order, so the result depends on blockDim.x alone.
template <class T>
__device__ __forceinline__ T block_sum(T value) {
  if constexpr (kOneThreadPerBlock) {
    return value;
  } else {
    if (blockDim.x == 1) {
      return value;
    }
    __shared__ T warp_sums[32];
    for (int offset = kWarpThreads / 2; offset > 0; offset /= 2) {
      value += __shfl_xor_sync(kFullMask, value, offset);
    }
    if (threadIdx.x % kWarpThreads == 0) {
      warp_sums[threadIdx.x / kWarpThreads] = value;
    }
    __syncthreads();
    T sum = 0;
    for (int warp = 0; warp < static_cast<int>(blockDim.x) / kWarpThreads; ++warp) {
      sum += warp_sums[warp];
    }
    __syncthreads();
    return sum;
  }
}

// The largest of every thread's values, on every thread.
__device__ __forceinline__ float block_max(float value) {
  if constexpr (kOneThreadPerBlock) {
    return value;
  } else {
    if (blockDim.x == 1) {
      return value;
    }
    __shared__ float warp_maxima[32];
    for (int offset = kWarpThreads / 2; offset > 0; offset /= 2) {
      value = fmaxf(value, __shfl_xor_sync(kFullMask, value, offset));
    }
    if (threadIdx.x % kWarpThreads == 0) {
      warp_maxima[threadIdx.x / kWarpThreads] = value;
    }
    __syncthreads();
    float largest = warp_maxima[0];
    for (int warp = 1; warp < static_cast<int>(blockDim.x) / kWarpThreads; ++warp) {
      largest = fmaxf(largest, warp_maxima[warp]);
    }
    __syncthreads();
    return largest;
  }
}
