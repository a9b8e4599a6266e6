// Memory that the driver keeps account of.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>

#include "driver/settings.h"

namespace driver {

struct Context;

enum class MemoryKind { device, pinned };

// What an allocation has been divided into: bytes of each part by its address.
using Parts = std::map<std::uint64_t, std::size_t>;

struct Allocation {
  std::uint64_t address;
  std::size_t bytes;
  MemoryKind kind;
  Context* context;
  int device;
  bool owned;  // false: registered host memory, or a module's variable
  bool divided = false;
  std::shared_ptr<const Parts> parts = nullptr;  // of a divided one that has been released
};

class Memory {
 public:
  std::uint64_t allocate(std::size_t bytes, MemoryKind kind, Context& context);
  void adopt(Allocation allocation);
  Allocation release(std::uint64_t address,
                     MemoryKind kind);  // forgets it; CUDA_ERROR_INVALID_VALUE where there is none
  void forget(std::uint64_t address);
  // Makes a part of a device allocation one of its own to find(), with guard bytes behind it; what
  // is in no part of a divided allocation is then nobody's. CUDA_ERROR_INVALID_VALUE where the part
  // overlaps another, or does not lie in one allocation.
  void carve(std::uint64_t address, std::size_t bytes);
  void release_all(Context* context);
  static bool free(
      const Allocation& allocation);  // returns memory; false where the bytes behind the end were overwritten
  std::optional<Allocation> find(std::uint64_t address, std::size_t bytes) const;
  // Whether kernels of the context can use it: its own memory, or page-locked host memory of any.
  bool usable(std::uint64_t address, std::size_t bytes, const Context* context) const;
  std::size_t count(MemoryKind kind) const;
  std::uint64_t releases() const {
    return releases_;
  }  // tells whether what was checked earlier may have been freed since
  static std::size_t total();  // of one device
  // Bytes that an allocation would get now: what is left of the device's total, and of what the
  // process may fill, whoever else has used the rest.
  std::size_t available(int device) const;

 private:
  void reserve(std::size_t bytes, int device);
  Allocation taken(const Allocation& allocation);
  mutable std::shared_mutex mutex_;
  std::map<std::uint64_t, Allocation> by_address_;
  std::map<std::uint64_t, Parts> parts_;  // by the address of the divided allocation
  std::array<std::atomic<std::size_t>, kMostDevices> used_{};
  std::atomic<std::size_t> unfilled_{0};  // reserved, but the system may not have counted it yet
  std::mutex reserving_;
  std::size_t unasked_ = 0;  // reserved since the system was last asked
  std::atomic<std::uint64_t> releases_{0};
  std::atomic<std::uint64_t> allocations_{0};
};
Memory& memory();
void require_device_range(std::uint64_t address, std::size_t bytes);

}  // namespace driver
