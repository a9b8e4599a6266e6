// How the threads of a block compute a tile of C: a thread owns 4 x 4 elements, and the operands
// pass through shared memory.
#pragma once
#include "dense_tile.cuh"

constexpr int kThreadTile = 4;  // rows and columns of C per thread
constexpr int kDepth = 16;      // k per shared-memory stage
constexpr int kGemmThreads = kTile * kTile / (kThreadTile * kThreadTile);

// Stages of A and B in shared memory, 4 x 4 sums in registers. Blocks of fewer than 256 threads go
// over the tile in rounds.
template <class A, class B, class Epilogue>
__device__ __forceinline__ void tile_product(int m, int n, int k, A a, B b, Epilogue epilogue, int row0, int column0) {
  __shared__ float stage_a[kDepth][kTile + 4];
  __shared__ float stage_b[kDepth][kTile + 4];
  const int threads = static_cast<int>(blockDim.x), thread = static_cast<int>(threadIdx.x);
  for (int first = 0; first < kGemmThreads; first += threads) {
    const int piece = first + thread;
    const int row = piece / (kTile / kThreadTile) * kThreadTile, column = piece % (kTile / kThreadTile) * kThreadTile;
    float sums[kThreadTile][kThreadTile] = {};
    for (int k0 = 0; k0 < k; k0 += kDepth) {
      for (int i = thread; i < kDepth * kTile; i += threads) {
        const int depth = i / kTile, offset = i % kTile;
        stage_a[depth][offset] = row0 + offset < m && k0 + depth < k ? a(row0 + offset, k0 + depth) : 0.0f;
        stage_b[depth][offset] = column0 + offset < n && k0 + depth < k ? b(k0 + depth, column0 + offset) : 0.0f;
      }
      __syncthreads();
      if (piece < kGemmThreads) {
#pragma unroll
        for (int depth = 0; depth < kDepth; ++depth) {
#pragma unroll
          for (int r = 0; r < kThreadTile; ++r) {
#pragma unroll
            for (int c = 0; c < kThreadTile; ++c) {
              sums[r][c] = fmaf(stage_a[depth][row + r], stage_b[depth][column + c], sums[r][c]);
            }
          }
        }
      }
      __syncthreads();
    }
    if (piece < kGemmThreads) {
      for (int r = 0; r < kThreadTile; ++r) {
        for (int c = 0; c < kThreadTile; ++c) {
          if (row0 + row + r < m && column0 + column + c < n) {
            epilogue(row0 + row + r, column0 + column + c, sums[r][c]);
          }
        }
      }
    }
  }
}

// C(m, n) = op(A) op(B): a block per tile of C, blockIdx.x over columns, blockIdx.y over rows.
template <bool kTransposedA, bool kTransposedB, class Epilogue>
__device__ __forceinline__ void product(int m, int n, int k, const float* __restrict__ a, int a_stride,
                                        const float* __restrict__ b, int b_stride, Epilogue epilogue) {
  const int column0 = static_cast<int>(blockIdx.x) * kTile, row0 = static_cast<int>(blockIdx.y) * kTile;
  tile_product(m, n, k, Operand<kTransposedA>{a, a_stride}, Operand<kTransposedB>{b, b_stride}, epilogue, row0,
               column0);
}
