// Data of the stocks (appendix A): x uniform among d inputs, a one-hot vector kept as its index;
// its label y(x) from a table; z uniform in {-1, +1}^k but for z_y = 1. Signs are kept as bits, 32
// in a word and ceil(k / 32) words for a sample: a set bit is -1.
#include "../common.cuh"
#include "../philox.cuh"

constexpr int kWords = 4;  // of signs, per draw

// The table: label(d) uniform in {0, ..., k - 1}.
extern "C" __global__ void stock_labels(int d, int k, const unsigned long long* __restrict__ seed, unsigned stream,
                                        int* __restrict__ label, long long replica_stride) {
  to_replica(replica_stride, seed, label);
  const int i = element_index();
  if (i < d) {
    label[i] =
        static_cast<int>(__umulhi(draw(static_cast<unsigned>(i), stream, 0, 0, seed[0]).x, static_cast<unsigned>(k)));
  }
}

// Signs of a whole batch, as if all its words were one array: draws times four of them. z_y is not
// yet 1.
extern "C" __global__ void stock_signs(int draws, const unsigned long long* __restrict__ seed, unsigned stream,
                                       const unsigned* __restrict__ step, unsigned* __restrict__ signs,
                                       long long replica_stride) {
  to_replica(replica_stride, seed, step, signs);
  const int i = element_index();
  if (i < draws) {
    const Philox bits = draw(static_cast<unsigned>(i), stream, step[0], 1, seed[0]);
    signs[kWords * i] = bits.x;
    signs[kWords * i + 1] = bits.y;
    signs[kWords * i + 2] = bits.z;
    signs[kWords * i + 3] = bits.w;
  }
}

// x(n), y(n) = label[x], and z_y = 1 in signs(n, words) unless that is null.
extern "C" __global__ void stock_inputs(int n, int d, int words, const unsigned long long* __restrict__ seed,
                                        unsigned stream, const unsigned* __restrict__ step,
                                        const int* __restrict__ label, int* __restrict__ x, int* __restrict__ y,
                                        unsigned* __restrict__ signs, long long replica_stride) {
  to_replica(replica_stride, seed, step, label, x, y, signs);
  const int i = element_index();
  if (i < n) {
    const int input = static_cast<int>(
        __umulhi(draw(static_cast<unsigned>(i), stream, step[0], 0, seed[0]).x, static_cast<unsigned>(d)));
    const int right = label[input];
    x[i] = input;
    y[i] = right;
    if (signs != nullptr) {
      signs[static_cast<size_t>(i) * words + right / 32] &= ~(1u << (right % 32));
    }
  }
}
