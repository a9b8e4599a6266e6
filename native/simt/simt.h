// The vocabulary of CUDA C++ for a CPU, so that kernels/*.cu compile as plain C++ without a change.
// Three ways to run a block:
//
//   SIMT_ONE_THREAD production. An elementwise kernel is one vectorised loop over the elements of
//       its blocks. A cooperative kernel's block is a
//                    single thread: its strided loops become contiguous and vectorise, and
//                        barriers, shuffles and collectives vanish.
//   SIMT_FIBERS
//   tests. Every CUDA thread is a fiber of one operating-system thread: real barriers, shuffles and
//       shared memory at any block
//                    size. A barrier that not all threads reach is reported with kernel, block and
//                        thread; it never hangs.
//   SIMT_THREADS     ThreadSanitizer. Every CUDA thread is an operating-system thread.
//
// What the two kinds of kernel are, and what each may use, stands at the head of
// kernels/common.cuh; contract.h holds every kernel to it at build time. Production skips an
// elementwise kernel's threads past the number of elements, its first int, so that the kernel's
// bounds guard costs no mask.
//
// Supported: threadIdx, blockIdx, blockDim, gridDim; __shared__ arrays of constant size;
// __syncthreads; __syncwarp, __shfl_sync, __shfl_up_sync, __shfl_down_sync, __shfl_xor_sync,
// __ballot_sync, __any_sync, __all_sync with the full mask in blocks of whole warps; atomicAdd,
// atomicMax, atomicMin, atomicExch, atomicCAS on int, unsigned and (atomicAdd, atomicExch) float;
// the math functions below.
// Not supported, and so not declared: dynamic shared memory, partial masks, cooperative groups,
// textures, half types, printf, nested launches.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simt/image.h"

#define __global__ inline __attribute__((always_inline))
#define __device__ inline
#define __constant__ __attribute__((visibility("default"), used))
#define __forceinline__ __attribute__((always_inline))
#define __restrict__ __restrict
#define __launch_bounds__(...)

struct uint3 {
  unsigned x, y, z;
};
struct dim3 {
  unsigned x, y, z;
};
struct float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct int2 {
  int x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct uint2 {
  unsigned x, y;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

#if defined(SIMT_ELEMENTWISE_CONTRACT) || defined(SIMT_COOPERATIVE_CONTRACT)
#include "simt/contract.h"
#else
static thread_local uint3 blockIdx;
static thread_local dim3 gridDim;
#if defined(SIMT_ONE_THREAD)
// Constants, so that a cooperative kernel's strided loops and collectives fold away; an elementwise
// kernel's loop counts simt::element.
constexpr uint3 threadIdx{0, 0, 0};
constexpr dim3 blockDim{1, 1, 1};
namespace simt {
static thread_local int element;
}
#define SIMT_ELEMENT simt::element  // what element_index() is, where it is not made of indices
#else
static thread_local uint3 threadIdx;
static thread_local dim3 blockDim;
#endif

namespace simt {

// Calls visit() for each block of [first, last) in linear order, x fastest, with blockIdx (and
// blockDim) set.
template <class Visit>
inline __attribute__((always_inline)) void for_each_block(const Launch& launch, std::uint64_t first, std::uint64_t last,
                                                          const Visit& visit) {
  const unsigned width = launch.grid.x, height = launch.grid.y;
  unsigned x = static_cast<unsigned>(first % width), y = static_cast<unsigned>(first / width % height),
           z = static_cast<unsigned>(first / width / height);
  for (std::uint64_t block = first; block < last; ++block) {
#if !defined(SIMT_ONE_THREAD)
    blockDim = {launch.block.x, launch.block.y, launch.block.z};
#endif
    blockIdx = {x, y, z};
    visit();
    if (++x == width) {
      x = 0;
      if (++y == height) {
        y = 0;
        ++z;
      }
    }
  }
}

}  // namespace simt

#if defined(SIMT_ONE_THREAD)
#define __shared__
#include "simt/one_thread.h"
#elif defined(SIMT_FIBERS)
#define __shared__ static thread_local
#include "simt/fibers.h"
#elif defined(SIMT_THREADS)
#define __shared__ static
#include "simt/threads.h"
#else
#error "define SIMT_ONE_THREAD, SIMT_FIBERS or SIMT_THREADS"
#endif
#endif

// ---- integers and bits ----
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<std::uint64_t>(a) * b) >> 32);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __clz(int x) { return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return __builtin_ffs(x); }
template <class To, class From>
inline To simt_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}
inline int __float_as_int(float x) { return simt_bits<int>(x); }
inline unsigned __float_as_uint(float x) { return simt_bits<unsigned>(x); }
inline float __int_as_float(int x) { return simt_bits<float>(x); }
inline float __uint_as_float(unsigned x) { return simt_bits<float>(x); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
template <class T>
inline T __ldg(const T* pointer) {
  return *pointer;
}

// ---- math: <cmath> has the float functions under CUDA's names; fminf and fmaxf as comparisons
// vectorise ----
inline float rsqrtf(float x) { return 1.0f / sqrtf(x); }

// ---- atomics ----
template <class T>
inline T atomicAdd(T* address, T value) {
  T seen;
  __atomic_load(address, &seen, __ATOMIC_RELAXED);
  for (T next = seen + value;
       !__atomic_compare_exchange(address, &seen, &next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
       next = seen + value) {
  }
  return seen;
}
inline int atomicMax(int* address, int value) {
  int seen = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (seen < value &&
         !__atomic_compare_exchange_n(address, &seen, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return seen;
}
inline int atomicMin(int* address, int value) {
  int seen = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (seen > value &&
         !__atomic_compare_exchange_n(address, &seen, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return seen;
}
template <class T>
inline T atomicExch(T* address, T value) {
  T old;
  __atomic_exchange(address, &value, &old, __ATOMIC_RELAXED);
  return old;
}
template <class T>
inline T atomicCAS(T* address, T compare, T value) {
  __atomic_compare_exchange(address, &compare, &value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return compare;
}
