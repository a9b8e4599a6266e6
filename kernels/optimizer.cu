// Optimisers over all of a network's parameters at once. The learning rate and the step stand in
// device memory, so that a captured graph outlives a change of either.
#include "common.cuh"

// sum += term: a tensor with several consumers collects their gradients.
extern "C" __global__ void accumulate(int n, const float* __restrict__ term, float* __restrict__ sum,
                                      long long replica_stride) {
  to_replica(replica_stride, term, sum);
  const int i = element_index();
  if (i < n) {
    sum[i] += term[i];
  }
}

// Plain stochastic gradient descent: w -= lr g.
extern "C" __global__ void sgd(int n, const float* __restrict__ learning_rate, const float* __restrict__ gradient,
                               float* __restrict__ w, long long replica_stride) {
  to_replica(replica_stride, learning_rate, gradient, w);
  const int i = element_index();
  const float rate = learning_rate[0];
  if (i < n) {
    w[i] -= rate * gradient[i];
  }
}

// lr sqrt(1 - beta2^t) / (1 - beta1^t) for t = step + 1: Adam's rate with both bias corrections in
// it. One thread.
extern "C" __global__ void adam_rate(const float* __restrict__ learning_rate, const unsigned* __restrict__ step,
                                     double beta1, double beta2, float* __restrict__ rate, long long replica_stride) {
  to_replica(replica_stride, learning_rate, step, rate);
  if (element_index() < 1) {
    double power1 = 1.0, power2 = 1.0, factor1 = beta1, factor2 = beta2;
    for (unsigned t = step[0] + 1; t != 0; t >>= 1) {
      power1 *= (t & 1) != 0 ? factor1 : 1.0;
      power2 *= (t & 1) != 0 ? factor2 : 1.0;
      factor1 *= factor1;
      factor2 *= factor2;
    }
    rate[0] = static_cast<float>(learning_rate[0] * sqrt(1.0 - power2) / (1.0 - power1));
  }
}

// Adam (Kingma & Ba 2015, end of section 2): epsilon stands outside the bias correction.
extern "C" __global__ void adam(int n, const float* __restrict__ step_rate, float beta1, float beta2, float epsilon,
                                const float* __restrict__ gradient, float* __restrict__ m, float* __restrict__ v,
                                float* __restrict__ w, long long replica_stride) {
  to_replica(replica_stride, step_rate, gradient, m, v, w);
  const int i = element_index();
  const float rate = step_rate[0];
  if (i < n) {
    const float g = gradient[i];
    const float mean = beta1 * m[i] + (1.0f - beta1) * g;
    const float square = beta2 * v[i] + (1.0f - beta2) * g * g;
    m[i] = mean;
    v[i] = square;
    w[i] -= rate * mean / (sqrtf(square) + epsilon);
  }
}
