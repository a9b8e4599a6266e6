// Device memory is host memory that the driver keeps account of: filled when it is allocated, and
// followed by guard bytes that are checked when it is freed.
#include "driver/memory.h"

#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <thread>
#include <tuple>

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
constexpr std::size_t kAsked = std::size_t{4} << 20;

std::size_t padded(std::size_t bytes) { return (bytes + kGuardBytes + kAlignment - 1) / kAlignment * kAlignment; }

// A sequence of well-mixed numbers (Steele, Lea and Flood 2014).
std::uint64_t mixed(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// What a GPU leaves in fresh memory is anything: NaN as floats, which shows where a result depends
// on it, or, so that nothing can rely on that, zeros, ones, or random bytes.
void fill_fresh(void* block, std::size_t bytes, std::uint64_t allocation) {
  std::uint64_t state = settings().fresh_memory.value_or(0) + allocation * 0xd1342543de82ef95;
  const std::uint64_t kind = settings().fresh_memory ? mixed(state) % 4 : 0;
  if (kind < 2) {
    std::memset(block, kind == 0 ? 0xFF : 0, bytes);
    return;
  }
  for (std::size_t i = 0; i < bytes; i += sizeof state) {
    const std::uint64_t word = kind == 2 ? 0x3f8000003f800000 : mixed(state);
    std::memcpy(static_cast<char*>(block) + i, &word, std::min(sizeof word, bytes - i));
  }
}

// Whether nobody has written behind the end.
bool is_guarded(std::uint64_t address, std::size_t bytes) {
  const auto* guard = reinterpret_cast<const unsigned char*>(address) + bytes;
  const bool intact = std::all_of(guard, guard + kGuardBytes, [](unsigned char byte) { return byte == kGuard; });
  if (!intact) {
    std::fprintf(stderr, "plateau: CPU driver: something wrote past the end of a %zu-byte allocation\n", bytes);
  }
  return intact;
}

}  // namespace

Memory& memory() {
  static Memory* instance = new Memory;  // outlives every thread
  return *instance;
}

std::size_t Memory::total() {
  static const std::size_t bytes = device_memory(memory_bounds()) / settings().devices;
  return bytes;
}

std::size_t Memory::available(int device) const {
  const std::size_t room = memory_room(memory_bounds()), unfilled = unfilled_, used = used_[device];
  return std::min(room - std::min(room, unfilled), total() - std::min(total(), used));
}

// Refuses what the process may not fill: past its limits it would be killed. The system is asked
// once in kAsked bytes, since asking it takes about a millisecond.
void Memory::reserve(std::size_t bytes, int device) {
  std::lock_guard lock(reserving_);
  const std::size_t unasked = unasked_ + bytes;
  require(bytes <= total() - std::min<std::size_t>(total(), used_[device]), CUDA_ERROR_OUT_OF_MEMORY);
  if (unasked >= kAsked) {
    if (available(device) < bytes) {
      malloc_trim(0);  // what has been freed may still be the process's
      require(available(device) >= bytes, CUDA_ERROR_OUT_OF_MEMORY);
    }
    unasked_ = 0;
  } else {
    unasked_ = unasked;
  }
  used_[device] += bytes;
  unfilled_ += bytes;
}

std::uint64_t Memory::allocate(std::size_t bytes, MemoryKind kind, Context& context) {
  require(bytes > 0, CUDA_ERROR_INVALID_VALUE);
  reserve(bytes, context.device);
  void* block = std::aligned_alloc(kAlignment, padded(bytes));
  if (block != nullptr) {
    fill_fresh(block, bytes, allocations_++);
    std::memset(static_cast<char*>(block) + bytes, kGuard, kGuardBytes);
  }
  unfilled_ -= bytes;
  if (block == nullptr) {
    used_[context.device] -= bytes;
    fail(CUDA_ERROR_OUT_OF_MEMORY);
  }
  const auto address = reinterpret_cast<std::uint64_t>(block);
  std::unique_lock lock(mutex_);
  by_address_[address] = {address, bytes, kind, &context, context.device, true};
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
  const Allocation allocation = taken(found->second);
  ++releases_;
  by_address_.erase(found);
  return allocation;
}

Allocation Memory::taken(const Allocation& allocation) {
  Allocation taken = allocation;
  if (allocation.divided) {
    taken.parts = std::make_shared<const Parts>(std::move(parts_.extract(allocation.address).mapped()));
  }
  return taken;
}

void Memory::carve(std::uint64_t address, std::size_t bytes) {
  std::unique_lock lock(mutex_);
  auto next = by_address_.upper_bound(address);
  require(bytes > 0 && address % kAlignment == 0 && next != by_address_.begin(), CUDA_ERROR_INVALID_VALUE);
  Allocation& allocation = std::prev(next)->second;
  const std::uint64_t offset = address - allocation.address;
  require(allocation.owned && allocation.kind == MemoryKind::device && offset < allocation.bytes &&
              bytes <= allocation.bytes - offset,
          CUDA_ERROR_INVALID_VALUE);
  Parts& parts = parts_[allocation.address];
  const auto after = parts.upper_bound(address);
  const bool apart = (after == parts.end() || address + bytes + kGuardBytes <= after->first) &&
                     (after == parts.begin() || std::prev(after)->first + std::prev(after)->second <= address);
  require(apart, CUDA_ERROR_INVALID_VALUE);
  allocation.divided = true;
  parts[address] = bytes;
  auto* memory = reinterpret_cast<char*>(address);
  fill_fresh(memory, bytes, allocations_++);
  std::memset(memory + bytes, kGuard, kGuardBytes);
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
        doomed.push_back(taken(entry.second));
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
  memory().used_[allocation.device] -= allocation.bytes;
  bool intact = is_guarded(allocation.address, allocation.bytes);
  if (allocation.parts != nullptr) {
    for (const auto& [address, bytes] : *allocation.parts) {
      intact &= is_guarded(address, bytes);
    }
  }
  std::free(reinterpret_cast<void*>(allocation.address));
  return intact;
}

std::optional<Allocation> Memory::find(std::uint64_t address, std::size_t bytes) const {
  std::shared_lock lock(mutex_);
  auto next = by_address_.upper_bound(address);
  if (next == by_address_.begin()) {
    return std::nullopt;
  }
  const Allocation& allocation = std::prev(next)->second;
  std::uint64_t start = allocation.address;
  std::size_t size = allocation.bytes;
  if (allocation.divided) {
    const Parts& parts = parts_.at(allocation.address);
    const auto after = parts.upper_bound(address);
    if (after == parts.begin()) {
      return std::nullopt;
    }
    std::tie(start, size) = *std::prev(after);
  }
  const std::uint64_t offset = address - start;
  return offset < size && bytes <= size - offset ? std::optional(allocation) : std::nullopt;
}

bool Memory::usable(std::uint64_t address, std::size_t bytes, const Context* context) const {
  const auto found = find(address, bytes);
  return found && (found->kind == MemoryKind::pinned || found->context == context);
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
  Side(std::uint64_t where, std::size_t bytes) : address(where) {
    if (const auto found = memory().find(where, 1)) {
      known = true;
      on_device = found->kind == MemoryKind::device;
      require_device_range(where, bytes);
    }
  }
  std::uint64_t address;
  bool known = false, on_device = false;
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

// As late as the settings have it.
class Late final : public Operation {
 public:
  explicit Late(std::shared_ptr<Operation> operation) : operation_(std::move(operation)) {}
  void run(Context& context) override {
    std::this_thread::sleep_for(settings().late);
    operation_->run(context);
  }

 private:
  std::shared_ptr<Operation> operation_;
};

// What the host does not wait for, in the legacy stream: nothing orders non-blocking streams behind
// it.
void submit_unawaited(Context& context, std::shared_ptr<Operation> operation) {
  if (settings().late.count() > 0) {
    operation = std::make_shared<Late>(std::move(operation));
  }
  context.null_stream->submit(std::move(operation));
}

// As CUDA's page on the synchronisation behaviour of its calls has it: a copy within the device is
// not waited for; one from pageable memory may return when it has been staged, before it is in the
// device; any other has ended.
void copy_now(std::uint64_t to, std::uint64_t from, std::size_t bytes) {
  const Side destination(to, bytes), source(from, bytes);
  const auto copy = std::make_shared<Copy>(destination, source, bytes);
  forbid_during_capture();
  const auto context = current_context();
  require_legacy_stream(*context);
  if (destination.on_device && source.on_device) {
    submit_unawaited(*context, copy);
    return;
  }
  context->null_stream->synchronize();
  streams().for_each([&](const std::shared_ptr<Stream>& stream) {
    if (stream->context == context && stream->blocking()) {
      stream->synchronize();
    }
  });
  require(context->sticky == CUDA_SUCCESS, context->sticky);
  if (destination.on_device && !source.known && settings().late.count() > 0) {
    copy->stage();
    submit_unawaited(*context, copy);
  } else {
    copy->run(*context);
  }
}

void copy_later(std::uint64_t to, std::uint64_t from, std::size_t bytes, void* stream) {
  const auto target = stream_of(stream);
  const Side destination(to, bytes), source(from, bytes);
  const auto copy = std::make_shared<Copy>(destination, source, bytes);
  const bool captured = is_capturing(*target);
  std::shared_ptr<Operation> operation = copy;
  if (!source.known && !captured) {
    copy->stage();
    if (settings().late.count() > 0) {
      operation = std::make_shared<Late>(copy);
    }
  }
  target->submit(std::move(operation));
  if (!destination.known && !captured) {  // as CUDA does for pageable memory
    target->synchronize();
    require(target->context->sticky == CUDA_SUCCESS, target->context->sticky);
  }
}

template <class T>
std::shared_ptr<Operation> fill(const Context& context, std::uint64_t to, T value, std::size_t count) {
  require(to % sizeof(T) == 0 && count <= Memory::total(), CUDA_ERROR_INVALID_VALUE);
  require(count == 0 || memory().usable(to, count * sizeof(T), &context), CUDA_ERROR_INVALID_VALUE);
  return std::make_shared<Fill<T>>(to, value, count);
}

// Returns before device memory has been filled; page-locked memory, which the host can read, has
// been.
template <class T>
void fill_now(std::uint64_t to, T value, std::size_t count) {
  const auto context = current_context();
  const auto operation = fill(*context, to, value, count);
  forbid_during_capture();
  submit_unawaited(*context, operation);
  if (const auto target = memory().find(to, 1); target && target->kind == MemoryKind::pinned) {
    context->null_stream->synchronize();
    require_working_context();
  }
}

template <class T>
void fill_later(std::uint64_t to, T value, std::size_t count, void* stream) {
  const auto target = stream_of(stream);
  target->submit(fill(*target->context, to, value, count));
}

CUresult allocate_host(const char* name, void** result, std::size_t bytes) {
  return call(name, Needs::context, [&] {
    require(result != nullptr, CUDA_ERROR_INVALID_VALUE);
    forbid_during_capture();
    *result = pointer<void>(memory().allocate(bytes, MemoryKind::pinned, *current_context()));
  });
}

}  // namespace
}  // namespace driver

using namespace driver;

PLATEAU_API CUresult cuMemAlloc_v2(CUdeviceptr* result, std::size_t bytes) {
  return call("cuMemAlloc", Needs::context, [&] {
    require(result != nullptr, CUDA_ERROR_INVALID_VALUE);
    forbid_during_capture();
    *result = memory().allocate(bytes, MemoryKind::device, *current_context());
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
    *result = memory().allocate(bytes, MemoryKind::device, *target->context);
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
    forbid_during_capture();
    const Allocation allocation = memory().release(reinterpret_cast<std::uint64_t>(block), MemoryKind::pinned);
    synchronize(*contexts().get(allocation.context));
    require(Memory::free(allocation), CUDA_ERROR_ILLEGAL_ADDRESS);
  });
}

PLATEAU_API CUresult cuMemHostRegister_v2(void* block, std::size_t bytes, unsigned) {
  return call("cuMemHostRegister", Needs::context, [&] {
    const auto address = reinterpret_cast<std::uint64_t>(block);
    require(block != nullptr && bytes > 0, CUDA_ERROR_INVALID_VALUE);
    forbid_during_capture();
    require(!memory().find(address, 1), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
    const auto context = current_context();
    memory().adopt({address, bytes, MemoryKind::pinned, context.get(), context->device, false});
  });
}

PLATEAU_API CUresult cuMemHostUnregister(void* block) {
  return call("cuMemHostUnregister", Needs::context, [&] {
    const auto address = reinterpret_cast<std::uint64_t>(block);
    const auto found = memory().find(address, 1);
    require(found && found->address == address && !found->owned && found->kind == MemoryKind::pinned,
            CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
    forbid_during_capture();
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
    *free_bytes = memory().available(current_context()->device);
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

// Rows of linear memory, as many bytes apart as the pitch says, one after the other.
PLATEAU_API CUresult cuMemcpy2D_v2(const CUDA_MEMCPY2D_v2* asked) {
  return call("cuMemcpy2D", Needs::context, [&] {
    require(asked != nullptr, CUDA_ERROR_INVALID_VALUE);
    const CUDA_MEMCPY2D_v2& copy = *asked;
    require(copy.srcMemoryType != CU_MEMORYTYPE_ARRAY && copy.dstMemoryType != CU_MEMORYTYPE_ARRAY,
            CUDA_ERROR_NOT_SUPPORTED);
    const auto first = [&](unsigned type, const void* host, CUdeviceptr device, std::size_t x, std::size_t y,
                           std::size_t pitch) {
      require(type == CU_MEMORYTYPE_HOST || type == CU_MEMORYTYPE_DEVICE || type == CU_MEMORYTYPE_UNIFIED,
              CUDA_ERROR_INVALID_VALUE);
      require(copy.Height <= 1 || pitch >= x + copy.WidthInBytes, CUDA_ERROR_INVALID_VALUE);
      return (type == CU_MEMORYTYPE_HOST ? reinterpret_cast<std::uint64_t>(host) : device) + y * pitch + x;
    };
    const std::uint64_t from = first(copy.srcMemoryType, copy.srcHost, copy.srcDevice, copy.srcXInBytes, copy.srcY,
                                     copy.srcPitch),
                        to = first(copy.dstMemoryType, copy.dstHost, copy.dstDevice, copy.dstXInBytes, copy.dstY,
                                   copy.dstPitch);
    for (std::size_t row = 0; row < copy.Height; ++row) {
      if (copy.srcMemoryType == CU_MEMORYTYPE_DEVICE) {
        require_device_range(from + row * copy.srcPitch, copy.WidthInBytes);
      }
      if (copy.dstMemoryType == CU_MEMORYTYPE_DEVICE) {
        require_device_range(to + row * copy.dstPitch, copy.WidthInBytes);
      }
    }
    for (std::size_t row = 0; row < copy.Height; ++row) {
      copy_now(to + row * copy.dstPitch, from + row * copy.srcPitch, copy.WidthInBytes);
    }
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
  return call("cuMemsetD8Async", Needs::context, [&] { fill_later(to, value, count, stream); });
}
PLATEAU_API CUresult cuMemsetD16Async(CUdeviceptr to, unsigned short value, std::size_t count, void* stream) {
  return call("cuMemsetD16Async", Needs::context, [&] { fill_later(to, value, count, stream); });
}
PLATEAU_API CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, std::size_t count, void* stream) {
  return call("cuMemsetD32Async", Needs::context, [&] { fill_later(to, value, count, stream); });
}

PLATEAU_API int plateau_carve(std::uint64_t address, std::size_t bytes) {
  return call("plateau_carve", Needs::context, [&] { memory().carve(address, bytes); });
}

PLATEAU_API int plateau_device_range(std::uint64_t address, std::size_t bytes) {
  return bytes == 0 || memory().usable(address, bytes, static_cast<const Context*>(plateau_current_context()))
             ? CUDA_SUCCESS
             : CUDA_ERROR_INVALID_VALUE;
}
