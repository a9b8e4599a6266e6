// Hinge loss max(0, 1 - y p) for labels y in {-1, +1}, and its gradient with respect to the scores
// p (0 at the kink).
#include "common.cuh"

// loss(n), dp(n) = scale * d loss / dp; scale is 1/n for the mean over a batch.
extern "C" __global__ void hinge_forward_backward(int n, float scale, const float* __restrict__ p,
                                                  const float* __restrict__ y, float* __restrict__ loss,
                                                  float* __restrict__ dp, long long replica_stride) {
  to_replica(replica_stride, p, y, loss, dp);
  const int i = element_index();
  if (i < n) {
    const float margin = 1.0f - y[i] * p[i];
    loss[i] = margin <= 0.0f ? 0.0f : margin;
    dp[i] = margin <= 0.0f ? 0.0f : -scale * y[i];
  }
}

// loss(n) alone, for evaluation.
extern "C" __global__ void hinge_forward(int n, const float* __restrict__ p, const float* __restrict__ y,
                                         float* __restrict__ loss, long long replica_stride) {
  to_replica(replica_stride, p, y, loss);
  const int i = element_index();
  if (i < n) {
    const float margin = 1.0f - y[i] * p[i];
    loss[i] = margin <= 0.0f ? 0.0f : margin;
  }
}
