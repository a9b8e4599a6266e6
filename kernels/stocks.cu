// The gain z . softmax(p + bias) of investing by a softmax (appendix A), its gradient, and how
// noisy its two estimators are. p is (rows, k); a block per row.
#include "common.cuh"
#include "math.cuh"
#include "ring.cuh"

// sum_j z_j value(j), z_j the sign of bit j of words: a set bit is -1. In one thread 32 sums, one
// per bit, stand in for the threads.
template <class Value>
__device__ __forceinline__ float signed_sum(int k, const unsigned* __restrict__ words, Value value) {
  if constexpr (kOneThreadPerBlock) {
    constexpr int kBits = 32;
    float sums[kBits] = {};
    int j = 0;
    for (; j + kBits <= k; j += kBits) {
      const unsigned word = words[j / kBits];
      for (int bit = 0; bit < kBits; ++bit) {
        sums[bit] += __uint_as_float(__float_as_uint(value(j + bit)) ^ ((word >> bit) << 31));
      }
    }
    for (int bit = 0; bit < k - j; ++bit) {
      sums[bit] += __uint_as_float(__float_as_uint(value(j + bit)) ^ ((words[j / kBits] >> bit) << 31));
    }
    float sum = 0.0f;
    for (int bit = 0; bit < kBits; ++bit) {
      sum += sums[bit];
    }
    return sum;
  } else {
    float sum = 0.0f;
    for (int j = threadIdx.x; j < k; j += blockDim.x) {
      sum += __uint_as_float(__float_as_uint(value(j)) ^ ((words[j / 32] >> (j % 32)) << 31));
    }
    return block_sum(sum);
  }
}

// gradient(j) = share (dot - z_j) gradient(j).
__device__ __forceinline__ void scale_by_signs(int k, const unsigned* __restrict__ words, float share, float dot,
                                               float* __restrict__ gradient) {
  const float plus = share * (dot - 1.0f), minus = share * (dot + 1.0f);
  if constexpr (kOneThreadPerBlock) {
    for (int first = 0; first < k; first += 32) {
      const unsigned word = words[first / 32];
      const int count = min(32, k - first);
      for (int bit = 0; bit < count; ++bit) {
        gradient[first + bit] *= ((word >> bit) & 1u) != 0 ? minus : plus;
      }
    }
  } else {
    for (int j = threadIdx.x; j < k; j += blockDim.x) {
      gradient[j] *= ((words[j / 32] >> (j % 32)) & 1u) != 0 ? minus : plus;
    }
  }
}

// loss(rows) = -z . softmax(p + bias) and, unless it is null, dp(rows, k) = scale * d loss / dp,
// which is scale * softmax_j (z . softmax - z_j). z is row i of signs(rows, ceil(k / 32)) or, where
// that is null, the one-hot vector of label(rows).
extern "C" __global__ void __launch_bounds__(1024)
    softmax_dot(int k, float scale, const float* __restrict__ p, const float* __restrict__ bias,
                const int* __restrict__ label, const unsigned* __restrict__ signs, float* __restrict__ loss,
                float* __restrict__ dp, long long replica_stride) {
  to_replica(replica_stride, p, bias, label, signs, loss, dp);
  const size_t row = static_cast<size_t>(blockIdx.x) * k;
  const float* scores = p + row;
  const float largest = largest_of(k, [&](int j) { return scores[j] + bias[j]; });
  const auto power = [&](int j) { return exponential(scores[j] + bias[j] - largest); };
  float* gradient = dp == nullptr ? nullptr : dp + row;
  float sum = 0.0f;
  if (gradient != nullptr) {
    for (int j = threadIdx.x; j < k; j += blockDim.x) {
      const float e = power(j);
      gradient[j] = e;
      sum += e;
    }
  } else {
    for (int j = threadIdx.x; j < k; j += blockDim.x) {
      sum += power(j);
    }
  }
  const float share = 1.0f / block_sum(sum);
  const int right = label[blockIdx.x];
  const unsigned* words = signs == nullptr ? nullptr : signs + static_cast<size_t>(blockIdx.x) * ceil_div(k, 32);
  const float dot = share * (words == nullptr      ? power(right)
                             : gradient != nullptr ? signed_sum(k, words, [&](int j) { return gradient[j]; })
                                                   : signed_sum(k, words, power));
  if (gradient != nullptr && words != nullptr) {
    scale_by_signs(k, words, scale * share, dot, gradient);
  } else if (gradient != nullptr) {
    for (int j = threadIdx.x; j < k; j += blockDim.x) {
      gradient[j] *= scale * share * (j == right ? dot - 1.0f : dot);
    }
  }
  if (threadIdx.x == 0) {
    loss[blockIdx.x] = -dot;
  }
}

// Of each row: right, whether its largest score is its label's, the first of equal ones; and the
// second moments, over z, of the gradients of both losses with respect to p + bias. With G_i = p_i
// (e_i - p) the gradient of output i of the softmax, the paper's (5) is sum_i |G_i|^2 and (6) is
// |G_label|^2. The largest output is kept apart, so that 1 - p does not cancel where it is near 1.
extern "C" __global__ void __launch_bounds__(1024)
    softmax_gradient_moments(int k, const float* __restrict__ p, const float* __restrict__ bias,
                             const int* __restrict__ label, float* __restrict__ right, float* __restrict__ end_to_end,
                             float* __restrict__ decomposed, long long replica_stride) {
  to_replica(replica_stride, p, bias, label, right, end_to_end, decomposed);
  const float* scores = p + static_cast<size_t>(blockIdx.x) * k;
  const float largest = largest_of(k, [&](int j) { return scores[j] + bias[j]; });
  int first = k;
  for (int j = threadIdx.x; j < k; j += blockDim.x) {
    first = min(first, scores[j] + bias[j] == largest ? j : k);
  }
  first = -static_cast<int>(block_max(static_cast<float>(-first)));
  float sum = 0.0f, squares = 0.0f, cubes = 0.0f;  // over all but the largest, which is 1 here
  for (int j = threadIdx.x; j < k; j += blockDim.x) {
    const float e = j == first ? 0.0f : exponential(scores[j] + bias[j] - largest);
    sum += e;
    squares += e * e;
    cubes += e * e * e;
  }
  sum = block_sum(sum);
  squares = block_sum(squares);
  cubes = block_sum(cubes);
  if (threadIdx.x == 0) {
    const int answer = label[blockIdx.x];
    const float top = 1.0f / (1.0f + sum), rest = sum * top;
    squares *= top * top;
    cubes *= top * top * top;
    const float share = top * exponential(scores[answer] + bias[answer] - largest);
    // sum_i p_i^2 ((1 - p_i)^2 + sum_(j != i) p_j^2)
    end_to_end[blockIdx.x] = top * top * (rest * rest + 2.0f * squares) + squares - 2.0f * cubes + squares * squares;
    decomposed[blockIdx.x] = share * share *
                             (answer == first ? rest * rest + squares
                                              : (1.0f - share) * (1.0f - share) + top * top + squares - share * share);
    right[blockIdx.x] = answer == first ? 1.0f : 0.0f;
  }
}

constexpr int kStockMetricsWords = 9;

// One row of the ring is {step, mean loss of n fresh samples, mean exact loss of d inputs, share of
// right answers among them, noise of the end-to-end gradient, noise of the decomposed one, their
// ratio, second moments of both}. A sample's gradient is with respect to the weights, of which it
// reads one row, and to the bias: both times the gradient with respect to p + bias. Noise is the
// second moment less the square of the mean, which both estimators share: mean(k) of the bias's,
// and 1/d of each input's for its row. The ratio is 0 where the decomposed gradient has no noise.
// One block.
extern "C" __global__ void __launch_bounds__(1024)
    stock_metrics(int n, int d, int k, const float* __restrict__ loss, const float* __restrict__ exact_loss,
                  const float* __restrict__ right, const float* __restrict__ end_to_end,
                  const float* __restrict__ decomposed, const float* __restrict__ mean,
                  const unsigned* __restrict__ step, int slots, float* __restrict__ ring, long long replica_stride) {
  to_replica(replica_stride, loss, exact_loss, right, end_to_end, decomposed, mean, step, ring);
  float loss_sum = 0.0f, exact_sum = 0.0f, right_sum = 0.0f, end_to_end_sum = 0.0f, decomposed_sum = 0.0f,
        mean_square = 0.0f;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    loss_sum += loss[i];
  }
  for (int i = threadIdx.x; i < d; i += blockDim.x) {
    exact_sum += exact_loss[i];
    right_sum += right[i];
    end_to_end_sum += end_to_end[i];
    decomposed_sum += decomposed[i];
  }
  for (int j = threadIdx.x; j < k; j += blockDim.x) {
    mean_square += mean[j] * mean[j];
  }
  loss_sum = block_sum(loss_sum);
  exact_sum = block_sum(exact_sum);
  right_sum = block_sum(right_sum);
  end_to_end_sum = block_sum(end_to_end_sum);
  decomposed_sum = block_sum(decomposed_sum);
  mean_square = block_sum(mean_square);
  if (threadIdx.x == 0) {
    const float inputs = static_cast<float>(d), moment_end_to_end = 2.0f * end_to_end_sum / inputs,
                moment_decomposed = 2.0f * decomposed_sum / inputs;
    const float signal = decomposed_sum / (inputs * inputs) + mean_square;
    const float noise_decomposed = moment_decomposed - signal > 0.0f ? moment_decomposed - signal : 0.0f;
    float* row = ring_row(ring, step, slots, kStockMetricsWords);
    row[1] = loss_sum / static_cast<float>(n);
    row[2] = exact_sum / inputs;
    row[3] = right_sum / inputs;
    row[4] = moment_end_to_end - signal;
    row[5] = noise_decomposed;
    row[6] = noise_decomposed > 0.0f ? (moment_end_to_end - signal) / noise_decomposed : 0.0f;
    row[7] = moment_end_to_end;
    row[8] = moment_decomposed;
  }
}
