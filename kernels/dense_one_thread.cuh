// How one thread, a CPU's, computes a tile of C: it is cut into register tiles of 4 rows of
// vectors, over a packed panel of B.
#pragma once
#include "dense_tile.cuh"

constexpr int kPanelDepth = 256;  // k per packed panel
constexpr int kRegisterRows = 4;  // rows per register tile
#if defined(__AVX512F__)
constexpr int kRegisterColumns = 64;  // of a register tile, which then takes 16 of 32 registers
#else
constexpr int kRegisterColumns = 16;  // 8 of 16
#endif
constexpr int kQuarter = kLanes / 4;
typedef float QuarterLanes __attribute__((vector_size(kQuarter * sizeof(float))));

// kRows x kColumns sums in registers over depth steps of k, in whole vectors and perhaps a quarter
// of one. `partial` carries sums between panels of a deep product.
template <int kRows, int kColumns, class A, class Epilogue>
__device__ __forceinline__ void register_tile(A a, int row, int k0, int depth, const float* __restrict__ panel,
                                              float* __restrict__ partial, bool first, bool last, int column0,
                                              int columns, Epilogue epilogue) {
  constexpr int kVectors = kColumns / kLanes, kRest = kVectors * kLanes;
  Lanes sums[kRows][kVectors + 1];
  QuarterLanes rest[kRows];
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = first ? Lanes{} : load<Lanes>(partial + r * kTile + v * kLanes);
    }
    if constexpr (kRest < kColumns) {
      rest[r] = first ? QuarterLanes{} : load<QuarterLanes>(partial + r * kTile + kRest);
    }
  }
  for (int i = 0; i < depth; ++i) {
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      const float left = a(row + r, k0 + i);
#pragma unroll
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] += left * load<Lanes>(panel + i * kTile + v * kLanes);
      }
      if constexpr (kRest < kColumns) {
        rest[r] += left * load<QuarterLanes>(panel + i * kTile + kRest);
      }
    }
  }
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (last && columns >= kColumns) {
#pragma unroll
      for (int v = 0; v < kVectors; ++v) {
        epilogue(row + r, column0 + v * kLanes, sums[r][v]);
      }
      if constexpr (kRest < kColumns) {
        epilogue(row + r, column0 + kRest, rest[r]);
      }
      continue;
    }
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      store(partial + r * kTile + v * kLanes, sums[r][v]);
    }
    if constexpr (kRest < kColumns) {
      store(partial + r * kTile + kRest, rest[r]);
    }
    for (int c = 0; last && c < columns; ++c) {
      epilogue(row + r, column0 + c, partial[r * kTile + c]);
    }
  }
}

// kRows rows of the tile, kColumns wide, in as many register tiles as the registers ask for.
template <int kRows, int kColumns, class A, class Epilogue>
__device__ __forceinline__ void row_group(A a, int row, int k0, int depth, const float* __restrict__ panel,
                                          float* __restrict__ partial, bool first, bool last, int column0, int columns,
                                          Epilogue epilogue) {
  constexpr int kWidth = kColumns < kRegisterColumns ? kColumns : kRegisterColumns;
  register_tile<kRows, kWidth>(a, row, k0, depth, panel, partial, first, last, column0, columns, epilogue);
  if constexpr (kColumns > kWidth) {
    row_group<kRows, kColumns - kWidth>(a, row, k0, depth, panel + kWidth, partial + kWidth, first, last,
                                        column0 + kWidth, columns - kWidth, epilogue);
  }
}

// All rows of the tile, kColumns wide.
template <int kColumns, class A, class Epilogue>
__device__ __forceinline__ void column_group(A a, int row0, int rows, int k0, int depth,
                                             const float* __restrict__ panel, float* __restrict__ partial, bool first,
                                             bool last, int column0, int columns, Epilogue epilogue) {
  int r = 0;
  for (; r + kRegisterRows <= rows; r += kRegisterRows) {
    row_group<kRegisterRows, kColumns>(a, row0 + r, k0, depth, panel, partial + r * kTile, first, last, column0,
                                       columns, epilogue);
  }
  for (; r + 2 <= rows; r += 2) {
    row_group<2, kColumns>(a, row0 + r, k0, depth, panel, partial + r * kTile, first, last, column0, columns, epilogue);
  }
  for (; r < rows; ++r) {
    row_group<1, kColumns>(a, row0 + r, k0, depth, panel, partial + r * kTile, first, last, column0, columns, epilogue);
  }
}

// The same, with the first of these widths that holds the columns: whole vectors, and a quarter of
// one.
template <int kColumns, int... kWider, class A, class Epilogue>
__device__ __forceinline__ void narrowest_group(A a, int row0, int rows, int k0, int depth,
                                                const float* __restrict__ panel, float* __restrict__ partial,
                                                bool first, bool last, int column0, int columns, Epilogue epilogue) {
  if constexpr (sizeof...(kWider) > 0) {
    if (columns > kColumns) {
      narrowest_group<kWider...>(a, row0, rows, k0, depth, panel, partial, first, last, column0, columns, epilogue);
      return;
    }
  }
  column_group<kColumns>(a, row0, rows, k0, depth, panel, partial, first, last, column0, columns, epilogue);
}

// panel(depth, 64) = B(depth, columns), columns that are not there 0.
template <bool kTransposed>
__device__ __forceinline__ void pack(const float* __restrict__ b, int stride, int depth, int columns,
                                     float* __restrict__ panel) {
  if constexpr (kTransposed) {
    for (int c = 0; c < columns; c += kLanes) {
      for (int i = 0; i < depth; i += kLanes) {
        Lanes square[kLanes];
#pragma unroll
        for (int j = 0; j < kLanes; ++j) {
          square[j] = c + j < columns
                          ? load_first<Lanes>(b + static_cast<size_t>(c + j) * stride + i, min(kLanes, depth - i))
                          : Lanes{};
        }
        transpose_lanes(square);
#pragma unroll
        for (int j = 0; j < kLanes; ++j) {
          if (i + j < depth) {
            store_lanes(panel + (i + j) * kTile + c, 0, square[j]);
          }
        }
      }
    }
  } else {
    for (int i = 0; i < depth; ++i) {
      for (int c = 0; c < columns; c += kLanes) {
        store_lanes(panel + i * kTile + c, 0,
                    load_first<Lanes>(b + static_cast<size_t>(i) * stride + c, min(kLanes, columns - c)));
      }
    }
  }
}

// The columns of B are packed, and padded with zeros, a panel at a time, so that every row tile
// reads whole contiguous vectors.
template <bool kTransposedB, class A, class Epilogue>
__device__ __forceinline__ void tile_product(int rows, int n, int k, A a, const float* __restrict__ b, int b_stride,
                                             Epilogue epilogue, int row0, int column0) {
  alignas(64) float panel[kPanelDepth * kTile];
  alignas(64) float partial[kTile * kTile];
  const int columns = min(kTile, n - column0);
  for (int k0 = 0; k0 < k; k0 += kPanelDepth) {
    const int depth = min(kPanelDepth, k - k0);
    pack<kTransposedB>(b + (kTransposedB ? static_cast<size_t>(column0) * b_stride + k0
                                         : static_cast<size_t>(k0) * b_stride + column0),
                       b_stride, depth, columns, panel);
    narrowest_group<4, 16, 20, 32, 36, 48, 52, 64>(a, row0, rows, k0, depth, panel, partial, k0 == 0, k0 + depth == k,
                                                   column0, columns, epilogue);
  }
}

// C(m, n) = op(A) op(B): a block per tile of C, blockIdx.x over columns, blockIdx.y over rows,
// which it has in equal parts, so that cores have equal work.
template <bool kTransposedA, bool kTransposedB, class Epilogue>
__device__ __forceinline__ void product(int m, int n, int k, const float* __restrict__ a, int a_stride,
                                        const float* __restrict__ b, int b_stride, Epilogue epilogue) {
  const int rows = ceil_div(ceil_div(m, static_cast<int>(gridDim.y)), kRegisterRows) * kRegisterRows;
  const int row0 = static_cast<int>(blockIdx.y) * rows, column0 = static_cast<int>(blockIdx.x) * kTile;
  tile_product<kTransposedB>(min(rows, m - row0), n, k, Operand<kTransposedA>{a, a_stride}, b, b_stride, epilogue, row0,
                             column0);
}
