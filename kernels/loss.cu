// Losses of a row of outputs, and their gradients: a block per row. dp may be null where only the
// loss is wanted.
#include "common.cuh"
#include "math.cuh"

// loss(rows) = weight * sum over a row of (p - y)^2, dp(rows, columns) = scale * d loss / dp; scale
// is 1/rows for the mean over a batch.
extern "C" __global__ void __launch_bounds__(1024)
    squared_error(int columns, float weight, float scale, const float* __restrict__ p, const float* __restrict__ y,
                  float* __restrict__ loss, float* __restrict__ dp, long long replica_stride) {
  to_replica(replica_stride, p, y, loss, dp);
  const size_t row = static_cast<size_t>(blockIdx.x) * columns;
  float sum = 0.0f;
  for (int i = threadIdx.x; i < columns; i += blockDim.x) {
    const float error = p[row + i] - y[row + i];
    sum += error * error;
  }
  if (dp != nullptr) {
    const float slope = 2.0f * weight * scale;
    for (int i = threadIdx.x; i < columns; i += blockDim.x) {
      dp[row + i] = slope * (p[row + i] - y[row + i]);
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    loss[blockIdx.x] = weight * sum;
  }
}

// The same where a row is one number: a thread per row.
extern "C" __global__ void squared_error_single(int rows, float weight, float scale, const float* __restrict__ p,
                                                const float* __restrict__ y, float* __restrict__ loss,
                                                float* __restrict__ dp, long long replica_stride) {
  to_replica(replica_stride, p, y, loss, dp);
  const int i = element_index();
  if (i < rows) {
    const float error = p[i] - y[i];
    loss[i] = weight * error * error;
    if (dp != nullptr) {
      dp[i] = 2.0f * weight * scale * error;
    }
  }
}

// loss(rows) = log sum_j exp(p_j) - p_label, dp(rows, classes) = scale *
// (softmax(p) - one-hot(label)). label(rows) is in [0, classes).
extern "C" __global__ void __launch_bounds__(1024)
    softmax_cross_entropy(int classes, float scale, const float* __restrict__ p, const int* __restrict__ label,
                          float* __restrict__ loss, float* __restrict__ dp, long long replica_stride) {
  to_replica(replica_stride, p, label, loss, dp);
  const float* row = p + static_cast<size_t>(blockIdx.x) * classes;
  const float largest = row_max(row, classes);
  float sum = 0.0f;
  for (int i = threadIdx.x; i < classes; i += blockDim.x) {
    sum += exponential(row[i] - largest);
  }
  sum = block_sum(sum);
  const int right = label[blockIdx.x];
  if (dp != nullptr) {
    float* gradient = dp + static_cast<size_t>(blockIdx.x) * classes;
    const float share = scale / sum;
    for (int i = threadIdx.x; i < classes; i += blockDim.x) {
      gradient[i] = share * exponential(row[i] - largest) - (i == right ? scale : 0.0f);
    }
  }
  if (threadIdx.x == 0) {
    loss[blockIdx.x] = logf(sum) + largest - row[right];
  }
}
