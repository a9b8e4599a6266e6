// Dense layer y = act(x w + b): x is (m, k), w is (k, n), b is (n), y is (m, n), all row-major.
//
// The three products of a layer and its backward are one tiled matrix product C = op(A) op(B) with different operands and epilogues. A block computes a
// 64 x 64 tile of C. With many threads, a thread owns 4 x 4 elements and the operands pass through shared memory; with one thread (CPUs) the tile
// is cut into register tiles of 4 rows of vectors. The order of every sum is that of k, whatever the block.
#include "common.cuh"
#include "lanes.cuh"

constexpr int kTile = 64;          // rows and columns of C per block
constexpr int kThreadTile = 4;     // rows and columns of C per thread
[[maybe_unused]] constexpr int kDepth = 16;         // k per shared-memory stage
[[maybe_unused]] constexpr int kPanelDepth = 256;   // k per packed panel, one-thread blocks
[[maybe_unused]] constexpr int kRegisterRows = 4;   // rows per register tile, one-thread blocks
constexpr int kGemmThreads = kTile * kTile / (kThreadTile * kThreadTile);

// What becomes of a sum, or on a CPU of a vector of neighbouring ones.
template <class Value>
__device__ __forceinline__ Value load(const float* from) {
  if constexpr (sizeof(Value) == sizeof(float)) {
    return *from;
  } else {
    Value value;
    memcpy(&value, from, sizeof value);
    return value;
  }
}
template <class Value>
__device__ __forceinline__ void store(float* to, Value value) {
  if constexpr (sizeof(Value) == sizeof(float)) {
    *to = value;
  } else {
    memcpy(to, &value, sizeof value);
  }
}

// y = act(sum + bias)
struct BiasActivation {
  const float* __restrict__ bias;  // null: none
  int relu;
  float* __restrict__ y;
  int n;
  template <class Value>
  __device__ __forceinline__ void operator()(int row, int column, Value sum) const {
    const Value z = bias != nullptr ? sum + load<Value>(bias + column) : sum;
    store(y + static_cast<size_t>(row) * n + column, relu != 0 ? (z < 0.0f ? Value{} : z) : z);
  }
};

// dx = sum where the ReLU that made x was on
struct ReluMask {
  const float* __restrict__ relu_output;  // null: no ReLU
  float* __restrict__ dx;
  int n;
  template <class Value>
  __device__ __forceinline__ void operator()(int row, int column, Value sum) const {
    const size_t i = static_cast<size_t>(row) * n + column;
    store(dx + i, relu_output == nullptr ? sum : (load<Value>(relu_output + i) > 0.0f ? sum : Value{}));
  }
};

struct Store {
  float* __restrict__ c;
  int n;
  template <class Value>
  __device__ __forceinline__ void operator()(int row, int column, Value sum) const {
    store(c + static_cast<size_t>(row) * n + column, sum);
  }
};

// A matrix, or its transpose, read in place.
template <bool kTransposed>
struct Operand {
  const float* __restrict__ data;
  int stride;
  __device__ __forceinline__ float operator()(int row, int column) const {
    return kTransposed ? data[static_cast<size_t>(column) * stride + row] : data[static_cast<size_t>(row) * stride + column];
  }
};

// Many threads: stages of A and B in shared memory, 4 x 4 sums in registers. Blocks of fewer than 256 threads go over the tile in rounds.
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

#if defined(SIMT_ONE_THREAD)
#if defined(__AVX512F__)
constexpr int kRegisterColumns = 64;  // of a register tile, which then takes 16 of 32 registers
#else
constexpr int kRegisterColumns = 16;  // 8 of 16
#endif
constexpr int kQuarter = kLanes / 4;
typedef float QuarterLanes __attribute__((vector_size(kQuarter * sizeof(float))));

// kRows x kColumns sums in registers over depth steps of k, in whole vectors and perhaps a quarter of one. `partial` carries sums between panels of a deep product.
template <int kRows, int kColumns, class A, class Epilogue>
__device__ __forceinline__ void register_tile(A a, int row, int k0, int depth, const float* __restrict__ panel, float* __restrict__ partial, bool first, bool last,
                                              int column0, int columns, Epilogue epilogue) {
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
__device__ __forceinline__ void row_group(A a, int row, int k0, int depth, const float* __restrict__ panel, float* __restrict__ partial, bool first, bool last, int column0, int columns,
                                          Epilogue epilogue) {
  constexpr int kWidth = kColumns < kRegisterColumns ? kColumns : kRegisterColumns;
  register_tile<kRows, kWidth>(a, row, k0, depth, panel, partial, first, last, column0, columns, epilogue);
  if constexpr (kColumns > kWidth) {
    row_group<kRows, kColumns - kWidth>(a, row, k0, depth, panel + kWidth, partial + kWidth, first, last, column0 + kWidth, columns - kWidth, epilogue);
  }
}

// All rows of the tile, kColumns wide.
template <int kColumns, class A, class Epilogue>
__device__ __forceinline__ void column_group(A a, int row0, int rows, int k0, int depth, const float* __restrict__ panel, float* __restrict__ partial, bool first, bool last,
                                             int column0, int columns, Epilogue epilogue) {
  int r = 0;
  for (; r + kRegisterRows <= rows; r += kRegisterRows) {
    row_group<kRegisterRows, kColumns>(a, row0 + r, k0, depth, panel, partial + r * kTile, first, last, column0, columns, epilogue);
  }
  for (; r + 2 <= rows; r += 2) {
    row_group<2, kColumns>(a, row0 + r, k0, depth, panel, partial + r * kTile, first, last, column0, columns, epilogue);
  }
  for (; r < rows; ++r) {
    row_group<1, kColumns>(a, row0 + r, k0, depth, panel, partial + r * kTile, first, last, column0, columns, epilogue);
  }
}

// The same, with the first of these widths that holds the columns: whole vectors, and a quarter of one.
template <int kColumns, int... kWider, class A, class Epilogue>
__device__ __forceinline__ void narrowest_group(A a, int row0, int rows, int k0, int depth, const float* __restrict__ panel, float* __restrict__ partial, bool first, bool last,
                                                int column0, int columns, Epilogue epilogue) {
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
__device__ __forceinline__ void pack(const float* __restrict__ b, int stride, int depth, int columns, float* __restrict__ panel) {
  if constexpr (kTransposed) {
    for (int c = 0; c < columns; c += kLanes) {
      for (int i = 0; i < depth; i += kLanes) {
        Lanes square[kLanes];
#pragma unroll
        for (int j = 0; j < kLanes; ++j) {
          square[j] = c + j < columns ? load_first<Lanes>(b + static_cast<size_t>(c + j) * stride + i, min(kLanes, depth - i)) : Lanes{};
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
        store_lanes(panel + i * kTile + c, 0, load_first<Lanes>(b + static_cast<size_t>(i) * stride + c, min(kLanes, columns - c)));
      }
    }
  }
}

// One thread: the columns of B are packed, and padded with zeros, a panel at a time, so that every row tile reads whole contiguous vectors.
template <bool kTransposedB, class A, class Epilogue>
__device__ __forceinline__ void tile_product_one_thread(int rows, int n, int k, A a, const float* __restrict__ b, int b_stride, Epilogue epilogue, int row0, int column0) {
  alignas(64) float panel[kPanelDepth * kTile];
  alignas(64) float partial[kTile * kTile];
  const int columns = min(kTile, n - column0);
  for (int k0 = 0; k0 < k; k0 += kPanelDepth) {
    const int depth = min(kPanelDepth, k - k0);
    pack<kTransposedB>(b + (kTransposedB ? static_cast<size_t>(column0) * b_stride + k0 : static_cast<size_t>(k0) * b_stride + column0), b_stride, depth, columns, panel);
    narrowest_group<4, 16, 20, 32, 36, 48, 52, 64>(a, row0, rows, k0, depth, panel, partial, k0 == 0, k0 + depth == k, column0, columns, epilogue);
  }
}
#endif

// C(m, n) = op(A) op(B): a block per tile of C, blockIdx.x over columns, blockIdx.y over rows.
template <bool kTransposedA, bool kTransposedB, class Epilogue>
__device__ __forceinline__ void product(int m, int n, int k, const float* __restrict__ a, int a_stride, const float* __restrict__ b, int b_stride, Epilogue epilogue) {
  const Operand<kTransposedA> left{a, a_stride};
  const int column0 = static_cast<int>(blockIdx.x) * kTile;
#if defined(SIMT_ONE_THREAD)  // rows in equal parts, so that cores have equal work
  const int rows = ceil_div(ceil_div(m, static_cast<int>(gridDim.y)), kRegisterRows) * kRegisterRows, row0 = static_cast<int>(blockIdx.y) * rows;
  tile_product_one_thread<kTransposedB>(min(rows, m - row0), n, k, left, b, b_stride, epilogue, row0, column0);
#else
  tile_product(m, n, k, left, Operand<kTransposedB>{b, b_stride}, epilogue, static_cast<int>(blockIdx.y) * kTile, column0);
#endif
}

// sums[c] = the sum of a's column first + c over m rows, for `columns` columns; each thread keeps its own. Four rows at a time, so that four loads are under way.
__device__ __forceinline__ void sum_columns(int m, int n, int first, int columns, const float* __restrict__ a, float* __restrict__ sums) {
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    sums[c] = 0.0f;
  }
  int row = 0;
  for (; row + 4 <= m; row += 4) {
    const float* rows = a + static_cast<size_t>(row) * n + first;
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
      sums[c] += (rows[c] + rows[n + c]) + (rows[2 * n + c] + rows[3 * n + c]);
    }
  }
  for (; row < m; ++row) {
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
      sums[c] += a[static_cast<size_t>(row) * n + first + c];
    }
  }
}

// y = act(x w + b). Grid (ceil(n / 64), ceil(m / 64)).
extern "C" __global__ void __launch_bounds__(256) dense_forward(int m, int n, int k, const float* __restrict__ x, const float* __restrict__ w, const float* __restrict__ bias, int relu,
                                                                 float* __restrict__ y) {
  product<false, false>(m, n, k, x, k, w, n, BiasActivation{bias, relu, y, n});
}

// dx(m, k) = dy w^T, zeroed where the ReLU that made x was off. Grid (ceil(k / 64), ceil(m / 64)).
extern "C" __global__ void __launch_bounds__(256) dense_backward_input(int m, int n, int k, const float* __restrict__ dy, const float* __restrict__ w,
                                                                        const float* __restrict__ relu_output, float* __restrict__ dx) {
  product<false, true>(m, k, n, dy, n, w, n, ReluMask{relu_output, dx, k});
}

// dw(k, n) = x^T dy and dbias(n) = column sums of dy. Grid (ceil(n / 64), ceil(k / 64)).
extern "C" __global__ void __launch_bounds__(256) dense_backward_weights(int m, int n, int k, const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dw,
                                                                          float* __restrict__ dbias) {
  product<true, false>(k, n, m, x, k, dy, n, Store{dw, n});
  if (dbias != nullptr && blockIdx.y == 0) {
    __shared__ float sums[kTile];  // a thread reads and writes its own columns only
    const int column0 = static_cast<int>(blockIdx.x) * kTile, columns = min(kTile, n - column0);
    sum_columns(m, n, column0, columns, dy, sums);
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
      dbias[column0 + c] = sums[c];
    }
  }
}

// ---- one output, n = 1: matrix-vector products ----

// y(m) = act(x w + b). A block per row.
extern "C" __global__ void __launch_bounds__(1024) dense_forward_single(int k, const float* __restrict__ x, const float* __restrict__ w, const float* __restrict__ bias, int relu,
                                                                         float* __restrict__ y) {
  const float* row = x + static_cast<size_t>(blockIdx.x) * k;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < k; i += blockDim.x) {
    sum += row[i] * w[i];
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    const float z = bias != nullptr ? sum + bias[0] : sum;
    y[blockIdx.x] = relu != 0 && z < 0.0f ? 0.0f : z;
  }
}

// dx(m, k) = dy w^T, an outer product, zeroed where the ReLU that made x was off. Grid (ceil(k / block), m).
extern "C" __global__ void dense_backward_input_single(int k, const float* __restrict__ dy, const float* __restrict__ w, const float* __restrict__ relu_output, float* __restrict__ dx) {
  const int column = element_index();
  const float gradient = dy[blockIdx.y];
  if (column < k) {
    const size_t i = static_cast<size_t>(blockIdx.y) * k + column;
    const float product = gradient * w[column];
    dx[i] = relu_output == nullptr || relu_output[i] > 0.0f ? product : 0.0f;
  }
}

constexpr int kSingleColumns = 256;

// dw(k) = x^T dy and dbias = sum of dy. A block per 256 inputs.
extern "C" __global__ void __launch_bounds__(1024) dense_backward_weights_single(int m, int k, const float* __restrict__ x, const float* __restrict__ dy, float* __restrict__ dw,
                                                                                  float* __restrict__ dbias) {
  __shared__ float sums[kSingleColumns];  // a thread reads and writes its own inputs only
  const int column0 = static_cast<int>(blockIdx.x) * kSingleColumns, columns = min(kSingleColumns, k - column0);
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    sums[c] = 0.0f;
  }
  int row = 0;
  for (; row + 4 <= m; row += 4) {
    const float* rows = x + static_cast<size_t>(row) * k + column0;
    const float g0 = dy[row], g1 = dy[row + 1], g2 = dy[row + 2], g3 = dy[row + 3];
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
      sums[c] += (rows[c] * g0 + rows[k + c] * g1) + (rows[2 * k + c] * g2 + rows[3 * k + c] * g3);
    }
  }
  for (; row < m; ++row) {
    const float gradient = dy[row];
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
      sums[c] += x[static_cast<size_t>(row) * k + column0 + c] * gradient;
    }
  }
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    dw[column0 + c] = sums[c];
  }
  if (dbias != nullptr && blockIdx.x == 0) {
    float sum = 0.0f;
    for (int i = threadIdx.x; i < m; i += blockDim.x) {
      sum += dy[i];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
      dbias[0] = sum;
    }
  }
}

// ---- what a cuBLAS product lacks ----

// y = act(y + b) in place. Grid (ceil(n / block), m).
extern "C" __global__ void bias_activation(int n, const float* __restrict__ bias, int relu, float* __restrict__ y) {
  const int column = element_index();
  if (column < n) {
    const size_t i = static_cast<size_t>(blockIdx.y) * n + column;
    const float z = bias != nullptr ? y[i] + bias[column] : y[i];
    y[i] = relu != 0 && z < 0.0f ? 0.0f : z;
  }
}

// dx = 0 in place where the ReLU was off.
extern "C" __global__ void relu_mask(int count, const float* __restrict__ relu_output, float* __restrict__ dx) {
  const int i = element_index();
  if (i < count) {
    dx[i] = relu_output[i] > 0.0f ? dx[i] : 0.0f;
  }
}

// sums(n) = column sums of a(m, n). A block per 256 columns.
extern "C" __global__ void __launch_bounds__(1024) column_sums(int m, int n, const float* __restrict__ a, float* __restrict__ sums_out) {
  __shared__ float sums[kSingleColumns];  // a thread reads and writes its own columns only
  const int column0 = static_cast<int>(blockIdx.x) * kSingleColumns, columns = min(kSingleColumns, n - column0);
  sum_columns(m, n, column0, columns, a, sums);
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    sums_out[column0 + c] = sums[c];
  }
}
