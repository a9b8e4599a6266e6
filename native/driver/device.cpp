// Initialisation, devices, and contexts.
#include "driver/context.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "driver/call.h"
#include "driver/graph.h"
#include "driver/launch.h"
#include "driver/limits.h"
#include "driver/memory.h"
#include "driver/plateau_driver.h"
#include "driver/pool.h"
#include "driver/settings.h"
#include "driver/stream.h"

namespace driver {
namespace {

std::atomic<bool> initialized{false};
thread_local std::vector<std::shared_ptr<Context>> context_stack;

struct Primary {
  std::mutex mutex;
  std::shared_ptr<Context> context;
  int retained = 0;
  unsigned flags = 0;
};
Primary& primary(CUdevice device) {
  static auto* instances = new Primary[kMostDevices];
  return instances[device];
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  std::string model = "x86-64", flags;
  for (std::string line; std::getline(info, line);) {
    const auto value = [&] { return line.substr(std::min(line.size(), line.find(": ") + 2)); };
    if (line.starts_with("model name")) {
      model = value();
    } else if (line.starts_with("flags")) {
      flags = value();
      break;
    }
  }
  const char* vectors = flags.find("avx512f") != std::string::npos ? "AVX-512" : "AVX2";
  return "CPU (" + model + ", " + std::to_string(pool_threads()) + (pool_threads() == 1 ? " thread, " : " threads, ") +
         vectors + ")";
}

std::shared_ptr<Context> make_context(CUdevice device) {
  auto context = std::make_shared<Context>();
  context->device = device;
  context->null_stream = std::make_shared<Stream>(context, 0, 0);
  contexts().add(context);
  return context;
}

// Everything that was made in it goes with it. A graph's kernels would otherwise keep their modules
// loaded.
void destroy_context(const std::shared_ptr<Context>& context) {
  const auto mine = [&](auto& object) { return object.context.get() == context.get(); };
  streams().for_each([&](const std::shared_ptr<Stream>& stream) {
    if (mine(*stream)) {
      abandon_capture(*stream);
      stream->close();
    }
  });
  context->null_stream->close();
  streams().remove_if(mine);
  events().remove_if([&](const Event& event) { return event.context == context.get(); });
  graph_execs().remove_if([&](const GraphExec& exec) { return exec.graph->context == context.get(); });
  graphs().remove_if([&](const Graph& graph) { return graph.context == context.get(); });
  functions().remove_if([&](const Function& function) { return function.module->context == context.get(); });
  modules().remove_if([&](const Module& module) { return module.context == context.get(); });
  memory().release_all(context.get());
  contexts().remove(context.get());
  std::erase(context_stack, context);
  context->null_stream.reset();
}

void require_device(CUdevice device) {
  require(device >= 0 && static_cast<unsigned>(device) < settings().devices, CUDA_ERROR_INVALID_DEVICE);
}

int attribute(int which) {
  switch (which) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR:
      return 1024;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z:
      return 64;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
      return 0x7fffffff;
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z:
      return 65535;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
      return 48 * 1024;
    case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY:
      return 64 * 1024;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
      return 32;
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
      return 65536;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
      return pool_threads();
    case CU_DEVICE_ATTRIBUTE_INTEGRATED:
    case CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY:
    case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS:
    case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT:
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    case CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED:
      return 1;
    default:
      return 0;  // compute capability 0.0 among them: no NVIDIA GPU has it
  }
}

}  // namespace

HandleTable<Context>& contexts() {
  static auto* table = new HandleTable<Context>;
  return *table;
}

void require_initialized() { require(initialized, CUDA_ERROR_NOT_INITIALIZED); }

std::shared_ptr<Context> current_context() {
  require(!context_stack.empty(), CUDA_ERROR_INVALID_CONTEXT);
  require(context_stack.back()->null_stream != nullptr, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  return context_stack.back();
}

bool is_current(const Context* context) { return !context_stack.empty() && context_stack.back().get() == context; }

void require_working_context() {
  require(!context_stack.empty(), CUDA_ERROR_INVALID_CONTEXT);
  const CUresult sticky = context_stack.back()->sticky;
  require(sticky == CUDA_SUCCESS, sticky);
}

void synchronize(Context& context) {
  context.null_stream->synchronize();
  streams().for_each([&](const std::shared_ptr<Stream>& stream) {
    if (stream->context.get() == &context) {
      stream->synchronize();
    }
  });
  require(context.sticky == CUDA_SUCCESS, context.sticky);
}

void synchronize_device(Context& context) {
  forbid_while_any_stream_captures(context);
  synchronize(context);
}

}  // namespace driver

using namespace driver;

PLATEAU_API CUresult cuInit(unsigned flags) {
  return call("cuInit", Needs::nothing, [&] {
    require(flags == 0, CUDA_ERROR_INVALID_VALUE);
    // plateau.cuda.Environment says it in words before it comes to this.
    require(
        threads_asked_for(std::getenv("PLATEAU_CPU_THREADS"), 1) > 0 && faults_understood() && settings().understood,
        CUDA_ERROR_INVALID_VALUE);
    initialized = true;
  });
}

PLATEAU_API CUresult cuDriverGetVersion(int* version) {
  return call("cuDriverGetVersion", Needs::nothing, [&] {
    require(version != nullptr, CUDA_ERROR_INVALID_VALUE);
    *version = 12060;
  });
}

PLATEAU_API CUresult cuDeviceGetCount(int* count) {
  return call("cuDeviceGetCount", Needs::initialized, [&] {
    require(count != nullptr, CUDA_ERROR_INVALID_VALUE);
    *count = static_cast<int>(settings().devices);
  });
}

PLATEAU_API CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return call("cuDeviceGet", Needs::initialized, [&] {
    require(device != nullptr, CUDA_ERROR_INVALID_VALUE);
    require_device(ordinal);
    *device = ordinal;
  });
}

PLATEAU_API CUresult cuDeviceGetName(char* name, int length, CUdevice device) {
  return call("cuDeviceGetName", Needs::initialized, [&] {
    require(name != nullptr && length > 0, CUDA_ERROR_INVALID_VALUE);
    require_device(device);
    std::snprintf(name, static_cast<std::size_t>(length), "%s", processor().c_str());
  });
}

PLATEAU_API CUresult cuDeviceGetUuid(CUuuid* uuid, CUdevice device) {
  return call("cuDeviceGetUuid", Needs::initialized, [&] {
    require(uuid != nullptr, CUDA_ERROR_INVALID_VALUE);
    require_device(device);
    std::memcpy(uuid->bytes, "plateau-cpu-0000", sizeof uuid->bytes);
    uuid->bytes[14] = static_cast<char>('0' + device / 10);
    uuid->bytes[15] = static_cast<char>('0' + device % 10);
  });
}

PLATEAU_API CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice device) {
  return call("cuDeviceTotalMem", Needs::initialized, [&] {
    require(bytes != nullptr, CUDA_ERROR_INVALID_VALUE);
    require_device(device);
    *bytes = Memory::total();
  });
}

PLATEAU_API CUresult cuDeviceGetAttribute(int* value, int which, CUdevice device) {
  return call("cuDeviceGetAttribute", Needs::initialized, [&] {
    require(value != nullptr && which > 0 && which < CU_DEVICE_ATTRIBUTE_LAST, CUDA_ERROR_INVALID_VALUE);
    require_device(device);
    *value = attribute(which);
  });
}

PLATEAU_API CUresult cuDeviceComputeCapability(int* major, int* minor, CUdevice device) {
  return call("cuDeviceComputeCapability", Needs::initialized, [&] {
    require(major != nullptr && minor != nullptr, CUDA_ERROR_INVALID_VALUE);
    require_device(device);
    *major = *minor = 0;
  });
}

PLATEAU_API CUresult cuCtxCreate_v2(void** context, unsigned, CUdevice device) {
  return call("cuCtxCreate", Needs::initialized, [&] {
    require(context != nullptr, CUDA_ERROR_INVALID_VALUE);
    require_device(device);
    context_stack.push_back(make_context(device));
    *context = context_stack.back().get();
  });
}

PLATEAU_API CUresult cuCtxDestroy_v2(void* handle) {
  return call("cuCtxDestroy", Needs::initialized, [&] {
    std::shared_ptr<Context> context;
    try {
      context = contexts().get(handle);
    } catch (const Failure&) {
      fail(CUDA_ERROR_INVALID_CONTEXT);
    }
    require(!context->primary, CUDA_ERROR_INVALID_CONTEXT);
    destroy_context(context);
  });
}

PLATEAU_API CUresult cuCtxPushCurrent_v2(void* handle) {
  return call("cuCtxPushCurrent", Needs::initialized, [&] {
    try {
      context_stack.push_back(contexts().get(handle));
    } catch (const Failure&) {
      fail(CUDA_ERROR_INVALID_CONTEXT);
    }
  });
}

PLATEAU_API CUresult cuCtxPopCurrent_v2(void** handle) {
  return call("cuCtxPopCurrent", Needs::initialized, [&] {
    require(!context_stack.empty(), CUDA_ERROR_INVALID_CONTEXT);
    if (handle != nullptr) {
      *handle = context_stack.back().get();
    }
    context_stack.pop_back();
  });
}

PLATEAU_API CUresult cuCtxSetCurrent(void* handle) {
  return call("cuCtxSetCurrent", Needs::initialized, [&] {
    std::shared_ptr<Context> context;
    if (handle != nullptr) {
      try {
        context = contexts().get(handle);
      } catch (const Failure&) {
        fail(CUDA_ERROR_INVALID_CONTEXT);
      }
    }
    if (!context_stack.empty()) {
      context_stack.pop_back();
    }
    if (context != nullptr) {
      context_stack.push_back(context);
    }
  });
}

PLATEAU_API CUresult cuCtxGetCurrent(void** handle) {
  return call("cuCtxGetCurrent", Needs::initialized, [&] {
    require(handle != nullptr, CUDA_ERROR_INVALID_VALUE);
    *handle = context_stack.empty() ? nullptr : context_stack.back().get();
  });
}

PLATEAU_API CUresult cuCtxGetDevice(CUdevice* device) {
  return call("cuCtxGetDevice", Needs::context, [&] {
    require(device != nullptr, CUDA_ERROR_INVALID_VALUE);
    *device = current_context()->device;
  });
}

PLATEAU_API CUresult cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  return call("cuCtxGetStreamPriorityRange", Needs::context, [&] {
    if (least != nullptr) {
      *least = 0;
    }
    if (greatest != nullptr) {
      *greatest = 0;
    }
  });
}

PLATEAU_API CUresult cuCtxSynchronize() {
  return call("cuCtxSynchronize", Needs::context, [&] { synchronize_device(*current_context()); });
}

PLATEAU_API CUresult cuDevicePrimaryCtxRetain(void** handle, CUdevice device) {
  return call("cuDevicePrimaryCtxRetain", Needs::initialized, [&] {
    require(handle != nullptr, CUDA_ERROR_INVALID_VALUE);
    require_device(device);
    Primary& primary = driver::primary(device);
    std::lock_guard lock(primary.mutex);
    if (primary.retained++ == 0) {
      primary.context = make_context(device);
      primary.context->primary = true;
    }
    *handle = primary.context.get();
  });
}

PLATEAU_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return call("cuDevicePrimaryCtxRelease", Needs::initialized, [&] {
    require_device(device);
    Primary& primary = driver::primary(device);
    std::lock_guard lock(primary.mutex);
    require(primary.retained > 0, CUDA_ERROR_INVALID_CONTEXT);
    if (--primary.retained == 0) {
      destroy_context(std::exchange(primary.context, nullptr));
    }
  });
}

PLATEAU_API CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return call("cuDevicePrimaryCtxReset", Needs::initialized, [&] {
    require_device(device);
    Primary& primary = driver::primary(device);
    std::lock_guard lock(primary.mutex);
    if (primary.context != nullptr) {
      destroy_context(std::exchange(primary.context, nullptr));
      primary.retained = 0;
    }
  });
}

PLATEAU_API CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
  return call("cuDevicePrimaryCtxGetState", Needs::initialized, [&] {
    require(flags != nullptr && active != nullptr, CUDA_ERROR_INVALID_VALUE);
    require_device(device);
    Primary& primary = driver::primary(device);
    std::lock_guard lock(primary.mutex);
    *flags = primary.flags;
    *active = primary.context != nullptr;
  });
}

// They say how a thread waits: here it polls for some microseconds and then sleeps, whatever they
// are.
PLATEAU_API CUresult cuDevicePrimaryCtxSetFlags_v2(CUdevice device, unsigned flags) {
  return call("cuDevicePrimaryCtxSetFlags", Needs::initialized, [&] {
    require_device(device);
    const unsigned scheduling = flags & CU_CTX_SCHED_MASK;
    require((flags & ~CU_CTX_FLAGS_MASK) == 0 && (scheduling & (scheduling - 1)) == 0, CUDA_ERROR_INVALID_VALUE);
    Primary& primary = driver::primary(device);
    std::lock_guard lock(primary.mutex);
    primary.flags = flags;
  });
}

PLATEAU_API CUresult cuProfilerStart() {
  return call("cuProfilerStart", Needs::context, [] {});
}
PLATEAU_API CUresult cuProfilerStop() {
  return call("cuProfilerStop", Needs::context, [] {});
}

PLATEAU_API void* plateau_current_context(void) {
  void* context = nullptr;
  call("", Needs::initialized, [&] { context = current_context().get(); });
  return context;
}

PLATEAU_API int plateau_synchronize_device(void) {
  return call("plateau_synchronize_device", Needs::context, [] { synchronize_device(*current_context()); });
}

PLATEAU_API int plateau_unsafe_during_capture(void) {
  return call("plateau_unsafe_during_capture", Needs::context, [] { forbid_during_capture(); });
}

// Counts of what is alive: device allocations, pinned allocations, modules, streams, events,
// graphs, executable graphs.
PLATEAU_API void plateau_live_objects(int counts[7]) {
  counts[0] = static_cast<int>(memory().count(MemoryKind::device));
  counts[1] = static_cast<int>(memory().count(MemoryKind::pinned));
  counts[2] = static_cast<int>(modules().size());
  counts[3] = static_cast<int>(streams().size());
  counts[4] = static_cast<int>(events().size());
  counts[5] = static_cast<int>(graphs().size());
  counts[6] = static_cast<int>(graph_execs().size());
}
