// The gradients of the network of section 2.1 for all 2^d parities at once (theorem 1). Input
// number b is x[i] = +1 where bit i of b is 0, else -1; parity number s is h(x) = the product of
// x[i] over the bits of s, so that x[i] times parity s is parity s ^ 2^i. The network is p(x) =
// b2 + sum over j of w2[j] relu(a[j]), a[j] = b1[j] + sum over i of x[i] w1[i, j].
#include "common.cuh"

// For the loss r(p h) or (p - h)^2 / 2 the gradient is E[fixed(x) dp/dw] + E[h(x) signal(x)
// dp/dw]: which of the four factors of dp/dw is meant. The hinge's r' is -1 below 1, else 0.
constexpr int kSquaredSignal = 0;
constexpr int kHingeSignal = 1;
constexpr int kSquaredFixed = 2;
[[maybe_unused]] constexpr int kHingeFixed = 3;

__device__ __forceinline__ float factor_of(int part, float p) {
  const float plus = p < 1.0f ? -1.0f : 0.0f, minus = -p < 1.0f ? -1.0f : 0.0f;
  return part == kSquaredSignal  ? -1.0f
         : part == kHingeSignal  ? 0.5f * (plus + minus)
         : part == kSquaredFixed ? p
                                 : 0.5f * (plus - minus);
}

// terms(2 hidden + 1, 2^d): factor w2[j] [a[j] > 0], the gradient with respect to b1[j]; factor
// relu(a[j]), that with respect to w2[j]; and the factor, that with respect to b2. One thread
// per input; inputs is 2^d.
extern "C" __global__ void parity_terms(int inputs, int d, int hidden, int part, const float* __restrict__ w1,
                                        const float* __restrict__ b1, const float* __restrict__ w2,
                                        const float* __restrict__ b2, float* __restrict__ terms,
                                        long long replica_stride) {
  to_replica(replica_stride, w1, b1, w2, b2, terms);
  const int b = element_index();
  if (b < inputs) {
    const size_t n = static_cast<size_t>(inputs);
    float p = b2[0];
    for (int j = 0; j < hidden; ++j) {
      float a = b1[j];
      for (int i = 0; i < d; ++i) {
        const float w = w1[i * hidden + j];
        a += ((b >> i) & 1) != 0 ? -w : w;
      }
      const float rectified = a > 0.0f ? a : 0.0f;
      p += w2[j] * rectified;
      terms[j * n + b] = a > 0.0f ? w2[j] : 0.0f;
      terms[(hidden + j) * n + b] = rectified;
    }
    const float factor = factor_of(part, p);
    for (int j = 0; j < 2 * hidden; ++j) {
      terms[j * n + b] *= factor;
    }
    terms[2 * hidden * n + b] = factor;
  }
}

// Each row of values(rows, n) becomes its Walsh-Hadamard transform, the sum over b of row[b]
// times parity s of input b; n is a power of two. Grid: rows.
extern "C" __global__ void __launch_bounds__(1024)
    walsh_hadamard(int n, float* __restrict__ values, long long replica_stride) {
  to_replica(replica_stride, values);
  float* row = values + static_cast<size_t>(blockIdx.x) * n;
  for (int half = 1; half < n; half *= 2) {
    if constexpr (kOneThreadPerBlock) {
      for (int start = 0; start < n; start += 2 * half) {
        for (int i = start; i < start + half; ++i) {
          const float a = row[i], b = row[i + half];
          row[i] = a + b;
          row[i + half] = a - b;
        }
      }
    } else {
      for (int i = threadIdx.x; i < n / 2; i += blockDim.x) {
        const int low = i / half * 2 * half + i % half;
        const float a = row[low], b = row[low + half];
        row[low] = a + b;
        row[low + half] = a - b;
      }
      __syncthreads();
    }
  }
}

// Of terms(2 hidden + 1, n), times scale: units(n), the sum of squares of the first `hidden`
// rows of each column; others(n), that of the rest. Before a transform a column is an input,
// after it a parity.
extern "C" __global__ void parity_energies(int n, int hidden, double scale, const float* __restrict__ terms,
                                           double* __restrict__ units, double* __restrict__ others,
                                           long long replica_stride) {
  to_replica(replica_stride, terms, units, others);
  const int s = element_index();
  if (s < n) {
    double unit = 0.0, other = 0.0;
    for (int j = 0; j < 2 * hidden + 1; ++j) {
      const double term = scale * terms[j * static_cast<size_t>(n) + s], square = term * term;
      unit += j < hidden ? square : 0.0;
      other += j < hidden ? 0.0 : square;
    }
    units[s] = unit;
    others[s] = other;
  }
}

// signals(n): |E[h(x) signal(x) dp/dw]|^2 of each parity, from the energies of the transforms:
// with respect to w1[i, j], whose derivative is that of b1[j] times x[i], it is the unit's at
// parity s ^ 2^i. n is 2^d.
extern "C" __global__ void parity_signals(int n, int d, const double* __restrict__ units,
                                          const double* __restrict__ others, double* __restrict__ signals,
                                          long long replica_stride) {
  to_replica(replica_stride, units, others, signals);
  const int s = element_index();
  if (s < n) {
    double sum = units[s] + others[s];
    for (int i = 0; i < d; ++i) {
      sum += units[s ^ (1 << i)];
    }
    signals[s] = sum;
  }
}

// gradients(count, parameters): E[h(x) factor(x) dp/dw] for some parities, from transformed
// terms (2 hidden + 1, inputs), in the order w1(d, hidden), b1, w2, b2. elements is count times
// parameters.
extern "C" __global__ void parity_gradients(int elements, int d, int hidden, int inputs,
                                            const float* __restrict__ terms, const int* __restrict__ parities,
                                            float* __restrict__ gradients, long long replica_stride) {
  to_replica(replica_stride, terms, parities, gradients);
  const int e = element_index();
  if (e < elements) {
    const int parameters = (d + 2) * hidden + 1, c = e % parameters, s = parities[e / parameters];
    const int row = c < d * hidden ? c % hidden : c - d * hidden;
    const int parity = c < d * hidden ? s ^ (1 << (c / hidden)) : s;
    gradients[e] = terms[row * static_cast<size_t>(inputs) + parity] / static_cast<float>(inputs);
  }
}

// energies(n): |factor dp/dw|^2 at each of some inputs x(n, d) in {-1, +1}, where d may be any.
// One thread per input.
extern "C" __global__ void parity_input_energies(int n, int d, int hidden, int part, const float* __restrict__ x,
                                                 const float* __restrict__ w1, const float* __restrict__ b1,
                                                 const float* __restrict__ w2, const float* __restrict__ b2,
                                                 double* __restrict__ energies, long long replica_stride) {
  to_replica(replica_stride, x, w1, b1, w2, b2, energies);
  const int b = element_index();
  if (b < n) {
    const float* input = x + static_cast<size_t>(b) * d;
    float p = b2[0];
    double sum = 1.0;
    for (int j = 0; j < hidden; ++j) {
      float a = b1[j];
      for (int i = 0; i < d; ++i) {
        a += input[i] * w1[i * hidden + j];
      }
      const float rectified = a > 0.0f ? a : 0.0f;
      const double unit = a > 0.0f ? w2[j] : 0.0f, other = rectified;
      p += w2[j] * rectified;
      sum += (1.0 + d) * unit * unit + other * other;
    }
    const double factor = factor_of(part, p);
    energies[b] = factor * factor * sum;
  }
}

// wrong(blocks): how many of the inputs of each block of `chunk` the network of lemma 5 gets
// wrong. An input is `d` bits; all hidden units read their sum s over the subset; the output is
// bias + sum over j of weight[j] relu(s - knee[j]), right where its sign is (-1)^s. Grid
// ceil(inputs / chunk).
extern "C" __global__ void __launch_bounds__(1024)
    parity_network_errors(int inputs, int chunk, unsigned subset, int units, float bias, const float* __restrict__ knee,
                          const float* __restrict__ weight, int* __restrict__ wrong, long long replica_stride) {
  to_replica(replica_stride, knee, weight, wrong);
  const int first = static_cast<int>(blockIdx.x) * chunk, last = min(inputs, first + chunk);
  int errors = 0;
  for (int b = first + static_cast<int>(threadIdx.x); b < last; b += blockDim.x) {
    const int ones = __popc(static_cast<unsigned>(b) & subset);
    const float s = static_cast<float>(ones);
    float output = bias;
    for (int j = 0; j < units; ++j) {
      const float a = s - knee[j];
      output += weight[j] * (a > 0.0f ? a : 0.0f);
    }
    errors += (output > 0.0f) == (ones % 2 == 0) ? 0 : 1;
  }
  errors = block_sum(errors);
  if (threadIdx.x == 0) {
    wrong[blockIdx.x] = errors;
  }
}
