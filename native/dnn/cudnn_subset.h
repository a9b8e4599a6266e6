/*
 * cudnn_subset.h - what tools/jextract-cudnn makes the Java bindings from, and
 * what the library in this folder is compiled against.
 *
 * Hand-written restatement of the small part of the cuDNN 9 C interface that
 * this project calls: function signatures and enumerator values, nothing else.
 * It is not NVIDIA's header and does not replace it. Parameter names are ours.
 * Checked against two published builds of the interface, 9.5.1 and 9.19.0.
 */
#ifndef CUDNN_SUBSET_H
#define CUDNN_SUBSET_H

#include <stddef.h>

/* Names and values stand in columns. */
/* clang-format off */

/* Opaque objects: only ever handled through pointers. */
typedef struct CUstream_st* cudaStream_t;
typedef struct cudnnContext* cudnnHandle_t;
typedef struct cudnnTensorStruct* cudnnTensorDescriptor_t;
typedef struct cudnnFilterStruct* cudnnFilterDescriptor_t;
typedef struct cudnnConvolutionStruct* cudnnConvolutionDescriptor_t;
typedef struct cudnnPoolingStruct* cudnnPoolingDescriptor_t;
typedef struct cudnnActivationStruct* cudnnActivationDescriptor_t;

/* Status: thousands digit = category (2 caller, 3 unsupported, 4 internal, 5 execution). */
typedef enum {
  CUDNN_STATUS_SUCCESS = 0,
  CUDNN_STATUS_NOT_INITIALIZED = 1001,
  CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH = 1002,
  CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH = 1003,
  CUDNN_STATUS_DEPRECATED = 1004,
  CUDNN_STATUS_LICENSE_ERROR = 1005,
  CUDNN_STATUS_RUNTIME_IN_PROGRESS = 1006,
  CUDNN_STATUS_RUNTIME_FP_OVERFLOW = 1007,
  CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED = 1008,
  CUDNN_STATUS_BAD_PARAM = 2000,
  CUDNN_STATUS_BAD_PARAM_NULL_POINTER = 2002,
  CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER = 2003,
  CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED = 2004,
  CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND = 2005,
  CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT = 2006,
  CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH = 2007,
  CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH = 2008,
  CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES = 2009,
  CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE = 2010,
  CUDNN_STATUS_BAD_PARAM_CUDA_GRAPH_MISMATCH = 2011,
  CUDNN_STATUS_NOT_SUPPORTED = 3000,
  CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN = 3001,
  CUDNN_STATUS_NOT_SUPPORTED_SHAPE = 3002,
  CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE = 3003,
  CUDNN_STATUS_NOT_SUPPORTED_LAYOUT = 3004,
  CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER = 3005,
  CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDART = 3006,
  CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH = 3007,
  CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING = 3008,
  CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE = 3009,
  CUDNN_STATUS_NOT_SUPPORTED_SHARED_MEMORY_INSUFFICIENT = 3010,
  CUDNN_STATUS_NOT_SUPPORTED_PADDING = 3011,
  CUDNN_STATUS_NOT_SUPPORTED_BAD_LAUNCH_PARAM = 3012,
  CUDNN_STATUS_NOT_SUPPORTED_CUDA_GRAPH_NATIVE_API = 3013,
  CUDNN_STATUS_INTERNAL_ERROR = 4000,
  CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED = 4001,
  CUDNN_STATUS_INTERNAL_ERROR_UNEXPECTED_VALUE = 4002,
  CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED = 4003,
  CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED = 4004,
  CUDNN_STATUS_INTERNAL_ERROR_BAD_LAUNCH_PARAM = 4005,
  CUDNN_STATUS_INTERNAL_ERROR_TEXTURE_CREATION_FAILED = 4006,
  CUDNN_STATUS_EXECUTION_FAILED = 5000,
  CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER = 5001,
  CUDNN_STATUS_EXECUTION_FAILED_CUBLAS = 5002,
  CUDNN_STATUS_EXECUTION_FAILED_CUDART = 5003,
  CUDNN_STATUS_EXECUTION_FAILED_CURAND = 5004
} cudnnStatus_t;

typedef enum {
  CUDNN_DATA_FLOAT = 0,
  CUDNN_DATA_DOUBLE = 1,
  CUDNN_DATA_HALF = 2,
  CUDNN_DATA_INT8 = 3,
  CUDNN_DATA_INT32 = 4,
  CUDNN_DATA_UINT8 = 6,
  CUDNN_DATA_BFLOAT16 = 9,
  CUDNN_DATA_INT64 = 10,
  CUDNN_DATA_BOOLEAN = 11
} cudnnDataType_t;

typedef enum { CUDNN_TENSOR_NCHW = 0, CUDNN_TENSOR_NHWC = 1, CUDNN_TENSOR_NCHW_VECT_C = 2 } cudnnTensorFormat_t;

typedef enum {
  CUDNN_DEFAULT_MATH = 0,
  CUDNN_TENSOR_OP_MATH = 1,
  CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION = 2,
  CUDNN_FMA_MATH = 3
} cudnnMathType_t;

typedef enum { CUDNN_NOT_PROPAGATE_NAN = 0, CUDNN_PROPAGATE_NAN = 1 } cudnnNanPropagation_t;

typedef enum { CUDNN_CONVOLUTION = 0, CUDNN_CROSS_CORRELATION = 1 } cudnnConvolutionMode_t;

typedef enum {
  CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM = 0,
  CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM = 1,
  CUDNN_CONVOLUTION_FWD_ALGO_GEMM = 2,
  CUDNN_CONVOLUTION_FWD_ALGO_DIRECT = 3,
  CUDNN_CONVOLUTION_FWD_ALGO_FFT = 4,
  CUDNN_CONVOLUTION_FWD_ALGO_FFT_TILING = 5,
  CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD = 6,
  CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD_NONFUSED = 7,
  CUDNN_CONVOLUTION_FWD_ALGO_COUNT = 8
} cudnnConvolutionFwdAlgo_t;

typedef enum {
  CUDNN_CONVOLUTION_BWD_DATA_ALGO_0 = 0,
  CUDNN_CONVOLUTION_BWD_DATA_ALGO_1 = 1,
  CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT = 2,
  CUDNN_CONVOLUTION_BWD_DATA_ALGO_FFT_TILING = 3,
  CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD = 4,
  CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD_NONFUSED = 5,
  CUDNN_CONVOLUTION_BWD_DATA_ALGO_COUNT = 6
} cudnnConvolutionBwdDataAlgo_t;

typedef enum {
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 = 0,
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1 = 1,
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT = 2,
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3 = 3,
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD = 4,
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_WINOGRAD_NONFUSED = 5,
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_FFT_TILING = 6,
  CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT = 7
} cudnnConvolutionBwdFilterAlgo_t;

typedef enum {
  CUDNN_POOLING_MAX = 0,
  CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING = 1,
  CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING = 2,
  CUDNN_POOLING_MAX_DETERMINISTIC = 3
} cudnnPoolingMode_t;

typedef enum {
  CUDNN_ACTIVATION_SIGMOID = 0,
  CUDNN_ACTIVATION_RELU = 1,
  CUDNN_ACTIVATION_TANH = 2,
  CUDNN_ACTIVATION_CLIPPED_RELU = 3,
  CUDNN_ACTIVATION_ELU = 4,
  CUDNN_ACTIVATION_IDENTITY = 5,
  CUDNN_ACTIVATION_SWISH = 6
} cudnnActivationMode_t;

typedef enum { CUDNN_SOFTMAX_FAST = 0, CUDNN_SOFTMAX_ACCURATE = 1, CUDNN_SOFTMAX_LOG = 2 } cudnnSoftmaxAlgorithm_t;

typedef enum { CUDNN_SOFTMAX_MODE_INSTANCE = 0, CUDNN_SOFTMAX_MODE_CHANNEL = 1 } cudnnSoftmaxMode_t;

/* Library and handle. */
size_t cudnnGetVersion(void);
const char* cudnnGetErrorString(cudnnStatus_t code);
cudnnStatus_t cudnnCreate(cudnnHandle_t* outHandle);
cudnnStatus_t cudnnDestroy(cudnnHandle_t ctx);
cudnnStatus_t cudnnSetStream(cudnnHandle_t ctx, cudaStream_t queue);

/* Tensor descriptor. Note: layout first, element type second. */
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* outDesc);
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t desc, cudnnTensorFormat_t layout, cudnnDataType_t elem,
                                         int batch, int channels, int rows, int cols);
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t desc);

/* Filter descriptor. Note: element type first, layout second. */
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* outDesc);
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t desc, cudnnDataType_t elem, cudnnTensorFormat_t layout,
                                         int outMaps, int inMaps, int rows, int cols);
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t desc);

/* Convolution descriptor. */
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* outDesc);
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t desc, int padRows, int padCols,
                                              int strideRows, int strideCols, int dilationRows, int dilationCols,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t accumulate);
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t desc, cudnnMathType_t math);
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t desc);
cudnnStatus_t cudnnGetConvolution2dForwardOutputDim(cudnnConvolutionDescriptor_t desc, cudnnTensorDescriptor_t in,
                                                    cudnnFilterDescriptor_t filter, int* outBatch, int* outChannels,
                                                    int* outRows, int* outCols);

/* Pooling descriptor. */
cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* outDesc);
cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t desc, cudnnPoolingMode_t mode,
                                          cudnnNanPropagation_t nan, int windowRows, int windowCols, int padRows,
                                          int padCols, int strideRows, int strideCols);
cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t desc);

/* Activation descriptor. */
cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* outDesc);
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t desc, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t nan, double coefficient);
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t desc);

/* Convolution. alpha and beta are host pointers; the scratch buffer is on the device. */
cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t ctx, cudnnTensorDescriptor_t inDesc,
                                                      cudnnFilterDescriptor_t filterDesc,
                                                      cudnnConvolutionDescriptor_t convDesc,
                                                      cudnnTensorDescriptor_t outDesc,
                                                      cudnnConvolutionFwdAlgo_t algorithm, size_t* outBytes);
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t ctx, cudnnFilterDescriptor_t filterDesc,
                                                           cudnnTensorDescriptor_t gradOutDesc,
                                                           cudnnConvolutionDescriptor_t convDesc,
                                                           cudnnTensorDescriptor_t gradInDesc,
                                                           cudnnConvolutionBwdDataAlgo_t algorithm, size_t* outBytes);
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t ctx, cudnnTensorDescriptor_t inDesc,
                                                             cudnnTensorDescriptor_t gradOutDesc,
                                                             cudnnConvolutionDescriptor_t convDesc,
                                                             cudnnFilterDescriptor_t gradFilterDesc,
                                                             cudnnConvolutionBwdFilterAlgo_t algorithm,
                                                             size_t* outBytes);
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t ctx, const void* alpha, cudnnTensorDescriptor_t inDesc,
                                      const void* in, cudnnFilterDescriptor_t filterDesc, const void* filter,
                                      cudnnConvolutionDescriptor_t convDesc, cudnnConvolutionFwdAlgo_t algorithm,
                                      void* scratch, size_t scratchBytes, const void* beta,
                                      cudnnTensorDescriptor_t outDesc, void* out);
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t ctx, const void* alpha, cudnnFilterDescriptor_t filterDesc,
                                           const void* filter, cudnnTensorDescriptor_t gradOutDesc, const void* gradOut,
                                           cudnnConvolutionDescriptor_t convDesc,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* scratch, size_t scratchBytes,
                                           const void* beta, cudnnTensorDescriptor_t gradInDesc, void* gradIn);
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t ctx, const void* alpha, cudnnTensorDescriptor_t inDesc,
                                             const void* in, cudnnTensorDescriptor_t gradOutDesc, const void* gradOut,
                                             cudnnConvolutionDescriptor_t convDesc,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* scratch,
                                             size_t scratchBytes, const void* beta,
                                             cudnnFilterDescriptor_t gradFilterDesc, void* gradFilter);
cudnnStatus_t cudnnConvolutionBackwardBias(cudnnHandle_t ctx, const void* alpha, cudnnTensorDescriptor_t gradOutDesc,
                                           const void* gradOut, const void* beta, cudnnTensorDescriptor_t gradBiasDesc,
                                           void* gradBias);

/* Broadcasting add: acc = alpha * addend + beta * acc. */
cudnnStatus_t cudnnAddTensor(cudnnHandle_t ctx, const void* alpha, cudnnTensorDescriptor_t addendDesc,
                             const void* addend, const void* beta, cudnnTensorDescriptor_t accDesc, void* acc);

/* Pooling, activation, softmax. Backward calls take the forward output, then its gradient. */
cudnnStatus_t cudnnPoolingForward(cudnnHandle_t ctx, cudnnPoolingDescriptor_t poolDesc, const void* alpha,
                                  cudnnTensorDescriptor_t inDesc, const void* in, const void* beta,
                                  cudnnTensorDescriptor_t outDesc, void* out);
cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t ctx, cudnnPoolingDescriptor_t poolDesc, const void* alpha,
                                   cudnnTensorDescriptor_t outDesc, const void* out,
                                   cudnnTensorDescriptor_t gradOutDesc, const void* gradOut,
                                   cudnnTensorDescriptor_t inDesc, const void* in, const void* beta,
                                   cudnnTensorDescriptor_t gradInDesc, void* gradIn);
cudnnStatus_t cudnnActivationForward(cudnnHandle_t ctx, cudnnActivationDescriptor_t actDesc, const void* alpha,
                                     cudnnTensorDescriptor_t inDesc, const void* in, const void* beta,
                                     cudnnTensorDescriptor_t outDesc, void* out);
cudnnStatus_t cudnnActivationBackward(cudnnHandle_t ctx, cudnnActivationDescriptor_t actDesc, const void* alpha,
                                      cudnnTensorDescriptor_t outDesc, const void* out,
                                      cudnnTensorDescriptor_t gradOutDesc, const void* gradOut,
                                      cudnnTensorDescriptor_t inDesc, const void* in, const void* beta,
                                      cudnnTensorDescriptor_t gradInDesc, void* gradIn);
cudnnStatus_t cudnnSoftmaxForward(cudnnHandle_t ctx, cudnnSoftmaxAlgorithm_t algorithm, cudnnSoftmaxMode_t mode,
                                  const void* alpha, cudnnTensorDescriptor_t inDesc, const void* in, const void* beta,
                                  cudnnTensorDescriptor_t outDesc, void* out);
cudnnStatus_t cudnnSoftmaxBackward(cudnnHandle_t ctx, cudnnSoftmaxAlgorithm_t algorithm, cudnnSoftmaxMode_t mode,
                                   const void* alpha, cudnnTensorDescriptor_t outDesc, const void* out,
                                   cudnnTensorDescriptor_t gradOutDesc, const void* gradOut, const void* beta,
                                   cudnnTensorDescriptor_t gradInDesc, void* gradIn);

#endif
