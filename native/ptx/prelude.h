// What clang needs to compile kernels/*.cu to PTX without the CUDA toolkit: CUDA's attributes,
// built-in variables and device functions, over LLVM's NVPTX intrinsics. Kernels compiled with
// -fcuda-approx-transcendentals get the hardware's approximations, data kernels IEEE results.
#pragma once
#include <__clang_cuda_builtin_vars.h>

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __forceinline__ inline __attribute__((always_inline))
#define PLATEAU_DEVICE __device__ __forceinline__

typedef __SIZE_TYPE__ size_t;

// __syncthreads is known to clang itself.
PLATEAU_DEVICE void __syncwarp(unsigned mask = 0xffffffffu) { __nvvm_bar_warp_sync(mask); }
PLATEAU_DEVICE float __shfl_sync(unsigned mask, float value, int lane) {
  return __nvvm_shfl_sync_idx_f32(mask, value, lane, 0x1f);
}
PLATEAU_DEVICE int __shfl_sync(unsigned mask, int value, int lane) {
  return __nvvm_shfl_sync_idx_i32(mask, value, lane, 0x1f);
}
PLATEAU_DEVICE float __shfl_xor_sync(unsigned mask, float value, int lanes) {
  return __nvvm_shfl_sync_bfly_f32(mask, value, lanes, 0x1f);
}
PLATEAU_DEVICE int __shfl_xor_sync(unsigned mask, int value, int lanes) {
  return __nvvm_shfl_sync_bfly_i32(mask, value, lanes, 0x1f);
}
PLATEAU_DEVICE float __shfl_down_sync(unsigned mask, float value, unsigned delta) {
  return __nvvm_shfl_sync_down_f32(mask, value, delta, 0x1f);
}
PLATEAU_DEVICE int __shfl_down_sync(unsigned mask, int value, unsigned delta) {
  return __nvvm_shfl_sync_down_i32(mask, value, delta, 0x1f);
}
PLATEAU_DEVICE double __shfl_xor_sync(unsigned mask, double value, int lanes) {
  union {
    double whole;
    int half[2];
  } bits{value};
  bits.half[0] = __shfl_xor_sync(mask, bits.half[0], lanes);
  bits.half[1] = __shfl_xor_sync(mask, bits.half[1], lanes);
  return bits.whole;
}

PLATEAU_DEVICE unsigned __ballot_sync(unsigned mask, int predicate) {
  return __nvvm_vote_ballot_sync(mask, predicate != 0);
}

PLATEAU_DEVICE unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<unsigned long long>(a) * b) >> 32);
}
PLATEAU_DEVICE int __popc(unsigned x) { return __builtin_popcount(x); }
PLATEAU_DEVICE int min(int a, int b) { return a < b ? a : b; }
PLATEAU_DEVICE int max(int a, int b) { return a > b ? a : b; }
PLATEAU_DEVICE unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
PLATEAU_DEVICE unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
PLATEAU_DEVICE int __float_as_int(float x) { return __builtin_bit_cast(int, x); }
PLATEAU_DEVICE unsigned __float_as_uint(float x) { return __builtin_bit_cast(unsigned, x); }
PLATEAU_DEVICE float __int_as_float(int x) { return __builtin_bit_cast(float, x); }
PLATEAU_DEVICE float __uint_as_float(unsigned x) { return __builtin_bit_cast(float, x); }

PLATEAU_DEVICE float fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
PLATEAU_DEVICE double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
PLATEAU_DEVICE float fabsf(float x) { return __builtin_fabsf(x); }
PLATEAU_DEVICE float fminf(float a, float b) { return __builtin_fminf(a, b); }
PLATEAU_DEVICE float fmaxf(float a, float b) { return __builtin_fmaxf(a, b); }
PLATEAU_DEVICE float floorf(float x) { return __builtin_floorf(x); }
PLATEAU_DEVICE double sqrt(double x) { return __nvvm_sqrt_rn_d(x); }
#if defined(__CLANG_GPU_APPROX_TRANSCENDENTALS__)
PLATEAU_DEVICE float sqrtf(float x) { return __nvvm_sqrt_approx_ftz_f(x); }
PLATEAU_DEVICE float expf(float x) { return __nvvm_ex2_approx_ftz_f(x * 1.4426950408889634f); }
PLATEAU_DEVICE float logf(float x) { return __nvvm_lg2_approx_ftz_f(x) * 0.6931471805599453f; }
#else
PLATEAU_DEVICE float sqrtf(float x) { return __nvvm_sqrt_rn_f(x); }
#endif

PLATEAU_DEVICE float atomicAdd(float* address, float value) { return __nvvm_atom_add_gen_f(address, value); }
PLATEAU_DEVICE int atomicAdd(int* address, int value) { return __nvvm_atom_add_gen_i(address, value); }
PLATEAU_DEVICE unsigned atomicAdd(unsigned* address, unsigned value) {
  return static_cast<unsigned>(__nvvm_atom_add_gen_i(reinterpret_cast<int*>(address), static_cast<int>(value)));
}
PLATEAU_DEVICE int atomicMax(int* address, int value) { return __nvvm_atom_max_gen_i(address, value); }
PLATEAU_DEVICE int atomicMin(int* address, int value) { return __nvvm_atom_min_gen_i(address, value); }

#undef PLATEAU_DEVICE
