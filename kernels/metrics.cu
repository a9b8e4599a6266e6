// What a training run reports, reduced on the device: the host reads a ring of rows now and then,
// never a step's data.
#include "common.cuh"
#include "math.cuh"
#include "ring.cuh"

constexpr int kLossAndAccuracyWords = 3;

// One row of the ring is {step, mean loss, accuracy}. accuracy is the mean of [y p > 0]: a tie
// counts as wrong. One block.
extern "C" __global__ void __launch_bounds__(1024)
    loss_and_accuracy(int n, const float* __restrict__ loss, const float* __restrict__ p, const float* __restrict__ y,
                      const unsigned* __restrict__ step, int slots, float* __restrict__ ring,
                      long long replica_stride) {
  to_replica(replica_stride, loss, p, y, step, ring);
  float loss_sum = 0.0f, right = 0.0f;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    loss_sum += loss[i];
    right += y[i] * p[i] > 0.0f ? 1.0f : 0.0f;
  }
  loss_sum = block_sum(loss_sum);
  right = block_sum(right);
  if (threadIdx.x == 0) {
    float* row = ring_row(ring, step, slots, kLossAndAccuracyWords);
    row[1] = loss_sum / static_cast<float>(n);
    row[2] = right / static_cast<float>(n);
  }
}

// One row of the ring is {step, mean loss} or, where there are elements to compare, {step, mean
// loss, largest |a - b| of m elements}. One block.
extern "C" __global__ void __launch_bounds__(1024)
    loss_and_distance(int n, const float* __restrict__ loss, int m, const float* __restrict__ a,
                      const float* __restrict__ b, const unsigned* __restrict__ step, int slots,
                      float* __restrict__ ring, long long replica_stride) {
  to_replica(replica_stride, loss, a, b, step, ring);
  float loss_sum = 0.0f;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    loss_sum += loss[i];
  }
  loss_sum = block_sum(loss_sum);
  const float largest = m > 0 ? largest_of(m, [=](int i) { return fabsf(a[i] - b[i]); }) : 0.0f;
  if (threadIdx.x == 0) {
    float* row = ring_row(ring, step, slots, m > 0 ? 3 : 2);
    row[1] = loss_sum / static_cast<float>(n);
    if (m > 0) {
      row[2] = largest;
    }
  }
}

// The step number lives in device memory; a step ends by advancing it.
extern "C" __global__ void advance_step(unsigned* __restrict__ step, long long replica_stride) {
  to_replica(replica_stride, step);
  if (element_index() < 1) {
    step[0] += 1;
  }
}
