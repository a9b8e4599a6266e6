// Dense layer y = act(x w + b): x is (m, k), w is (k, n), b is (n), y is (m, n), all row-major.
//
// The three products of a layer and its backward are one tiled matrix product C = op(A) op(B) with
// different operands and epilogues: product<A transposed, B transposed>. A block computes a 64 x 64
// tile of C; how, stands in the file of either machine. The order of every sum is that of k,
// whatever the block.
#if defined(SIMT_ONE_THREAD)
#include "dense_one_thread.cuh"
#else
#include "dense_threads.cuh"
#endif

// The epilogues: what becomes of a sum, or on a CPU of a vector of neighbouring ones.

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

// sums[c] = the sum of a's column first + c over m rows, for `columns` columns; each thread keeps
// its own. Four rows at a time, so that four loads are under way.
__device__ __forceinline__ void sum_columns(int m, int n, int first, int columns, const float* __restrict__ a,
                                            float* __restrict__ sums) {
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
extern "C" __global__ void __launch_bounds__(256)
    dense_forward(int m, int n, int k, const float* __restrict__ x, const float* __restrict__ w,
                  const float* __restrict__ bias, int relu, float* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, x, w, bias, y);
  product<false, false>(m, n, k, x, k, w, n, BiasActivation{bias, relu, y, n});
}

// dx(m, k) = dy w^T, zeroed where the ReLU that made x was off. Grid (ceil(k / 64), ceil(m / 64)).
extern "C" __global__ void __launch_bounds__(256)
    dense_backward_input(int m, int n, int k, const float* __restrict__ dy, const float* __restrict__ w,
                         const float* __restrict__ relu_output, float* __restrict__ dx, long long replica_stride) {
  to_replica(replica_stride, dy, w, relu_output, dx);
  product<false, true>(m, k, n, dy, n, w, n, ReluMask{relu_output, dx, k});
}

// dw(k, n) = x^T dy and dbias(n) = column sums of dy. Grid (ceil(n / 64), ceil(k / 64)).
extern "C" __global__ void __launch_bounds__(256)
    dense_backward_weights(int m, int n, int k, const float* __restrict__ x, const float* __restrict__ dy,
                           float* __restrict__ dw, float* __restrict__ dbias, long long replica_stride) {
  to_replica(replica_stride, x, dy, dw, dbias);
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
extern "C" __global__ void __launch_bounds__(1024)
    dense_forward_single(int k, const float* __restrict__ x, const float* __restrict__ w,
                         const float* __restrict__ bias, int relu, float* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, x, w, bias, y);
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

// dx(m, k) = dy w^T, an outer product, zeroed where the ReLU that made x was off. A block per row.
extern "C" __global__ void __launch_bounds__(1024)
    dense_backward_input_single(int k, const float* __restrict__ dy, const float* __restrict__ w,
                                const float* __restrict__ relu_output, float* __restrict__ dx,
                                long long replica_stride) {
  to_replica(replica_stride, dy, w, relu_output, dx);
  const float gradient = dy[blockIdx.x];
  const size_t row = static_cast<size_t>(blockIdx.x) * k;
  for (int column = threadIdx.x; column < k; column += blockDim.x) {
    const float product = gradient * w[column];
    dx[row + column] = relu_output == nullptr || relu_output[row + column] > 0.0f ? product : 0.0f;
  }
}

constexpr int kSingleColumns = 256;

// dw(k) = x^T dy and dbias = sum of dy. A block per 256 inputs.
extern "C" __global__ void __launch_bounds__(1024)
    dense_backward_weights_single(int m, int k, const float* __restrict__ x, const float* __restrict__ dy,
                                  float* __restrict__ dw, float* __restrict__ dbias, long long replica_stride) {
  to_replica(replica_stride, x, dy, dw, dbias);
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

// y = act(y + b) in place. A block per row.
extern "C" __global__ void __launch_bounds__(1024)
    bias_activation(int n, const float* __restrict__ bias, int relu, float* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, bias, y);
  float* row = y + static_cast<size_t>(blockIdx.x) * n;
  for (int column = threadIdx.x; column < n; column += blockDim.x) {
    const float z = bias != nullptr ? row[column] + bias[column] : row[column];
    row[column] = relu != 0 && z < 0.0f ? 0.0f : z;
  }
}

// dx = 0 in place where the ReLU was off.
extern "C" __global__ void relu_mask(int count, const float* __restrict__ relu_output, float* __restrict__ dx,
                                     long long replica_stride) {
  to_replica(replica_stride, relu_output, dx);
  const int i = element_index();
  if (i < count) {
    dx[i] = relu_output[i] > 0.0f ? dx[i] : 0.0f;
  }
}

// sums(n) = column sums of a(m, n). A block per 256 columns.
extern "C" __global__ void __launch_bounds__(1024)
    column_sums(int m, int n, const float* __restrict__ a, float* __restrict__ sums_out, long long replica_stride) {
  to_replica(replica_stride, a, sums_out);
  __shared__ float sums[kSingleColumns];  // a thread reads and writes its own columns only
  const int column0 = static_cast<int>(blockIdx.x) * kSingleColumns, columns = min(kSingleColumns, n - column0);
  sum_columns(m, n, column0, columns, a, sums);
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    sums_out[column0 + c] = sums[c];
  }
}
