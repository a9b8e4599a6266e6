// The logistic sigmoid, element by element.
#include "common.cuh"
#include "math.cuh"

// y = 1 / (1 + e^-x), by e^-|x|, which does not overflow.
extern "C" __global__ void sigmoid_forward(int n, const float* __restrict__ x, float* __restrict__ y,
                                           long long replica_stride) {
  to_replica(replica_stride, x, y);
  const int i = element_index();
  if (i < n) {
    const float decay = exponential(-fabsf(x[i])), share = 1.0f / (1.0f + decay);
    y[i] = x[i] < 0.0f ? decay * share : share;
  }
}

// dx = dy y (1 - y)
extern "C" __global__ void sigmoid_backward(int n, const float* __restrict__ y, const float* __restrict__ dy,
                                            float* __restrict__ dx, long long replica_stride) {
  to_replica(replica_stride, y, dy, dx);
  const int i = element_index();
  if (i < n) {
    dx[i] = dy[i] * y[i] * (1.0f - y[i]);
  }
}
