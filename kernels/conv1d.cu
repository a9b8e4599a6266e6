// One-dimensional convolution (as networks use the word: cross-correlation), stride 1, any filter
// length:
//   y[b, o, t] = sum over c, j of w[o, c, j] x[b, c, t + j - padding]
// x is (batch, in, length), w is (out, in, taps), y is (batch, out, length + 2 padding - taps + 1);
// x is zero outside. padding 0 is "valid", (taps - 1) / 2 with odd taps is "same". The order of
// every sum is fixed: channels, then taps; the filter's gradient adds positions per thread, then
// threads.
#include "common.cuh"

// target[t] = sum over c and j of w[c * channel_stride + j] * source[c * source_length + t +
// sign * (j - padding)] for the positions t of one row.
template <int kSign>
__device__ __forceinline__ void correlate(int channels, int taps, int padding, const float* __restrict__ w,
                                          int channel_stride, const float* __restrict__ source, int source_length,
                                          float* __restrict__ target, int target_length) {
  // Positions are contiguous: the inner loop is one vectorised multiply and add per tap.
  if constexpr (kOneThreadPerBlock) {
    for (int t = 0; t < target_length; ++t) {
      target[t] = 0.0f;
    }
    for (int c = 0; c < channels; ++c) {
      for (int j = 0; j < taps; ++j) {
        const float weight = w[static_cast<size_t>(c) * channel_stride + j];
        const int shift = kSign * (j - padding);
        const float* shifted = source + static_cast<size_t>(c) * source_length + shift;
        const int first = max(0, -shift), last = min(target_length, source_length - shift);
        for (int t = first; t < last; ++t) {
          target[t] += weight * shifted[t];
        }
      }
    }
  } else {
    for (int t = threadIdx.x; t < target_length; t += blockDim.x) {
      float sum = 0.0f;
      for (int c = 0; c < channels; ++c) {
        for (int j = 0; j < taps; ++j) {
          const int at = t + kSign * (j - padding);
          if (at >= 0 && at < source_length) {
            sum += w[static_cast<size_t>(c) * channel_stride + j] * source[static_cast<size_t>(c) * source_length + at];
          }
        }
      }
      target[t] = sum;
    }
  }
}

// A block per row of y: grid (batch, out).
extern "C" __global__ void __launch_bounds__(1024)
    conv1d_forward(int in, int length, int taps, int padding, const float* __restrict__ x, const float* __restrict__ w,
                   float* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, x, w, y);
  const int out_length = length + 2 * padding - taps + 1;
  const size_t b = blockIdx.x, o = blockIdx.y;
  correlate<1>(in, taps, padding, w + o * in * taps, taps, x + b * in * length, length,
               y + (b * gridDim.y + o) * out_length, out_length);
}

// dx[b, c, t] = sum over o, j of w[o, c, j] dy[b, o, t - j + padding]. A block per row of dx: grid
// (batch, in).
extern "C" __global__ void __launch_bounds__(1024)
    conv1d_backward_data(int out, int length, int taps, int padding, const float* __restrict__ dy,
                         const float* __restrict__ w, float* __restrict__ dx, long long replica_stride) {
  to_replica(replica_stride, dy, w, dx);
  const int out_length = length + 2 * padding - taps + 1;
  const size_t b = blockIdx.x, c = blockIdx.y, in = gridDim.y;
  correlate<-1>(out, taps, padding, w + c * taps, static_cast<int>(in) * taps, dy + b * out * out_length, out_length,
                dx + (b * in + c) * length, length);
}

// dw[o, c, j] = sum over b, t of dy[b, o, t] x[b, c, t + j - padding]. A block per weight: grid
// (taps, out in).
extern "C" __global__ void __launch_bounds__(1024)
    conv1d_backward_filter(int batch, int in, int length, int padding, const float* __restrict__ x,
                           const float* __restrict__ dy, float* __restrict__ dw, long long replica_stride) {
  to_replica(replica_stride, x, dy, dw);
  const int taps = static_cast<int>(gridDim.x), out_length = length + 2 * padding - taps + 1;
  const int shift = static_cast<int>(blockIdx.x) - padding, first = max(0, -shift),
            last = min(out_length, length - shift), positions = max(0, last - first);
  const size_t c = blockIdx.y % in, o = blockIdx.y / in, out = gridDim.y / in;
  float sum = 0.0f;
  if constexpr (kOneThreadPerBlock) {
    for (int b = 0; b < batch; ++b) {
      const float* gradient = dy + (b * out + o) * out_length;
      const float* row = x + (b * in + c) * length + shift;
      for (int t = first; t < last; ++t) {
        sum += gradient[t] * row[t];
      }
    }
  } else {
    for (int i = threadIdx.x; i < batch * positions; i += blockDim.x) {
      const size_t b = i / positions;
      const int t = first + i % positions;
      sum += dy[(b * out + o) * out_length + t] * x[(b * in + c) * length + t + shift];
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    dw[(o * in + c) * taps + blockIdx.x] = sum;
  }
}
