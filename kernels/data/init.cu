// Initial values, drawn on the device.
#include "../common.cuh"
#include "../philox.cuh"

// Truncated normal: N(0, sigma^2) redrawn while outside two sigma.
extern "C" __global__ void truncated_normal(int n, const unsigned long long* __restrict__ seed, unsigned stream,
                                            float sigma, float* __restrict__ w, long long replica_stride) {
  to_replica(replica_stride, seed, w);
  const int i = element_index();
  if (i < n) {
    float value = 3.0f;
    for (unsigned attempt = 0; fabsf(value) > 2.0f; ++attempt) {
      const Philox bits = draw(static_cast<unsigned>(i), stream, 0, attempt, seed[0]);
      const NormalPair first = normal_pair(bits.x, bits.y), second = normal_pair(bits.z, bits.w);
      value = fabsf(first.first) <= 2.0f    ? first.first
              : fabsf(first.second) <= 2.0f ? first.second
              : fabsf(second.first) <= 2.0f ? second.first
                                            : second.second;
    }
    w[i] = sigma * value;
  }
}

// The four words of Philox4x32-10 for counters (first + i, c1, c2, c3): for checks against the
// published vectors. out is (n, 4).
extern "C" __global__ void philox_words(int n, unsigned first, unsigned c1, unsigned c2, unsigned c3,
                                        const unsigned long long* __restrict__ seed, unsigned* __restrict__ out,
                                        long long replica_stride) {
  to_replica(replica_stride, seed, out);
  const int i = element_index();
  if (i < n) {
    const Philox words = philox(first + static_cast<unsigned>(i), c1, c2, c3, seed[0]);
    out[4 * i] = words.x;
    out[4 * i + 1] = words.y;
    out[4 * i + 2] = words.z;
    out[4 * i + 3] = words.w;
  }
}

// n standard normals.
extern "C" __global__ void standard_normal(int n, const unsigned long long* __restrict__ seed, unsigned stream,
                                           unsigned step, float* __restrict__ out, long long replica_stride) {
  to_replica(replica_stride, seed, out);
  const int i = element_index();
  if (i < n) {
    const Philox bits = draw(static_cast<unsigned>(i / 2), stream, step, 0, seed[0]);
    const NormalPair pair = normal_pair(bits.x, bits.y);
    out[i] = (i & 1) != 0 ? pair.second : pair.first;
  }
}
