// Data of the step functions (section 5): x ~ N(0, I) * scale, r = w x + b, y = u(r) with levels z.
#include "../common.cuh"
#include "../levels.cuh"
#include "../philox.cuh"

constexpr int kDraws = 64;            // per block
constexpr int kNormals = 4 * kDraws;  // per block
constexpr int kPartialSums = 32;      // of a dot product

// out(n) ~ N(0, scale^2). Draw i of a block gives its normals i, 64 + i, 128 + i and 192 + i, so
// that stores are contiguous. Grid ceil(n / 256).
extern "C" __global__ void __launch_bounds__(1024)
    scaled_normals(int n, float scale, const unsigned long long* __restrict__ seed, unsigned stream,
                   const unsigned* __restrict__ step, float* __restrict__ out, long long replica_stride) {
  to_replica(replica_stride, seed, step, out);
  __shared__ float normals[kNormals];
  const int first = static_cast<int>(blockIdx.x) * kNormals, count = min(kNormals, n - first);
  const unsigned now = step[0];
  for (int i = threadIdx.x; i < kDraws; i += blockDim.x) {
    const Philox bits = draw(blockIdx.x * kDraws + static_cast<unsigned>(i), stream, now, 0, seed[0]);
    const NormalPair low = normal_pair(bits.x, bits.y), high = normal_pair(bits.z, bits.w);
    normals[i] = scale * low.first;
    normals[kDraws + i] = scale * low.second;
    normals[2 * kDraws + i] = scale * high.first;
    normals[3 * kDraws + i] = scale * high.second;
  }
  __syncthreads();
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    out[first + i] = normals[i];
  }
}

// z(levels) = b + offset(levels).
extern "C" __global__ void shifted_levels(int levels, const float* __restrict__ offset, const float* __restrict__ b,
                                          float* __restrict__ z, long long replica_stride) {
  to_replica(replica_stride, offset, b, z);
  const int i = element_index();
  const float shift = b[0];
  if (i < levels) {
    z[i] = shift + offset[i];
  }
}

// r(n) = x(n, d) w(d) + b, label(n) = the index of r's level, y(n) = the level. Products are summed
// in 32 lanes, lanes as a tree: one order on every device. A block per sample.
extern "C" __global__ void __launch_bounds__(1024)
    step_labels(int d, int levels, const float* __restrict__ x, const float* __restrict__ w,
                const float* __restrict__ b, const float* __restrict__ z, float* __restrict__ r,
                int* __restrict__ label, float* __restrict__ y, long long replica_stride) {
  to_replica(replica_stride, x, w, b, z, r, label, y);
  __shared__ float lanes[kPartialSums];  // until the barrier, a thread reads and writes its own lanes only
  const float* row = x + static_cast<size_t>(blockIdx.x) * d;
  for (int lane = threadIdx.x; lane < kPartialSums; lane += blockDim.x) {
    lanes[lane] = 0.0f;
  }
  int j = 0;
  for (; j + kPartialSums <= d; j += kPartialSums) {
    for (int lane = threadIdx.x; lane < kPartialSums; lane += blockDim.x) {
      lanes[lane] = fmaf(row[j + lane], w[j + lane], lanes[lane]);
    }
  }
  for (int lane = threadIdx.x; lane < d - j; lane += blockDim.x) {
    lanes[lane] = fmaf(row[j + lane], w[j + lane], lanes[lane]);
  }
  __syncthreads();
  if (threadIdx.x == 0) {
#pragma unroll
    for (int half = kPartialSums / 2; half > 0; half /= 2) {
#pragma unroll
      for (int lane = 0; lane < half; ++lane) {
        lanes[lane] += lanes[lane + half];
      }
    }
    const float score = lanes[0] + b[0];
    const int level = level_index(score, z, levels);
    r[blockIdx.x] = score;
    label[blockIdx.x] = level;
    y[blockIdx.x] = z[level];
  }
}
