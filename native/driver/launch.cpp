// Functions and kernel launches.
#include "driver/launch.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "driver/call.h"
#include "driver/memory.h"
#include "driver/plateau_driver.h"
#include "driver/pool.h"
#include "driver/stream.h"

namespace driver {
namespace {

// Sharing out blocks can pay for a kernel of that many nanoseconds. It costs half a microsecond
// where threads poll, and what its neighbours then find in the other caches.
constexpr float kWorthSharing = 5e3f;
// It surely does for one of that many.
constexpr float kSurelyWorthSharing = 100e3f;
// It does pay where it takes less than this share of the time alone.
constexpr float kGain = 0.95f;
// Of so many runs, the first few are measured alone and the next few shared.
constexpr unsigned kCycle = 512, kMeasurements = 4;
std::uint64_t volume(simt::Dim3 size) { return static_cast<std::uint64_t>(size.x) * size.y * size.z; }

void check_shape(const simt::Kernel& kernel, simt::Dim3 grid, simt::Dim3 block) {
  require(volume(grid) > 0 && volume(block) > 0, CUDA_ERROR_INVALID_VALUE);
  require(grid.x <= 0x7fffffffu && grid.y <= 65535 && grid.z <= 65535, CUDA_ERROR_INVALID_VALUE);
  require(block.x <= 1024 && block.y <= 1024 && block.z <= 64 && volume(block) <= 1024, CUDA_ERROR_INVALID_VALUE);
  require(volume(block) <= kernel.max_threads, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
}

// A GPU faults when a kernel follows a pointer that is not device memory, or not aligned as its
// type asks. The kernels' signatures are known here, so the launch itself is refused, where a
// pointer that is not null has less behind it than one element. Null is a value that many kernels
// take. Memory of another context, as of another device, is none of this one's: no peer access is
// asked for anywhere. As in CUDA, how many arguments there are is not known: so many as the kernel
// has parameters are read.
void check_arguments(const simt::Kernel& kernel, const Context* context, void* const* arguments) {
  for (std::uint32_t i = 0; i < kernel.param_count; ++i) {
    const simt::Param& param = kernel.params[i];
    require(arguments != nullptr && arguments[i] != nullptr, CUDA_ERROR_INVALID_VALUE);
    if (param.kind == simt::ParamKind::pointer) {
      std::uint64_t address;
      std::memcpy(&address, arguments[i], sizeof address);
      const bool aligned = address % param.element_alignment == 0;
      if (address != 0 && (!aligned || !memory().usable(address, param.element_size, context))) {
        std::fprintf(stderr, "plateau: CPU driver: kernel %s: argument %u is not %s\n", kernel.name, i,
                     aligned ? "memory of its device, or less than one element of it" : "aligned");
        fail(aligned ? CUDA_ERROR_ILLEGAL_ADDRESS : CUDA_ERROR_MISALIGNED_ADDRESS);
      }
    }
  }
}

// Arguments packed in a buffer, as cuLaunchKernel's `extra` gives them.
std::vector<void*> unpack(const simt::Kernel& kernel, void** extra) {
  char* buffer = nullptr;
  std::size_t bytes = 0;
  for (; reinterpret_cast<std::uintptr_t>(*extra) != CU_LAUNCH_PARAM_END; extra += 2) {
    if (reinterpret_cast<std::uintptr_t>(extra[0]) == CU_LAUNCH_PARAM_BUFFER_POINTER) {
      buffer = static_cast<char*>(extra[1]);
    } else if (reinterpret_cast<std::uintptr_t>(extra[0]) == CU_LAUNCH_PARAM_BUFFER_SIZE) {
      bytes = *static_cast<std::size_t*>(extra[1]);
    } else {
      fail(CUDA_ERROR_INVALID_VALUE);
    }
  }
  std::vector<void*> arguments;
  for (std::uint32_t i = 0; i < kernel.param_count; ++i) {
    require(buffer != nullptr && kernel.params[i].offset + kernel.params[i].size <= bytes, CUDA_ERROR_INVALID_VALUE);
    arguments.push_back(buffer + kernel.params[i].offset);
  }
  return arguments;
}

}  // namespace

HandleTable<Function>& functions() {
  static auto* table = new HandleTable<Function>;
  return *table;
}

// A function belongs to the context that its module was loaded in.
std::shared_ptr<Function> function_of(void* handle) {
  auto function = functions().get(handle);
  require(is_current(function->module->context), CUDA_ERROR_INVALID_HANDLE);
  return function;
}

// Each starts at a place of its own in the cycle.
BlockTime::BlockTime()
    : runs_([] {
        static std::atomic<unsigned> made{0};
        return kCycle - (1 + made.fetch_add(1, std::memory_order_relaxed)) * 2 * kMeasurements % (kCycle / 4);
      }()) {}

BlockTime::Way BlockTime::next(std::uint64_t blocks) {
  if (blocks < 2) {
    return Way::alone;
  }
  const unsigned turn = runs_.fetch_add(1, std::memory_order_relaxed) % kCycle;
  if (turn == 0) {
    alone_.store(0, std::memory_order_relaxed);
  } else if (turn == kMeasurements) {
    shared_.store(0, std::memory_order_relaxed);
  }
  const float alone = alone_.load(std::memory_order_relaxed), shared = shared_.load(std::memory_order_relaxed),
              kernel = alone * static_cast<float>(blocks);
  if (alone == 0 || turn < kMeasurements) {
    return Way::alone_measured;
  }
  const bool pays = turn < 2 * kMeasurements ? kernel >= kWorthSharing
                    : shared == 0            ? kernel >= kSurelyWorthSharing
                                             : shared < kGain * alone;
  return pays ? Way::shared : Way::alone;
}

void BlockTime::alone_took(std::chrono::nanoseconds time, std::uint64_t blocks) {
  const float now = static_cast<float>(time.count()) / static_cast<float>(blocks),
              before = alone_.load(std::memory_order_relaxed);
  alone_.store(before == 0 ? now : std::min(before, now), std::memory_order_relaxed);
}

void BlockTime::shared_took(std::chrono::nanoseconds time, std::uint64_t blocks) {
  const float now = static_cast<float>(time.count()) / static_cast<float>(blocks),
              before = shared_.load(std::memory_order_relaxed);
  shared_.store(before == 0 || now < before ? now : before + (now - before) / 32,
                std::memory_order_relaxed);  // one slow run says little
}

KernelLaunch::KernelLaunch(std::shared_ptr<Module> module, Function& function, std::shared_ptr<BlockTime> time)
    : module_(std::move(module)), function_(function), kernel_(*function.kernel), block_time_(std::move(time)) {
  if (kernel_.param_count > 0) {
    const simt::Param& last = kernel_.params[kernel_.param_count - 1];
    storage_.resize(last.offset + last.size);
  }
  for (std::uint32_t i = 0; i < kernel_.param_count; ++i) {
    pointers_.push_back(storage_.data() + kernel_.params[i].offset);
  }
  launch_.params = pointers_.data();
  launch_.failure = &failure_;
}

KernelLaunch::KernelLaunch(std::shared_ptr<Module> module, Function& function, simt::Dim3 grid, simt::Dim3 block,
                           void* const* arguments)
    : KernelLaunch(std::move(module), function, function.block_time) {
  update(grid, block, arguments);
}

KernelLaunch::KernelLaunch(const KernelLaunch& other)
    : KernelLaunch(other.module_, other.function_, other.block_time_) {
  std::memcpy(storage_.data(), other.storage_.data(), storage_.size());
  launch_.grid = other.launch_.grid;
  launch_.block = other.launch_.block;
  blocks_ = other.blocks_;
}

std::string KernelLaunch::key() const {
  std::string key(reinterpret_cast<const char*>(storage_.data()), storage_.size());
  const auto append = [&](const auto& value) { key.append(reinterpret_cast<const char*>(&value), sizeof value); };
  append(launch_.grid);
  append(launch_.block);
  append(&function_);
  return key;
}

void KernelLaunch::update(simt::Dim3 grid, simt::Dim3 block, void* const* arguments) {
  check_shape(kernel_, grid, block);
  check_arguments(kernel_, module_->context, arguments);
  for (std::uint32_t i = 0; i < kernel_.param_count; ++i) {
    std::memcpy(pointers_[i], arguments[i], kernel_.params[i].size);
  }
  launch_.grid = grid;
  launch_.block = block;
  blocks_ = volume(grid);
}

void KernelLaunch::check_memory() const { check_arguments(kernel_, module_->context, pointers_.data()); }

void KernelLaunch::run(Context& context) {
  const BlockTime::Way way = block_time_->next(blocks_);
  if (way == BlockTime::Way::alone) {
    kernel_.run(launch_, 0, blocks_);
  } else {
    const auto start = std::chrono::steady_clock::now();
    if (way == BlockTime::Way::shared) {
      parallel_for(
          blocks_,
          [](void* state, std::uint64_t first, std::uint64_t last) {
            static_cast<KernelLaunch*>(state)->kernel_.run(static_cast<KernelLaunch*>(state)->launch_, first, last);
          },
          this);
      block_time_->shared_took(std::chrono::steady_clock::now() - start, blocks_);
    } else {
      kernel_.run(launch_, 0, blocks_);
      block_time_->alone_took(std::chrono::steady_clock::now() - start, blocks_);
    }
  }
  if (failure_.failed) {
    std::fprintf(stderr, "plateau: CPU driver: %s\n", failure_.message);
    context.sticky = CUDA_ERROR_LAUNCH_FAILED;
  }
}

}  // namespace driver

using namespace driver;

PLATEAU_API CUresult cuFuncGetAttribute(int* value, int which, void* handle) {
  return call("cuFuncGetAttribute", Needs::context, [&] {
    require(value != nullptr, CUDA_ERROR_INVALID_VALUE);
    const auto function = function_of(handle);
    switch (which) {
      case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        *value = static_cast<int>(function->kernel->max_threads);
        break;
      case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
        *value = static_cast<int>(function->kernel->static_shared_bytes);
        break;
      case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
      case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
      case CU_FUNC_ATTRIBUTE_NUM_REGS:
      case CU_FUNC_ATTRIBUTE_PTX_VERSION:
      case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
      case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
        *value = 0;
        break;
      default:
        fail(CUDA_ERROR_INVALID_VALUE);
    }
  });
}

PLATEAU_API CUresult cuFuncGetName(const char** name, void* handle) {
  return call("cuFuncGetName", Needs::context, [&] {
    require(name != nullptr, CUDA_ERROR_INVALID_VALUE);
    *name = function_of(handle)->kernel->name;
  });
}

PLATEAU_API int plateau_function_kind(void* handle, int* kind) {
  return call("plateau_function_kind", Needs::context, [&] {
    require(kind != nullptr, CUDA_ERROR_INVALID_VALUE);
    *kind = static_cast<int>(function_of(handle)->kernel->kind);
  });
}

PLATEAU_API CUresult cuFuncGetModule(void** module, void* handle) {
  return call("cuFuncGetModule", Needs::context, [&] {
    require(module != nullptr, CUDA_ERROR_INVALID_VALUE);
    *module = function_of(handle)->module;
  });
}

PLATEAU_API CUresult cuFuncGetParamInfo(void* handle, std::size_t index, std::size_t* offset, std::size_t* size) {
  return call("cuFuncGetParamInfo", Needs::context, [&] {
    const auto function = function_of(handle);
    require(offset != nullptr && index < function->kernel->param_count, CUDA_ERROR_INVALID_VALUE);
    *offset = function->kernel->params[index].offset;
    if (size != nullptr) {
      *size = function->kernel->params[index].size;
    }
  });
}

PLATEAU_API CUresult cuLaunchKernel(void* handle, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                                    unsigned block_y, unsigned block_z, unsigned shared_bytes, void* stream,
                                    void** arguments, void** extra) {
  return call("cuLaunchKernel", Needs::context, [&] {
    const auto function = function_of(handle);
    require(shared_bytes == 0, CUDA_ERROR_NOT_SUPPORTED);  // the kernels' shared memory is static
    require(arguments == nullptr || extra == nullptr, CUDA_ERROR_INVALID_VALUE);
    std::vector<void*> unpacked;
    if (extra != nullptr) {
      unpacked = unpack(*function->kernel, extra);
      arguments = unpacked.data();
    }
    const auto target = stream_of(stream);
    require(is_current(target->context.get()), CUDA_ERROR_INVALID_HANDLE);
    target->submit(std::make_shared<KernelLaunch>(modules().get(function->module), *function,
                                                  simt::Dim3{grid_x, grid_y, grid_z},
                                                  simt::Dim3{block_x, block_y, block_z}, arguments));
  });
}
