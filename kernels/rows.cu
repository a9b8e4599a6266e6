// A table of d rows of k weights, of which a batch reads n by index: the product of one-hot vectors
// and a matrix. Its gradient is a scatter of rows.
//
// Adam moves every row at every step, since its moments outlast the gradients. But what it does to
// a row without a gradient depends on that row alone, so those updates are left out, and made up
// for, as one, when the row is next read. A row is kept as of the last update in which it had a
// gradient: the weights w, the mean m and the root s of the mean square. Of the updates since,
// j = 1, ..., J, each would have subtracted
//
//     rate_j beta1^j m / (beta2^(j/2) s + epsilon) = m omega_j f(j),
//     omega_j = rate_j gamma^j,
//     gamma = beta1 beta2^(-1/4),
//     f(j) = 1 / (beta2^(j/4) s + beta2^(-j/4) epsilon).
//
// f is a hyperbolic secant, 1 / (2 sqrt(s epsilon) cosh(lambda (j - j0))) with lambda = -log(beta2)
// / 4, so slow that it is nearly constant while omega lasts; the sum of omega_j f(j) is taken by
// the Gauss rule with two nodes of the measure omega, which is exact for f of degree three. The
// rule takes the moments of omega, sum omega_j j^p for p = 0 ... 3, which every step adds to, once
// per row and not per weight, at whatever rate that step has. Its relative error is below (5/24)
// lambda^4 * 4 gamma^2 / (1 - gamma)^4, the fourth derivative of f times the squared norm of
// omega's second orthogonal polynomial: 3e-7 for beta1 0.9 and beta2 0.99, whatever J.
#include "common.cuh"
#include "math.cuh"

constexpr int kMoments = 4;       // of omega, kept per row
constexpr int kCatchUpWords = 6;  // of a CatchUp

// What a row has missed: w falls by m (constant + slope s) / ((s + low) (s + high)), then m and s
// by the factors.
struct CatchUp {
  float constant, slope, low, high, mean_factor, root_factor;
};
static_assert(sizeof(CatchUp) == kCatchUpWords * sizeof(float));

// links(2, n): for each sample the one before it, and the one behind it, that read the same row; -1
// where there is none.
extern "C" __global__ void row_links(int n, const int* __restrict__ x, int* __restrict__ links,
                                     long long replica_stride) {
  to_replica(replica_stride, x, links);
  const int i = element_index();
  if (i < n) {
    const int row = x[i];
    int before = -1, behind = n;
    for (int j = 0; j < i; ++j) {
      before = x[j] == row ? j : before;
    }
    for (int j = i + 1; j < n; ++j) {
      behind = min(behind, x[j] == row ? j : n);
    }
    links[i] = before;
    links[n + i] = behind == n ? -1 : behind;
  }
}

// catch_up(n) of the rows x(n), from the moments missed(4, d). last(d) counts the updates done when
// a row last had a gradient, step[0] all of them.
extern "C" __global__ void row_catch_up(int n, int d, float log_beta1, float log_beta2, float epsilon,
                                        const int* __restrict__ x, const unsigned* __restrict__ step,
                                        const unsigned* __restrict__ last, const float* __restrict__ missed,
                                        CatchUp* __restrict__ catch_up, long long replica_stride) {
  to_replica(replica_stride, x, step, last, missed, catch_up);
  const int i = element_index();
  if (i < n) {
    const int row = x[i];
    const float total = missed[row], share = 1.0f / (total > 1e-30f ? total : 1e-30f);
    const float mean = missed[d + row] * share, square = missed[2 * d + row] * share,
                cube = missed[3 * d + row] * share;
    const float spread = square - mean * mean;
    const float variance = spread > 1e-3f ? spread : 1e-3f;  // one missed update: its two nodes stand close by
    const float skew = (cube - mean * (3.0f * square - 2.0f * mean * mean)) / (2.0f * variance);
    const float reach = sqrtf(skew * skew + variance);
    const float weight_high = 0.5f * total * (1.0f - skew / reach), weight_low = total - weight_high;
    const float power_low = exponential(-0.25f * log_beta2 * (mean + skew - reach)),
                power_high = exponential(-0.25f * log_beta2 * (mean + skew + reach));
    const float low = epsilon * power_low * power_low, high = epsilon * power_high * power_high;
    const float age = static_cast<float>(static_cast<int>(step[0] - last[row]));
    catch_up[i].constant = weight_low * power_low * high + weight_high * power_high * low;
    catch_up[i].slope = weight_low * power_low + weight_high * power_high;
    catch_up[i].low = low;
    catch_up[i].high = high;
    catch_up[i].mean_factor = exponential(age * log_beta1);
    catch_up[i].root_factor = exponential(0.5f * age * log_beta2);
  }
}

// rows(n, k): the rows x of the table as of this step. A block per sample.
extern "C" __global__ void __launch_bounds__(1024)
    gather_rows(int k, const int* __restrict__ x, const CatchUp* __restrict__ catch_up, const float* __restrict__ w,
                const float* __restrict__ m, const float* __restrict__ s, float* __restrict__ rows,
                long long replica_stride) {
  to_replica(replica_stride, x, catch_up, w, m, s, rows);
  const CatchUp missed = catch_up[blockIdx.x];
  const size_t from = static_cast<size_t>(x[blockIdx.x]) * k, to = static_cast<size_t>(blockIdx.x) * k;
  for (int j = threadIdx.x; j < k; j += blockDim.x) {
    const float root = s[from + j];
    rows[to + j] = w[from + j] -
                   m[from + j] * (missed.constant + missed.slope * root) / ((root + missed.low) * (root + missed.high));
  }
}

// Every row misses this update, until adam_rows says that it does not: the moments of omega go on.
extern "C" __global__ void miss_update(int d, float log_gamma, const float* __restrict__ step_rate,
                                       const unsigned* __restrict__ step, const unsigned* __restrict__ last,
                                       float* __restrict__ missed, long long replica_stride) {
  to_replica(replica_stride, step_rate, step, last, missed);
  const int row = element_index();
  const float rate = step_rate[0];
  const unsigned update = step[0] + 1;
  if (row < d) {
    const float age = static_cast<float>(static_cast<int>(update - last[row]));
    const float omega = rate * exponential(age * log_gamma);
    missed[row] += omega;
    missed[d + row] += omega * age;
    missed[2 * d + row] += omega * age * age;
    missed[3 * d + row] += omega * age * age * age;
  }
}

// Adam on the rows that have a gradient, brought up to date first. rows(n, k) is what gather_rows
// gave; gradient(n, k) is one row per sample: where a row of the table was read by several, the
// first one's block adds up theirs, in order, in place, and works for all. A block per sample.
extern "C" __global__ void __launch_bounds__(1024)
    adam_rows(int n, int d, int k, float beta1, float beta2, float epsilon, const float* __restrict__ step_rate,
              const unsigned* __restrict__ step, const int* __restrict__ x, const int* __restrict__ links,
              const CatchUp* __restrict__ catch_up, const float* __restrict__ rows, float* __restrict__ gradient,
              float* __restrict__ w, float* __restrict__ m, float* __restrict__ s, unsigned* __restrict__ last,
              float* __restrict__ missed, long long replica_stride) {
  to_replica(replica_stride, step_rate, step, x, links, catch_up, rows, gradient, w, m, s, last, missed);
  const int sample = static_cast<int>(blockIdx.x);
  if (links[sample] >= 0) {
    return;
  }
  const int row = x[sample];
  const size_t from = static_cast<size_t>(row) * k, to = static_cast<size_t>(sample) * k;
  for (int other = links[n + sample]; other >= 0; other = links[n + other]) {
    for (int j = threadIdx.x; j < k; j += blockDim.x) {
      gradient[to + j] += gradient[static_cast<size_t>(other) * k + j];
    }
  }
  const float rate = step_rate[0], mean_factor = beta1 * catch_up[sample].mean_factor,
              root_factor = catch_up[sample].root_factor;
  for (int j = threadIdx.x; j < k; j += blockDim.x) {
    const float g = gradient[to + j], decayed = root_factor * s[from + j];
    const float mean = mean_factor * m[from + j] + (1.0f - beta1) * g;
    const float root = sqrtf(beta2 * decayed * decayed + (1.0f - beta2) * g * g);
    m[from + j] = mean;
    s[from + j] = root;
    w[from + j] = rows[to + j] - rate * mean / (root + epsilon);
  }
  if (threadIdx.x == 0) {
    last[row] = step[0] + 1;
    for (int moment = 0; moment < kMoments; ++moment) {
      missed[moment * d + row] = 0.0f;
    }
  }
}
