// How one thread, a CPU's, lists pixels, and multiplies with them: 16 output channels are a vector.
#pragma once
#include "conv2d_tile.cuh"

// Lists the next of a tile's pixels, at most kListed, and returns how many; `next` is the first
// pixel not yet looked at. Lists those that differ from the background, or all. Every thread of the
// block calls it, and gets the same.
__device__ __forceinline__ int list_pixels(const Tile& tile, const Channels& channels, bool all, List list, int& next) {
  int count = 0;
  const bool whole_rows = tile.pixel_columns == channels.columns;
  const float* start = channels.image +
                       (static_cast<size_t>(tile.first_row) * channels.columns + tile.first_column) * channels.in +
                       channels.first;
  for (; next < tile.pixels && count < kListed; ++next) {
    const float* values =
        start + (whole_rows ? next : next / tile.pixel_columns * channels.columns + next % tile.pixel_columns) *
                    static_cast<size_t>(channels.in);
    if (!all && whole_rows && channels.in == 1 && channels.background == nullptr && next + kLanes <= tile.pixels &&
        !any_lane(load_lanes(values, 0))) {
      next += kLanes - 1;  // sixteen dark pixels at once
    } else if (all || (channels.count == kLanes ? any_lane(channels.difference(values, 0)) : channels.differ(values))) {
      if (list.values != nullptr) {
        store_lanes(list.values + count * kLanes, 0, channels.difference(values, 0));
      }
      list.pixels[count++] = pixel_at(tile, next);
    }
  }
  return count;
}

// The cells of a tile, two positions by two, that are computed: here, those that listed pixels
// reach.
struct Reached {
  static constexpr bool kAll = false;
  unsigned char flags[kTilePositions / 4] = {};

  __device__ __forceinline__ bool has(const Tile& tile, int row, int column) const {
    return flags[row * (tile.columns / 2) + column] != 0;
  }

  // Calls body(row, column, 0) for each cell that these pixels are the first to reach.
  template <class Body>
  __device__ __forceinline__ void add(const Tile& tile, const Pixel* pixels, int count, Body body) {
    for (int i = 0; i < count; ++i) {
      const int last_row = min(tile.rows - 1, pixels[i].row + tile.half) / 2,
                last_column = min(tile.columns - 1, pixels[i].column + tile.half) / 2;
      for (int row = max(0, pixels[i].row - tile.half) / 2; row <= last_row; ++row) {
        for (int column = max(0, pixels[i].column - tile.half) / 2; column <= last_column; ++column) {
          unsigned char& flag = flags[row * (tile.columns / 2) + column];
          if (flag == 0) {
            flag = 1;
            body(row, column, 0);
          }
        }
      }
    }
  }
};

// Adds a pixel to the z of kTaps neighbouring positions, right to left, for taps from left to
// right.
template <int kTaps>
__device__ __forceinline__ void add_taps(int channels, int tap_stride, const float* values, const float* filters,
                                         float* z) {
  Lanes sums[kTaps];
#pragma unroll
  for (int t = 0; t < kTaps; ++t) {
    sums[t] = load_lanes(z - t * kLanes, 0);
  }
  for (int c = 0; c < channels; ++c) {
    const float value = values[c];
#pragma unroll
    for (int t = 0; t < kTaps; ++t) {
      sums[t] += value * load_lanes(filters + t * tap_stride + c * kLanes, 0);
    }
  }
#pragma unroll
  for (int t = 0; t < kTaps; ++t) {
    store_lanes(z - t * kLanes, 0, sums[t]);
  }
}

// z of the tile += what the listed pixels add to it. `filters` points at the first of the listed
// channels in the group's packed filters.
__device__ __forceinline__ void add_pixels(const Geometry& g, const Tile& tile, List list, int count, int channels,
                                           const float* filters, float* z) {
  const int tap_stride = g.in * kLanes;
  for (int r = 0; r < g.window; ++r, filters += g.window * tap_stride) {  // a row of filters stays in the first cache
    for (int i = 0; i < count; ++i) {
      const int row = list.pixels[i].row + tile.half - r, right = list.pixels[i].column + tile.half,
                end = min(g.window, right + 1);
      const float* values = list.values + i * kLanes;
      float* at = z + (row * tile.columns + right) * kLanes;
      if (row < 0 || row >= tile.rows) {
        continue;
      }
      int s = max(0, right - tile.columns + 1);
      for (; s + 5 <= end; s += 5) {
        add_taps<5>(channels, tap_stride, values, filters + s * tap_stride, at - s * kLanes);
      }
      for (; s + 3 <= end; s += 3) {
        add_taps<3>(channels, tap_stride, values, filters + s * tap_stride, at - s * kLanes);
      }
      for (; s < end; ++s) {
        add_taps<1>(channels, tap_stride, values, filters + s * tap_stride, at - s * kLanes);
      }
    }
  }
}

// dx of `channels` channels of the listed pixels += what the tile's positions around them give.
__device__ __forceinline__ void gather_positions(const Geometry& g, const Tile& tile, const Pixel* pixels, int count,
                                                 const Channels& channels, const float* filters, const float* dz,
                                                 float* dx) {
  for (int i = 0; i < count; ++i) {
    const Pixel pixel = pixels[i];
    const int low = pixel.row + tile.half, right = pixel.column + tile.half;
    Lanes sums[kLanes] = {};
    for (int r = max(0, low - tile.rows + 1); r < min(g.window, low + 1); ++r) {
      for (int s = max(0, right - tile.columns + 1); s < min(g.window, right + 1); ++s) {
        const Lanes gradient = load_lanes(dz + ((low - r) * tile.columns + right - s) * kLanes, 0);
        const float* weights = filters + static_cast<size_t>(r * g.window + s) * g.in * kLanes;
        if (!any_lane(gradient)) {
          continue;
        }
#pragma unroll
        for (int c = 0; channels.count == kLanes && c < kLanes; ++c) {
          sums[c] += gradient * load_lanes(weights + c * kLanes, 0);
        }
#pragma unroll
        for (int c = 0; channels.count < kLanes && c < kLanes - 1; ++c) {
          if (c < channels.count) {
            sums[c] += gradient * load_lanes(weights + c * kLanes, 0);
          }
        }
      }
    }
    float* to = dx + (static_cast<size_t>(tile.row + pixel.row) * g.columns + tile.column + pixel.column) * g.in +
                channels.first;
    store_some(to, 0, channels.count, load_some(to, 0, channels.count) + sums_over_lanes(sums));
  }
}

// sums(kChannels, 16) += the listed pixels' products with the dz that a tap gives them, and met(16)
// += that dz, where it is asked for.
template <int kChannels>
__device__ __forceinline__ void multiply_tap(const Tile& tile, const Pixel* pixels, int count, int down, int right,
                                             const float* values, const float* dz, float* sums_out, float* met_out) {
  Lanes sums[kChannels], met = met_out != nullptr ? load_lanes(met_out, 0) : Lanes{};
#pragma unroll
  for (int c = 0; c < kChannels; ++c) {
    sums[c] = load_lanes(sums_out + c * kLanes, 0);
  }
  for (int i = 0; i < count; ++i) {
    const int row = pixels[i].row + down, column = pixels[i].column + right;
    if (row >= 0 && row < tile.rows && column >= 0 && column < tile.columns) {
      const Lanes gradient = load_lanes(dz + (row * tile.columns + column) * kLanes, 0);
      met += gradient;
#pragma unroll
      for (int c = 0; c < kChannels; ++c) {
        sums[c] += values[i * kLanes + c] * gradient;
      }
    }
  }
#pragma unroll
  for (int c = 0; c < kChannels; ++c) {
    store_lanes(sums_out + c * kLanes, 0, sums[c]);
  }
  if (met_out != nullptr) {
    store_lanes(met_out, 0, met);
  }
}

// dw(taps, in, 16), from the first listed channel on, += the listed pixels' products with dz;
// met(taps, stride 16 * chunks) += the dz they are multiplied with.
__device__ __forceinline__ void multiply_pixels(const Geometry& g, const Tile& tile, List list, int count, int channels,
                                                const float* dz, float* dw, float* met) {
  for (int tap = 0; tap < g.taps(); ++tap) {
    const int down = tile.half - tap / g.window, right = tile.half - tap % g.window;
    float *sums = dw + static_cast<size_t>(tap) * g.in * kLanes,
          *tap_met = met == nullptr ? nullptr : met + static_cast<size_t>(tap) * g.chunks() * kLanes;
    if (channels == kLanes) {
      multiply_tap<kLanes>(tile, list.pixels, count, down, right, list.values, dz, sums, tap_met);
    }
    for (int c = 0; channels < kLanes && c < channels; ++c) {
      multiply_tap<1>(tile, list.pixels, count, down, right, list.values + c, dz, sums + c * kLanes,
                      c == 0 ? tap_met : nullptr);
    }
  }
}

// total(taps, 16) += for each tap, the sum of dz over the positions at which it meets the image.
__device__ __forceinline__ void sum_positions(const Geometry& g, const Tile& tile, const float* dz, float* total) {
  for (int s = 0; s < g.window; ++s) {
    const int first = max(0, tile.half - s - tile.column),
              last = min(tile.columns, g.columns + tile.half - s - tile.column);
    for (int p = 0; p < tile.rows; ++p) {
      Lanes sum{};
      for (int q = first; q < last; ++q) {
        sum += load_lanes(dz + (p * tile.columns + q) * kLanes, 0);
      }
      for (int r = max(0, tile.half - tile.row - p); r < min(g.window, g.rows + tile.half - tile.row - p); ++r) {
        float* to = total + (r * g.window + s) * kLanes;
        store_lanes(to, 0, load_lanes(to, 0) + sum);
      }
    }
  }
}
