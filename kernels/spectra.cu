// Products with the matrix W of section 4, W[i, j] = max(0, i - j + 1), and with its inverse U
// (lemma 1), without either matrix; steps of the power method; linear recursions. All in
// float64: W's condition number passes a float's digits at n = 64.
#include "common.cuh"

// y(rows, n): the running sums of x(rows, n) from the first element on, or from the last where
// `reverse`. W is this twice, W^T the reverse twice. A thread sums a stretch of its own; where
// it begins is the sum of those before it. Grid: rows.
extern "C" __global__ void __launch_bounds__(1024)
    running_sums(int n, int reverse, const double* __restrict__ x, double* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, x, y);
  __shared__ double sums[1024];
  const size_t row = static_cast<size_t>(blockIdx.x) * n;
  const int stretch = ceil_div(n, static_cast<int>(blockDim.x));
  const int first = min(n, static_cast<int>(threadIdx.x) * stretch), last = min(n, first + stretch);
  double own = 0.0;
  for (int i = first; i < last; ++i) {
    own += x[row + (reverse != 0 ? n - 1 - i : i)];
  }
  sums[threadIdx.x] = own;
  __syncthreads();
  double sum = 0.0;
  for (int before = 0; before < static_cast<int>(threadIdx.x); ++before) {
    sum += sums[before];
  }
  for (int i = first; i < last; ++i) {
    const size_t at = row + (reverse != 0 ? n - 1 - i : i);
    sum += x[at];
    y[at] = sum;
  }
}

// y(rows, n) = U x of each row, y[i] = x[i] - 2 x[i - 1] + x[i - 2], or U^T x where
// `transposed`, i + 1 and i + 2 in their place; x is 0 outside. elements is rows times n.
extern "C" __global__ void second_differences(int elements, int n, int transposed, const double* __restrict__ x,
                                              double* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, x, y);
  const int e = element_index();
  if (e < elements) {
    const int i = e % n, left = transposed != 0 ? n - 1 - i : i, back = transposed != 0 ? 1 : -1;
    const double one = left >= 1 ? x[e + back] : 0.0, two = left >= 2 ? x[e + 2 * back] : 0.0;
    y[e] = x[e] - 2.0 * one + two;
  }
}

// One step of the power method for y = A x: results(rows, 2) = the Rayleigh quotient r = x.y /
// x.x and |y - r x| / |x|, within which an eigenvalue of a symmetric A lies; then x becomes y /
// |y|. Grid: rows.
extern "C" __global__ void __launch_bounds__(1024)
    power_step(int n, double* __restrict__ x, const double* __restrict__ y, double* __restrict__ results,
               long long replica_stride) {
  to_replica(replica_stride, x, y, results);
  double* from = x + static_cast<size_t>(blockIdx.x) * n;
  const double* to = y + static_cast<size_t>(blockIdx.x) * n;
  double xx = 0.0, xy = 0.0, yy = 0.0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    xx += from[i] * from[i];
    xy += from[i] * to[i];
    yy += to[i] * to[i];
  }
  xx = block_sum(xx);
  xy = block_sum(xy);
  yy = block_sum(yy);
  const double quotient = xy / xx, length = sqrt(yy);
  double rest = 0.0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    const double miss = to[i] - quotient * from[i];
    rest += miss * miss;
    from[i] = to[i] / length;
  }
  rest = block_sum(rest);
  if (threadIdx.x == 0) {
    results[2 * static_cast<size_t>(blockIdx.x)] = quotient;
    results[2 * static_cast<size_t>(blockIdx.x) + 1] = sqrt(rest / xx);
  }
}

constexpr int kRecursionSize = 64;

// x <- A x until |x| <= threshold, at most `steps` times: taken(problems) is how many it took,
// or steps + 1 where that was not enough. A(problems, n, n), x(problems, n), n at most 64. Grid:
// problems.
extern "C" __global__ void __launch_bounds__(64)
    iterations_until(int n, int steps, double threshold, const double* __restrict__ matrix, double* __restrict__ x,
                     int* __restrict__ taken, long long replica_stride) {
  to_replica(replica_stride, matrix, x, taken);
  __shared__ double now[kRecursionSize];
  __shared__ double next[kRecursionSize];
  const double* rows = matrix + static_cast<size_t>(blockIdx.x) * n * n;
  double* vector = x + static_cast<size_t>(blockIdx.x) * n;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    now[i] = vector[i];
  }
  int step = 0;
  for (; step <= steps; ++step) {
    __syncthreads();
    double norm = 0.0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
      norm += now[i] * now[i];
    }
    norm = block_sum(norm);
    if (norm <= threshold * threshold) {
      break;
    }
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
      double sum = 0.0;
      for (int j = 0; j < n; ++j) {
        sum += rows[i * n + j] * now[j];
      }
      next[i] = sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
      now[i] = next[i];
    }
  }
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    vector[i] = now[i];
  }
  if (threadIdx.x == 0) {
    taken[blockIdx.x] = step;
  }
}

// One step of stochastic gradient descent on |u f - p|^2 / 2 (lemma 2) with one sample for each
// of many runs: u(runs, n, n) -= rate (u f - p) f^T, of f(runs, n), p(runs, n). One thread per
// row of a matrix: elements is runs times n.
extern "C" __global__ void matrix_sgd(int elements, int n, float rate, const float* __restrict__ f,
                                      const float* __restrict__ p, float* __restrict__ u, long long replica_stride) {
  to_replica(replica_stride, f, p, u);
  const int e = element_index();
  if (e < elements) {
    const float* sample = f + static_cast<size_t>(e / n) * n;
    float* row = u + static_cast<size_t>(e) * n;
    float miss = -p[e];
    for (int j = 0; j < n; ++j) {
      miss += row[j] * sample[j];
    }
    for (int j = 0; j < n; ++j) {
      row[j] -= rate * miss * sample[j];
    }
  }
}
