// The CPU's cuDNN under load, built together with the driver by ThreadSanitizer and by
// AddressSanitizer: several host threads, each with a handle and a stream, send batches that are
// cut into pieces through every function, eagerly and captured, on memory that is exactly as large
// as it must be. Every run must give the same bits.
//
//   dnn_stress
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "driver/abi.h"

extern "C" {
#include "dnn/cudnn_subset.h"

CUresult cuInit(unsigned);
CUresult cuCtxCreate_v2(void**, unsigned, CUdevice);
CUresult cuCtxDestroy_v2(void*);
CUresult cuCtxSetCurrent(void*);
CUresult cuMemAlloc_v2(CUdeviceptr*, std::size_t);
CUresult cuMemFree_v2(CUdeviceptr);
CUresult cuMemcpyHtoD_v2(CUdeviceptr, const void*, std::size_t);
CUresult cuMemcpyDtoH_v2(void*, CUdeviceptr, std::size_t);
CUresult cuStreamCreate(void**, unsigned);
CUresult cuStreamDestroy_v2(void*);
CUresult cuStreamSynchronize(void*);
CUresult cuStreamBeginCapture_v2(void*, int);
CUresult cuStreamEndCapture(void*, void**);
CUresult cuGraphInstantiateWithFlags(void**, void*, unsigned long long);
CUresult cuGraphLaunch(void*, void*);
CUresult cuGraphDestroy(void*);
CUresult cuGraphExecDestroy(void*);
}

namespace {

void check(bool condition, const char* what, int line) {
  if (!condition) {
    std::fprintf(stderr, "dnn_stress.cpp:%d: %s\n", line, what);
    std::_Exit(1);
  }
}
#define OK(call) check((call) == 0, #call, __LINE__)

constexpr int kBatch = 11, kSide = 14, kIn = 3, kOut = 16, kWindow = 5;
constexpr std::size_t kImages = kBatch * kSide * kSide;

// Device memory of that many floats, freed with this object.
class Memory {
 public:
  explicit Memory(std::size_t count) : count_(count) {
    OK(cuMemAlloc_v2(&address_, count * sizeof(float)));
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = std::sin(static_cast<float>(i));
    }
    OK(cuMemcpyHtoD_v2(address_, values.data(), count * sizeof(float)));
    OK(cuStreamSynchronize(nullptr));  // the copy may not have arrived
  }
  ~Memory() { OK(cuMemFree_v2(address_)); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void* pointer() const { return reinterpret_cast<void*>(address_); }
  std::vector<float> values() const {
    std::vector<float> values(count_);
    OK(cuMemcpyDtoH_v2(values.data(), address_, count_ * sizeof(float)));
    return values;
  }

 private:
  std::size_t count_;
  CUdeviceptr address_ = 0;
};

cudnnTensorDescriptor_t tensor(cudnnTensorFormat_t format, int n, int c, int h, int w) {
  cudnnTensorDescriptor_t descriptor;
  OK(cudnnCreateTensorDescriptor(&descriptor));
  OK(cudnnSetTensor4dDescriptor(descriptor, format, CUDNN_DATA_FLOAT, n, c, h, w));
  return descriptor;
}

void session(void* context, cudnnTensorFormat_t format) {
  OK(cuCtxSetCurrent(context));
  void* stream;
  OK(cuStreamCreate(&stream, 1));
  cudnnHandle_t handle;
  OK(cudnnCreate(&handle));
  OK(cudnnSetStream(handle, static_cast<cudaStream_t>(stream)));
  const auto x_desc = tensor(format, kBatch, kIn, kSide, kSide), z_desc = tensor(format, kBatch, kOut, kSide, kSide),
             y_desc = tensor(format, kBatch, kOut, kSide / 2, kSide / 2), b_desc = tensor(format, 1, kOut, 1, 1);
  cudnnFilterDescriptor_t w_desc;
  OK(cudnnCreateFilterDescriptor(&w_desc));
  OK(cudnnSetFilter4dDescriptor(w_desc, CUDNN_DATA_FLOAT, format, kOut, kIn, kWindow, kWindow));
  cudnnConvolutionDescriptor_t convolution;
  OK(cudnnCreateConvolutionDescriptor(&convolution));
  OK(cudnnSetConvolution2dDescriptor(convolution, 2, 2, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
  cudnnPoolingDescriptor_t pooling;
  OK(cudnnCreatePoolingDescriptor(&pooling));
  OK(cudnnSetPooling2dDescriptor(pooling, CUDNN_POOLING_MAX, CUDNN_PROPAGATE_NAN, 2, 2, 0, 0, 2, 2));
  cudnnActivationDescriptor_t activation;
  OK(cudnnCreateActivationDescriptor(&activation));
  OK(cudnnSetActivationDescriptor(activation, CUDNN_ACTIVATION_TANH, CUDNN_PROPAGATE_NAN, 0));

  constexpr auto kForward = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM;
  constexpr auto kData = CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
  constexpr auto kFilter = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;
  std::size_t forward_bytes, data_bytes, filter_bytes;
  OK(cudnnGetConvolutionForwardWorkspaceSize(handle, x_desc, w_desc, convolution, z_desc, kForward, &forward_bytes));
  OK(cudnnGetConvolutionBackwardDataWorkspaceSize(handle, w_desc, z_desc, convolution, x_desc, kData, &data_bytes));
  OK(cudnnGetConvolutionBackwardFilterWorkspaceSize(handle, x_desc, z_desc, convolution, w_desc, kFilter,
                                                    &filter_bytes));
  {
    const Memory x(kImages * kIn), w(kOut * kIn * kWindow * kWindow), b(kOut), z(kImages * kOut), y(kImages / 4 * kOut),
        a(kImages / 4 * kOut), s(kImages / 4 * kOut);
    const Memory dy(kImages / 4 * kOut), da(kImages / 4 * kOut), dz(kImages * kOut), dx(kImages * kIn),
        dw(kOut * kIn * kWindow * kWindow), db(kOut);
    const Memory forward_space(forward_bytes / 4 + 1), data_space(data_bytes / 4 + 1),
        filter_space(filter_bytes / 4 + 1);
    const float one = 1, zero = 0;
    const auto step = [&] {
      OK(cudnnConvolutionForward(handle, &one, x_desc, x.pointer(), w_desc, w.pointer(), convolution, kForward,
                                 forward_space.pointer(), forward_bytes, &zero, z_desc, z.pointer()));
      OK(cudnnAddTensor(handle, &one, b_desc, b.pointer(), &one, z_desc, z.pointer()));
      OK(cudnnPoolingForward(handle, pooling, &one, z_desc, z.pointer(), &zero, y_desc, y.pointer()));
      OK(cudnnActivationForward(handle, activation, &one, y_desc, y.pointer(), &zero, y_desc, a.pointer()));
      OK(cudnnSoftmaxForward(handle, CUDNN_SOFTMAX_ACCURATE, CUDNN_SOFTMAX_MODE_CHANNEL, &one, y_desc, a.pointer(),
                             &zero, y_desc, s.pointer()));
      OK(cudnnSoftmaxBackward(handle, CUDNN_SOFTMAX_ACCURATE, CUDNN_SOFTMAX_MODE_CHANNEL, &one, y_desc, s.pointer(),
                              y_desc, dy.pointer(), &zero, y_desc, da.pointer()));
      OK(cudnnActivationBackward(handle, activation, &one, y_desc, a.pointer(), y_desc, da.pointer(), y_desc,
                                 y.pointer(), &zero, y_desc, da.pointer()));
      OK(cudnnPoolingBackward(handle, pooling, &one, y_desc, y.pointer(), y_desc, da.pointer(), z_desc, z.pointer(),
                              &zero, z_desc, dz.pointer()));
      OK(cudnnConvolutionBackwardBias(handle, &one, z_desc, dz.pointer(), &zero, b_desc, db.pointer()));
      OK(cudnnConvolutionBackwardData(handle, &one, w_desc, w.pointer(), z_desc, dz.pointer(), convolution, kData,
                                      data_space.pointer(), data_bytes, &zero, x_desc, dx.pointer()));
      // 2 dw - dw, by way of the memory that alpha and beta other than 1 and 0 need.
      const float two = 2, minus = -1;
      OK(cudnnConvolutionBackwardFilter(handle, &one, x_desc, x.pointer(), z_desc, dz.pointer(), convolution, kFilter,
                                        filter_space.pointer(), filter_bytes, &zero, w_desc, dw.pointer()));
      OK(cudnnConvolutionBackwardFilter(handle, &two, x_desc, x.pointer(), z_desc, dz.pointer(), convolution, kFilter,
                                        filter_space.pointer(), filter_bytes, &minus, w_desc, dw.pointer()));
    };
    const auto results = [&] {
      OK(cuStreamSynchronize(stream));
      std::vector<float> all;
      for (const Memory* memory : {&s, &dx, &dw, &db}) {
        const auto values = memory->values();
        all.insert(all.end(), values.begin(), values.end());
      }
      return all;
    };
    step();
    const std::vector<float> expected = results();
    for (const float value : expected) {
      check(std::isfinite(value), "a result is not finite", __LINE__);
    }
    OK(cuStreamBeginCapture_v2(stream, 1));
    step();
    void *graph, *exec;
    OK(cuStreamEndCapture(stream, &graph));
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    for (int i = 0; i < 5; ++i) {
      OK(cuGraphLaunch(exec, stream));
      step();
      const std::vector<float> again = results();
      check(std::memcmp(expected.data(), again.data(), expected.size() * sizeof(float)) == 0,
            "the bits differ from run to run", __LINE__);
    }
    OK(cuGraphExecDestroy(exec));
    OK(cuGraphDestroy(graph));
  }
  for (const auto descriptor : {x_desc, z_desc, y_desc, b_desc}) {
    OK(cudnnDestroyTensorDescriptor(descriptor));
  }
  OK(cudnnDestroyFilterDescriptor(w_desc));
  OK(cudnnDestroyConvolutionDescriptor(convolution));
  OK(cudnnDestroyPoolingDescriptor(pooling));
  OK(cudnnDestroyActivationDescriptor(activation));
  OK(cudnnDestroy(handle));
  OK(cuStreamDestroy_v2(stream));
}

}  // namespace

int main() {
  OK(cuInit(0));
  void* context;
  OK(cuCtxCreate_v2(&context, 0, 0));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([=] { session(context, i % 2 == 0 ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  OK(cuCtxDestroy_v2(context));
  std::puts("dnn: clean");
}
