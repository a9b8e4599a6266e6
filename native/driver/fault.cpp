// Fault injection: PLATEAU_FAULT="function:n:code,..." or plateau_inject_fault make the n-th call
// (from 1) of a function return a code.
#include "driver/call.h"

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "driver/plateau_driver.h"

namespace driver {
namespace {

struct Fault {
  // With or without the version that cuda.h adds to some names: "cuMemAlloc_v2" is cuMemAlloc.
  bool names(const std::string& called) const { return function == called || function.starts_with(called + "_v"); }
  std::string function;
  long remaining;
  int code;
};

class Faults {
 public:
  Faults() {
    const char* text = std::getenv("PLATEAU_FAULT");
    for (std::string rest = text == nullptr ? "" : text; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      const std::string item = rest.substr(0, comma);
      char function[128];
      long nth = 0;
      int code = 0;
      char more = 0;
      if (std::sscanf(item.c_str(), "%127[^:]:%ld:%d%c", function, &nth, &code, &more) == 3 && nth > 0) {
        add(function, nth, code);
      } else {
        understood_ = false;
      }
      rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    }
  }

  bool understood() const { return understood_; }

  void add(const char* function, long nth, int code) {
    std::lock_guard lock(mutex_);
    faults_.push_back({function, nth, code});
    armed_ = true;
  }

  std::optional<int> next(const char* function) {
    if (!armed_.load(std::memory_order_relaxed)) {
      return std::nullopt;
    }
    std::lock_guard lock(mutex_);
    for (Fault& fault : faults_) {
      if (fault.names(function) && fault.remaining > 0 && --fault.remaining == 0) {
        return fault.code;
      }
    }
    return std::nullopt;
  }

  void clear() {
    std::lock_guard lock(mutex_);
    faults_.clear();
    armed_ = false;
  }

 private:
  bool understood_ = true;
  std::mutex mutex_;
  std::vector<Fault> faults_;
  std::atomic<bool> armed_{false};
};

Faults& faults() {
  static Faults* instance = new Faults;  // outlives every thread
  return *instance;
}

}  // namespace

std::optional<int> injected_fault(const char* function) { return faults().next(function); }

bool faults_understood() { return faults().understood(); }

}  // namespace driver

// nth counts from the next call on; function null clears all.
PLATEAU_API void plateau_inject_fault(const char* function, long nth, int code) {
  if (function == nullptr) {
    driver::faults().clear();
  } else {
    driver::faults().add(function, nth, code);
  }
}

PLATEAU_API int plateau_injected_fault(const char* function, int* code) {
  const auto fault = driver::injected_fault(function);
  if (fault) {
    *code = *fault;
  }
  return fault ? 1 : 0;
}
