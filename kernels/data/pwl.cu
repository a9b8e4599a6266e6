// Piecewise-linear curves (section 4): f = W p with W[i, j] = max(0, i - j + 1), where p holds the
// changes of slope a at three positions theta. Per sample: draw 0 gives the positions, draw 1 the
// changes.
#include "../common.cuh"
#include "../philox.cuh"

constexpr int kPieces = 3;
constexpr int kCurves = 16;  // per block

// How theta and a are drawn.
// kPaperLaw: theta without replacement from {0, ..., n - 1}, a uniform in [-1, 1). kProgramLaw:
// theta = 3 + a sorted sample without replacement from n - 6; slopes one of four triples, a their
// successive differences.
// kRealLaw: theta uniform in [0, n), real; a uniform in [-1, 1); f[i] = sum of a max(0, i - theta).
constexpr int kPaperLaw = 0;
constexpr int kProgramLaw = 1;
constexpr int kRealLaw = 2;

struct Pieces {
  float theta[kPieces], change[kPieces];
};

__device__ __forceinline__ int smaller(int a, int b) { return a < b ? a : b; }
__device__ __forceinline__ int larger(int a, int b) { return a < b ? b : a; }

// Three distinct integers below count, uniformly, in the order drawn: each is drawn among those
// that are left and moved past those that are taken.
__device__ __forceinline__ void distinct(int count, Philox bits, int (&chosen)[kPieces]) {
  const int first = static_cast<int>(__umulhi(bits.x, static_cast<unsigned>(count)));
  int second = static_cast<int>(__umulhi(bits.y, static_cast<unsigned>(count - 1)));
  second += second >= first ? 1 : 0;
  int third = static_cast<int>(__umulhi(bits.z, static_cast<unsigned>(count - 2)));
  third += third >= smaller(first, second) ? 1 : 0;
  third += third >= larger(first, second) ? 1 : 0;
  chosen[0] = first;
  chosen[1] = second;
  chosen[2] = third;
}

// Slope of the given piece in the program's four triples: (1, -1, 1), (1, -2, 1), (-2, 1, -1),
// (1, -1, 2).
__device__ __forceinline__ float program_slope(unsigned triple, int piece) {
  switch (piece) {
    case 0:
      return triple == 2 ? -2.0f : 1.0f;
    case 1:
      return triple == 1 ? -2.0f : triple == 2 ? 1.0f : -1.0f;
    default:
      return triple == 2 ? -1.0f : triple == 3 ? 2.0f : 1.0f;
  }
}

__device__ __forceinline__ Pieces draw_pieces(int law, int n, unsigned sample, unsigned stream, unsigned step,
                                              unsigned long long seed) {
  const Philox positions = draw(sample, stream, step, 0, seed), changes = draw(sample, stream, step, 1, seed);
  const unsigned words[kPieces] = {changes.x, changes.y, changes.z};
  Pieces pieces;
  if (law == kRealLaw) {
    const unsigned real[kPieces] = {positions.x, positions.y, positions.z};
    for (int k = 0; k < kPieces; ++k) {
      pieces.theta[k] = uniform(real[k]) * static_cast<float>(n);
      pieces.change[k] = fmaf(uniform(words[k]), 2.0f, -1.0f);
    }
    return pieces;
  }
  int theta[kPieces];
  distinct(law == kProgramLaw ? n - 6 : n, positions, theta);
  if (law == kPaperLaw) {
    for (int k = 0; k < kPieces; ++k) {
      pieces.theta[k] = static_cast<float>(theta[k]);
      pieces.change[k] = fmaf(uniform(words[k]), 2.0f, -1.0f);
    }
    return pieces;
  }
  const int least = smaller(theta[0], smaller(theta[1], theta[2])),
            greatest = larger(theta[0], larger(theta[1], theta[2]));
  pieces.theta[0] = static_cast<float>(3 + least);
  pieces.theta[1] = static_cast<float>(3 + theta[0] + theta[1] + theta[2] - least - greatest);
  pieces.theta[2] = static_cast<float>(3 + greatest);
  const unsigned triple = changes.x >> 30;
  pieces.change[0] = program_slope(triple, 0);
  pieces.change[1] = program_slope(triple, 1) - program_slope(triple, 0);
  pieces.change[2] = program_slope(triple, 2) - program_slope(triple, 1);
  return pieces;
}

// f(samples, n), and p(samples, n - skipped) from position `skipped` on unless null (it has no
// entries under the real law). Grid ceil(samples / 16).
extern "C" __global__ void __launch_bounds__(1024)
    pwl_curves(int samples, int n, int skipped, int law, const unsigned long long* __restrict__ seed, unsigned stream,
               const unsigned* __restrict__ step, float* __restrict__ f, float* __restrict__ p,
               long long replica_stride) {
  to_replica(replica_stride, seed, step, f, p);
  __shared__ float theta[kPieces][kCurves];
  __shared__ float change[kPieces][kCurves];
  const int first = static_cast<int>(blockIdx.x) * kCurves, count = min(kCurves, samples - first);
  for (int s = threadIdx.x; s < count; s += blockDim.x) {
    const Pieces pieces = draw_pieces(law, n, static_cast<unsigned>(first + s), stream, step[0], seed[0]);
    for (int k = 0; k < kPieces; ++k) {
      theta[k][s] = pieces.theta[k];
      change[k][s] = pieces.change[k];
    }
  }
  __syncthreads();
  const float offset = law == kRealLaw ? 0.0f : 1.0f;
  for (int s = 0; s < count; ++s) {
    const float t0 = theta[0][s], t1 = theta[1][s], t2 = theta[2][s], a0 = change[0][s], a1 = change[1][s],
                a2 = change[2][s];
    float* curve = f + static_cast<size_t>(first + s) * n;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
      const float x = static_cast<float>(i) + offset, d0 = x - t0, d1 = x - t1, d2 = x - t2;
      curve[i] = fmaf(a2, d2 > 0.0f ? d2 : 0.0f, fmaf(a1, d1 > 0.0f ? d1 : 0.0f, a0 * (d0 > 0.0f ? d0 : 0.0f)));
    }
    if (p != nullptr) {
      float* sparse = p + static_cast<size_t>(first + s) * (n - skipped);
      for (int i = threadIdx.x; i < n - skipped; i += blockDim.x) {
        const float x = static_cast<float>(i + skipped);
        sparse[i] = x == t0 ? a0 : x == t1 ? a1 : x == t2 ? a2 : 0.0f;
      }
    }
  }
}
