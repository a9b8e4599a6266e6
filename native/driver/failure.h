// How the driver says no inside: by throwing what the ABI returns.
#pragma once
#include "driver/abi.h"

namespace driver {

// Thrown inside the driver, returned from the ABI.
struct Failure {
  CUresult code;
};
[[noreturn]] inline void fail(CUresult code) { throw Failure{code}; }
inline void require(bool condition, CUresult code) {
  if (!condition) {
    fail(code);
  }
}

}  // namespace driver
