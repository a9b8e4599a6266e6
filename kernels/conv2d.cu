// Two-dimensional convolution (as networks use the word: cross-correlation), stride 1, "same"
// padding, any odd window, with max-pooling 2 x 2 of stride 2 fused into its end:
//   z[b, p, q, o] = bias[o] + sum over r, s, c of w[o, r, s, c] x[b, p + r - half, q + s - half,
//       c],
//   y[b, i, j, o] = max of z[b, 2i + {0, 1}, 2j + {0, 1}, o]
// x is (batch, rows, columns, in), w is (out, window, window, in), y is (batch, rows / 2,
// columns / 2, out), half = (window - 1) / 2; x is zero outside, rows and columns are even. z is
// never stored: which of the four won, the first of equals, is kept as winners[b, i, j, o] = 0 ...
// 3, row-major. Only the winners have a gradient.
//
// Images are sparse: most pixels equal a constant background (null: zero), as those of line images
// do, and those of what the first convolution makes of them (its bias). So
//   x = background + difference,
//   z = what the background alone gives, once per launch, + a sum over the pixels that differ,
// which holds for any image and costs the work of the pixels that differ. The gradient of a pixel
// that equals a given background goes to the background, not to x.
//
// A block works on 16 output channels of an image, in tiles of z that fit into shared memory; the
// pixels that differ are listed first, in order. On CPUs 16 channels are a vector. The order of
// every sum is fixed.
#if defined(SIMT_ONE_THREAD)
#include "conv2d_one_thread.cuh"
#else
#include "conv2d_threads.cuh"
#endif

// ---- once per launch: filters by tap, and what the background alone gives ----

// packed(groups, taps, in, 16) = the filters with the output channels of a group innermost, zero
// past the last. response(groups, taps, 16) = each tap's answer to the background. A block per tap
// and group: grid (taps, groups).
extern "C" __global__ void __launch_bounds__(1024)
    conv2d_pack(int in, int out, const float* __restrict__ w, const float* __restrict__ background,
                float* __restrict__ packed, float* __restrict__ response, long long replica_stride) {
  to_replica(replica_stride, w, background, packed, response);
  const int tap = static_cast<int>(blockIdx.x), taps = static_cast<int>(gridDim.x),
            first = static_cast<int>(blockIdx.y) * kLanes;
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

// The maximum of a cell's four positions, and which it was: the first of equals, and what is not a
// number before all others. `corner` points at the first position.
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

// base(groups, rows, columns, 16) = z of an image that is nothing but background; pooled(groups,
// rows / 2, columns / 2, 16) and pooled_winners = its pooled outputs. A block per pair of rows and
// group: grid (rows / 2, groups).
extern "C" __global__ void __launch_bounds__(1024)
    conv2d_base(int columns, int out, int window, const float* __restrict__ bias, const float* __restrict__ response,
                float* __restrict__ base, float* __restrict__ pooled, unsigned char* __restrict__ pooled_winners,
                long long replica_stride) {
  to_replica(replica_stride, bias, response, base, pooled, pooled_winners);
  const int rows = 2 * static_cast<int>(gridDim.x), half = (window - 1) / 2,
            first = static_cast<int>(blockIdx.y) * kLanes;
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

// A block per image and group: grid (batch, groups). z is computed in the cells that are `reached`;
// the others are as the background alone makes them.
extern "C" __global__ void __launch_bounds__(416)
    conv2d_pool_forward(int rows, int columns, int in, int out, int window, const float* __restrict__ x,
                        const float* __restrict__ background, const float* __restrict__ packed,
                        const float* __restrict__ base, const float* __restrict__ pooled,
                        const unsigned char* __restrict__ pooled_winners, float* __restrict__ y,
                        unsigned char* __restrict__ winners, long long replica_stride) {
  to_replica(replica_stride, x, background, packed, base, pooled, pooled_winners, y, winners);
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
    if constexpr (Reached::kAll) {
      for_each_lane(tile.rows / 2, tile.columns / 2, start_cell);
    }
    for (int chunk = 0; chunk < g.chunks(); ++chunk) {
      const Channels channels(g, x, blockIdx.x, background, chunk);
      for (int next = 0; next < tile.pixels;) {
        const int count = list_pixels(tile, channels, false, list, next);
        reached.add(tile, pixels, count, start_cell);
        add_pixels(g, tile, list, count, channels.count,
                   packed + (static_cast<size_t>(group) * g.taps() * in + channels.first) * kLanes, z);
      }
    }
    for_each_lane(tile.rows / 2, tile.columns / 2, [&](int row, int column, int lane) {
      const size_t cell = static_cast<size_t>(tile.row / 2 + row) * (columns / 2) + tile.column / 2 + column,
                   cells = static_cast<size_t>(rows / 2) * (columns / 2);
      Lanes largest;
      IntLanes winner;
      if (reached.has(tile, row, column)) {
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
__device__ __forceinline__ void unpool_cell(const Geometry& g, const Tile& tile, size_t b, int group, const float* dy,
                                            const unsigned char* winners, float* dz, int row, int column, int lane) {
  const size_t cell = (b * (g.rows / 2) + tile.row / 2 + row) * (g.columns / 2) + tile.column / 2 + column;
  const Lanes gradient = load_some(dy + cell * g.out + group * kLanes, lane, g.lanes(group));
  const IntLanes winner = load_some(winners + cell * g.out + group * kLanes, lane, g.lanes(group));
  float* corner = dz + (2 * row * tile.columns + 2 * column) * kLanes;
#pragma unroll
  for (int quadrant = 0; quadrant < 4; ++quadrant) {
    store_lanes(corner + (quadrant / 2 * tile.columns + quadrant % 2) * kLanes, lane,
                winner == quadrant ? gradient : Lanes{});
  }
}

__device__ __forceinline__ void unpool(const Geometry& g, const Tile& tile, size_t b, int group, const float* dy,
                                       const unsigned char* winners, float* dz) {
  __syncthreads();  // the former tile has been used
  for_each_lane(tile.rows / 2, tile.columns / 2, [&](int row, int column, int lane) {
    unpool_cell(g, tile, b, group, dy, winners, dz, row, column, lane);
  });
  __syncthreads();
}

// dx = dz, correlated with the mirrored filters; zero where x equals a given background. A block
// per image: grid (batch).
extern "C" __global__ void __launch_bounds__(416)
    conv2d_pool_backward_data(int rows, int columns, int in, int out, int window, const float* __restrict__ x,
                              const float* __restrict__ background, const float* __restrict__ packed,
                              const float* __restrict__ dy, const unsigned char* __restrict__ winners,
                              float* __restrict__ dx, long long replica_stride) {
  to_replica(replica_stride, x, background, packed, dy, winners, dx);
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
          gather_positions(g, tile, pixels, count, channels,
                           packed + (static_cast<size_t>(group) * g.taps() * in + channels.first) * kLanes, dz, image);
        }
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

// Elements of a part's share of the filters' gradient: (taps, in, 16), then (taps, 16) sums of dz
// where the tap meets the image (without a background only the middle one's, which is the bias's
// gradient), then (taps, chunks, 16) of dz where it meets listed pixels.
__device__ __forceinline__ size_t share_elements(int taps, int in) {
  return static_cast<size_t>(taps) * (in + 1 + ceil_div(in, kLanes)) * kLanes;
}

// shares(parts, groups, ...): part i has `images` images from i * images on. A block per part and
// group: grid (parts, groups).
extern "C" __global__ void __launch_bounds__(416)
    conv2d_pool_backward_filter(int batch, int images, int rows, int columns, int in, int out, int window,
                                const float* __restrict__ x, const float* __restrict__ background,
                                const float* __restrict__ dy, const unsigned char* __restrict__ winners,
                                float* __restrict__ shares, long long replica_stride) {
  to_replica(replica_stride, x, background, dy, winners, shares);
  alignas(64) __shared__ float dz[kTilePositions * kLanes];
  alignas(64) __shared__ float values[kListed * kLanes];
  __shared__ Pixel pixels[kListed];
  __shared__ int flags[kListed];
  __shared__ int counted;
  const Geometry g{rows, columns, in, out, window};
  const List list{pixels, values, flags, &counted};
  const int group = static_cast<int>(blockIdx.y), elements = static_cast<int>(share_elements(g.taps(), in));
  float* dw = shares + (static_cast<size_t>(blockIdx.x) * gridDim.y + group) * elements;
  float *total = dw + static_cast<size_t>(g.taps()) * in * kLanes,
        *met = background == nullptr ? nullptr : total + g.taps() * kLanes;
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
      const bool whole = Reached::kAll || background != nullptr;
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
            reached.add(tile, pixels, count, [&](int row, int column, int lane) {
              unpool_cell(g, tile, b, group, dy, winners, dz, row, column, lane);
            });
          }
          multiply_pixels(g, tile, list, count, channels.count, dz, dw + channels.first * kLanes,
                          met == nullptr ? nullptr : met + channels.first);
        }
      }
    }
  }
}

// dw = the shares' sums, in order, with the background's part; dbias = the sums of dz;
// inactive(groups, taps, chunks, 16) = the sums of dz where a tap meets a pixel that equals the
// background. A block per tap and group: grid (taps, groups).
extern "C" __global__ void __launch_bounds__(1024)
    conv2d_sum_shares(int parts, int in, int out, const float* __restrict__ background,
                      const float* __restrict__ shares, float* __restrict__ dw, float* __restrict__ dbias,
                      float* __restrict__ inactive, long long replica_stride) {
  to_replica(replica_stride, background, shares, dw, dbias, inactive);
  const int tap = static_cast<int>(blockIdx.x), taps = static_cast<int>(gridDim.x),
            group = static_cast<int>(blockIdx.y), first = group * kLanes, lanes = min(kLanes, out - first);
  const int chunks = ceil_div(in, kLanes);
  const size_t elements = share_elements(taps, in), stride = gridDim.y * elements;
  const auto sum = [&](size_t row, int lane) {
    Lanes total{};
    for (int part = 0; part < parts; ++part) {
      total += load_lanes(shares + part * stride + group * elements + row * kLanes, lane);
    }
    return total;
  };
  const size_t dz_row = static_cast<size_t>(taps) * in + tap,
               met_row = static_cast<size_t>(taps) * (in + 1) + static_cast<size_t>(tap) * chunks;
  for_each_lane(in, [&](int c, int lane) {
    const Lanes weights = sum(static_cast<size_t>(tap) * in + c, lane) +
                          (background != nullptr ? background[c] * sum(dz_row, lane) : Lanes{});
    const float* each = reinterpret_cast<const float*>(&weights);
    for (int i = 0; i < static_cast<int>(sizeof weights / sizeof(float)) && lane + i < lanes;
         ++i) {  // one output channel's filter lies far from the next one's
      dw[(static_cast<size_t>(first + lane + i) * taps + tap) * in + c] = each[i];
    }
  });
  if (dbias != nullptr && tap == taps / 2) {
    for_each_lane(1, [&](int, int lane) { store_some(dbias + first, lane, lanes, sum(dz_row, lane)); });
  }
  if (background != nullptr) {
    for_each_lane(chunks, [&](int chunk, int lane) {
      store_lanes(inactive + ((static_cast<size_t>(group) * taps + tap) * chunks + chunk) * kLanes, lane,
                  sum(dz_row, lane) - sum(met_row + chunk, lane));
    });
  }
}

// dbackground[c] = the sum over output channels and taps of w times inactive. A block per channel:
// grid (in).
extern "C" __global__ void __launch_bounds__(1024)
    conv2d_background_gradient(int slabs, const float* __restrict__ packed, const float* __restrict__ inactive,
                               float* __restrict__ dbackground, long long replica_stride) {
  to_replica(replica_stride, packed, inactive, dbackground);
  const int c = static_cast<int>(blockIdx.x), in = static_cast<int>(gridDim.x), chunks = ceil_div(in, kLanes);
  float sum = 0.0f;
  for (int slab = threadIdx.x; slab < slabs; slab += blockDim.x) {
    const float *weights = packed + (static_cast<size_t>(slab) * in + c) * kLanes,
                *gradients = inactive + (static_cast<size_t>(slab) * chunks + c / kLanes) * kLanes;
    for (int lane = 0; lane < kLanes; ++lane) {
      sum += weights[lane] * gradients[lane];
    }
  }
  sum = block_sum(sum);
  if (threadIdx.x == 0) {
    dbackground[c] = sum;
  }
}
