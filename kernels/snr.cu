// How much of a gradient is signal (section 3.2, figure 4): g = dp/dw for the weights w of N1's
// last layer, h the label. Sums over samples are float64.
#include "common.cuh"
#include "ring.cuh"

constexpr int kMomentRows = 4;       // of the matrix, per block
constexpr int kMomentColumns = 128;  // likewise
constexpr int kMomentSamples = 2;    // at a time
constexpr int kApproachMetrics = 6;  // Sig, Noi, their ratio, its logarithm, the unbiased Sig, its standard error

// vector(n, weights + 1) = (h g, 1) of each sample. g is the sum over the first `summed` of a
// tuple's k images of slope times the layer's input: slope = scale dp/dscore(n, k), or 1 where that
// is null; the input is feature(n, k, weights). The label of sample i is label[i * stride]. count
// is weights + 1. A block per sample.
extern "C" __global__ void __launch_bounds__(1024)
    labelled_gradients(int count, int k, int summed, float scale, const float* __restrict__ dscore,
                       const float* __restrict__ feature, int stride, const float* __restrict__ label,
                       double* __restrict__ vector, long long replica_stride) {
  to_replica(replica_stride, dscore, feature, label, vector);
  const int weights = count - 1;
  const size_t sample = blockIdx.x, first = sample * k;
  for (int c = threadIdx.x; c < count; c += blockDim.x) {
    double sum = 0.0;
    for (int j = 0; j < summed; ++j) {
      const double slope = dscore != nullptr ? static_cast<double>(scale) * dscore[first + j] : 1.0;
      sum += slope * (c < weights ? feature[(first + j) * weights + c] : 0.0f);
    }
    vector[sample * count + c] = c < weights ? label[sample * stride] * sum : 1.0;
  }
}

// sums += the products of some samples' elements row0 ... row0 + 3 and column0 ...: several samples
// at a time, since the sums have to be loaded and stored. Rows past the last repeat it.
template <int kSamples>
__device__ __forceinline__ void add_products(const double* __restrict__ sample, int count, int row0, int column0,
                                             int columns, double (&sums)[kMomentRows][kMomentColumns]) {
  double left[kSamples][kMomentRows];
  for (int s = 0; s < kSamples; ++s) {
    for (int r = 0; r < kMomentRows; ++r) {
      left[s][r] = sample[static_cast<size_t>(s) * count + min(row0 + r, count - 1)];
    }
  }
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
#pragma unroll
    for (int r = 0; r < kMomentRows; ++r) {
      double sum = sums[r][c];
#pragma unroll
      for (int s = 0; s < kSamples; ++s) {
        sum += left[s][r] * sample[static_cast<size_t>(s) * count + column0 + c];
      }
      sums[r][c] = sum;
    }
  }
}

// moment(count, count) += the sum over n samples of vector vector^T, its upper triangle alone:
// second moments, in the last column the sums, in the corner the number of samples. Grid
// (ceil(count / 128), ceil(count / 4)).
extern "C" __global__ void __launch_bounds__(1024)
    gradient_moments(int n, int count, const double* __restrict__ vector, double* __restrict__ moment,
                     long long replica_stride) {
  to_replica(replica_stride, vector, moment);
  __shared__ double sums[kMomentRows][kMomentColumns];  // a thread reads and writes its own columns only
  const int row0 = static_cast<int>(blockIdx.y) * kMomentRows, rows = min(kMomentRows, count - row0);
  const int column0 = max(static_cast<int>(blockIdx.x) * kMomentColumns, row0),
            columns = min((static_cast<int>(blockIdx.x) + 1) * kMomentColumns, count) - column0;
  for (int c = threadIdx.x; c < columns; c += blockDim.x) {
    for (int r = 0; r < kMomentRows; ++r) {
      sums[r][c] = 0.0;
    }
  }
  int i = 0;
  for (; i + kMomentSamples <= n; i += kMomentSamples) {
    add_products<kMomentSamples>(vector + static_cast<size_t>(i) * count, count, row0, column0, columns, sums);
  }
  for (; i < n; ++i) {
    add_products<1>(vector + static_cast<size_t>(i) * count, count, row0, column0, columns, sums);
  }
  for (int r = 0; r < rows; ++r) {
    double* row = moment + static_cast<size_t>(row0 + r) * count + column0;
    for (int c = threadIdx.x; c < columns; c += blockDim.x) {
      row[c] += sums[r][c];
    }
  }
}

// Writes the six metrics of one approach. With n samples of mean m, mean squared norm s and
// covariance C: Sig = |m|^2, Noi = s - Sig. E|m|^2 exceeds the true Sig by tr C / n, which the
// unbiased estimate (n Sig - s) / (n - 1), the mean of g_i g_j over i != j, takes out; its variance
// is 4 m^T C m / n + 2 |C|^2 / (n (n - 1)), where m^T C m is itself estimated too large by
// |C|^2 / n.
__device__ __forceinline__ void signal_and_noise(int count, const double* __restrict__ moment,
                                                 float* __restrict__ metrics) {
  const int weights = count - 1;
  const double n = moment[static_cast<size_t>(count) * count - 1];
  double norm = 0.0, square = 0.0, along = 0.0, spread = 0.0;
  for (int a = threadIdx.x; a < weights; a += blockDim.x) {
    const double* row = moment + static_cast<size_t>(a) * count;
    const double mean = row[weights] / n;
    norm += mean * mean;
    square += row[a] / n;
    for (int b = a; b < weights; ++b) {
      const double other = moment[static_cast<size_t>(b) * count + weights] / n, covariance = row[b] / n - mean * other,
                   weight = a == b ? 1.0 : 2.0;
      along += weight * mean * covariance * other;
      spread += weight * covariance * covariance;
    }
  }
  norm = block_sum(norm);
  square = block_sum(square);
  along = block_sum(along);
  spread = block_sum(spread);
  if (threadIdx.x == 0) {
    const double noise = square - norm, ratio = norm / noise, unclear = along - spread / n;
    metrics[0] = static_cast<float>(norm);
    metrics[1] = static_cast<float>(noise);
    metrics[2] = static_cast<float>(ratio);
    metrics[3] = logf(static_cast<float>(ratio));
    metrics[4] = static_cast<float>((n * norm - square) / (n - 1.0));
    metrics[5] = static_cast<float>(sqrt(4.0 / n * (unclear > 0.0 ? unclear : 0.0) + 2.0 / (n * (n - 1.0)) * spread));
  }
}

// One row of the ring is {step, six metrics end-to-end, six metrics of the decomposition}, from
// moments as gradient_moments leaves them. One block.
extern "C" __global__ void __launch_bounds__(1024)
    signal_to_noise(int count, const double* __restrict__ end_to_end, const double* __restrict__ decomposition,
                    const unsigned* __restrict__ step, int slots, float* __restrict__ ring, long long replica_stride) {
  to_replica(replica_stride, end_to_end, decomposition, step, ring);
  // The first thread writes all of the row.
  float* row = threadIdx.x == 0 ? ring_row(ring, step, slots, 1 + 2 * kApproachMetrics) : ring;
  signal_and_noise(count, end_to_end, row + 1);
  signal_and_noise(count, decomposition, row + 1 + kApproachMetrics);
}
