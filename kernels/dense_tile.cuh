// What a tile of the dense kernels' matrix product C = op(A) op(B) is, however it is computed.
#pragma once
#include "common.cuh"
#include "lanes.cuh"

constexpr int kTile = 64;  // rows and columns of C per block

// A matrix, or its transpose, read in place.
template <bool kTransposed>
struct Operand {
  const float* __restrict__ data;
  int stride;
  __device__ __forceinline__ float operator()(int row, int column) const {
    return kTransposed ? data[static_cast<size_t>(column) * stride + row]
                       : data[static_cast<size_t>(row) * stride + column];
  }
};
