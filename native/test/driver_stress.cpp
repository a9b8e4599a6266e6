// The CPU driver under load, built together with it by ThreadSanitizer and by AddressSanitizer:
// streams that wait for each other, frees and destruction with work in flight, graphs launched and
// updated from several streams, contexts and host threads side by side. Every result is checked.
//
//   driver_stress IMAGE    the image of kernels/optimizer.cu, for its `accumulate`: sum += term
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "driver/abi.h"
#include "driver/plateau_driver.h"

extern "C" {
CUresult cuInit(unsigned);
CUresult cuCtxCreate_v2(void**, unsigned, CUdevice);
CUresult cuCtxDestroy_v2(void*);
CUresult cuCtxSetCurrent(void*);
CUresult cuCtxSynchronize();
CUresult cuModuleLoad(void**, const char*);
CUresult cuModuleUnload(void*);
CUresult cuModuleGetFunction(void**, void*, const char*);
CUresult cuMemAlloc_v2(CUdeviceptr*, std::size_t);
CUresult cuMemFree_v2(CUdeviceptr);
CUresult cuMemAllocAsync(CUdeviceptr*, std::size_t, void*);
CUresult cuMemFreeAsync(CUdeviceptr, void*);
CUresult cuMemcpyHtoD_v2(CUdeviceptr, const void*, std::size_t);
CUresult cuMemcpyDtoH_v2(void*, CUdeviceptr, std::size_t);
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr, const void*, std::size_t, void*);
CUresult cuMemsetD32Async(CUdeviceptr, unsigned, std::size_t, void*);
CUresult cuLaunchKernel(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**,
                        void**);
CUresult cuStreamCreate(void**, unsigned);
CUresult cuStreamDestroy_v2(void*);
CUresult cuStreamSynchronize(void*);
CUresult cuStreamWaitEvent(void*, void*, unsigned);
CUresult cuStreamBeginCapture_v2(void*, int);
CUresult cuStreamEndCapture(void*, void**);
CUresult cuEventCreate(void**, unsigned);
CUresult cuEventRecord(void*, void*);
CUresult cuEventSynchronize(void*);
CUresult cuEventDestroy_v2(void*);
CUresult cuGraphInstantiateWithFlags(void**, void*, unsigned long long);
CUresult cuGraphGetNodes(void*, void**, std::size_t*);
CUresult cuGraphExecKernelNodeSetParams_v2(void*, void*, const CUDA_KERNEL_NODE_PARAMS_v2*);
CUresult cuGraphLaunch(void*, void*);
CUresult cuGraphDestroy(void*);
CUresult cuGraphExecDestroy(void*);
void plateau_live_objects(int[7]);
}

namespace {

const char* image;

void check(bool condition, const char* what, int line) {
  if (!condition) {
    std::fprintf(stderr, "driver_stress.cpp:%d: %s\n", line, what);
    std::_Exit(1);
  }
}
#define OK(call) check((call) == CUDA_SUCCESS, #call, __LINE__)
#define CHECK(condition) check(condition, #condition, __LINE__)

constexpr int kElements = 8;
constexpr std::size_t kBytes = kElements * sizeof(float);

CUdeviceptr filled(float value) {
  CUdeviceptr buffer;
  const std::vector<float> host(kElements, value);
  OK(cuMemAlloc_v2(&buffer, kBytes));
  OK(cuMemcpyHtoD_v2(buffer, host.data(), kBytes));
  OK(cuStreamSynchronize(nullptr));  // the copy may not have arrived
  return buffer;
}

void expect(CUdeviceptr buffer, float value) {
  float host[kElements];
  OK(cuMemcpyDtoH_v2(host, buffer, kBytes));
  for (const float element : host) {
    CHECK(element == value);
  }
}

class Worker {
 public:
  Worker() {
    OK(cuModuleLoad(&module_, image));
    OK(cuModuleGetFunction(&accumulate_, module_, "accumulate"));
    for (void*& stream : streams_) {
      OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    }
    OK(cuEventCreate(&event_, 0));
  }
  ~Worker() {
    for (void* stream : streams_) {
      OK(cuStreamDestroy_v2(stream));
    }
    OK(cuEventDestroy_v2(event_));
    OK(cuModuleUnload(module_));
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Two streams take turns at a sum, each waiting for the other's last record of one event.
  void take_turns() {
    const CUdeviceptr one = filled(1), sum = filled(0);
    for (int turn = 0; turn < 100; ++turn) {
      void* stream = streams_[turn % 2];
      OK(cuStreamWaitEvent(stream, event_, 0));
      add(one, sum, stream);
      OK(cuEventRecord(event_, stream));
    }
    OK(cuEventSynchronize(event_));
    expect(sum, 100);
    OK(cuMemFree_v2(one));
    OK(cuMemFree_v2(sum));
  }

  // Memory, streams and modules go while work that uses them is in flight.
  void destroy_in_flight() {
    const CUdeviceptr one = filled(1), sum = filled(0);
    void *stream, *module, *accumulate;
    OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    OK(cuModuleLoad(&module, image));
    OK(cuModuleGetFunction(&accumulate, module, "accumulate"));
    std::swap(accumulate, accumulate_);
    CUdeviceptr temporary;
    OK(cuMemAllocAsync(&temporary, kBytes, stream));
    OK(cuMemsetD32Async(temporary, 0x40000000, kElements, stream));  // 2.0f
    for (int i = 0; i < 50; ++i) {
      add(temporary, sum, stream);
    }
    OK(cuMemFreeAsync(temporary, stream));
    std::swap(accumulate, accumulate_);
    OK(cuModuleUnload(module));
    OK(cuStreamDestroy_v2(stream));
    expect(sum, 100);
    for (int i = 0; i < 50; ++i) {
      add(one, sum, streams_[0]);
    }
    OK(cuMemFree_v2(sum));
    OK(cuMemFree_v2(one));
  }

  // One graph on two streams: its launches follow one another, and an update leaves those in flight
  // alone.
  void replay() {
    const CUdeviceptr one = filled(1), first = filled(0), second = filled(0);
    void *graph, *exec, *node;
    OK(cuStreamBeginCapture_v2(streams_[0], CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    add(one, first, streams_[0]);
    OK(cuStreamEndCapture(streams_[0], &graph));
    OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    std::size_t count = 1;
    OK(cuGraphGetNodes(graph, &node, &count));
    for (int launch = 0; launch < 60; ++launch) {
      if (launch % 20 == 10) {
        int n = kElements;
        CUdeviceptr term = one, sum = launch == 30 ? first : second;
        long long replica_stride = 0;
        void* arguments[] = {&n, &term, &sum, &replica_stride};
        const CUDA_KERNEL_NODE_PARAMS_v2 params{accumulate_, kElements, 1,         1,       1,       1,
                                                1,           0,         arguments, nullptr, nullptr, nullptr};
        OK(cuGraphExecKernelNodeSetParams_v2(exec, node, &params));
      }
      OK(cuGraphLaunch(exec, streams_[launch % 2]));
    }
    OK(cuGraphExecDestroy(exec));
    OK(cuGraphDestroy(graph));
    for (void* stream : streams_) {
      OK(cuStreamSynchronize(stream));
    }
    expect(first, 10 + 20);
    expect(second, 20 + 10);
    for (const CUdeviceptr buffer : {one, first, second}) {
      OK(cuMemFree_v2(buffer));
    }
  }

  // The legacy stream and a blocking stream wait for each other; pageable memory may be reused at
  // once.
  void legacy_stream() {
    const CUdeviceptr one = filled(1), sum = filled(0), copy = filled(0);
    void* blocking;
    OK(cuStreamCreate(&blocking, 0));
    for (int i = 0; i < 20; ++i) {
      add(one, sum, i % 2 == 0 ? blocking : nullptr);
    }
    std::vector<float> host(kElements, 7);
    OK(cuMemcpyHtoDAsync_v2(copy, host.data(), kBytes, blocking));
    host.assign(kElements, 8);
    expect(sum, 20);
    expect(copy, 7);
    OK(cuStreamDestroy_v2(blocking));
    for (const CUdeviceptr buffer : {one, sum, copy}) {
      OK(cuMemFree_v2(buffer));
    }
  }

  void all() {
    for (int round = 0; round < 3; ++round) {
      take_turns();
      destroy_in_flight();
      replay();
      legacy_stream();
    }
  }

 private:
  void add(CUdeviceptr term, CUdeviceptr sum, void* stream) {
    int n = kElements;
    long long replica_stride = 0;
    void* arguments[] = {&n, &term, &sum, &replica_stride};
    OK(cuLaunchKernel(accumulate_, kElements, 1, 1, 1, 1, 1, 0, stream, arguments, nullptr));
  }

  void *module_, *accumulate_, *streams_[2], *event_;
};

void in_threads(int count, auto body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back(body);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

void contexts_side_by_side() {
  in_threads(3, [] {
    void* context;
    OK(cuCtxCreate_v2(&context, 0, 0));
    Worker().all();
    OK(cuCtxDestroy_v2(context));
  });
}

void threads_in_one_context() {
  void* context;
  OK(cuCtxCreate_v2(&context, 0, 0));
  in_threads(3, [context] {
    OK(cuCtxSetCurrent(context));
    Worker().all();
  });
  OK(cuCtxSynchronize());
  OK(cuCtxDestroy_v2(context));
}

void pool_shared_by_threads() {
  in_threads(3, [] {
    for (int round = 0; round < 200; ++round) {
      std::vector<int> visits(1000);
      plateau_parallel_for(
          visits.size(),
          [](void* state, std::uint64_t first, std::uint64_t last) {
            for (std::uint64_t i = first; i < last; ++i) {
              ++(*static_cast<std::vector<int>*>(state))[i];
            }
          },
          &visits);
      for (const int count : visits) {
        CHECK(count == 1);
      }
    }
  });
}

}  // namespace

int main(int, char** arguments) {
  image = arguments[1];
  CUdeviceptr unused;
  CHECK(cuMemAlloc_v2(&unused, 4) == CUDA_ERROR_NOT_INITIALIZED);
  OK(cuInit(0));
  CHECK(cuMemAlloc_v2(&unused, 4) == CUDA_ERROR_INVALID_CONTEXT);
  contexts_side_by_side();
  threads_in_one_context();
  pool_shared_by_threads();
  int live[7];
  plateau_live_objects(live);
  for (const int count : live) {
    CHECK(count == 0);
  }
  std::puts("driver: clean");
}
