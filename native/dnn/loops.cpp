// Everything but the convolutions. It is bound by memory, so plain loops do; and oneDNN's pooling
// keeps a record of its maxima for the way back, for which cuDNN's interface has no place. Images
// are shared out over the driver's threads; sums run in an order that the shape alone decides.
#include <algorithm>
#include <cmath>
#include <limits>

#include "dnn/dnn.h"

// The vectors that every processor has on which the CPU driver runs kernels.
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#endif

namespace {

using namespace dnn;

// Two tensors whose elements correspond one to one in memory.
void require_alike(const Tensor& a, const Tensor& b) {
  require(a.type == b.type, CUDNN_STATUS_BAD_PARAM);
  require(a.dims == b.dims, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
  require(a.format == b.format, CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
}

// ---- pooling ----

// Images of (rows, columns, channels): those of a channels-first batch are its planes, of one
// channel each.
struct Pools {
  Pooling pooling;
  std::size_t images;
  int rows, columns, channels, out_rows, out_columns;

  Pools(const Pooling& how, const Tensor& in, const Tensor& out)
      : pooling(how), rows(in.dims[2]), columns(in.dims[3]), out_rows(out.dims[2]), out_columns(out.dims[3]) {
    const bool last = in.format == CUDNN_TENSOR_NHWC;
    images = static_cast<std::size_t>(in.dims[0]) * (last ? 1 : in.dims[1]);
    channels = last ? in.dims[1] : 1;
  }
  bool average() const {
    return pooling.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING ||
           pooling.mode == CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING;
  }
  std::size_t in_elements() const { return static_cast<std::size_t>(rows) * columns * channels; }
  std::size_t out_elements() const { return static_cast<std::size_t>(out_rows) * out_columns * channels; }
  double operations() const {
    return static_cast<double>(images) * static_cast<double>(out_elements()) * pooling.window[0] * pooling.window[1];
  }
};

// What a window covers of one axis inside the image.
struct Range {
  int first, last;
  Range(int out, int window, int padding, int stride, int size)
      : first(std::max(0, out * stride - padding)), last(std::min(size, out * stride - padding + window)) {}
  int count() const { return last - first; }
};

template <class Visit>
void for_each_window(const Pools& p, const Visit& visit) {
  std::size_t at = 0;
  for (int i = 0; i < p.out_rows; ++i) {
    const Range rows(i, p.pooling.window[0], p.pooling.padding[0], p.pooling.stride[0], p.rows);
    for (int j = 0; j < p.out_columns; ++j, at += static_cast<std::size_t>(p.channels)) {
      visit(at, rows, Range(j, p.pooling.window[1], p.pooling.padding[1], p.pooling.stride[1], p.columns));
    }
  }
}

// Where a window's elements of channel 0 lie in the image, row by row.
template <class Visit>
void for_each_place(const Pools& p, const Range& rows, const Range& columns, const Visit& visit) {
  for (int r = rows.first; r < rows.last; ++r) {
    for (int s = columns.first; s < columns.last; ++s) {
      visit((static_cast<std::size_t>(r) * p.columns + s) * p.channels);
    }
  }
}

// Whether `value` takes the place of the largest so far. The first of equals stays; a NaN wins for
// good, or never.
bool wins(float value, float largest, bool propagate_nan) {
  return (value > largest) | (propagate_nan & (value != value) & (largest == largest));
}

float divisor(const Pools& p, const Range& rows, const Range& columns) {
  return static_cast<float>(p.pooling.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING
                                ? p.pooling.window[0] * p.pooling.window[1]
                                : rows.count() * columns.count());
}

void pool_image(const Pools& p, const float* x, float* y, Scaling scaling) {
  std::vector<float> pooled(static_cast<std::size_t>(p.channels));
  const bool average = p.average(), propagate = p.pooling.nan == CUDNN_PROPAGATE_NAN;
  for_each_window(p, [&](std::size_t at, const Range& rows, const Range& columns) {
    float* __restrict__ result = pooled.data();
    std::fill(pooled.begin(), pooled.end(), average ? 0.0f : -std::numeric_limits<float>::infinity());
    for_each_place(p, rows, columns, [&](std::size_t place) {
      const float* __restrict__ value = x + place;
      if (average) {
        for (int c = 0; c < p.channels; ++c) {
          result[c] += value[c];
        }
      } else {
        for (int c = 0; c < p.channels; ++c) {
          result[c] = wins(value[c], result[c], propagate) ? value[c] : result[c];
        }
      }
    });
    const float scale = average ? divisor(p, rows, columns) : 1.0f;
    for (int c = 0; c < p.channels; ++c) {
      scaling.store(result[c] / scale, y[at + c]);
    }
  });
}

// Of a maximum, the gradient goes to the element that it was taken from.
void unpool_image(const Pools& p, const float* dy, const float* x, float* dx, Scaling scaling) {
  for (std::size_t i = 0; i < p.in_elements(); ++i) {
    dx[i] = scaling.beta == 0 ? 0.0f : scaling.beta * dx[i];
  }
  std::vector<float> largest_of(static_cast<std::size_t>(p.channels));
  std::vector<std::uint32_t> place_of(static_cast<std::size_t>(p.channels));
  const bool propagate = p.pooling.nan == CUDNN_PROPAGATE_NAN;
  for_each_window(p, [&](std::size_t at, const Range& rows, const Range& columns) {
    if (p.average()) {
      const float scale = scaling.alpha / divisor(p, rows, columns);
      for_each_place(p, rows, columns, [&](std::size_t place) {
        for (int c = 0; c < p.channels; ++c) {
          dx[place + c] += scale * dy[at + c];
        }
      });
      return;
    }
    float* __restrict__ largest = largest_of.data();
    std::uint32_t* __restrict__ where = place_of.data();
    const std::size_t start = (static_cast<std::size_t>(rows.first) * p.columns + columns.first) * p.channels;
    for (int c = 0; c < p.channels; ++c) {
      largest[c] = x[start + c];
      where[c] = static_cast<std::uint32_t>(start);
    }
    for_each_place(p, rows, columns, [&](std::size_t place) {
      const float* __restrict__ value = x + place;
      for (int c = 0; c < p.channels; ++c) {
        const bool won = wins(value[c], largest[c], propagate) | (!propagate & (largest[c] != largest[c]));
        largest[c] = won ? value[c] : largest[c];
        where[c] = won ? static_cast<std::uint32_t>(place) : where[c];
      }
    });
    for (int c = 0; c < p.channels; ++c) {
      dx[where[c] + c] += scaling.alpha * dy[at + c];
    }
  });
}

Pools checked_pools(const void* pooling, const Tensor& in, const Tensor& out) {
  const auto how = described<Pooling>(pooling);
  require(in.type == out.type, CUDNN_STATUS_BAD_PARAM);
  std::array<int, 4> dims = in.dims;
  for (std::size_t i = 0; i < 2; ++i) {
    const int room = dims[2 + i] + 2 * how.padding[i] - how.window[i];
    require(room >= 0, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    dims[2 + i] = room / how.stride[i] + 1;
    // A last window that begins behind the image would have nothing in it.
    require((dims[2 + i] - 1) * how.stride[i] - how.padding[i] < in.dims[2 + i], CUDNN_STATUS_NOT_SUPPORTED_PADDING);
  }
  require(out.dims == dims, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
  require(in.format == out.format, CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
  return {how, in, out};
}

// ---- activations ----

float activate(const Activation& a, float x) {
  const auto coefficient = static_cast<float>(a.coefficient);
  const bool keep_nan = a.nan == CUDNN_PROPAGATE_NAN && x != x;
  switch (a.mode) {
    case CUDNN_ACTIVATION_SIGMOID:
      return 1.0f / (1.0f + std::exp(-x));
    case CUDNN_ACTIVATION_RELU:
      return keep_nan ? x : x > 0 ? x : 0.0f;
    case CUDNN_ACTIVATION_TANH:
      return std::tanh(x);
    case CUDNN_ACTIVATION_CLIPPED_RELU:
      return keep_nan ? x : x > 0 ? std::min(x, coefficient) : 0.0f;
    case CUDNN_ACTIVATION_ELU:
      return x > 0 ? x : coefficient * std::expm1(x);
    case CUDNN_ACTIVATION_SWISH:
      return x / (1.0f + std::exp(-coefficient * x));
    case CUDNN_ACTIVATION_IDENTITY:
      break;
  }
  return x;
}

// dx of y = activate(x), from y where that is enough, as cuDNN does.
float activation_gradient(const Activation& a, float x, float y, float dy) {
  const auto coefficient = static_cast<float>(a.coefficient);
  switch (a.mode) {
    case CUDNN_ACTIVATION_SIGMOID:
      return dy * y * (1 - y);
    case CUDNN_ACTIVATION_RELU:
      return x > 0 ? dy : 0.0f;
    case CUDNN_ACTIVATION_TANH:
      return dy * (1 - y * y);
    case CUDNN_ACTIVATION_CLIPPED_RELU:
      return x > 0 && x < coefficient ? dy : 0.0f;
    case CUDNN_ACTIVATION_ELU:
      return x > 0 ? dy : dy * (y + coefficient);
    case CUDNN_ACTIVATION_SWISH: {
      const float sigmoid = 1.0f / (1.0f + std::exp(-coefficient * x));
      return dy * (sigmoid + coefficient * y * (1 - sigmoid));
    }
    case CUDNN_ACTIVATION_IDENTITY:
      break;
  }
  return dy;
}

constexpr std::size_t kChunk = 16384;  // elements that a thread takes at once

// body(first, last) over the elements of a dense tensor.
template <class Body>
void parallel_elements(std::size_t elements, double operations_each, const Body& body) {
  parallel((elements + kChunk - 1) / kChunk, static_cast<double>(elements) * operations_each,
           [&](std::size_t chunk) { body(chunk * kChunk, std::min(elements, (chunk + 1) * kChunk)); });
}

Activation checked_activation(const void* key) {
  const auto activation = described<Activation>(key);
  require(activation.mode != CUDNN_ACTIVATION_IDENTITY, CUDNN_STATUS_BAD_PARAM);  // it is for fused convolutions alone
  return activation;
}

// ---- softmax ----

// Groups of elements that are normalised together: a whole image, or the channels of one place of
// it.
struct Groups {
  Tensor tensor;
  bool of_channels;

  Groups(const Tensor& of, cudnnSoftmaxMode_t mode) : tensor(of), of_channels(mode == CUDNN_SOFTMAX_MODE_CHANNEL) {}
  std::size_t size() const {
    return of_channels ? static_cast<std::size_t>(tensor.dims[1]) : tensor.elements() / tensor.dims[0];
  }
  std::size_t places() const { return of_channels ? static_cast<std::size_t>(tensor.dims[2]) * tensor.dims[3] : 1; }
  std::size_t stride() const { return of_channels ? tensor.strides()[1] : 1; }
  // visit(first element) of every group of an image.
  template <class Visit>
  void for_each(std::size_t image, const Visit& visit) const {
    const auto strides = tensor.strides();
    for (std::size_t place = 0; place < places(); ++place) {
      visit(image * strides[0] + place * strides[3]);  // rows follow each other in both layouts
    }
  }
};

void softmax_group(cudnnSoftmaxAlgorithm_t algorithm, std::size_t count, std::size_t stride, const float* x, float* y,
                   const Scaling& scaling) {
  float largest = algorithm == CUDNN_SOFTMAX_FAST ? 0.0f : x[0];
  if (algorithm != CUDNN_SOFTMAX_FAST) {
    for (std::size_t i = 1; i < count; ++i) {
      largest = std::max(largest, x[i * stride]);
    }
  }
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += std::exp(x[i * stride] - largest);
  }
  const auto divisor = static_cast<float>(sum), logarithm = static_cast<float>(std::log(sum));
  for (std::size_t i = 0; i < count; ++i) {
    const float shifted = x[i * stride] - largest;
    scaling.store(algorithm == CUDNN_SOFTMAX_LOG ? shifted - logarithm : std::exp(shifted) / divisor, y[i * stride]);
  }
}

void softmax_gradient_group(cudnnSoftmaxAlgorithm_t algorithm, std::size_t count, std::size_t stride, const float* y,
                            const float* dy, float* dx, const Scaling& scaling) {
  const bool logarithmic = algorithm == CUDNN_SOFTMAX_LOG;
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += logarithmic ? dy[i * stride] : dy[i * stride] * y[i * stride];
  }
  const auto total = static_cast<float>(sum);
  for (std::size_t i = 0; i < count; ++i) {
    const float value = y[i * stride];
    scaling.store(logarithmic ? dy[i * stride] - std::exp(value) * total : value * (dy[i * stride] - total),
                  dx[i * stride]);
  }
}

void check_softmax(cudnnSoftmaxAlgorithm_t algorithm, cudnnSoftmaxMode_t mode) {
  require(algorithm >= CUDNN_SOFTMAX_FAST && algorithm <= CUDNN_SOFTMAX_LOG && mode >= CUDNN_SOFTMAX_MODE_INSTANCE &&
              mode <= CUDNN_SOFTMAX_MODE_CHANNEL,
          CUDNN_STATUS_BAD_PARAM);
}

// ---- sums over and along tensors ----

void add_row(std::size_t count, std::size_t stride, const float* addend, std::size_t addend_stride, float* sum,
             Scaling scaling) {
  if (stride == 1 && addend_stride == 1) {
    for (std::size_t i = 0; i < count; ++i) {
      scaling.store(addend[i], sum[i]);
    }
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      scaling.store(addend[i * addend_stride], sum[i * stride]);
    }
  }
}

// sums[c] = of channel c of one image.
void channel_sums(const Tensor& tensor, const float* image, double* __restrict__ sums) {
  const std::size_t channels = static_cast<std::size_t>(tensor.dims[1]),
                    places = static_cast<std::size_t>(tensor.dims[2]) * tensor.dims[3];
  std::fill(sums, sums + channels, 0.0);
  if (tensor.format == CUDNN_TENSOR_NHWC) {
    for (std::size_t place = 0; place < places; ++place) {
      const float* __restrict__ row = image + place * channels;
      for (std::size_t c = 0; c < channels; ++c) {
        sums[c] += row[c];
      }
    }
  } else {
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t place = 0; place < places; ++place) {
        sums[c] += image[c * places + place];
      }
    }
  }
}

}  // namespace

DNN_API cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling, const void* alpha,
                                          cudnnTensorDescriptor_t x_desc, const void* x_pointer, const void* beta,
                                          cudnnTensorDescriptor_t y_desc, void* y_pointer) {
  return call("cudnnPoolingForward", [&] {
    const auto on = handle_of(handle);
    const auto in = computable<Tensor>(x_desc), out = computable<Tensor>(y_desc);
    const Pools pools = checked_pools(pooling, in, out);
    const Scaling scaling(alpha, beta);
    const float* x = input(x_pointer, in);
    float* y = output(y_pointer, out);
    submit(on, "cudnnPoolingForward", [=] {
      parallel(pools.images, pools.operations(), [&](std::size_t i) {
        pool_image(pools, x + i * pools.in_elements(), y + i * pools.out_elements(), scaling);
      });
    });
  });
}

DNN_API cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, cudnnPoolingDescriptor_t pooling, const void* alpha,
                                           cudnnTensorDescriptor_t y_desc, const void* y_pointer,
                                           cudnnTensorDescriptor_t dy_desc, const void* dy_pointer,
                                           cudnnTensorDescriptor_t x_desc, const void* x_pointer, const void* beta,
                                           cudnnTensorDescriptor_t dx_desc, void* dx_pointer) {
  return call("cudnnPoolingBackward", [&] {
    const auto on = handle_of(handle);
    const auto in = computable<Tensor>(x_desc), out = computable<Tensor>(y_desc);
    require_alike(out, described<Tensor>(dy_desc));
    require_alike(in, described<Tensor>(dx_desc));
    const Pools pools = checked_pools(pooling, in, out);
    const Scaling scaling(alpha, beta);
    input(y_pointer, out);
    const float *dy = input(dy_pointer, out), *x = input(x_pointer, in);
    float* dx = output(dx_pointer, in);
    submit(on, "cudnnPoolingBackward", [=] {
      parallel(pools.images, pools.operations(), [&](std::size_t i) {
        unpool_image(pools, dy + i * pools.out_elements(), x + i * pools.in_elements(), dx + i * pools.in_elements(),
                     scaling);
      });
    });
  });
}

DNN_API cudnnStatus_t cudnnActivationForward(cudnnHandle_t handle, cudnnActivationDescriptor_t key, const void* alpha,
                                             cudnnTensorDescriptor_t x_desc, const void* x_pointer, const void* beta,
                                             cudnnTensorDescriptor_t y_desc, void* y_pointer) {
  return call("cudnnActivationForward", [&] {
    const auto on = handle_of(handle);
    const Activation activation = checked_activation(key);
    const auto tensor = computable<Tensor>(x_desc);
    require_alike(tensor, described<Tensor>(y_desc));
    const Scaling scaling(alpha, beta);
    const float* x = input(x_pointer, tensor);
    float* y = output(y_pointer, tensor);
    submit(on, "cudnnActivationForward", [=] {
      parallel_elements(tensor.elements(), 8, [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
          scaling.store(activate(activation, x[i]), y[i]);
        }
      });
    });
  });
}

DNN_API cudnnStatus_t cudnnActivationBackward(cudnnHandle_t handle, cudnnActivationDescriptor_t key, const void* alpha,
                                              cudnnTensorDescriptor_t y_desc, const void* y_pointer,
                                              cudnnTensorDescriptor_t dy_desc, const void* dy_pointer,
                                              cudnnTensorDescriptor_t x_desc, const void* x_pointer, const void* beta,
                                              cudnnTensorDescriptor_t dx_desc, void* dx_pointer) {
  return call("cudnnActivationBackward", [&] {
    const auto on = handle_of(handle);
    const Activation activation = checked_activation(key);
    const auto tensor = computable<Tensor>(x_desc);
    for (const auto desc : {y_desc, dy_desc, dx_desc}) {
      require_alike(tensor, described<Tensor>(desc));
    }
    const Scaling scaling(alpha, beta);
    const float *y = input(y_pointer, tensor), *dy = input(dy_pointer, tensor), *x = input(x_pointer, tensor);
    float* dx = output(dx_pointer, tensor);
    submit(on, "cudnnActivationBackward", [=] {
      parallel_elements(tensor.elements(), 8, [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) {
          scaling.store(activation_gradient(activation, x[i], y[i], dy[i]), dx[i]);
        }
      });
    });
  });
}

DNN_API cudnnStatus_t cudnnSoftmaxForward(cudnnHandle_t handle, cudnnSoftmaxAlgorithm_t algorithm,
                                          cudnnSoftmaxMode_t mode, const void* alpha, cudnnTensorDescriptor_t x_desc,
                                          const void* x_pointer, const void* beta, cudnnTensorDescriptor_t y_desc,
                                          void* y_pointer) {
  return call("cudnnSoftmaxForward", [&] {
    const auto on = handle_of(handle);
    check_softmax(algorithm, mode);
    const auto tensor = computable<Tensor>(x_desc);
    require_alike(tensor, described<Tensor>(y_desc));
    const Scaling scaling(alpha, beta);
    const float* x = input(x_pointer, tensor);
    float* y = output(y_pointer, tensor);
    const Groups groups(tensor, mode);
    submit(on, "cudnnSoftmaxForward", [=] {
      parallel(static_cast<std::size_t>(tensor.dims[0]), 16.0 * static_cast<double>(tensor.elements()),
               [&](std::size_t image) {
                 groups.for_each(image, [&](std::size_t at) {
                   softmax_group(algorithm, groups.size(), groups.stride(), x + at, y + at, scaling);
                 });
               });
    });
  });
}

DNN_API cudnnStatus_t cudnnSoftmaxBackward(cudnnHandle_t handle, cudnnSoftmaxAlgorithm_t algorithm,
                                           cudnnSoftmaxMode_t mode, const void* alpha, cudnnTensorDescriptor_t y_desc,
                                           const void* y_pointer, cudnnTensorDescriptor_t dy_desc,
                                           const void* dy_pointer, const void* beta, cudnnTensorDescriptor_t dx_desc,
                                           void* dx_pointer) {
  return call("cudnnSoftmaxBackward", [&] {
    const auto on = handle_of(handle);
    check_softmax(algorithm, mode);
    const auto tensor = computable<Tensor>(y_desc);
    require_alike(tensor, described<Tensor>(dy_desc));
    require_alike(tensor, described<Tensor>(dx_desc));
    const Scaling scaling(alpha, beta);
    const float *y = input(y_pointer, tensor), *dy = input(dy_pointer, tensor);
    float* dx = output(dx_pointer, tensor);
    const Groups groups(tensor, mode);
    submit(on, "cudnnSoftmaxBackward", [=] {
      parallel(static_cast<std::size_t>(tensor.dims[0]), 4.0 * static_cast<double>(tensor.elements()),
               [&](std::size_t image) {
                 groups.for_each(image, [&](std::size_t at) {
                   softmax_gradient_group(algorithm, groups.size(), groups.stride(), y + at, dy + at, dx + at, scaling);
                 });
               });
    });
  });
}

// Each dimension of the addend is that of the sum, or 1 and repeated.
DNN_API cudnnStatus_t cudnnAddTensor(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t addend_desc,
                                     const void* addend_pointer, const void* beta, cudnnTensorDescriptor_t sum_desc,
                                     void* sum_pointer) {
  return call("cudnnAddTensor", [&] {
    const auto on = handle_of(handle);
    const auto added = computable<Tensor>(addend_desc), target = computable<Tensor>(sum_desc);
    auto steps = added.strides();
    for (std::size_t i = 0; i < 4; ++i) {
      require(added.dims[i] == 1 || added.dims[i] == target.dims[i], CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
      steps[i] = added.dims[i] == 1 ? 0 : steps[i];
    }
    const Scaling scaling(alpha, beta);
    const float* addend = input(addend_pointer, added);
    float* sum = output(sum_pointer, target);
    submit(on, "cudnnAddTensor", [=] {
      const auto strides = target.strides();
      const auto& dims = target.dims;
      parallel(static_cast<std::size_t>(dims[0]), static_cast<double>(target.elements()), [&](std::size_t n) {
        // The axis whose elements lie side by side goes innermost.
        const bool last = target.format == CUDNN_TENSOR_NHWC;
        const std::size_t inner = last ? 1 : 3, outer = last ? 3 : 1;
        for (std::size_t i = 0; i < static_cast<std::size_t>(dims[2]); ++i) {
          for (std::size_t j = 0; j < static_cast<std::size_t>(dims[outer]); ++j) {
            add_row(static_cast<std::size_t>(dims[inner]), strides[inner],
                    addend + n * steps[0] + i * steps[2] + j * steps[outer], steps[inner],
                    sum + n * strides[0] + i * strides[2] + j * strides[outer], scaling);
          }
        }
      });
    });
  });
}

DNN_API cudnnStatus_t cudnnConvolutionBackwardBias(cudnnHandle_t handle, const void* alpha,
                                                   cudnnTensorDescriptor_t dy_desc, const void* dy_pointer,
                                                   const void* beta, cudnnTensorDescriptor_t db_desc,
                                                   void* db_pointer) {
  return call("cudnnConvolutionBackwardBias", [&] {
    const auto on = handle_of(handle);
    const auto gradient = computable<Tensor>(dy_desc), bias = computable<Tensor>(db_desc);
    require((bias.dims == std::array{1, gradient.dims[1], 1, 1}), CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    const Scaling scaling(alpha, beta);
    const float* dy = input(dy_pointer, gradient);
    float* db = output(db_pointer, bias);
    const auto images = static_cast<std::size_t>(gradient.dims[0]),
               channels = static_cast<std::size_t>(gradient.dims[1]);
    auto sums = std::make_shared<std::vector<double>>(images * channels);
    submit(on, "cudnnConvolutionBackwardBias", [=] {
      parallel(images, static_cast<double>(gradient.elements()), [&](std::size_t i) {
        channel_sums(gradient, dy + i * gradient.strides()[0], sums->data() + i * channels);
      });
      for (std::size_t c = 0; c < channels; ++c) {
        double sum = 0;
        for (std::size_t i = 0; i < images; ++i) {
          sum += (*sums)[i * channels + c];
        }
        scaling.store(static_cast<float>(sum), db[c]);
      }
    });
  });
}

#ifdef __clang__
#pragma clang attribute pop
#endif
