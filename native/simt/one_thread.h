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

template <bool, class Body>
inline __attribute__((always_inline)) void run_blocks(const Launch& launch, const char*, std::uint64_t first,
                                                      std::uint64_t last, const Body& body) {
  for_each_block(launch, first, last, body);
}

// The blocks of one row of the grid are one loop over their elements: to an elementwise kernel, a
// single wide block.
template <class Body>
inline __attribute__((always_inline)) void run_elements(const Launch& launch, const char*, std::uint64_t first,
                                                        std::uint64_t last, std::uint64_t extent, const Body& body) {
  const std::uint64_t width = launch.grid.x;
  while (first < last) {
    const std::uint64_t row = first / width, x = first % width,
                        blocks = last - first < width - x ? last - first : width - x;
    const std::uint64_t begin = x * launch.block.x, end = begin + blocks * launch.block.x;
    const int stop = static_cast<int>(end < extent ? end : extent);
    blockIdx = {0, static_cast<unsigned>(row % launch.grid.y), static_cast<unsigned>(row / launch.grid.y)};
#pragma omp simd
    for (int i = static_cast<int>(begin); i < stop; ++i) {
      __builtin_assume(i >= 0 && static_cast<std::uint64_t>(i) < extent);
      element = i;
      body();
    }
    first += blocks;
  }
}

// A cooperative kernel runs with one thread a block here; any block fits an elementwise one.
template <bool cooperative>
inline constexpr unsigned max_threads(unsigned) {
  return cooperative ? 1 : 1024;
}

}  // namespace simt
