// Limits of CPUs and memory: affinity, cgroups of both versions, resource limits.
#include "driver/limits.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include "driver/abi.h"
#include "driver/plateau_driver.h"

namespace driver {

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
// Of the narrowest bound: what the JVM's heap takes by default is a quarter, what it takes beside
// its heap in the order of this.
constexpr std::uint64_t kLeastForTheProgram = 256 * kMiB;
// Kept free of what is free now, for what grows between two looks.
constexpr std::uint64_t kMostMargin = 64 * kMiB, kMarginShare = 16;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) {
    parts.push_back(part);
  }
  return parts;
}

void for_each_line(const std::string& file, const std::function<void(const std::string&)>& visit) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    visit(line);
  }
}

std::string first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// The number behind a name, as in "MemTotal:  24684236 kB" or "inactive_file 4096"; nothing where
// it is not there.
std::optional<std::uint64_t> named(const std::string& file, const std::string& name) {
  std::optional<std::uint64_t> found;
  for_each_line(file, [&](const std::string& line) {
    std::istringstream words(line);
    std::string first, second;
    if (!found && words >> first >> second && first == name) {
      found = whole_number(second);
    }
  });
  return found;
}

// mountinfo writes a space in a path as \040.
std::string unescaped(const std::string& path) {
  std::string plain;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::string digits = path[i] == '\\' ? path.substr(i + 1, 3) : "";
    if (digits.size() == 3 && digits.find_first_not_of("01234567") == std::string::npos) {
      plain += static_cast<char>(std::stoi(digits, nullptr, 8));
      i += 3;
    } else {
      plain += path[i];
    }
  }
  return plain;
}

bool lists(const std::string& names, const std::string& name) {
  const auto all = split(names, ',');
  return std::find(all.begin(), all.end(), name) != all.end();
}

// `path` as seen from `top`; nothing where it is not below.
std::optional<std::string> below(const std::string& path, const std::string& top) {
  if (top == "/" || path == top) {
    return path == top ? "" : path;
  }
  return path.starts_with(top + "/") ? std::optional(path.substr(top.size())) : std::nullopt;
}

// The folders of the cgroups that the process is in by that controller: its own first, then those
// around it, as far as they are mounted here. Without a name: of version 2, which has one hierarchy
// for all controllers.
std::vector<std::string> cgroup_folders(const std::string& root, const std::string& controller) {
  std::optional<std::string> own;
  for_each_line(root + "/proc/self/cgroup", [&](const std::string& line) {  // 4:cpu,cpuacct:/path, or 0::/path
    const std::size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second != std::string::npos) {
      const std::string names = line.substr(first + 1, second - first - 1);
      if (controller.empty() ? names.empty() : lists(names, controller)) {
        own = line.substr(second + 1);
      }
    }
  });
  std::vector<std::string> folders;
  if (!own) {
    return folders;
  }
  for_each_line(root + "/proc/self/mountinfo", [&](const std::string& line) {
    // 35 31 0:32 / /sys/fs/cgroup/memory rw,relatime [optional fields] - cgroup cgroup rw,memory
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) {
      return;
    }
    const auto mount = split(line.substr(0, dash), ' '), system = split(line.substr(dash + 3), ' ');
    if (mount.size() < 5 || system.size() < 3 || system[0] != (controller.empty() ? "cgroup2" : "cgroup") ||
        (!controller.empty() && !lists(system[2], controller))) {
      return;
    }
    const std::string point = root + unescaped(mount[4]);
    // What is mounted may be a part of the hierarchy that the path does not name, in a container
    // without a cgroup namespace: then it is the container's own.
    std::string inner = below(*own, unescaped(mount[3])).value_or("");
    if (inner.find("/..") != std::string::npos) {
      inner.clear();
    }
    while (inner.find_first_not_of('/') != std::string::npos) {
      folders.push_back(point + inner);
      inner.resize(inner.rfind('/'));
    }
    folders.push_back(point);
  });
  return folders;
}

std::optional<unsigned> cpus_of(const std::optional<std::uint64_t>& quota, const std::optional<std::uint64_t>& period) {
  if (!quota || !period || *quota == 0 || *period == 0) {
    return std::nullopt;
  }
  return static_cast<unsigned>(std::min<std::uint64_t>(*quota / *period + (*quota % *period != 0), kMostThreads));
}

std::uint64_t page_cache(const std::string& statistics, const std::string& prefix) {
  return named(statistics, prefix + "inactive_file").value_or(0) +
         named(statistics, prefix + "active_file").value_or(0);
}

void add(std::vector<MemoryBound>& bounds, const std::optional<std::uint64_t>& limit, std::uint64_t used,
         std::uint64_t given_back = 0) {
  if (limit) {
    bounds.push_back({*limit, used - std::min(used, given_back)});
  }
}

// The soft limit of a line of /proc/self/limits, against a line of /proc/self/status.
void add_resource(std::vector<MemoryBound>& bounds, const std::string& root, const std::string& name,
                  const std::string& used) {
  for_each_line(root + "/proc/self/limits", [&](const std::string& line) {
    if (line.starts_with(name)) {
      std::string soft;
      std::istringstream(line.substr(name.size())) >> soft;
      add(bounds, whole_number(soft), named(root + "/proc/self/status", used).value_or(0) * 1024);
    }
  });
}

unsigned cpus_in_mask() {
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {  // as many as the kernel was built for
    cpu_set_t* set = CPU_ALLOC(static_cast<std::size_t>(cpus));
    const std::size_t bytes = CPU_ALLOC_SIZE(static_cast<std::size_t>(cpus));
    const int count = set != nullptr && sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) {
      return static_cast<unsigned>(count);
    }
  }
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

unsigned usable_cpus(const std::string& root, unsigned in_mask) {
  unsigned cpus = in_mask;
  const auto cut = [&](const std::optional<unsigned>& quota) { cpus = std::min(cpus, quota.value_or(cpus)); };
  for (const std::string& folder : cgroup_folders(root, "")) {
    const auto words = split(first_line(folder + "/cpu.max"), ' ');  // "max 100000" is none
    if (words.size() == 2) {
      cut(cpus_of(whole_number(words[0]), whole_number(words[1])));
    }
  }
  for (const std::string& folder : cgroup_folders(root, "cpu")) {
    cut(cpus_of(whole_number(first_line(folder + "/cpu.cfs_quota_us")),  // -1 is none
                whole_number(first_line(folder + "/cpu.cfs_period_us"))));
  }
  return std::max(1u, cpus);
}

unsigned usable_cpus() { return usable_cpus("", cpus_in_mask()); }

unsigned threads_asked_for(const char* setting, unsigned cpus) {
  if (setting == nullptr || *setting == '\0') {
    return std::min(cpus, kMostThreads);
  }
  const auto asked = whole_number(setting);
  return !asked || *asked < 1 || *asked > kMostThreads ? 0
                                                       : std::min(static_cast<unsigned>(*asked), kThreadsPerCpu * cpus);
}

std::vector<MemoryBound> memory_bounds(const std::string& root) {
  std::vector<MemoryBound> bounds;
  const std::string machine = root + "/proc/meminfo";
  const auto total = named(machine, "MemTotal:"), available = named(machine, "MemAvailable:");
  if (total) {
    const std::uint64_t swap = named(machine, "SwapFree:").value_or(0),
                        left = std::min(*total, available.value_or(*total) + swap);
    add(bounds, *total * 1024, (*total - left) * 1024);
  }
  for (const std::string& folder : cgroup_folders(root, "")) {
    add(bounds, whole_number(first_line(folder + "/memory.max")),
        whole_number(first_line(folder + "/memory.current")).value_or(0), page_cache(folder + "/memory.stat", ""));
  }
  for (const std::string& folder : cgroup_folders(root, "memory")) {
    add(bounds, whole_number(first_line(folder + "/memory.limit_in_bytes")),
        whole_number(first_line(folder + "/memory.usage_in_bytes")).value_or(0),
        page_cache(folder + "/memory.stat", "total_"));
  }
  add_resource(bounds, root, "Max address space", "VmSize:");
  add_resource(bounds, root, "Max data size", "VmData:");
  return bounds;
}

std::uint64_t device_memory(const std::vector<MemoryBound>& bounds) {
  std::uint64_t limit = std::uint64_t{1} << 40;  // where nothing is known
  for (const MemoryBound& bound : bounds) {
    limit = std::min(limit, bound.limit);
  }
  const std::uint64_t quarter = limit / 4;
  return std::max(quarter, limit - std::min(limit, std::max(quarter, kLeastForTheProgram)));
}

std::uint64_t memory_room(const std::vector<MemoryBound>& bounds) {
  std::uint64_t room = device_memory(bounds);
  for (const MemoryBound& bound : bounds) {
    const std::uint64_t kept = bound.used + std::min(bound.limit / kMarginShare, kMostMargin);
    room = std::min(room, bound.limit - std::min(bound.limit, kept));
  }
  return room;
}

}  // namespace driver

PLATEAU_API void plateau_limits(const char* root, unsigned in_mask, const char* setting, std::uint64_t limits[4]) {
  const auto bounds = driver::memory_bounds(root);
  limits[0] = driver::usable_cpus(root, in_mask);
  limits[1] = driver::threads_asked_for(setting, static_cast<unsigned>(limits[0]));
  limits[2] = driver::device_memory(bounds);
  limits[3] = driver::memory_room(bounds);
}
