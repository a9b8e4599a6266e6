// What environment variables ask of the driver beside threads and faults. plateau.cuda.Environment
// says in words what is wrong with one, before cuInit refuses it.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>

namespace driver {

constexpr unsigned kMostDevices = 16;
constexpr unsigned kMostLateMicroseconds = 1000000;

struct Settings {
  // PLATEAU_CPU_DEVICES: each has a primary context and an equal share of the memory; all share the
  // pool's threads.
  unsigned devices = 1;
  // PLATEAU_CPU_LATE_COPIES: how long after the call a copy from pageable memory, a copy between
  // device memory and a fill begin that CUDA does not promise to have done when the call returns.
  std::chrono::microseconds late{0};
  // PLATEAU_CPU_FRESH_MEMORY: fresh memory holds NaN where it is not set, and else another content
  // at each allocation, drawn by this number.
  std::optional<std::uint64_t> fresh_memory;
  bool understood = true;
};

const Settings& settings();

}  // namespace driver
