// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC
// 2011), and what is drawn from it. Every number is a function of (seed, stream, step, element,
// draw), so data does not depend on the device, the launch shape or the order of work.
// Only integer arithmetic and IEEE operations in a fixed order, with explicit fmaf: compiled
// without contraction, the bits agree on every device.
#pragma once

struct Philox {
  unsigned x, y, z, w;
};

// Ten rounds over a 128-bit counter with a 64-bit key.
__device__ __forceinline__ Philox philox(unsigned c0, unsigned c1, unsigned c2, unsigned c3, unsigned long long seed) {
  unsigned k0 = static_cast<unsigned>(seed), k1 = static_cast<unsigned>(seed >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const unsigned low0 = 0xD2511F53u * c0, low1 = 0xCD9E8D57u * c2;
    const unsigned high0 = __umulhi(0xD2511F53u, c0), high1 = __umulhi(0xCD9E8D57u, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {c0, c1, c2, c3};
}

// The draw of one element of one stream at one step.
__device__ __forceinline__ Philox draw(unsigned element, unsigned stream, unsigned step, unsigned index,
                                       unsigned long long seed) {
  return philox(element, stream, step, index, seed);
}

// Uniform in [0, 1): 24 random bits.
__device__ __forceinline__ float uniform(unsigned bits) {
  return static_cast<float>(bits >> 8) * 5.9604644775390625e-8f;
}

// Uniform in (0, 1].
__device__ __forceinline__ float uniform_above_zero(unsigned bits) {
  return static_cast<float>((bits >> 8) + 1) * 5.9604644775390625e-8f;
}

// Natural logarithm of a normal positive float: x = m 2^e with m in [sqrt(1/2), sqrt 2), log m = 2
// atanh((m - 1) / (m + 1)).
__device__ __forceinline__ float exact_log(float x) {
  const int bits = __float_as_int(x), shifted = bits - 0x3f3504f3;
  const int exponent = shifted >> 23;
  const float m = __int_as_float((shifted & 0x007fffff) + 0x3f3504f3);
  const float s = (m - 1.0f) / (m + 1.0f), t = s * s;
  float p = fmaf(t, 0.1111111111f, 0.1428571429f);
  p = fmaf(p, t, 0.2f);
  p = fmaf(p, t, 0.3333333333f);
  p = fmaf(p, t, 1.0f);
  return fmaf(static_cast<float>(exponent), 0.693147180559945f, 2.0f * s * p);
}

struct SinCos {
  float sin, cos;
};

// Sine and cosine of 2 pi u for u in [0, 1): u is reduced to the nearest quarter turn, then Taylor
// polynomials on [-pi/4, pi/4].
__device__ __forceinline__ SinCos exact_sincos_turns(float u) {
  const int quarter = static_cast<int>(fmaf(u, 4.0f, 0.5f));
  const float a = fmaf(static_cast<float>(quarter), -0.25f, u) * 6.283185307179586f, t = a * a;
  float s = fmaf(t, 2.7557319e-6f, -1.9841270e-4f);
  s = fmaf(s, t, 8.3333333e-3f);
  s = fmaf(s, t, -0.16666667f);
  s = fmaf(s * t, a, a);
  float c = fmaf(t, 2.4801587e-5f, -1.3888889e-3f);
  c = fmaf(c, t, 4.1666667e-2f);
  c = fmaf(c, t, -0.5f);
  c = fmaf(c, t, 1.0f);
  const bool swap = (quarter & 1) != 0;
  const float sine = swap ? c : s, cosine = swap ? s : c;
  return {(quarter & 2) != 0 ? -sine : sine, ((quarter + 1) & 2) != 0 ? -cosine : cosine};
}

struct NormalPair {
  float first, second;
};

// Two independent standard normals from two words (Box and Muller 1958).
__device__ __forceinline__ NormalPair normal_pair(unsigned bits0, unsigned bits1) {
  const float radius = sqrtf(-2.0f * exact_log(uniform_above_zero(bits0)));
  const SinCos angle = exact_sincos_turns(uniform(bits1));
  return {radius * angle.cos, radius * angle.sin};
}
