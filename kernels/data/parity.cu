// Parity data (section 2.1): x uniform in {-1, +1}^d and y = the product of x over the hidden
// subset S. One Philox draw gives the signs of 128 coordinates: element = sample, draw = coordinate
// / 128; a set bit is -1.
#include "../common.cuh"
#include "../philox.cuh"

constexpr int kSamples = 64;     // per block
constexpr int kChunkBits = 128;  // per draw

// x(n, d), y(n). subset holds S as ceil(d / 32) words of bits. Grid ceil(n / 64).
extern "C" __global__ void __launch_bounds__(1024)
    parity_batch(int n, int d, const unsigned long long* __restrict__ seed, unsigned stream,
                 const unsigned* __restrict__ step, const unsigned* __restrict__ subset, float* __restrict__ x,
                 float* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, seed, step, subset, x, y);
  __shared__ unsigned words[4][kSamples];
  __shared__ unsigned odd[kSamples];
  const int sample0 = static_cast<int>(blockIdx.x) * kSamples, samples = min(kSamples, n - sample0);
  const unsigned now = step[0];
  for (int s = threadIdx.x; s < kSamples; s += blockDim.x) {
    odd[s] = 0;
  }
  for (int chunk = 0; chunk * kChunkBits < d; ++chunk) {
    __syncthreads();
    for (int s = threadIdx.x; s < kSamples; s += blockDim.x) {
      const Philox bits = draw(static_cast<unsigned>(sample0 + s), stream, now, static_cast<unsigned>(chunk), seed[0]);
      words[0][s] = bits.x;
      words[1][s] = bits.y;
      words[2][s] = bits.z;
      words[3][s] = bits.w;
    }
    __syncthreads();
    for (int word = 0; word < 4 && chunk * kChunkBits + word * 32 < d; ++word) {
      const int first = chunk * kChunkBits + word * 32, count = min(32, d - first);
      const unsigned hidden = subset[first / 32];
      for (int s = threadIdx.x; s < samples; s += blockDim.x) {
        odd[s] ^= static_cast<unsigned>(__popc(words[word][s] & hidden));
      }
      float* rows = x + static_cast<size_t>(sample0) * d + first;
      if constexpr (kOneThreadPerBlock) {
        for (int s = 0; s < samples; ++s) {
          const unsigned bits = words[word][s];
          for (int j = 0; j < count; ++j) {
            rows[s * d + j] = __uint_as_float(0x3f800000u | ((bits >> j) << 31));
          }
        }
      } else {
        for (int i = threadIdx.x; i < samples * 32; i += blockDim.x) {
          const int s = i / 32, j = i % 32;
          if (j < count) {
            rows[s * d + j] = __uint_as_float(0x3f800000u | ((words[word][s] >> j) << 31));
          }
        }
      }
    }
  }
  for (int s = threadIdx.x; s < samples; s += blockDim.x) {
    y[sample0 + s] = __uint_as_float(0x3f800000u | ((odd[s] & 1u) << 31));
  }
}

// The hidden subset as ceil(d / 32) words of bits: each coordinate with probability 1/2 (size < 0),
// or the `size` coordinates of smallest random key. One thread.
extern "C" __global__ void parity_subset(int d, int size, const unsigned long long* __restrict__ seed, unsigned stream,
                                         unsigned* __restrict__ subset, long long replica_stride) {
  to_replica(replica_stride, seed, subset);
  if (element_index() < 1) {
    for (int word = 0; word * 32 < d; ++word) {
      unsigned bits = 0;
      for (int bit = 0; bit < 32 && word * 32 + bit < d; ++bit) {
        const int i = word * 32 + bit;
        const unsigned key = draw(static_cast<unsigned>(i), stream, 0, 0, seed[0]).x;
        int smaller = 0;
        for (int j = 0; size >= 0 && j < d; ++j) {
          const unsigned other = draw(static_cast<unsigned>(j), stream, 0, 0, seed[0]).x;
          smaller += other < key || (other == key && j < i) ? 1 : 0;
        }
        const bool in = size < 0 ? (key >> 31) != 0 : smaller < size;
        bits |= in ? 1u << bit : 0u;
      }
      subset[word] = bits;
    }
  }
}
