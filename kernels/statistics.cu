// Sums over rows and columns in float64, in a fixed order: what estimates and their errors are
// made of.
#include "common.cuh"

// moments(rows, 2): the sum of each row of x(rows, n), and the sum of its squares. Grid: rows.
extern "C" __global__ void __launch_bounds__(1024)
    row_moments(int n, const float* __restrict__ x, double* __restrict__ moments, long long replica_stride) {
  to_replica(replica_stride, x, moments);
  const float* row = x + static_cast<size_t>(blockIdx.x) * n;
  double sum = 0.0, squares = 0.0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    const double value = row[i];
    sum += value;
    squares += value * value;
  }
  sum = block_sum(sum);
  squares = block_sum(squares);
  if (threadIdx.x == 0) {
    moments[2 * static_cast<size_t>(blockIdx.x)] = sum;
    moments[2 * static_cast<size_t>(blockIdx.x) + 1] = squares;
  }
}

// sums(rows) of x(rows, n), float64. Grid: rows.
extern "C" __global__ void __launch_bounds__(1024)
    row_sums(int n, const double* __restrict__ x, double* __restrict__ sums, long long replica_stride) {
  to_replica(replica_stride, x, sums);
  const double* row = x + static_cast<size_t>(blockIdx.x) * n;
  double sum = 0.0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    sum += row[i];
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    sums[blockIdx.x] = sum;
  }
}

// moments(columns, 2): the sum of each column of x(rows, columns), and the sum of its squares.
extern "C" __global__ void column_moments(int columns, int rows, const float* __restrict__ x,
                                          double* __restrict__ moments, long long replica_stride) {
  to_replica(replica_stride, x, moments);
  const int c = element_index();
  if (c < columns) {
    double sum = 0.0, squares = 0.0;
    for (int r = 0; r < rows; ++r) {
      const double value = x[static_cast<size_t>(r) * columns + c];
      sum += value;
      squares += value * value;
    }
    moments[2 * static_cast<size_t>(c)] = sum;
    moments[2 * static_cast<size_t>(c) + 1] = squares;
  }
}

// gram(rows, rows) = x x^T of x(rows, n). Grid: rows * rows.
extern "C" __global__ void __launch_bounds__(1024)
    gram(int n, int rows, const float* __restrict__ x, double* __restrict__ products, long long replica_stride) {
  to_replica(replica_stride, x, products);
  const float* a = x + static_cast<size_t>(static_cast<int>(blockIdx.x) / rows) * n;
  const float* b = x + static_cast<size_t>(static_cast<int>(blockIdx.x) % rows) * n;
  double sum = 0.0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    sum += static_cast<double>(a[i]) * b[i];
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    products[blockIdx.x] = sum;
  }
}

// means[step[0]] = the mean of x(n): a row of a table, in the step's place. One block.
extern "C" __global__ void __launch_bounds__(1024)
    mean_at(int n, const float* __restrict__ x, const unsigned* __restrict__ step, double* __restrict__ means,
            long long replica_stride) {
  to_replica(replica_stride, x, step, means);
  double sum = 0.0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    sum += x[i];
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    means[step[0]] = sum / n;
  }
}
