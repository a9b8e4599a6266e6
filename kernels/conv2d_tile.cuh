// What the two-dimensional convolution works on: a part of an image, its channels, and a list of
// the pixels that differ from the background.
#pragma once
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
  __device__ __forceinline__ int tile_rows() const {
    return min(rows, kTilePositions / min(columns, kTileColumns) / 2 * 2);
  }
  __device__ __forceinline__ int tiles() const { return ceil_div(rows, tile_rows()) * ceil_div(columns, kTileColumns); }
};

// A part of z: rows x columns positions from (row, column) on, all even. And the pixels under its
// windows: a rectangle of x, row-major.
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

// Channels [first, first + count) of an image's pixels, count at most 16, with the background
// subtracted.
struct Channels {
  const float* image;
  const float* background;
  int columns, in, first, count;
  __device__ __forceinline__ Channels(const Geometry& g, const float* x, size_t b, const float* background_, int chunk)
      : image(x + b * g.rows * g.columns * g.in),
        background(background_),
        columns(g.columns),
        in(g.in),
        first(chunk * kLanes),
        count(min(kLanes, g.in - first)) {}

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
  float*
      // (kListed, 16): their channels with the background subtracted, zero past the last; null
      // where nobody asks
      values;
  int* flags;    // kListed
  int* counted;  // 1
};
