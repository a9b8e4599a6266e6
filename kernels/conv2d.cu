// Two-dimensional convolution (as networks use the word: cross-correlation), stride 1, "same" padding, any odd window, with max-pooling 2 x 2 of stride 2 fused into its end:
//   z[b, p, q, o] = bias[o] + sum over r, s, c of w[o, r, s, c] x[b, p + r - half, q + s - half, c],   y[b, i, j, o] = max of z[b, 2i + {0, 1}, 2j + {0, 1}, o]
// x is (batch, rows, columns, in), w is (out, window, window, in), y is (batch, rows / 2, columns / 2, out), half = (window - 1) / 2; x is zero outside, rows and columns are even. z is
// never stored: which of the four won, the first of equals, is kept as winner[b, i, j, o] = 0 ... 3, row-major. Only the winners have a gradient.
#include "common.cuh"

// A block per image: grid (batch).
extern "C" __global__ void __launch_bounds__(1024) conv2d_pool_forward(int rows, int columns, int in, int out, int window, const float* __restrict__ x, const float* __restrict__ w,
                                                                        const float* __restrict__ bias, float* __restrict__ y, unsigned char* __restrict__ winners) {
  const int half = (window - 1) / 2, cell_columns = columns / 2, outputs = rows / 2 * cell_columns * out;
  const float* image = x + static_cast<size_t>(blockIdx.x) * rows * columns * in;
  for (int i = threadIdx.x; i < outputs; i += blockDim.x) {
    const int o = i % out, cell = i / out, row0 = cell / cell_columns * 2, column0 = cell % cell_columns * 2;
    float largest = 0.0f;
    int winner = 0;
    for (int quadrant = 0; quadrant < 4; ++quadrant) {
      const int row = row0 + quadrant / 2 - half, column = column0 + quadrant % 2 - half;
      float sum = bias[o];
      for (int r = max(0, -row); r < min(window, rows - row); ++r) {
        for (int s = max(0, -column); s < min(window, columns - column); ++s) {
          const float* source = image + (static_cast<size_t>(row + r) * columns + column + s) * in;
          const float* filter = w + (static_cast<size_t>(o) * window * window + r * window + s) * in;
          for (int c = 0; c < in; ++c) {
            sum += source[c] * filter[c];
          }
        }
      }
      if (quadrant == 0 || sum > largest) {
        largest = sum;
        winner = quadrant;
      }
    }
    const size_t at = static_cast<size_t>(blockIdx.x) * outputs + i;
    y[at] = largest;
    winners[at] = static_cast<unsigned char>(winner);
  }
}

// dx[b, p, q, c] = sum over the winners (p + half - r, q + half - s, o) of dy w[o, r, s, c]. A block per image: grid (batch).
extern "C" __global__ void __launch_bounds__(1024) conv2d_pool_backward_data(int rows, int columns, int in, int out, int window, const float* __restrict__ w, const float* __restrict__ dy,
                                                                              const unsigned char* __restrict__ winners, float* __restrict__ dx) {
  const int half = (window - 1) / 2, cell_columns = columns / 2, inputs = rows * columns * in;
  const size_t first = static_cast<size_t>(blockIdx.x) * (rows / 2) * cell_columns * out;
  for (int i = threadIdx.x; i < inputs; i += blockDim.x) {
    const int c = i % in, row = i / in / columns + half, column = i / in % columns + half;
    float sum = 0.0f;
    for (int r = max(0, row - rows + 1); r < min(window, row + 1); ++r) {
      for (int s = max(0, column - columns + 1); s < min(window, column + 1); ++s) {
        const int quadrant = (row - r) % 2 * 2 + (column - s) % 2;
        const size_t cell = first + ((row - r) / 2 * cell_columns + (column - s) / 2) * out;
        for (int o = 0; o < out; ++o) {
          if (winners[cell + o] == quadrant) {
            sum += dy[cell + o] * w[((static_cast<size_t>(o) * window + r) * window + s) * in + c];
          }
        }
      }
    }
    dx[static_cast<size_t>(blockIdx.x) * inputs + i] = sum;
  }
}

// dw[o, r, s, c] = sum over the winners (b, p, q, o) of dy x[b, p + r - half, q + s - half, c], and dbias[o] = sum of dy. A block per output channel: grid (out).
extern "C" __global__ void __launch_bounds__(1024) conv2d_pool_backward_filter(int batch, int rows, int columns, int in, int window, const float* __restrict__ x, const float* __restrict__ dy,
                                                                                const unsigned char* __restrict__ winners, float* __restrict__ dw, float* __restrict__ dbias) {
  const int half = (window - 1) / 2, cell_columns = columns / 2, cells = rows / 2 * cell_columns, weights = window * window * in, o = static_cast<int>(blockIdx.x);
  const int out = static_cast<int>(gridDim.x);
  for (int i = threadIdx.x; i < weights; i += blockDim.x) {
    const int c = i % in, r = i / in / window - half, s = i / in % window - half;
    float sum = 0.0f;
    for (int b = 0; b < batch; ++b) {
      for (int cell = 0; cell < cells; ++cell) {
        const size_t at = (static_cast<size_t>(b) * cells + cell) * out + o;
        const int row = cell / cell_columns * 2 + winners[at] / 2 + r, column = cell % cell_columns * 2 + winners[at] % 2 + s;
        if (row >= 0 && row < rows && column >= 0 && column < columns) {
          sum += dy[at] * x[((static_cast<size_t>(b) * rows + row) * columns + column) * in + c];
        }
      }
    }
    dw[static_cast<size_t>(o) * weights + i] = sum;
  }
  if (dbias != nullptr) {
    float sum = 0.0f;
    for (int i = threadIdx.x; i < batch * cells; i += blockDim.x) {
      sum += dy[static_cast<size_t>(i) * out + o];
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) {
      dbias[o] = sum;
    }
  }
}
