// One kernel per feature of a CUDA device that native/simt provides, and two that are wrong on
// purpose, which the sanitizers must find.
#include "../../kernels/common.cuh"

// out(5, 32): what each lane of a warp receives.
extern "C" __global__ void __launch_bounds__(1024) shuffles(int width, int* __restrict__ out) {
  const int lane = static_cast<int>(threadIdx.x);
  out[lane] = __shfl_sync(kFullMask, lane * 10, 3, width);
  out[32 + lane] = __shfl_up_sync(kFullMask, lane * 10, 2, width);
  out[64 + lane] = __shfl_down_sync(kFullMask, lane * 10, 2, width);
  out[96 + lane] = __shfl_xor_sync(kFullMask, lane * 10, 5, width);
  out[128 + lane] = static_cast<int>(__shfl_xor_sync(kFullMask, static_cast<float>(lane) + 0.5f, 1, width) * 2.0f);
}

extern "C" __global__ void __launch_bounds__(1024) votes(unsigned* __restrict__ out) {
  const unsigned odd = __ballot_sync(kFullMask, threadIdx.x % 2 == 1);
  const int any = __any_sync(kFullMask, threadIdx.x == 40), all = __all_sync(kFullMask, threadIdx.x < 40);
  out[threadIdx.x] = odd + static_cast<unsigned>(any) * 2u + static_cast<unsigned>(all);
}

// Each block reverses its 64 values through shared memory.
extern "C" __global__ void __launch_bounds__(1024) reverse_blocks(int* __restrict__ values) {
  __shared__ int staged[64];
  int* mine = values + blockIdx.x * 64;
  for (int i = threadIdx.x; i < 64; i += blockDim.x) {
    staged[i] = mine[i];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < 64; i += blockDim.x) {
    mine[i] = staged[63 - i];
  }
}

// Only blocks past the first have a barrier.
extern "C" __global__ void __launch_bounds__(1024) barrier_in_later_blocks(int* __restrict__ out) {
  __shared__ int from_last;
  if (blockIdx.x > 0) {
    if (threadIdx.x == blockDim.x - 1) {
      from_last = static_cast<int>(blockIdx.x);
    }
    __syncthreads();
    out[blockIdx.x * blockDim.x + threadIdx.x] = from_last;
  } else {
    out[threadIdx.x] = -1;
  }
}

// Threads leave at different times after the last collective: allowed.
extern "C" __global__ void __launch_bounds__(1024) divergent_exits(int* __restrict__ out) {
  const float sum = block_sum(1.0f);
  if (threadIdx.x % 3 == 0) {
    return;
  }
  out[threadIdx.x] = static_cast<int>(sum);
}

// Thread (3, 0, 0) never reaches the barrier.
extern "C" __global__ void __launch_bounds__(1024) divergent_barrier(int* __restrict__ out) {
  if (threadIdx.x != 3) {
    __syncthreads();
  }
  out[threadIdx.x] = 1;
}

extern "C" __global__ void __launch_bounds__(1024) indices(int* __restrict__ out) {
  const unsigned thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  const unsigned block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] =
      static_cast<int>(threadIdx.x + 10 * threadIdx.y + 100 * threadIdx.z + 1000 * blockIdx.x + 10000 * blockIdx.y +
                       100000 * blockIdx.z);
}

extern "C" __global__ void __launch_bounds__(1024) atomics(int* __restrict__ integers, float* __restrict__ sum) {
  atomicAdd(&integers[0], 1);
  atomicMax(&integers[1], static_cast<int>(threadIdx.x));
  atomicMin(&integers[2], -static_cast<int>(threadIdx.x));
  atomicCAS(&integers[3], 0, 7);
  atomicAdd(sum, 0.5f);
}

extern "C" {
__constant__ float coefficients[4] = {1.0f, 2.0f, 3.0f, 4.0f};
}

extern "C" __global__ void polynomial(int n, const float* __restrict__ x, float* __restrict__ y) {
  const int i = element_index();
  if (i < n) {
    y[i] = coefficients[0] + x[i] * (coefficients[1] + x[i] * (coefficients[2] + x[i] * coefficients[3]));
  }
}

// Wrong: reads a neighbour's value without a barrier.
extern "C" __global__ void __launch_bounds__(1024) race(int* __restrict__ out) {
  __shared__ int staged[1024];
  staged[threadIdx.x] = static_cast<int>(threadIdx.x);
  out[threadIdx.x] = staged[(threadIdx.x + 1) % blockDim.x];
}

// Wrong: writes one element too many.
extern "C" __global__ void overrun(int n, float* __restrict__ out) {
  const int i = element_index();
  if (i <= n) {
    out[i] = 1.0f;
  }
}
