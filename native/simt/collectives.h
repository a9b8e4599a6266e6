// Warp collectives over two primitives that the fibers and the threads both provide:
//   simt::warp_exchange(site, bits): deposits this lane's 64 bits, waits for the warp, returns the
//       warp's deposits;
//   simt::block_barrier(): waits for the block.
#pragma once
#include <cstdint>
#include <cstring>

namespace simt {

inline unsigned linear_thread() { return threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z); }

template <class T>
inline T warp_read(const char* site, T value, unsigned lane_to_read) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  const std::uint64_t* lanes = warp_exchange(site, bits);
  std::memcpy(&value, &lanes[lane_to_read], sizeof value);
  return value;
}

}  // namespace simt

inline void __syncthreads() { simt::block_barrier(); }
inline void __syncwarp(unsigned = 0xffffffffu) { simt::warp_exchange("__syncwarp", 0); }

template <class T>
inline T __shfl_sync(unsigned, T value, int source, int width = 32) {
  const unsigned lane = simt::linear_thread() % 32, segment = lane & ~(width - 1u);
  return simt::warp_read("__shfl_sync", value, segment + (static_cast<unsigned>(source) & (width - 1u)));
}
template <class T>
inline T __shfl_up_sync(unsigned, T value, unsigned delta, int width = 32) {
  const unsigned lane = simt::linear_thread() % 32, segment = lane & ~(width - 1u);
  return simt::warp_read("__shfl_up_sync", value, lane - segment >= delta ? lane - delta : lane);
}
template <class T>
inline T __shfl_down_sync(unsigned, T value, unsigned delta, int width = 32) {
  const unsigned lane = simt::linear_thread() % 32, segment = lane & ~(width - 1u);
  return simt::warp_read("__shfl_down_sync", value,
                         lane - segment + delta < static_cast<unsigned>(width) ? lane + delta : lane);
}
template <class T>
inline T __shfl_xor_sync(unsigned, T value, int mask, int width = 32) {
  const unsigned lane = simt::linear_thread() % 32, segment = lane & ~(width - 1u),
                 other = lane ^ static_cast<unsigned>(mask);
  return simt::warp_read("__shfl_xor_sync", value, other < segment + width ? other : lane);
}
inline unsigned __ballot_sync(unsigned, int predicate) {
  const std::uint64_t* lanes = simt::warp_exchange("__ballot_sync", predicate != 0);
  unsigned ballot = 0;
  for (int lane = 0; lane < 32; ++lane) {
    ballot |= static_cast<unsigned>(lanes[lane]) << lane;
  }
  return ballot;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) == 0xffffffffu; }
