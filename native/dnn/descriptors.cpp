// libcudnn.so.9 for the CPU driver: the part of cuDNN that Plateau calls (cudnn_subset.h). This
// file: the library, its handles and its descriptors. What a GPU's cuDNN would refuse is refused
// here, with a status of the category that NVIDIA documents for it.
#include "dnn/dnn.h"

namespace {

using namespace dnn;

constexpr std::size_t kVersion = 90501;  // 9.5.1, the older of the two interfaces that the header was checked against
constexpr std::size_t kMostElements = std::size_t{1} << 31;

template <class T>
cudnnStatus_t create(const char* name, auto** out) {
  return call(name, [&] {
    require(out != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    *out = static_cast<std::remove_reference_t<decltype(*out)>>(table<T>().add());
  });
}

template <class T>
cudnnStatus_t destroy(const char* name, const void* key) {
  return call(name, [&] { table<T>().remove(key); });
}

// A descriptor is whole or, after a refused call, as it was.
template <class T>
void describe(const void* key, cudnnTensorFormat_t format, cudnnDataType_t type, std::array<int, 4> dims) {
  T value = table<T>().get(key);
  require(format >= CUDNN_TENSOR_NCHW && format <= CUDNN_TENSOR_NCHW_VECT_C, CUDNN_STATUS_BAD_PARAM);
  require(type >= CUDNN_DATA_FLOAT && type <= CUDNN_DATA_BOOLEAN, CUDNN_STATUS_BAD_PARAM);
  std::size_t elements = 1;
  for (const int dim : dims) {
    require(dim > 0, CUDNN_STATUS_BAD_PARAM);
    elements *= static_cast<std::size_t>(dim);
    require(elements < kMostElements, CUDNN_STATUS_NOT_SUPPORTED);
  }
  value.is_set = true;
  value.format = format;
  value.type = type;
  value.dims = dims;
  table<T>().set(key, value);
}

}  // namespace

DNN_API size_t cudnnGetVersion(void) { return kVersion; }

DNN_API const char* cudnnGetErrorString(cudnnStatus_t status) {
  switch (status) {
#define NAME(code) \
  case code:       \
    return #code;
    NAME(CUDNN_STATUS_SUCCESS)
    NAME(CUDNN_STATUS_NOT_INITIALIZED)
    NAME(CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH)
    NAME(CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH)
    NAME(CUDNN_STATUS_DEPRECATED)
    NAME(CUDNN_STATUS_LICENSE_ERROR)
    NAME(CUDNN_STATUS_RUNTIME_IN_PROGRESS)
    NAME(CUDNN_STATUS_RUNTIME_FP_OVERFLOW)
    NAME(CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED)
    NAME(CUDNN_STATUS_BAD_PARAM)
    NAME(CUDNN_STATUS_BAD_PARAM_NULL_POINTER)
    NAME(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER)
    NAME(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED)
    NAME(CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND)
    NAME(CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT)
    NAME(CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH)
    NAME(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH)
    NAME(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES)
    NAME(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE)
    NAME(CUDNN_STATUS_BAD_PARAM_CUDA_GRAPH_MISMATCH)
    NAME(CUDNN_STATUS_NOT_SUPPORTED)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_SHAPE)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDART)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_SHARED_MEMORY_INSUFFICIENT)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_PADDING)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_BAD_LAUNCH_PARAM)
    NAME(CUDNN_STATUS_NOT_SUPPORTED_CUDA_GRAPH_NATIVE_API)
    NAME(CUDNN_STATUS_INTERNAL_ERROR)
    NAME(CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED)
    NAME(CUDNN_STATUS_INTERNAL_ERROR_UNEXPECTED_VALUE)
    NAME(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED)
    NAME(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)
    NAME(CUDNN_STATUS_INTERNAL_ERROR_BAD_LAUNCH_PARAM)
    NAME(CUDNN_STATUS_INTERNAL_ERROR_TEXTURE_CREATION_FAILED)
    NAME(CUDNN_STATUS_EXECUTION_FAILED)
    NAME(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER)
    NAME(CUDNN_STATUS_EXECUTION_FAILED_CUBLAS)
    NAME(CUDNN_STATUS_EXECUTION_FAILED_CUDART)
    NAME(CUDNN_STATUS_EXECUTION_FAILED_CURAND)
#undef NAME
  }
  return "CUDNN_UNKNOWN_STATUS";
}

// NVIDIA's allocates, which a capture of the same thread does not allow.
DNN_API cudnnStatus_t cudnnCreate(cudnnHandle_t* out) {
  return call("cudnnCreate", [&] {
    require(out != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    const Handle handle{plateau_current_context()};
    require(handle.context != nullptr, CUDNN_STATUS_NOT_INITIALIZED);
    require(plateau_unsafe_during_capture() == 0, CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED);
    *out = static_cast<cudnnHandle_t>(table<Handle>().add());
    table<Handle>().set(*out, handle);
  });
}
// As NVIDIA's, it waits for the device, which spoils whatever is being captured there.
DNN_API cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  return call("cudnnDestroy", [&] {
    handle_of(handle);
    const int status = plateau_synchronize_device();
    table<Handle>().remove(handle);
    require(status == 0, CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER);
  });
}
DNN_API cudnnStatus_t cudnnSetStream(cudnnHandle_t key, cudaStream_t stream) {
  return call("cudnnSetStream", [&] {
    Handle handle = handle_of(key);
    require(plateau_stream_is_current(stream) != 0, CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH);
    handle.stream = stream;
    table<Handle>().set(key, handle);
  });
}

DNN_API cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* out) {
  return create<Tensor>("cudnnCreateTensorDescriptor", out);
}
DNN_API cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor) {
  return destroy<Tensor>("cudnnDestroyTensorDescriptor", tensor);
}
DNN_API cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensor, cudnnTensorFormat_t format,
                                                 cudnnDataType_t type, int n, int c, int h, int w) {
  return call("cudnnSetTensor4dDescriptor", [&] { describe<Tensor>(tensor, format, type, {n, c, h, w}); });
}

DNN_API cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* out) {
  return create<Filter>("cudnnCreateFilterDescriptor", out);
}
DNN_API cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter) {
  return destroy<Filter>("cudnnDestroyFilterDescriptor", filter);
}
DNN_API cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                                 cudnnTensorFormat_t format, int k, int c, int r, int s) {
  return call("cudnnSetFilter4dDescriptor", [&] { describe<Filter>(filter, format, type, {k, c, r, s}); });
}

DNN_API cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* out) {
  return create<Convolution>("cudnnCreateConvolutionDescriptor", out);
}
DNN_API cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convolution) {
  return destroy<Convolution>("cudnnDestroyConvolutionDescriptor", convolution);
}
DNN_API cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t key, int pad_rows, int pad_cols,
                                                      int stride_rows, int stride_cols, int dilation_rows,
                                                      int dilation_cols, cudnnConvolutionMode_t mode,
                                                      cudnnDataType_t accumulate) {
  return call("cudnnSetConvolution2dDescriptor", [&] {
    const cudnnMathType_t math = table<Convolution>().get(key).math;
    require(
        pad_rows >= 0 && pad_cols >= 0 && stride_rows > 0 && stride_cols > 0 && dilation_rows > 0 && dilation_cols > 0,
        CUDNN_STATUS_BAD_PARAM);
    require(mode == CUDNN_CONVOLUTION || mode == CUDNN_CROSS_CORRELATION, CUDNN_STATUS_BAD_PARAM);
    require(accumulate >= CUDNN_DATA_FLOAT && accumulate <= CUDNN_DATA_BOOLEAN, CUDNN_STATUS_BAD_PARAM);
    table<Convolution>().set(key, {true,
                                   {pad_rows, pad_cols},
                                   {stride_rows, stride_cols},
                                   {dilation_rows, dilation_cols},
                                   mode,
                                   accumulate,
                                   math});
  });
}
DNN_API cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t key, cudnnMathType_t math) {
  return call("cudnnSetConvolutionMathType", [&] {
    Convolution value = table<Convolution>().get(key);
    require(math >= CUDNN_DEFAULT_MATH && math <= CUDNN_FMA_MATH, CUDNN_STATUS_BAD_PARAM);
    value.math = math;  // all of them compute in float32 here
    table<Convolution>().set(key, value);
  });
}

DNN_API cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* out) {
  return create<Pooling>("cudnnCreatePoolingDescriptor", out);
}
DNN_API cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t pooling) {
  return destroy<Pooling>("cudnnDestroyPoolingDescriptor", pooling);
}
DNN_API cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t key, cudnnPoolingMode_t mode,
                                                  cudnnNanPropagation_t nan, int window_rows, int window_cols,
                                                  int pad_rows, int pad_cols, int stride_rows, int stride_cols) {
  return call("cudnnSetPooling2dDescriptor", [&] {
    require(mode >= CUDNN_POOLING_MAX && mode <= CUDNN_POOLING_MAX_DETERMINISTIC, CUDNN_STATUS_BAD_PARAM);
    require(nan == CUDNN_NOT_PROPAGATE_NAN || nan == CUDNN_PROPAGATE_NAN, CUDNN_STATUS_BAD_PARAM);
    require(window_rows > 0 && window_cols > 0 && stride_rows > 0 && stride_cols > 0, CUDNN_STATUS_BAD_PARAM);
    // A window that lies in the padding alone would have no maximum.
    require(pad_rows >= 0 && pad_cols >= 0 && pad_rows < window_rows && pad_cols < window_cols, CUDNN_STATUS_BAD_PARAM);
    table<Pooling>().set(
        key, {true, mode, nan, {window_rows, window_cols}, {pad_rows, pad_cols}, {stride_rows, stride_cols}});
  });
}

DNN_API cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* out) {
  return create<Activation>("cudnnCreateActivationDescriptor", out);
}
DNN_API cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t activation) {
  return destroy<Activation>("cudnnDestroyActivationDescriptor", activation);
}
DNN_API cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t key, cudnnActivationMode_t mode,
                                                   cudnnNanPropagation_t nan, double coefficient) {
  return call("cudnnSetActivationDescriptor", [&] {
    require(mode >= CUDNN_ACTIVATION_SIGMOID && mode <= CUDNN_ACTIVATION_SWISH, CUDNN_STATUS_BAD_PARAM);
    require(nan == CUDNN_NOT_PROPAGATE_NAN || nan == CUDNN_PROPAGATE_NAN, CUDNN_STATUS_BAD_PARAM);
    table<Activation>().set(key, {true, mode, nan, coefficient});
  });
}
