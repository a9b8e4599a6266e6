// How the threads of a block list pixels, and multiply with them: most have a tap and an output
// channel.
#pragma once
#include "conv2d_tile.cuh"

// Lists the next of a tile's pixels, at most kListed, and returns how many; `next` is the first
// pixel not yet looked at. Lists those that differ from the background, or all. Every thread of the
// block calls it, and gets the same.
__device__ __forceinline__ int list_pixels(const Tile& tile, const Channels& channels, bool all, List list, int& next) {
  int count = 0;
  const int first = next, span = min(kListed, tile.pixels - first);
  next += span;
  // Nobody reads the flags of the former list any more; its pixels are in use up to the next
  // barrier.
  for (int i = threadIdx.x; i < span; i += blockDim.x) {
    list.flags[i] = all || channels.differ(channels.of(tile, pixel_at(tile, first + i))) ? 1 : 0;
  }
  __syncthreads();
  if (blockDim.x == 1) {
    for (int i = 0; i < span; ++i) {
      if (list.flags[i] != 0) {
        list.pixels[count++] = pixel_at(tile, first + i);
      }
    }
    *list.counted = count;
  } else if (threadIdx.x < kWarpThreads) {
    const int thread = static_cast<int>(threadIdx.x);
    for (int i = thread; i - thread < span; i += kWarpThreads) {
      const bool listed = i < span && list.flags[i] != 0;
      const unsigned votes = __ballot_sync(kFullMask, listed ? 1 : 0);
      if (listed) {
        list.pixels[count + __popc(votes & ((1u << thread) - 1u))] = pixel_at(tile, first + i);
      }
      count += __popc(votes);
    }
    if (thread == 0) {
      *list.counted = count;
    }
  }
  __syncthreads();
  count = *list.counted;
  if (list.values != nullptr) {
    for_each_lane(count, [&](int i, int lane) {
      store_lanes(list.values + i * kLanes, lane, channels.difference(channels.of(tile, list.pixels[i]), lane));
    });
    __syncthreads();
  }
  return count;
}

// The cells of a tile, two positions by two, that are computed: here, all of them.
struct Reached {
  static constexpr bool kAll = true;
  __device__ __forceinline__ bool has(const Tile&, int, int) const { return true; }
  template <class Body>
  __device__ __forceinline__ void add(const Tile&, const Pixel*, int, Body) {}
};

// z of the tile += what the listed pixels add to it. `filters` points at the first of the listed
// channels in the group's packed filters. A thread keeps the weights of one tap and output channel;
// the taps of one pixel never meet, those of two may.
__device__ __forceinline__ void add_pixels(const Geometry& g, const Tile& tile, List list, int count, int channels,
                                           const float* filters, float* z) {
  const int tap_stride = g.in * kLanes;
  for (int first = 0; first < g.taps() * kLanes; first += blockDim.x) {
    const int unit = first + static_cast<int>(threadIdx.x), tap = unit / kLanes, lane = unit % kLanes,
              down = tile.half - tap / g.window, right = tile.half - tap % g.window;
    float weights[kLanes];
#pragma unroll
    for (int c = 0; c < kLanes; ++c) {
      weights[c] =
          tap < g.taps() && c < channels ? filters[static_cast<size_t>(tap) * tap_stride + c * kLanes + lane] : 0.0f;
    }
    for (int i = 0; i < count; ++i) {
      const int row = list.pixels[i].row + down, column = list.pixels[i].column + right;
      if (tap < g.taps() && row >= 0 && row < tile.rows && column >= 0 && column < tile.columns) {
        float sum = z[(row * tile.columns + column) * kLanes + lane];
#pragma unroll
        for (int c = 0; c < kLanes; ++c) {
          if (c < channels) {
            sum += weights[c] * list.values[i * kLanes + c];
          }
        }
        z[(row * tile.columns + column) * kLanes + lane] = sum;
      }
      __syncthreads();
    }
  }
}

// dx of `channels` channels of the listed pixels += what the tile's positions around them give.
__device__ __forceinline__ void gather_positions(const Geometry& g, const Tile& tile, const Pixel* pixels, int count,
                                                 const Channels& channels, const float* filters, const float* dz,
                                                 float* dx) {
  for (int i = threadIdx.x; i < count * channels.count; i += blockDim.x) {
    const Pixel pixel = pixels[i / channels.count];
    const int c = i % channels.count, low = pixel.row + tile.half, right = pixel.column + tile.half;
    float sum = 0.0f;
    for (int r = max(0, low - tile.rows + 1); r < min(g.window, low + 1); ++r) {
      for (int s = max(0, right - tile.columns + 1); s < min(g.window, right + 1); ++s) {
        const float *gradient = dz + ((low - r) * tile.columns + right - s) * kLanes,
                    *weights = filters + (static_cast<size_t>(r * g.window + s) * g.in + c) * kLanes;
#pragma unroll
        for (int lane = 0; lane < kLanes; ++lane) {
          sum += gradient[lane] * weights[lane];
        }
      }
    }
    dx[(static_cast<size_t>(tile.row + pixel.row) * g.columns + tile.column + pixel.column) * g.in + channels.first +
       c] += sum;
  }
}

// dw(taps, in, 16), from the first listed channel on, += the listed pixels' products with dz;
// met(taps, stride 16 * chunks) += the dz they are multiplied with. A thread has one tap and output
// channel.
__device__ __forceinline__ void multiply_pixels(const Geometry& g, const Tile& tile, List list, int count, int channels,
                                                const float* dz, float* dw, float* met) {
  for (int i = threadIdx.x; i < g.taps() * kLanes; i += blockDim.x) {
    const int tap = i / kLanes, lane = i % kLanes, down = tile.half - tap / g.window,
              right = tile.half - tap % g.window;
    float sums[kLanes] = {}, sum = 0.0f;
    for (int k = 0; k < count; ++k) {
      const int row = list.pixels[k].row + down, column = list.pixels[k].column + right;
      const float gradient = row >= 0 && row < tile.rows && column >= 0 && column < tile.columns
                                 ? dz[(row * tile.columns + column) * kLanes + lane]
                                 : 0.0f;
      if (gradient != 0.0f) {
        sum += gradient;
#pragma unroll
        for (int c = 0; c < kLanes; ++c) {
          sums[c] += list.values[k * kLanes + c] * gradient;
        }
      }
    }
#pragma unroll
    for (int c = 0; c < kLanes; ++c) {
      if (c < channels) {
        dw[(static_cast<size_t>(tap) * g.in + c) * kLanes + lane] += sums[c];
      }
    }
    if (met != nullptr) {
      met[static_cast<size_t>(tap) * g.chunks() * kLanes + lane] += sum;
    }
  }
}

// total(taps, 16) += for each tap, the sum of dz over the positions at which it meets the image.
__device__ __forceinline__ void sum_positions(const Geometry& g, const Tile& tile, const float* dz, float* total) {
  for (int i = threadIdx.x; i < g.taps() * kLanes; i += blockDim.x) {
    const int r = i / kLanes / g.window, s = i / kLanes % g.window, lane = i % kLanes;
    float sum = 0.0f;
    for (int p = max(0, tile.half - r - tile.row); p < min(tile.rows, g.rows + tile.half - r - tile.row); ++p) {
      for (int q = max(0, tile.half - s - tile.column); q < min(tile.columns, g.columns + tile.half - s - tile.column);
           ++q) {
        sum += dz[(p * tile.columns + q) * kLanes + lane];
      }
    }
    total[i] += sum;
  }
}
