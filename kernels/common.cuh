// What every kernel file shares: the two kinds of kernel, indexing, block collectives, rings.
//
// A kernel is `extern "C" __global__ void [__launch_bounds__(N)] name(...)` in a .cu file, of
// numbers and pointers. __launch_bounds__ says more here than how many registers a thread may have:
// it makes the one kind of kernel or the other, and that decides how a CPU runs it.
//
// Elementwise: no __launch_bounds__. One thread per element, in any order, none knowing of another.
//   - Its element is element_index() along x; rows are blockIdx.y. It has no threadIdx, blockDim,
//     blockIdx.x or gridDim.x, no __shared__, barrier, shuffle or block_sum.
//   - Where its first parameter is an integer, that is an int, the number of elements along x; a
//     thread past it writes nothing: `if (i < n)` comes first. Without one, all threads of the grid
//     run, and the kernel's own guard decides.
//   - On a CPU the threads are the iterations of one vectorised loop up to that number; the grid is
//     forgotten.
//
// Cooperative: __launch_bounds__(N), N a multiple of 32, at most 1024. A block works on a row or
// tile.
//   - Its loops are strided, `for (int i = threadIdx.x; i < n; i += blockDim.x)`. It is right for
//     blockDim.x = 1 and for every multiple of 32 up to N, and knows x alone.
//   - It has __shared__ arrays of constant size, __syncthreads, and block_sum and block_max below.
//     Shuffles and votes need a whole warp, so they stand behind `if (blockDim.x == 1)`, or
//     `if constexpr (kOneThreadPerBlock)`, with other means for one thread. No element_index().
//   - On a CPU its block is one thread, known when it is compiled: loops become contiguous and
//     vectorise, barriers and collectives vanish.
//
// Replicas: several runs of one shape train in one launch. Each has a copy of all memory, the same
// number of bytes behind the one before it for every buffer; blockIdx.z is whose copy a block works
// on. A kernel takes that distance as its last parameter, `long long replica_stride`, and begins
// with to_replica(), which moves its pointers there: nothing below knows of it, nor of blockIdx.z.
// A launch for one run is one of one replica.
//
// The build refuses a kernel that breaks this (native/KernelContract.java), by compiling it as its
// kind and by running elementwise ones past their number of elements. That a cooperative kernel is
// right at every block is for its test to see. Launchers have the same two kinds,
// Kernel.elementwise and Kernel.cooperative; the CPU driver tells a kernel's by
// plateau_function_kind.
#pragma once

// True only where a cooperative kernel's block is a single thread whose loops the compiler
// vectorises: the build for CPUs.
#if defined(SIMT_ONE_THREAD)
[[maybe_unused]] constexpr bool kOneThreadPerBlock = true;
#else
[[maybe_unused]] constexpr bool kOneThreadPerBlock = false;
#endif

[[maybe_unused]] constexpr unsigned kFullMask = 0xffffffffu;
[[maybe_unused]] constexpr int kWarpThreads = 32;

// An elementwise kernel's element along x.
__device__ __forceinline__ int element_index() {
#if defined(SIMT_ELEMENT)
  return SIMT_ELEMENT;
#else
  return static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
#endif
}

// Moves pointers into replica memory, and those that are null nowhere, to the copy that this block
// works on.
template <class... Pointers>
__device__ __forceinline__ void to_replica([[maybe_unused]] long long stride, [[maybe_unused]] Pointers&... pointers) {
#if !defined(SIMT_ONE_THREAD)  // where the image does it, once for all blocks of a replica
  const long long offset = static_cast<long long>(blockIdx.z) * stride;
  ((pointers = pointers != nullptr
                   ? reinterpret_cast<Pointers>(const_cast<char*>(reinterpret_cast<const char*>(pointers)) + offset)
                   : nullptr),
   ...);
#endif
}

__device__ __forceinline__ int ceil_div(int a, int b) { return (a + b - 1) / b; }

// The sum of every thread's value, on every thread. Lanes are added as a tree, warps in order, so
// the result depends on blockDim.x alone.
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
