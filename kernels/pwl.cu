// Around the encoders of piecewise-linear curves (section 4): the second moments that condition
// them, and the way back from an encoding to its curve.
#include "common.cuh"

constexpr int kMoments = 6;

// moments(samples, 6): the sums over t = 2 ... n - 1 of r_a r_b for a <= b, where r =
// (f[t - 2], f[t - 1], f[t]); in float64, since their matrix is nearly singular.
extern "C" __global__ void pwl_moments(int samples, int n, const float* __restrict__ f, double* __restrict__ moments,
                                       long long replica_stride) {
  to_replica(replica_stride, f, moments);
  const int s = element_index();
  if (s < samples) {
    const float* curve = f + static_cast<size_t>(s) * n;
    double sums[kMoments] = {};
    for (int t = 2; t < n; ++t) {
      const double r0 = curve[t - 2], r1 = curve[t - 1], r2 = curve[t];
      sums[0] += r0 * r0;
      sums[1] += r0 * r1;
      sums[2] += r0 * r2;
      sums[3] += r1 * r1;
      sums[4] += r1 * r2;
      sums[5] += r2 * r2;
    }
    for (int i = 0; i < kMoments; ++i) {
      moments[static_cast<size_t>(s) * kMoments + i] = sums[i];
    }
  }
}

// f = W p, W[i, j] = max(0, i - j + 1), where p(rows, n - skipped) starts at position `skipped` and
// is 0 before. A block per row.
extern "C" __global__ void __launch_bounds__(1024)
    pwl_decode(int n, int skipped, const float* __restrict__ p, float* __restrict__ f, long long replica_stride) {
  to_replica(replica_stride, p, f);
  const float* encoding = p + static_cast<size_t>(blockIdx.x) * (n - skipped);
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    float sum = 0.0f;
    for (int j = skipped; j <= i; ++j) {
      sum += static_cast<float>(i - j + 1) * encoding[j - skipped];
    }
    f[static_cast<size_t>(blockIdx.x) * n + i] = sum;
  }
}
