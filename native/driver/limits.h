// What of the machine this process may use. Every function takes the folder that stands for "/", so
// that tests can show it machines that are not there.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace driver {

// The number that a text is in decimal digits; nothing where it is none, or past 2^64 - 1.
std::optional<std::uint64_t> whole_number(std::string_view text);

// CPUs of the affinity mask, cut by the smallest CPU quota of the cgroups the process is in.
unsigned usable_cpus(const std::string& root, unsigned in_mask);
unsigned usable_cpus();

// Threads by PLATEAU_CPU_THREADS: a whole number from 1 to kMostThreads, taken as four a CPU at
// most; one a CPU where it is null or empty. 0 where it is anything else.
constexpr unsigned kMostThreads = 1024, kThreadsPerCpu = 4;
unsigned threads_asked_for(const char* setting, unsigned cpus);

// Something that may not be filled past `limit` bytes, and how full it is.
struct MemoryBound {
  std::uint64_t limit, used;
};

// The machine, each cgroup with a limit that the process is in, and its own resource limits.
// Whatever the kernel takes back before it kills, as the page cache, is not used.
std::vector<MemoryBound> memory_bounds(const std::string& root = "");

// Bytes of device memory in all: of the narrowest bound, what leaves the program around it enough.
std::uint64_t device_memory(const std::vector<MemoryBound>& bounds);

// Bytes that can be filled now, whoever has used the rest.
std::uint64_t memory_room(const std::vector<MemoryBound>& bounds);

}  // namespace driver
