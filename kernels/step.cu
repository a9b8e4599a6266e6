// The step function u and its smooth stand-in (section 5), over scores r(n). z(levels) are its
// levels, in order.
#include "common.cuh"
#include "levels.cuh"
#include "math.cuh"
#include "ring.cuh"

// y = u(r). There is no backward: u's derivative is zero, and the forward-only method hands the
// message on as it is.
extern "C" __global__ void step_forward(int n, int levels, const float* __restrict__ z, const float* __restrict__ r,
                                        float* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, z, r, y);
  const int i = element_index();
  if (i < n) {
    y[i] = z[level_index(r[i], z, levels)];
  }
}

constexpr int kSmoothSamples = 64;  // per block

// y = z_0 + sum_i (z_i - z_{i-1}) sigmoid(c_i (r - m_i)), and its derivative, which costs little
// beside it. m(levels) and c(levels) are the midpoints and steepnesses of the sigmoids; entry 0 is
// not used. Grid ceil(n / 64).
extern "C" __global__ void __launch_bounds__(1024)
    smooth_step_forward(int n, int levels, const float* __restrict__ z, const float* __restrict__ m,
                        const float* __restrict__ c, const float* __restrict__ r, float* __restrict__ y,
                        float* __restrict__ derivative, long long replica_stride) {
  to_replica(replica_stride, z, m, c, r, y, derivative);
  // A thread reads and writes its own samples only. Samples past n are computed, on r = 0, and
  // dropped, so that CPUs run whole vectors.
  __shared__ float scores[kSmoothSamples];
  __shared__ float sums[kSmoothSamples];
  __shared__ float slopes[kSmoothSamples];
  const int first = static_cast<int>(blockIdx.x) * kSmoothSamples, samples = min(kSmoothSamples, n - first);
  for (int s = threadIdx.x; s < kSmoothSamples; s += blockDim.x) {
    scores[s] = s < samples ? r[first + s] : 0.0f;
    sums[s] = z[0];
    slopes[s] = 0.0f;
  }
  for (int i = 1; i < levels; ++i) {
    const float rise = z[i] - z[i - 1], steepness = c[i], middle = m[i];
    for (int s = threadIdx.x; s < kSmoothSamples; s += blockDim.x) {
      // By e^-|a|, which neither overflows nor loses the slope's digits where the sigmoid is nearly
      // 1.
      const float a = steepness * (scores[s] - middle), decay = exponential(-fabsf(a)), share = 1.0f / (1.0f + decay);
      sums[s] += rise * share * (a < 0.0f ? decay : 1.0f);
      slopes[s] += rise * steepness * decay * share * share;
    }
  }
  for (int s = threadIdx.x; s < samples; s += blockDim.x) {
    y[first + s] = sums[s];
    derivative[first + s] = slopes[s];
  }
}

// dr = dy * derivative
extern "C" __global__ void smooth_step_backward(int n, const float* __restrict__ derivative,
                                                const float* __restrict__ dy, float* __restrict__ dr,
                                                long long replica_stride) {
  to_replica(replica_stride, derivative, dy, dr);
  const int i = element_index();
  if (i < n) {
    dr[i] = dy[i] * derivative[i];
  }
}

// score(n) = the level that the largest of a row of logits(n, levels) stands for; the first of
// equal ones.
extern "C" __global__ void __launch_bounds__(1024)
    likeliest_level(int levels, const float* __restrict__ z, const float* __restrict__ logits,
                    float* __restrict__ score, long long replica_stride) {
  to_replica(replica_stride, z, logits, score);
  const float* row = logits + static_cast<size_t>(blockIdx.x) * levels;
  const float largest = row_max(row, levels);
  int first = levels;
  for (int i = threadIdx.x; i < levels; i += blockDim.x) {
    first = min(first, row[i] == largest ? i : levels);
  }
  first = -static_cast<int>(block_max(static_cast<float>(-first)));
  if (threadIdx.x == 0) {
    score[blockIdx.x] = z[min(first, levels - 1)];
  }
}

constexpr int kStepMetricsWords = 4;

// One row of the ring is {step, mean loss, mean (u(score) - y)^2, share of samples with
// u(score) = y}. One block.
extern "C" __global__ void __launch_bounds__(1024)
    step_metrics(int n, int levels, const float* __restrict__ z, const float* __restrict__ loss,
                 const float* __restrict__ score, const float* __restrict__ y, const unsigned* __restrict__ step,
                 int slots, float* __restrict__ ring, long long replica_stride) {
  to_replica(replica_stride, z, loss, score, y, step, ring);
  float loss_sum = 0.0f, squares = 0.0f, exact = 0.0f;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    const float error = z[level_index(score[i], z, levels)] - y[i];
    loss_sum += loss[i];
    squares += error * error;
    exact += error == 0.0f ? 1.0f : 0.0f;
  }
  loss_sum = block_sum(loss_sum);
  squares = block_sum(squares);
  exact = block_sum(exact);
  if (threadIdx.x == 0) {
    float* row = ring_row(ring, step, slots, kStepMetricsWords);
    row[1] = loss_sum / static_cast<float>(n);
    row[2] = squares / static_cast<float>(n);
    row[3] = exact / static_cast<float>(n);
  }
}
