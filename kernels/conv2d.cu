// Two-dimensional convolution (as networks use the word: cross-correlation), stride 1, "same" padding, any odd window, with max-pooling 2 x 2 of stride 2 fused into its end:
//   z[b, p, q, o] = bias[o] + sum over r, s, c of w[o, r, s, c] x[b, p + r - half, q + s - half, c],   y[b, i, j, o] = max of z[b, 2i + {0, 1}, 2j + {0, 1}, o]
// x is (batch, rows, columns, in), w is (out, window, window, in), y is (batch, rows / 2, columns / 2, out), half = (window - 1) / 2; x is zero outside, rows and columns are even. z is
// never stored: which of the four won, the first of equals, is kept as winners[b, i, j, o] = 0 ... 3, row-major. Only the winners have a gradient.
//
// Images are sparse: most pixels equal a constant background (null: zero), as those of line images do, and those of what the first convolution makes of them (its bias). So
//   x = background + difference,   z = what the background alone gives, once per launch, + a sum over the pixels that differ,
// which holds for any image and costs the work of the pixels that differ. The gradient of a pixel that equals a given background goes to the background, not to x.
//
// A block works on 16 output channels of an image, in tiles of z that fit into shared memory; the pixels that differ are listed first, in order. On CPUs 16 channels are a vector. The order
// of every sum is fixed.
#include "lanes.cuh"

constexpr int kTilePositions = 392;  // of z
constexpr int kTileColumns = 28;     // at most
constexpr int kListed = 256;         // pixels at a time

struct Geometry {
  int rows, columns, in, out, window;
  __device__ __forceinline__ int half() const { return (window - 1) / 2; }
  __device__ __forceinline__ int taps() const { return window * window; }
  __device__ __forceinline__ int lanes(int group) const { return min(kLanes, out - group * kLanes); }
  __device__ __forceinline__ int chunks() const { return ceil_div(in, kLanes); }
  __device__ __forceinline__ int tile_rows() const { return min(rows, kTilePositions / min(columns, kTileColumns) / 2 * 2); }
  __device__ __forceinline__ int tiles() const { return ceil_div(rows, tile_rows()) * ceil_div(columns, kTileColumns); }
};

// A part of z: rows x columns positions from (row, column) on, all even. And the pixels under its windows: a rectangle of x, row-major.
struct Tile {
  int row, column, rows, columns, half, first_row, first_column, pixel_columns, pixels;
  __device__ __forceinline__ Tile(const Geometry& g, int index) : half(g.half()) {
    const int across = ceil_div(g.columns, kTileColumns);
    row = index / across * g.tile_rows();
    column = index % across * kTileColumns;
    rows = min(g.tile_rows(), g.rows - row);
    columns = min(kTileColumns, g.columns - column);
    first_row = max(0, row - half);
    first_column = max(0, column - half);
    pixel_columns = min(g.columns, column + columns + half) - first_column;
    pixels = (min(g.rows, row + rows + half) - first_row) * pixel_columns;
  }
};

// Where the middle tap of a pixel stands in a tile: it may lie outside.
struct Pixel {
  int row, column;
};
__device__ __forceinline__ Pixel pixel_at(const Tile& tile, int i) {
  return {tile.first_row + i / tile.pixel_columns - tile.row, tile.first_column + i % tile.pixel_columns - tile.column};
}

// Channels [first, first + count) of an image's pixels, count at most 16, with the background subtracted.
struct Channels {
  const float* image;
  const float* background;
  int columns, in, first, count;
  __device__ __forceinline__ Channels(const Geometry& g, const float* x, size_t b, const float* background_, int chunk)
      : image(x + b * g.rows * g.columns * g.in), background(background_), columns(g.columns), in(g.in), first(chunk * kLanes), count(min(kLanes, g.in - first)) {}

  __device__ __forceinline__ const float* of(const Tile& tile, Pixel pixel) const {
    return image + (static_cast<size_t>(tile.row + pixel.row) * columns + tile.column + pixel.column) * in + first;
  }
  __device__ __forceinline__ Lanes difference(const float* values, int lane) const {
    const Lanes all = load_some(values, lane, count);
    return background == nullptr ? all : all - load_some(background + first, lane, count);
  }
  __device__ __forceinline__ bool differ(const float* values) const {
    bool differs = false;
    for (int c = 0; c < count; ++c) {
      differs |= values[c] != (background == nullptr ? 0.0f : background[first + c]);
    }
    return differs;
  }
};

// Pixels in shared memory.
struct List {
  Pixel* pixels;  // kListed
  float* values;  // (kListed, 16): their channels with the background subtracted, zero past the last; null where nobody asks
  int* flags;     // kListed
  int* counted;   // 1
};

// Lists the next of a tile's pixels, at most kListed, and returns how many; `next` is the first pixel not yet looked at. Lists those that differ from the background, or all. Every thread of
// the block calls it, and gets the same.
__device__ __forceinline__ int list_pixels(const Tile& tile, const Channels& channels, bool all, List list, int& next) {
  int count = 0;
#if defined(SIMT_ONE_THREAD)
  const bool whole_rows = tile.pixel_columns == channels.columns;
  const float* start = channels.image + (static_cast<size_t>(tile.first_row) * channels.columns + tile.first_column) * channels.in + channels.first;
  for (; next < tile.pixels && count < kListed; ++next) {
    const float* values = start + (whole_rows ? next : next / tile.pixel_columns * channels.columns + next % tile.pixel_columns) * static_cast<size_t>(channels.in);
    if (!all && whole_rows && channels.in == 1 && channels.background == nullptr && next + kLanes <= tile.pixels && !any_lane(load_lanes(values, 0))) {
      next += kLanes - 1;  // sixteen dark pixels at once
    } else if (all || (channels.count == kLanes ? any_lane(channels.difference(values, 0)) : channels.differ(values))) {
      if (list.values != nullptr) {
        store_lanes(list.values + count * kLanes, 0, channels.difference(values, 0));
      }
      list.pixels[count++] = pixel_at(tile, next);
    }
  }
#else
  const int first = next, span = min(kListed, tile.pixels - first);
  next += span;
  __syncthreads();  // the former list has been used
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
    for_each_lane(count, [&](int i, int lane) { store_lanes(list.values + i * kLanes, lane, channels.difference(channels.of(tile, list.pixels[i]), lane)); });
    __syncthreads();
  }
#endif
  return count;
}

// One thread: the cells of a tile whose positions the listed pixels reach.
struct Reached {
  unsigned char flags[kTilePositions / 4] = {};
  __device__ __forceinline__ bool has(const Tile& tile, int row, int column) const { return flags[row * (tile.columns / 2) + column] != 0; }

  // Calls body(row, column, 0) for each cell that these pixels are the first to reach.
  template <class Body>
  __device__ __forceinline__ void add(const Tile& tile, const Pixel* pixels, int count, Body body) {
    for (int i = 0; i < count; ++i) {
      const int last_row = min(tile.rows - 1, pixels[i].row + tile.half) / 2, last_column = min(tile.columns - 1, pixels[i].column + tile.half) / 2;
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

// ---- once per launch: filters by tap, and what the background alone gives ----

// packed(groups, taps, in, 16) = the filters with the output channels of a group innermost, zero past the last. response(groups, taps, 16) = each tap's answer to the background.
// A block per tap and group: grid (taps, groups).
extern "C" __global__ void __launch_bounds__(1024) conv2d_pack(int in, int out, const float* __restrict__ w, const float* __restrict__ background, float* __restrict__ packed,
                                                                float* __restrict__ response) {
  const int tap = static_cast<int>(blockIdx.x), taps = static_cast<int>(gridDim.x), first = static_cast<int>(blockIdx.y) * kLanes;
  const size_t slab = static_cast<size_t>(blockIdx.y) * taps + tap;
  for (int lane = threadIdx.x; lane < kLanes; lane += blockDim.x) {
    float sum = 0.0f;
    for (int c = 0; c < in; ++c) {
      const float weight = first + lane < out ? w[(static_cast<size_t>(first + lane) * taps + tap) * in + c] : 0.0f;
      packed[(slab * in + c) * kLanes + lane] = weight;
      sum += background == nullptr ? 0.0f : background[c] * weight;
    }
    response[slab * kLanes + lane] = sum;
  }
}

// The maximum of a cell's four positions, and which it was: the first of equals, and what is not a number before all others. `corner` points at the first position.
__device__ __forceinline__ Lanes pool(const float* corner, int columns, int lane, IntLanes& winner) {
  Lanes largest = load_lanes(corner, lane);
  winner = IntLanes{};
#pragma unroll
  for (int quadrant = 1; quadrant < 4; ++quadrant) {
    const Lanes value = load_lanes(corner + (quadrant / 2 * columns + quadrant % 2) * kLanes, lane);
    const auto wins = (value > largest) | (value != value);
    largest = wins ? value : largest;
    winner = wins ? IntLanes{} + quadrant : winner;
  }
  return largest;
}

// base(groups, rows, columns, 16) = z of an image that is nothing but background; pooled(groups, rows / 2, columns / 2, 16) and pooled_winners = its pooled outputs.
// A block per pair of rows and group: grid (rows / 2, groups).
extern "C" __global__ void __launch_bounds__(1024) conv2d_base(int columns, int out, int window, const float* __restrict__ bias, const float* __restrict__ response, float* __restrict__ base,
                                                                float* __restrict__ pooled, unsigned char* __restrict__ pooled_winners) {
  const int rows = 2 * static_cast<int>(gridDim.x), half = (window - 1) / 2, first = static_cast<int>(blockIdx.y) * kLanes;
  const size_t pair = static_cast<size_t>(blockIdx.y) * gridDim.x + blockIdx.x;
  const float* taps = response + static_cast<size_t>(blockIdx.y) * window * window * kLanes;
  float* to = base + pair * 2 * columns * kLanes;
  for_each_lane(2, columns, [&](int p, int q, int lane) {
    const int row = 2 * static_cast<int>(blockIdx.x) + p - half, column = q - half;
    Lanes sum = load_some(bias + first, lane, min(kLanes, out - first));
    for (int r = max(0, -row); r < min(window, rows - row); ++r) {
      for (int s = max(0, -column); s < min(window, columns - column); ++s) {
        sum += load_lanes(taps + (r * window + s) * kLanes, lane);
      }
    }
    store_lanes(to + (p * columns + q) * kLanes, lane, sum);
  });
  __syncthreads();
  for_each_lane(columns / 2, [&](int cell, int lane) {
    IntLanes winner;
    const Lanes largest = pool(to + 2 * cell * kLanes, columns, lane, winner);
    const size_t at = (pair * (columns / 2) + cell) * kLanes;
    store_lanes(pooled + at, lane, largest);
    store_some(pooled_winners + at, lane, kLanes, winner);
  });
}

// ---- forward ----

// One thread: adds a pixel to the z of kTaps neighbouring positions, right to left, for taps from left to right.
template <int kTaps>
__device__ __forceinline__ void add_taps(int channels, int tap_stride, const float* values, const float* filters, float* z) {
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

// z of the tile += what the listed pixels add to it. `filters` points at the first of the listed channels in the group's packed filters.
__device__ __forceinline__ void add_pixels(const Geometry& g, const Tile& tile, List list, int count, int channels, const float* filters, float* z) {
  const int tap_stride = g.in * kLanes;
  if constexpr (kOneThreadPerBlock) {
    for (int r = 0; r < g.window; ++r, filters += g.window * tap_stride) {  // a row of filters stays in the first cache
      for (int i = 0; i < count; ++i) {
        const int row = list.pixels[i].row + tile.half - r, right = list.pixels[i].column + tile.half, end = min(g.window, right + 1);
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
  } else {  // a thread keeps the weights of one tap and output channel; the taps of one pixel never meet, those of two may
    for (int first = 0; first < g.taps() * kLanes; first += blockDim.x) {
      const int unit = first + static_cast<int>(threadIdx.x), tap = unit / kLanes, lane = unit % kLanes, down = tile.half - tap / g.window, right = tile.half - tap % g.window;
      float weights[kLanes];
#pragma unroll
      for (int c = 0; c < kLanes; ++c) {
        weights[c] = tap < g.taps() && c < channels ? filters[static_cast<size_t>(tap) * tap_stride + c * kLanes + lane] : 0.0f;
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
}

// A block per image and group: grid (batch, groups). On CPUs z is only computed in the cells that a listed pixel reaches.
extern "C" __global__ void __launch_bounds__(416) conv2d_pool_forward(int rows, int columns, int in, int out, int window, const float* __restrict__ x, const float* __restrict__ background,
                                                                       const float* __restrict__ packed, const float* __restrict__ base, const float* __restrict__ pooled,
                                                                       const unsigned char* __restrict__ pooled_winners, float* __restrict__ y, unsigned char* __restrict__ winners) {
  alignas(64) __shared__ float z[kTilePositions * kLanes];
  alignas(64) __shared__ float values[kListed * kLanes];
  __shared__ Pixel pixels[kListed];
  __shared__ int flags[kListed];
  __shared__ int counted;
  const Geometry g{rows, columns, in, out, window};
  const List list{pixels, values, flags, &counted};
  const int group = static_cast<int>(blockIdx.y);
  for (int t = 0; t < g.tiles(); ++t) {
    const Tile tile(g, t);
    const auto start_cell = [&](int row, int column, int lane) {
#pragma unroll
      for (int quadrant = 0; quadrant < 4; ++quadrant) {
        const int p = 2 * row + quadrant / 2, q = 2 * column + quadrant % 2;
        const size_t at = (static_cast<size_t>(group) * rows + tile.row + p) * columns + tile.column + q;
        store_lanes(z + (p * tile.columns + q) * kLanes, lane, load_lanes(base + at * kLanes, lane));
      }
    };
    Reached reached;
    if constexpr (!kOneThreadPerBlock) {
      for_each_lane(tile.rows / 2, tile.columns / 2, start_cell);
    }
    for (int chunk = 0; chunk < g.chunks(); ++chunk) {
      const Channels channels(g, x, blockIdx.x, background, chunk);
      for (int next = 0; next < tile.pixels;) {
        const int count = list_pixels(tile, channels, false, list, next);
        if constexpr (kOneThreadPerBlock) {
          reached.add(tile, pixels, count, start_cell);
        }
        add_pixels(g, tile, list, count, channels.count, packed + (static_cast<size_t>(group) * g.taps() * in + channels.first) * kLanes, z);
      }
    }
    __syncthreads();
    for_each_lane(tile.rows / 2, tile.columns / 2, [&](int row, int column, int lane) {
      const size_t cell = static_cast<size_t>(tile.row / 2 + row) * (columns / 2) + tile.column / 2 + column, cells = static_cast<size_t>(rows / 2) * (columns / 2);
      Lanes largest;
      IntLanes winner;
      if (!kOneThreadPerBlock || reached.has(tile, row, column)) {
        largest = pool(z + (2 * row * tile.columns + 2 * column) * kLanes, tile.columns, lane, winner);
      } else {
        largest = load_lanes(pooled + (group * cells + cell) * kLanes, lane);
        winner = load_some(pooled_winners + (group * cells + cell) * kLanes, lane, kLanes);
      }
      store_some(y + (blockIdx.x * cells + cell) * out + group * kLanes, lane, g.lanes(group), largest);
      store_some(winners + (blockIdx.x * cells + cell) * out + group * kLanes, lane, g.lanes(group), winner);
    });
    __syncthreads();
  }
}

// ---- backward ----

// Whether any dy of an image is not zero: those of a sample whose hinge is at rest all are.
__device__ __forceinline__ bool has_gradient(const Geometry& g, size_t b, const float* dy) {
  const int outputs = g.rows / 2 * (g.columns / 2) * g.out;
  int any = 0;
  for (int i = threadIdx.x; i < outputs; i += blockDim.x) {
    any |= dy[b * outputs + i] != 0.0f ? 1 : 0;
  }
  return block_max(static_cast<float>(any)) > 0.0f;
}

// dz of a cell of the tile: dy where the winner stood, zero elsewhere.
__device__ __forceinline__ void unpool_cell(const Geometry& g, const Tile& tile, size_t b, int group, const float* dy, const unsigned char* winners, float* dz, int row, int column,
                                            int lane) {
  const size_t cell = (b * (g.rows / 2) + tile.row / 2 + row) * (g.columns / 2) + tile.column / 2 + column;
  const Lanes gradient = load_some(dy + cell * g.out + group * kLanes, lane, g.lanes(group));
  const IntLanes winner = load_some(winners + cell * g.out + group * kLanes, lane, g.lanes(group));
  float* corner = dz + (2 * row * tile.columns + 2 * column) * kLanes;
#pragma unroll
  for (int quadrant = 0; quadrant < 4; ++quadrant) {
    store_lanes(corner + (quadrant / 2 * tile.columns + quadrant % 2) * kLanes, lane, winner == quadrant ? gradient : Lanes{});
  }
}

__device__ __forceinline__ void unpool(const Geometry& g, const Tile& tile, size_t b, int group, const float* dy, const unsigned char* winners, float* dz) {
  __syncthreads();  // the former tile has been used
  for_each_lane(tile.rows / 2, tile.columns / 2, [&](int row, int column, int lane) { unpool_cell(g, tile, b, group, dy, winners, dz, row, column, lane); });
  __syncthreads();
}

// dx of `channels` channels of the listed pixels += what the tile's positions around them give.
__device__ __forceinline__ void gather_positions(const Geometry& g, const Tile& tile, const Pixel* pixels, int count, const Channels& channels, const float* filters, const float* dz,
                                                 float* dx) {
#if defined(SIMT_ONE_THREAD)
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
    float* to = dx + (static_cast<size_t>(tile.row + pixel.row) * g.columns + tile.column + pixel.column) * g.in + channels.first;
    store_some(to, 0, channels.count, load_some(to, 0, channels.count) + sums_over_lanes(sums));
  }
#else
  for (int i = threadIdx.x; i < count * channels.count; i += blockDim.x) {
    const Pixel pixel = pixels[i / channels.count];
    const int c = i % channels.count, low = pixel.row + tile.half, right = pixel.column + tile.half;
    float sum = 0.0f;
    for (int r = max(0, low - tile.rows + 1); r < min(g.window, low + 1); ++r) {
      for (int s = max(0, right - tile.columns + 1); s < min(g.window, right + 1); ++s) {
        const float *gradient = dz + ((low - r) * tile.columns + right - s) * kLanes, *weights = filters + (static_cast<size_t>(r * g.window + s) * g.in + c) * kLanes;
#pragma unroll
        for (int lane = 0; lane < kLanes; ++lane) {
          sum += gradient[lane] * weights[lane];
        }
      }
    }
    dx[(static_cast<size_t>(tile.row + pixel.row) * g.columns + tile.column + pixel.column) * g.in + channels.first + c] += sum;
  }
#endif
}

// dx = dz, correlated with the mirrored filters; zero where x equals a given background. A block per image: grid (batch).
extern "C" __global__ void __launch_bounds__(416) conv2d_pool_backward_data(int rows, int columns, int in, int out, int window, const float* __restrict__ x,
                                                                             const float* __restrict__ background, const float* __restrict__ packed, const float* __restrict__ dy,
                                                                             const unsigned char* __restrict__ winners, float* __restrict__ dx) {
  alignas(64) __shared__ float dz[kTilePositions * kLanes];
  __shared__ Pixel pixels[kListed];
  __shared__ int flags[kListed];
  __shared__ int counted;
  const Geometry g{rows, columns, in, out, window};
  const List list{pixels, nullptr, flags, &counted};
  float* image = dx + static_cast<size_t>(blockIdx.x) * rows * columns * in;
  for (int i = threadIdx.x; i < rows * columns * in; i += blockDim.x) {
    image[i] = 0.0f;
  }
  if (!has_gradient(g, blockIdx.x, dy)) {
    return;
  }
  for (int group = 0; group < ceil_div(out, kLanes); ++group) {
    for (int t = 0; t < g.tiles(); ++t) {
      const Tile tile(g, t);
      unpool(g, tile, blockIdx.x, group, dy, winners, dz);
      for (int chunk = 0; chunk < g.chunks(); ++chunk) {
        const Channels channels(g, x, blockIdx.x, background, chunk);
        for (int next = 0; next < tile.pixels;) {
          const int count = list_pixels(tile, channels, background == nullptr, list, next);
          gather_positions(g, tile, pixels, count, channels, packed + (static_cast<size_t>(group) * g.taps() * in + channels.first) * kLanes, dz, image);
        }
      }
    }
  }
}

// One thread: sums(kChannels, 16) += the listed pixels' products with the dz that a tap gives them, and met(16) += that dz, where it is asked for.
template <int kChannels>
__device__ __forceinline__ void multiply_tap(const Tile& tile, const Pixel* pixels, int count, int down, int right, const float* values, const float* dz, float* sums_out, float* met_out) {
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

// dw(taps, in, 16), from the first listed channel on, += the listed pixels' products with dz; met(taps, stride 16 * chunks) += the dz they are multiplied with.
__device__ __forceinline__ void multiply_pixels(const Geometry& g, const Tile& tile, List list, int count, int channels, const float* dz, float* dw, float* met) {
  if constexpr (kOneThreadPerBlock) {
    for (int tap = 0; tap < g.taps(); ++tap) {
      const int down = tile.half - tap / g.window, right = tile.half - tap % g.window;
      float *sums = dw + static_cast<size_t>(tap) * g.in * kLanes, *tap_met = met == nullptr ? nullptr : met + static_cast<size_t>(tap) * g.chunks() * kLanes;
      if (channels == kLanes) {
        multiply_tap<kLanes>(tile, list.pixels, count, down, right, list.values, dz, sums, tap_met);
      }
      for (int c = 0; channels < kLanes && c < channels; ++c) {
        multiply_tap<1>(tile, list.pixels, count, down, right, list.values + c, dz, sums + c * kLanes, c == 0 ? tap_met : nullptr);
      }
    }
  } else {  // a thread has one tap and output channel
    for (int i = threadIdx.x; i < g.taps() * kLanes; i += blockDim.x) {
      const int tap = i / kLanes, lane = i % kLanes, down = tile.half - tap / g.window, right = tile.half - tap % g.window;
      float sums[kLanes] = {}, sum = 0.0f;
      for (int k = 0; k < count; ++k) {
        const int row = list.pixels[k].row + down, column = list.pixels[k].column + right;
        const float gradient = row >= 0 && row < tile.rows && column >= 0 && column < tile.columns ? dz[(row * tile.columns + column) * kLanes + lane] : 0.0f;
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
}

// total(16) += the sum of dy over an image.
__device__ __forceinline__ void sum_cells(const Geometry& g, size_t b, int group, const float* dy, float* total) {
  const int cells = g.rows / 2 * (g.columns / 2);
  for_each_lane(1, [&](int, int lane) {
    Lanes sum{};
    for (int cell = 0; cell < cells; ++cell) {
      sum += load_some(dy + (b * cells + cell) * g.out + group * kLanes, lane, g.lanes(group));
    }
    store_lanes(total, lane, load_lanes(total, lane) + sum);
  });
}

// total(taps, 16) += for each tap, the sum of dz over the positions at which it meets the image.
__device__ __forceinline__ void sum_positions(const Geometry& g, const Tile& tile, const float* dz, float* total) {
  if constexpr (kOneThreadPerBlock) {
    for (int s = 0; s < g.window; ++s) {
      const int first = max(0, tile.half - s - tile.column), last = min(tile.columns, g.columns + tile.half - s - tile.column);
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
  } else {
    for (int i = threadIdx.x; i < g.taps() * kLanes; i += blockDim.x) {
      const int r = i / kLanes / g.window, s = i / kLanes % g.window, lane = i % kLanes;
      float sum = 0.0f;
      for (int p = max(0, tile.half - r - tile.row); p < min(tile.rows, g.rows + tile.half - r - tile.row); ++p) {
        for (int q = max(0, tile.half - s - tile.column); q < min(tile.columns, g.columns + tile.half - s - tile.column); ++q) {
          sum += dz[(p * tile.columns + q) * kLanes + lane];
        }
      }
      total[i] += sum;
    }
  }
}

// Elements of a part's share of the filters' gradient: (taps, in, 16), then (taps, 16) sums of dz where the tap meets the image (without a background only the
// middle one's, which is the bias's gradient), then (taps, chunks, 16) of dz where it meets listed pixels.
__device__ __forceinline__ size_t share_elements(int taps, int in) { return static_cast<size_t>(taps) * (in + 1 + ceil_div(in, kLanes)) * kLanes; }

// shares(parts, groups, ...): part i has `images` images from i * images on. A block per part and group: grid (parts, groups).
extern "C" __global__ void __launch_bounds__(416) conv2d_pool_backward_filter(int batch, int images, int rows, int columns, int in, int out, int window, const float* __restrict__ x,
                                                                               const float* __restrict__ background, const float* __restrict__ dy, const unsigned char* __restrict__ winners,
                                                                               float* __restrict__ shares) {
  alignas(64) __shared__ float dz[kTilePositions * kLanes];
  alignas(64) __shared__ float values[kListed * kLanes];
  __shared__ Pixel pixels[kListed];
  __shared__ int flags[kListed];
  __shared__ int counted;
  const Geometry g{rows, columns, in, out, window};
  const List list{pixels, values, flags, &counted};
  const int group = static_cast<int>(blockIdx.y), elements = static_cast<int>(share_elements(g.taps(), in));
  float* dw = shares + (static_cast<size_t>(blockIdx.x) * gridDim.y + group) * elements;
  float *total = dw + static_cast<size_t>(g.taps()) * in * kLanes, *met = background == nullptr ? nullptr : total + g.taps() * kLanes;
  for (int i = threadIdx.x; i < elements; i += blockDim.x) {
    dw[i] = 0.0f;
  }
  const int first = static_cast<int>(blockIdx.x) * images, last = min(batch, first + images);
  for (int b = first; b < last; ++b) {
    if (!has_gradient(g, b, dy)) {
      continue;
    }
    if (background == nullptr) {
      sum_cells(g, b, group, dy, total + g.taps() / 2 * kLanes);
    }
    for (int t = 0; t < g.tiles(); ++t) {
      const Tile tile(g, t);
      Reached reached;
      const bool whole = !kOneThreadPerBlock || background != nullptr;
      if (whole) {
        unpool(g, tile, b, group, dy, winners, dz);
      }
      if (background != nullptr) {
        sum_positions(g, tile, dz, total);
      }
      for (int chunk = 0; chunk < g.chunks(); ++chunk) {
        const Channels channels(g, x, b, background, chunk);
        for (int next = 0; next < tile.pixels;) {
          const int count = list_pixels(tile, channels, false, list, next);
          if (!whole) {
            reached.add(tile, pixels, count, [&](int row, int column, int lane) { unpool_cell(g, tile, b, group, dy, winners, dz, row, column, lane); });
          }
          multiply_pixels(g, tile, list, count, channels.count, dz, dw + channels.first * kLanes, met == nullptr ? nullptr : met + channels.first);
        }
      }
    }
  }
}

// dw = the shares' sums, in order, with the background's part; dbias = the sums of dz; inactive(groups, taps, chunks, 16) = the sums of dz where a tap meets a pixel that equals the
// background. A block per tap and group: grid (taps, groups).
extern "C" __global__ void __launch_bounds__(1024) conv2d_sum_shares(int parts, int in, int out, const float* __restrict__ background, const float* __restrict__ shares,
                                                                      float* __restrict__ dw, float* __restrict__ dbias, float* __restrict__ inactive) {
  const int tap = static_cast<int>(blockIdx.x), taps = static_cast<int>(gridDim.x), group = static_cast<int>(blockIdx.y), first = group * kLanes, lanes = min(kLanes, out - first);
  const int chunks = ceil_div(in, kLanes);
  const size_t elements = share_elements(taps, in), stride = gridDim.y * elements;
  const auto sum = [&](size_t row, int lane) {
    Lanes total{};
    for (int part = 0; part < parts; ++part) {
      total += load_lanes(shares + part * stride + group * elements + row * kLanes, lane);
    }
    return total;
  };
  const size_t dz_row = static_cast<size_t>(taps) * in + tap, met_row = static_cast<size_t>(taps) * (in + 1) + static_cast<size_t>(tap) * chunks;
  for_each_lane(in, [&](int c, int lane) {
    const Lanes weights = sum(static_cast<size_t>(tap) * in + c, lane) + (background != nullptr ? background[c] * sum(dz_row, lane) : Lanes{});
    const float* each = reinterpret_cast<const float*>(&weights);
    for (int i = 0; i < static_cast<int>(sizeof weights / sizeof(float)) && lane + i < lanes; ++i) {  // one output channel's filter lies far from the next one's
      dw[(static_cast<size_t>(first + lane + i) * taps + tap) * in + c] = each[i];
    }
  });
  if (dbias != nullptr && tap == taps / 2) {
    for_each_lane(1, [&](int, int lane) { store_some(dbias + first, lane, lanes, sum(dz_row, lane)); });
  }
  if (background != nullptr) {
    for_each_lane(chunks, [&](int chunk, int lane) {
      store_lanes(inactive + ((static_cast<size_t>(group) * taps + tap) * chunks + chunk) * kLanes, lane, sum(dz_row, lane) - sum(met_row + chunk, lane));
    });
  }
}

// dbackground[c] = the sum over output channels and taps of w times inactive. A block per channel: grid (in).
extern "C" __global__ void __launch_bounds__(1024) conv2d_background_gradient(int slabs, const float* __restrict__ packed, const float* __restrict__ inactive,
                                                                               float* __restrict__ dbackground) {
  const int c = static_cast<int>(blockIdx.x), in = static_cast<int>(gridDim.x), chunks = ceil_div(in, kLanes);
  float sum = 0.0f;
  for (int slab = threadIdx.x; slab < slabs; slab += blockDim.x) {
    const float *weights = packed + (static_cast<size_t>(slab) * in + c) * kLanes, *gradients = inactive + (static_cast<size_t>(slab) * chunks + c / kLanes) * kLanes;
    for (int lane = 0; lane < kLanes; ++lane) {
      sum += weights[lane] * gradients[lane];
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    dbackground[c] = sum;
  }
}
