// Device memory is host memory that the driver keeps account of: filled with NaN bytes when
// allocated, and followed by guard bytes that are checked when it is freed.
#include "driver/memory.h"

#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>

#include "driver/call.h"
#include "driver/context.h"
#include "driver/launch.h"
#include "driver/limits.h"
#include "driver/plateau_driver.h"
#include "driver/stream.h"

namespace driver {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr std::size_t kGuardBytes = 64;
constexpr unsigned char kGuard = 0xFB;
constexpr unsigned char kNaN = 0xFF;
constexpr std::size_t kAsked = std::size_t{4} << 20;

std::size_t padded(std::size_t bytes) { return (bytes + kGuardBytes + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

Memory& memory() {
  static Memory* instance = new Memory;  // outlives every thread
  return *instance;
}

std::size_t Memory::total() {
  static const std::size_t bytes = device_memory(memory_bounds());
  return bytes;
}

std::size_t Memory::available() const {
  const std::size_t room = memory_room(memory_bounds()), unfilled = unfilled_, used = used_;
  return std::min(room - std::min(room, unfilled), total() - std::min(total(), used));
}

// Refuses what the process may not fill: past its limits it would be killed. The system is asked
// once in kAsked bytes, since asking it takes about a millisecond.
void Memory::reserve(std::size_t bytes) {
  std::lock_guard lock(reserving_);
  const std::size_t unasked = unasked_ + bytes;
  require(bytes <= total() - std::min<std::size_t>(total(), used_), CUDA_ERROR_OUT_OF_MEMORY);
  if (unasked >= kAsked) {
    if (available() < bytes) {
      malloc_trim(0);  // what has been freed may still be the process's
      require(available() >= bytes, CUDA_ERROR_OUT_OF_MEMORY);
    }
    unasked_ = 0;
  } else {
    unasked_ = unasked;
  }
  used_ += bytes;
  unfilled_ += bytes;
}

std::uint64_t Memory::allocate(std::size_t bytes, MemoryKind kind, Context* context) {
  require(bytes > 0, CUDA_ERROR_INVALID_VALUE);
  reserve(bytes);
  void* block = std::aligned_alloc(kAlignment, padded(bytes));
  if (block != nullptr) {
    std::memset(block, kNaN, bytes);
    std::memset(static_cast<char*>(block) + bytes, kGuard, kGuardBytes);
  }
  unfilled_ -= bytes;
  if (block == nullptr) {
    used_ -= bytes;
    fail(CUDA_ERROR_OUT_OF_MEMORY);
  }
  const auto address = reinterpret_cast<std::uint64_t>(block);
  std::unique_lock lock(mutex_);
  by_address_[address] = {address, bytes, kind, context, true};
  return address;
}

void Memory::adopt(Allocation allocation) {
  std::unique_lock lock(mutex_);
  by_address_[allocation.address] = allocation;
}

Allocation Memory::release(std::uint64_t address, MemoryKind kind) {
  std::unique_lock lock(mutex_);
  const auto found = by_address_.find(address);
  require(found != by_address_.end() && found->second.kind == kind && found->second.owned, CUDA_ERROR_INVALID_VALUE);
  const Allocation allocation = found->second;
  ++releases_;
  by_address_.erase(found);
  return allocation;
}

void Memory::forget(std::uint64_t address) {
  std::unique_lock lock(mutex_);
  ++releases_;
  by_address_.erase(address);
}

void Memory::release_all(Context* context) {
  std::vector<Allocation> doomed;
  {
    std::unique_lock lock(mutex_);
    std::erase_if(by_address_, [&](const auto& entry) {
      const bool match = entry.second.context == context;
      if (match && entry.second.owned) {
        doomed.push_back(entry.second);
      }
      return match;
    });
  }
  ++releases_;
  for (const Allocation& allocation : doomed) {
    free(allocation);
  }
}

bool Memory::free(const Allocation& allocation) {
  memory().used_ -= allocation.bytes;
  auto* block = reinterpret_cast<unsigned char*>(allocation.address);
  bool intact = true;
  for (std::size_t i = 0; i < kGuardBytes; ++i) {
    intact &= block[allocation.bytes + i] == kGuard;
  }
  if (!intact) {
    std::fprintf(stderr, "plateau: CPU driver: something wrote past the end of a %zu-byte allocation\n",
                 allocation.bytes);
  }
  std::free(block);
  return intact;
}

std::optional<Allocation> Memory::find(std::uint64_t address, std::size_t bytes) const {
  std::shared_lock lock(mutex_);
  auto next = by_address_.upper_bound(address);
  if (next == by_address_.begin()) {
    return std::nullopt;
  }
  const Allocation& allocation = std::prev(next)->second;
  const std::uint64_t offset = address - allocation.address;
  return offset < allocation.bytes && bytes <= allocation.bytes - offset ? std::optional(allocation) : std::nullopt;
}

std::size_t Memory::count(MemoryKind kind) const {
  std::shared_lock lock(mutex_);
  std::size_t count = 0;
  for (const auto& [address, allocation] : by_address_) {
    count += allocation.kind == kind && allocation.owned;
  }
  return count;
}

void require_device_range(std::uint64_t address, std::size_t bytes) {
  require(bytes == 0 || memory().find(address, bytes).has_value(), CUDA_ERROR_INVALID_VALUE);
}

namespace {

template <class T>
T* pointer(std::uint64_t address) {
  return reinterpret_cast<T*>(address);
}

void require_alive(std::uint64_t address, std::size_t bytes) {
  require(bytes == 0 || memory().find(address, bytes).has_value(), CUDA_ERROR_ILLEGAL_ADDRESS);
}

// One side of a copy. An address that the driver knows must have all the bytes in one allocation;
// another is pageable host memory.
struct Side {
  Side(std::uint64_t where, std::size_t bytes) : address(where), known(memory().find(where, 1).has_value()) {
    if (known) {
      require_device_range(where, bytes);
    }
  }
  std::uint64_t address;
  bool known;
};

class Copy final : public Operation {
 public:
  Copy(Side to, Side from, std::size_t bytes) : to_(to), from_(from), bytes_(bytes) {}
  // CUDA takes what is in pageable host memory during the call: the caller may reuse or release it
  // afterwards.
  void stage() {
    staged_.resize(bytes_);
    std::memcpy(staged_.data(), pointer<char>(from_.address), bytes_);
    from_.address = reinterpret_cast<std::uint64_t>(staged_.data());
  }
  // Sides overlap only by mistake, but must not be undefined for it.
  void run(Context&) override { std::memmove(pointer<char>(to_.address), pointer<char>(from_.address), bytes_); }
  void check_memory() const override {
    for (const Side& side : {to_, from_}) {
      if (side.known) {
        require_alive(side.address, bytes_);
      }
    }
  }
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEMCPY; }

 private:
  Side to_, from_;
  std::size_t bytes_;
  std::vector<char> staged_;
};

template <class T>
class Fill final : public Operation {
 public:
  Fill(std::uint64_t to, T value, std::size_t count) : to_(to), value_(value), count_(count) {}
  void run(Context&) override { std::fill_n(pointer<T>(to_), count_, value_); }
  void check_memory() const override { require_alive(to_, count_ * sizeof(T)); }
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_MEMSET; }

 private:
  std::uint64_t to_;
  T value_;
  std::size_t count_;
};

// Returns memory when the stream comes to it, or unrun where the context has failed.
class Release final : public Operation {
 public:
  explicit Release(const Allocation& allocation) : allocation_(allocation) {}
  ~Release() override {
    if (!released_) {
      Memory::free(allocation_);
    }
  }
  void run(Context& context) override {
    released_ = true;
    if (!Memory::free(allocation_)) {
      context.sticky = CUDA_ERROR_ILLEGAL_ADDRESS;
    }
  }

 private:
  Allocation allocation_;
  bool released_ = false;
};

void copy_now(std::uint64_t to, std::uint64_t from, std::size_t bytes) {
  Copy copy(Side(to, bytes), Side(from, bytes), bytes);
  forbid_during_capture();
  const auto context = current_context();
  context->null_stream->synchronize();
  streams().for_each([&](const std::shared_ptr<Stream>& stream) {
    if (stream->context == context && stream->blocking()) {
      stream->synchronize();
    }
  });
  require(context->sticky == CUDA_SUCCESS, context->sticky);
  copy.run(*context);
}

void copy_later(std::uint64_t to, std::uint64_t from, std::size_t bytes, void* stream) {
  const auto target = stream_of(stream);
  const Side destination(to, bytes), source(from, bytes);
  const auto copy = std::make_shared<Copy>(destination, source, bytes);
  const bool captured = is_capturing(*target);
  if (!source.known && !captured) {
    copy->stage();
  }
  target->submit(copy);
  if (!destination.known && !captured) {  // as CUDA does for pageable memory
    target->synchronize();
    require(target->context->sticky == CUDA_SUCCESS, target->context->sticky);
  }
}

template <class T>
std::shared_ptr<Operation> fill(std::uint64_t to, T value, std::size_t count) {
  require(to % sizeof(T) == 0 && count <= Memory::total(), CUDA_ERROR_INVALID_VALUE);
  require_device_range(to, count * sizeof(T));
  return std::make_shared<Fill<T>>(to, value, count);
}

template <class T>
void fill_now(std::uint64_t to, T value, std::size_t count) {
  const auto operation = fill(to, value, count);
  forbid_during_capture();
  const auto null_stream = current_context()->null_stream;
  null_stream->submit(operation);
  null_stream->synchronize();
  require_working_context();
}

CUresult allocate_host(const char* name, void** result, std::size_t bytes) {
  return call(name, Needs::context, [&] {
    require(result != nullptr, CUDA_ERROR_INVALID_VALUE);
    forbid_during_capture();
    *result = pointer<void>(memory().allocate(bytes, MemoryKind::pinned, current_context().get()));
  });
}

}  // namespace
}  // namespace driver

using namespace driver;

PLATEAU_API CUresult cuMemAlloc_v2(CUdeviceptr* result, std::size_t bytes) {
  return call("cuMemAlloc", Needs::context, [&] {
    require(result != nullptr, CUDA_ERROR_INVALID_VALUE);
    forbid_during_capture();
    *result = memory().allocate(bytes, MemoryKind::device, current_context().get());
  });
}

// Waits for the work in flight, as CUDA's does.
PLATEAU_API CUresult cuMemFree_v2(CUdeviceptr address) {
  return call("cuMemFree", Needs::context, [&] {
    if (address == 0) {
      return;
    }
    forbid_during_capture();
    const Allocation allocation = memory().release(address, MemoryKind::device);
    const auto context = contexts().get(allocation.context);
    const CUresult before = context->sticky;
    try {
      synchronize(*context);
    } catch (const Failure&) {
    }
    if (!Memory::free(allocation) && before == CUDA_SUCCESS) {
      context->sticky = CUDA_ERROR_ILLEGAL_ADDRESS;
    }
    require(context->sticky == CUDA_SUCCESS, context->sticky);
  });
}

PLATEAU_API CUresult cuMemAllocAsync(CUdeviceptr* result, std::size_t bytes, void* stream) {
  return call("cuMemAllocAsync", Needs::context, [&] {
    require(result != nullptr, CUDA_ERROR_INVALID_VALUE);
    const auto target = stream_of(stream);
    forbid_while_capturing(*target);
    *result = memory().allocate(bytes, MemoryKind::device, current_context().get());
  });
}

PLATEAU_API CUresult cuMemFreeAsync(CUdeviceptr address, void* stream) {
  return call("cuMemFreeAsync", Needs::context, [&] {
    const auto target = stream_of(stream);
    forbid_while_capturing(*target);
    const Allocation allocation = memory().release(address, MemoryKind::device);
    target->submit(std::make_shared<Release>(allocation));
  });
}

PLATEAU_API CUresult cuMemAllocHost_v2(void** result, std::size_t bytes) {
  return allocate_host("cuMemAllocHost", result, bytes);
}
PLATEAU_API CUresult cuMemHostAlloc(void** result, std::size_t bytes, unsigned) {
  return allocate_host("cuMemHostAlloc", result, bytes);
}

PLATEAU_API CUresult cuMemFreeHost(void* block) {
  return call("cuMemFreeHost", Needs::context, [&] {
    const Allocation allocation = memory().release(reinterpret_cast<std::uint64_t>(block), MemoryKind::pinned);
    synchronize(*contexts().get(allocation.context));
    require(Memory::free(allocation), CUDA_ERROR_ILLEGAL_ADDRESS);
  });
}

PLATEAU_API CUresult cuMemHostRegister_v2(void* block, std::size_t bytes, unsigned) {
  return call("cuMemHostRegister", Needs::context, [&] {
    const auto address = reinterpret_cast<std::uint64_t>(block);
    require(block != nullptr && bytes > 0, CUDA_ERROR_INVALID_VALUE);
    require(!memory().find(address, 1), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
    memory().adopt({address, bytes, MemoryKind::pinned, current_context().get(), false});
  });
}

PLATEAU_API CUresult cuMemHostUnregister(void* block) {
  return call("cuMemHostUnregister", Needs::context, [&] {
    const auto address = reinterpret_cast<std::uint64_t>(block);
    const auto found = memory().find(address, 1);
    require(found && found->address == address && !found->owned && found->kind == MemoryKind::pinned,
            CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
    memory().forget(address);
  });
}

PLATEAU_API CUresult cuMemHostGetDevicePointer_v2(CUdeviceptr* result, void* block, unsigned) {
  return call("cuMemHostGetDevicePointer", Needs::context, [&] {
    require(result != nullptr && memory().find(reinterpret_cast<std::uint64_t>(block), 1), CUDA_ERROR_INVALID_VALUE);
    *result = reinterpret_cast<std::uint64_t>(block);
  });
}

PLATEAU_API CUresult cuMemGetInfo_v2(std::size_t* free_bytes, std::size_t* total_bytes) {
  return call("cuMemGetInfo", Needs::context, [&] {
    require(free_bytes != nullptr && total_bytes != nullptr, CUDA_ERROR_INVALID_VALUE);
    *total_bytes = Memory::total();
    *free_bytes = memory().available();
  });
}

PLATEAU_API CUresult cuMemGetAddressRange_v2(CUdeviceptr* base, std::size_t* bytes, CUdeviceptr address) {
  return call("cuMemGetAddressRange", Needs::context, [&] {
    const auto found = memory().find(address, 1);
    require(found.has_value(), CUDA_ERROR_NOT_FOUND);
    if (base != nullptr) {
      *base = found->address;
    }
    if (bytes != nullptr) {
      *bytes = found->bytes;
    }
  });
}

PLATEAU_API CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, std::size_t bytes) {
  return call("cuMemcpyHtoD", Needs::context, [&] {
    require(from != nullptr || bytes == 0, CUDA_ERROR_INVALID_VALUE);
    require_device_range(to, bytes);
    copy_now(to, reinterpret_cast<std::uint64_t>(from), bytes);
  });
}

PLATEAU_API CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, std::size_t bytes) {
  return call("cuMemcpyDtoH", Needs::context, [&] {
    require(to != nullptr || bytes == 0, CUDA_ERROR_INVALID_VALUE);
    require_device_range(from, bytes);
    copy_now(reinterpret_cast<std::uint64_t>(to), from, bytes);
  });
}

PLATEAU_API CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return call("cuMemcpyDtoD", Needs::context, [&] {
    require_device_range(to, bytes);
    require_device_range(from, bytes);
    copy_now(to, from, bytes);
  });
}

PLATEAU_API CUresult cuMemcpy(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return call("cuMemcpy", Needs::context, [&] {
    require((to != 0 && from != 0) || bytes == 0, CUDA_ERROR_INVALID_VALUE);
    copy_now(to, from, bytes);
  });
}

PLATEAU_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t bytes, void* stream) {
  return call("cuMemcpyHtoDAsync", Needs::context, [&] {
    require(from != nullptr || bytes == 0, CUDA_ERROR_INVALID_VALUE);
    require_device_range(to, bytes);
    copy_later(to, reinterpret_cast<std::uint64_t>(from), bytes, stream);
  });
}

PLATEAU_API CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t bytes, void* stream) {
  return call("cuMemcpyDtoHAsync", Needs::context, [&] {
    require(to != nullptr || bytes == 0, CUDA_ERROR_INVALID_VALUE);
    require_device_range(from, bytes);
    copy_later(reinterpret_cast<std::uint64_t>(to), from, bytes, stream);
  });
}

PLATEAU_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, void* stream) {
  return call("cuMemcpyDtoDAsync", Needs::context, [&] {
    require_device_range(to, bytes);
    require_device_range(from, bytes);
    copy_later(to, from, bytes, stream);
  });
}

PLATEAU_API CUresult cuMemcpyAsync(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, void* stream) {
  return call("cuMemcpyAsync", Needs::context, [&] {
    require((to != 0 && from != 0) || bytes == 0, CUDA_ERROR_INVALID_VALUE);
    copy_later(to, from, bytes, stream);
  });
}

PLATEAU_API CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, std::size_t count) {
  return call("cuMemsetD8", Needs::context, [&] { fill_now(to, value, count); });
}
PLATEAU_API CUresult cuMemsetD16_v2(CUdeviceptr to, unsigned short value, std::size_t count) {
  return call("cuMemsetD16", Needs::context, [&] { fill_now(to, value, count); });
}
PLATEAU_API CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, std::size_t count) {
  return call("cuMemsetD32", Needs::context, [&] { fill_now(to, value, count); });
}
PLATEAU_API CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, std::size_t count, void* stream) {
  return call("cuMemsetD8Async", Needs::context, [&] { stream_of(stream)->submit(fill(to, value, count)); });
}
PLATEAU_API CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, std::size_t count, void* stream) {
  return call("cuMemsetD16Async", Needs::context, [&] { stream_of(stream)->submit(fill(to, value, count)); });
}
PLATEAU_API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, std::size_t count, void* stream) {
  return call("cuMemsetD32Async", Needs::context, [&] { stream_of(stream)->submit(fill(to, value, count)); });
}

PLATEAU_API int plateau_device_range(std::uint64_t address, std::size_t bytes) {
  return bytes == 0 || memory().find(address, bytes) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}
