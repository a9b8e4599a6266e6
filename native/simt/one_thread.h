// Production: a cooperative kernel's block is one thread, so every collective is the identity.
#pragma once

inline void __syncthreads() {}
inline void __syncwarp(unsigned = 0xffffffffu) {}
template <class T>
inline T __shfl_sync(unsigned, T value, int, int = 32) {
  return value;
}
template <class T>
inline T __shfl_up_sync(unsigned, T value, unsigned, int = 32) {
  return value;
}
template <class T>
inline T __shfl_down_sync(unsigned, T value, unsigned, int = 32) {
  return value;
}
template <class T>
inline T __shfl_xor_sync(unsigned, T value, int, int = 32) {
  return value;
}
inline unsigned __ballot_sync(unsigned, int predicate) { return predicate ? 1u : 0u; }
inline int __any_sync(unsigned, int predicate) { return predicate != 0; }
inline int __all_sync(unsigned, int predicate) { return predicate != 0; }

namespace simt {

template <bool cooperative, class Body>
inline __attribute__((always_inline)) void run_block(const Launch&, const char*, const Body& body) {
  if constexpr (cooperative) {
    threadIdx = {0, 0, 0};
    blockDim = {1, 1, 1};
    body();
  } else {
    const unsigned width = blockDim.x, height = blockDim.y, depth = blockDim.z;
    for (unsigned z = 0; z < depth; ++z) {
      for (unsigned y = 0; y < height; ++y) {
#pragma omp simd
        for (unsigned x = 0; x < width; ++x) {
          threadIdx = {x, y, z};
          body();
        }
      }
    }
  }
}

// A cooperative kernel runs with one thread a block here; any block fits an elementwise one.
template <bool cooperative>
inline constexpr unsigned max_threads(unsigned) {
  return cooperative ? 1 : 1024;
}

}  // namespace simt
