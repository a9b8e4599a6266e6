// ThreadSanitizer: every CUDA thread of a block is an operating-system thread, so that a missing
// barrier is a data race that the sanitizer sees. Blocks run one after another. A barrier is the
// only ordering between threads.
#pragma once
#include <barrier>
#include <memory>
#include <thread>
#include <vector>

namespace simt {

struct Block {
  explicit Block(unsigned threads) : all(threads) {
    for (unsigned first = 0; first < threads; first += 32) {
      warps.push_back(std::make_unique<std::barrier<>>(threads - first < 32 ? threads - first : 32));
    }
    lanes.resize(warps.size() * 64);
  }
  std::barrier<> all;
  std::vector<std::unique_ptr<std::barrier<>>> warps;
  std::vector<std::uint64_t> lanes;  // two exchange buffers of 32 per warp
};

inline thread_local Block* current_block;
inline thread_local unsigned warp_collectives;

inline unsigned linear_thread();
inline void block_barrier() { current_block->all.arrive_and_wait(); }
inline const std::uint64_t* warp_exchange(const char*, std::uint64_t bits) {
  const unsigned thread = linear_thread(), warp = thread / 32;
  std::uint64_t* lanes = &current_block->lanes[warp * 64 + warp_collectives++ % 2 * 32];
  lanes[thread % 32] = bits;
  current_block->warps[warp]->arrive_and_wait();
  return lanes;
}

template <class Body>
inline void run_block(const Launch& launch, const Body& body) {
  const unsigned count = launch.block.x * launch.block.y * launch.block.z;
  Block block(count);
  const uint3 block_index = blockIdx;
  const dim3 block_size = blockDim, grid_size = gridDim;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      blockIdx = block_index;
      blockDim = block_size;
      gridDim = grid_size;
      threadIdx = {i % launch.block.x, i / launch.block.x % launch.block.y, i / launch.block.x / launch.block.y};
      current_block = &block;
      warp_collectives = 0;
      body();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

template <bool, class Body>
inline void run_blocks(const Launch& launch, const char*, std::uint64_t first, std::uint64_t last, const Body& body) {
  for_each_block(launch, first, last, [&] { run_block(launch, body); });
}

template <class Body>
inline void run_elements(const Launch& launch, const char* kernel, std::uint64_t first, std::uint64_t last,
                         std::uint64_t, const Body& body) {
  run_blocks<false>(launch, kernel, first, last, body);
}

template <bool cooperative>
inline constexpr unsigned max_threads(unsigned bound) {
  return cooperative ? bound : 1024;
}

}  // namespace simt

#include "simt/collectives.h"
