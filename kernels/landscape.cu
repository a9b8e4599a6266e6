// Objectives F(w) = E (u(w.x) - u(t.x) - noise)^2 of a vector of two weights, over a square of
// them (figure 7), and the directions of section 5 and theorems 2 and 3 that have a closed form.
#include "common.cuh"
#include "math.cuh"
#include "philox.cuh"

// What u is.
[[maybe_unused]] constexpr int kIdentity = 0;
constexpr int kCosine = 1;
constexpr int kFloor = 2;

// cos r, to about 1e-7 |r|: whole turns are taken off first.
__device__ __forceinline__ float cosine(float r) {
  const float turns = r * 0.15915494f;
  return exact_sincos_turns(turns - floorf(turns)).cos;
}

__device__ __forceinline__ float activation_of(int activation, float r) {
  return activation == kCosine ? cosine(r) : activation == kFloor ? floorf(r) : r;
}

// A place along one side of a square of side * side points from low to high.
__device__ __forceinline__ float place_of(int index, int side, float low, float high) {
  return low + (high - low) * static_cast<float>(index) / static_cast<float>(side - 1);
}

// mean(side, side) of the loss over samples x(samples, 2), noise(samples) or null, and
// error(side, side), that mean's standard error. Row i has the second weight, column j the
// first. A point's samples begin `stride` of them after those of the point before; 0: all points
// have the same. Grid: side * side.
extern "C" __global__ void __launch_bounds__(1024)
    landscape(int samples, int stride, int side, float low, float high, int activation, float target0, float target1,
              const float* __restrict__ x, const float* __restrict__ noise, float* __restrict__ mean,
              float* __restrict__ error, long long replica_stride) {
  to_replica(replica_stride, x, noise, mean, error);
  const int point = static_cast<int>(blockIdx.x);
  const float w0 = place_of(point % side, side, low, high), w1 = place_of(point / side, side, low, high);
  double sum = 0.0, squares = 0.0;
  for (int i = threadIdx.x; i < samples; i += blockDim.x) {
    const size_t sample = static_cast<size_t>(point) * stride + i;
    const float x0 = x[2 * sample], x1 = x[2 * sample + 1];
    const float here = activation_of(activation, w0 * x0 + w1 * x1),
                there = activation_of(activation, target0 * x0 + target1 * x1);
    const float miss = here - there - (noise != nullptr ? noise[sample] : 0.0f);
    const double loss = static_cast<double>(miss) * miss;
    sum += loss;
    squares += loss * loss;
  }
  sum = block_sum(sum);
  squares = block_sum(squares);
  if (threadIdx.x == 0) {
    const double average = sum / samples, variance = squares / samples - average * average;
    mean[point] = static_cast<float>(average);
    error[point] = static_cast<float>(sqrt((variance > 0.0 ? variance : 0.0) / samples));
  }
}

// f(side, side) = E (cos(w.x) - cos(t.x))^2 for x standard normal in two dimensions: 1 + (e^(-2
// |w|^2) + e^(-2 |t|^2)) / 2 - e^(-|w - t|^2 / 2) - e^(-|w + t|^2 / 2). points is side * side.
extern "C" __global__ void cosine_landscape(int points, int side, float low, float high, float target0, float target1,
                                            float* __restrict__ f, long long replica_stride) {
  to_replica(replica_stride, f);
  const int point = element_index();
  if (point < points) {
    const float w0 = place_of(point % side, side, low, high), w1 = place_of(point / side, side, low, high);
    const float minus0 = w0 - target0, minus1 = w1 - target1, plus0 = w0 + target0, plus1 = w1 + target1;
    f[point] =
        1.0f +
        0.5f *
            (exponential(-2.0f * (w0 * w0 + w1 * w1)) + exponential(-2.0f * (target0 * target0 + target1 * target1))) -
        exponential(-0.5f * (minus0 * minus0 + minus1 * minus1)) - exponential(-0.5f * (plus0 * plus0 + plus1 * plus1));
  }
}

// c(rows, d) = E[cos(v.x) sin(w.x) x] for x standard normal in d dimensions, the part of the
// gradient of E (cos(w.x) - cos(v.x))^2 / 2 that depends on v: with e(a) = a e^(-|a|^2 / 2) it
// is (e(w + v) + e(w - v)) / 2. v is each row of z(rows, d), scaled to the given radius. Grid:
// rows.
extern "C" __global__ void __launch_bounds__(1024)
    periodic_gradients(int d, float radius, const float* __restrict__ w, const float* __restrict__ z,
                       float* __restrict__ c, long long replica_stride) {
  to_replica(replica_stride, w, z, c);
  const size_t row = static_cast<size_t>(blockIdx.x) * d;
  float ww = 0.0f, wz = 0.0f, zz = 0.0f;
  for (int i = threadIdx.x; i < d; i += blockDim.x) {
    ww += w[i] * w[i];
    wz += w[i] * z[row + i];
    zz += z[row + i] * z[row + i];
  }
  ww = block_sum(ww);
  wz = block_sum(wz);
  zz = block_sum(zz);
  const float scale = radius / sqrtf(zz), both = 2.0f * scale * wz, length = ww + radius * radius;
  const float plus = 0.5f * exponential(-0.5f * (length + both)), minus = 0.5f * exponential(-0.5f * (length - both));
  for (int i = threadIdx.x; i < d; i += blockDim.x) {
    const float v = scale * z[row + i];
    c[row + i] = plus * (w[i] + v) + minus * (w[i] - v);
  }
}

// Of scores(samples, k, width): label(samples), the product of the signs of the first of each
// width; slope(samples, k), the product over the k but one of the last of each.
extern "C" __global__ void sign_products(int samples, int k, int width, const float* __restrict__ scores,
                                         float* __restrict__ label, float* __restrict__ slope,
                                         long long replica_stride) {
  to_replica(replica_stride, scores, label, slope);
  const int s = element_index();
  if (s < samples) {
    const float* tuple = scores + static_cast<size_t>(s) * k * width;
    float sign = 1.0f;
    for (int j = 0; j < k; ++j) {
      sign = tuple[j * width] < 0.0f ? -sign : sign;
      float product = 1.0f;
      for (int other = 0; other < k; ++other) {
        product *= other == j ? 1.0f : tuple[other * width + width - 1];
      }
      slope[static_cast<size_t>(s) * k + j] = product;
    }
    label[s] = sign;
  }
}

// A staircase of steps `height` wide and high, which climb at the given slope; upright where
// that is 0.
__device__ __forceinline__ float staircase(float r, float height, float slope) {
  const float t = r / height, step = floorf(t), climbed = slope * (t - step);
  return height * (step + (slope > 0.0f ? (climbed < 1.0f ? climbed : 1.0f) : 0.0f));
}

// residual(n) = u(score) - u(target), u a staircase, and its square: the direction of
// forward-only training (section 5.5).
extern "C" __global__ void staircase_residual(int n, float height, float slope, const float* __restrict__ score,
                                              const float* __restrict__ target, float* __restrict__ residual,
                                              float* __restrict__ squared, long long replica_stride) {
  to_replica(replica_stride, score, target, residual, squared);
  const int i = element_index();
  if (i < n) {
    const float miss = staircase(score[i], height, slope) - staircase(target[i], height, slope);
    residual[i] = miss;
    squared[i] = miss * miss;
  }
}
