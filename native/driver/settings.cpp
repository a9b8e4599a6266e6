// Settings from environment variables.
#include "driver/settings.h"

#include <cstdlib>
#include <limits>

#include "driver/limits.h"

namespace driver {
namespace {

// A whole number from `least` to `most`; nothing where the variable is not set or empty.
std::optional<std::uint64_t> number(const char* variable, std::uint64_t least, std::uint64_t most, bool& understood) {
  const char* setting = std::getenv(variable);
  if (setting == nullptr || *setting == '\0') {
    return std::nullopt;
  }
  const auto value = whole_number(setting);
  if (!value || *value < least || *value > most) {
    understood = false;
    return std::nullopt;
  }
  return value;
}

Settings read() {
  Settings read;
  read.devices = static_cast<unsigned>(number("PLATEAU_CPU_DEVICES", 1, kMostDevices, read.understood).value_or(1));
  read.late = std::chrono::microseconds(
      number("PLATEAU_CPU_LATE_COPIES", 0, kMostLateMicroseconds, read.understood).value_or(0));
  read.fresh_memory = number("PLATEAU_CPU_FRESH_MEMORY", 0, std::numeric_limits<std::uint64_t>::max(), read.understood);
  return read;
}

}  // namespace

const Settings& settings() {
  static const Settings instance = read();
  return instance;
}

}  // namespace driver
