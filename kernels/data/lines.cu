// Tuples of images of lines (section 3.1). A line has its centre, direction theta ~ U[0, pi) and
// length ~ U[5, 23); the pixels of the points centre +- i (cos theta, sin theta), i = 0 ...
// floor(length / 2) - 1, are 1, the others 0. Its label is +1 where theta < pi / 2, else -1; a
// tuple's label is the product of its images' labels.
// One Philox draw per image: theta, length, and both coordinates of the centre.
#include "../common.cuh"
#include "../philox.cuh"

constexpr int kSide = 28;
constexpr int kPixels = kSide * kSide;

// How points are put on the grid: centre uniform in [0, 27)^2 and points rounded to the nearest
// integer; else, as in the authors' program, centre uniform in [0, 28)^2 and points truncated
// toward zero.
constexpr int kPaperRaster = 0;

// The pixel of a coordinate, or -1 outside of the image.
__device__ __forceinline__ int pixel(int raster, float coordinate) {
  const int at = raster == kPaperRaster ? static_cast<int>(floorf(coordinate + 0.5f)) : static_cast<int>(coordinate);
  return at >= 0 && at < kSide ? at : -1;
}

// x(n, k, 28, 28), y(n, k), product(n) of the tuples first, first + 1, ... of the stream. A block
// per tuple.
extern "C" __global__ void __launch_bounds__(1024)
    line_tuples(int first, int k, int raster, const unsigned long long* __restrict__ seed, unsigned stream,
                const unsigned* __restrict__ step, float* __restrict__ x, float* __restrict__ y,
                float* __restrict__ product, long long replica_stride) {
  to_replica(replica_stride, seed, step, x, y, product);
  const unsigned now = step[0];
  const float extent = raster == kPaperRaster ? 27.0f : 28.0f;
  float sign = 1.0f;
  for (int j = 0; j < k; ++j) {
    const size_t image = static_cast<size_t>(blockIdx.x) * k + j;
    float* pixels = x + image * kPixels;
    for (int i = threadIdx.x; i < kPixels; i += blockDim.x) {
      pixels[i] = 0.0f;
    }
    __syncthreads();
    if (threadIdx.x == 0) {  // some 15 points, of which neighbours may share a pixel
      const Philox bits = draw(static_cast<unsigned>(first) * static_cast<unsigned>(k) + static_cast<unsigned>(image),
                               stream, now, 0, seed[0]);
      const float turn = uniform(bits.x), row = uniform(bits.z) * extent, column = uniform(bits.w) * extent;
      const SinCos direction = exact_sincos_turns(0.5f * turn);
      const int half = static_cast<int>(0.5f * fmaf(uniform(bits.y), 18.0f, 5.0f));
      for (int i = 1 - half; i < half; ++i) {
        const int r = pixel(raster, fmaf(static_cast<float>(i), direction.cos, row)),
                  c = pixel(raster, fmaf(static_cast<float>(i), direction.sin, column));
        if (r >= 0 && c >= 0) {
          pixels[r * kSide + c] = 1.0f;
        }
      }
      const float label = turn < 0.5f ? 1.0f : -1.0f;
      y[image] = label;
      sign *= label;
    }
  }
  if (threadIdx.x == 0) {
    product[blockIdx.x] = sign;
  }
}
