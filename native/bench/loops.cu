// The elementwise kernels as a C++ programmer would write them for a CPU: one plain loop.
// `plateau bench elementwise` compares, compiled with the same flags.
#include "../../kernels/common.cuh"

extern "C" __global__ void __launch_bounds__(1) sgd_loop(int n, const float* __restrict__ learning_rate,
                                                         const float* __restrict__ gradient, float* __restrict__ w) {
  const float rate = learning_rate[0];
  for (int i = 0; i < n; ++i) {
    w[i] -= rate * gradient[i];
  }
}

extern "C" __global__ void __launch_bounds__(1)
    adam_loop(int n, const float* __restrict__ step_rate, float beta1, float beta2, float epsilon,
              const float* __restrict__ gradient, float* __restrict__ m, float* __restrict__ v, float* __restrict__ w) {
  const float rate = step_rate[0];
  for (int i = 0; i < n; ++i) {
    const float g = gradient[i];
    m[i] = beta1 * m[i] + (1.0f - beta1) * g;
    v[i] = beta2 * v[i] + (1.0f - beta2) * g * g;
    w[i] -= rate * m[i] / (sqrtf(v[i]) + epsilon);
  }
}

extern "C" __global__ void __launch_bounds__(1)
    relu_mask_loop(int n, const float* __restrict__ relu_output, float* __restrict__ dx) {
  for (int i = 0; i < n; ++i) {
    dx[i] = relu_output[i] > 0.0f ? dx[i] : 0.0f;
  }
}

extern "C" __global__ void __launch_bounds__(1)
    hinge_loop(int n, float scale, const float* __restrict__ p, const float* __restrict__ y, float* __restrict__ loss,
               float* __restrict__ dp) {
  for (int i = 0; i < n; ++i) {
    const float margin = 1.0f - y[i] * p[i];
    loss[i] = margin <= 0.0f ? 0.0f : margin;
    dp[i] = margin <= 0.0f ? 0.0f : -scale * y[i];
  }
}
