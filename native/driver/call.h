// The frame of every function of the ABI: faults, what must be there first, and failures as codes.
#pragma once
#include <new>
#include <optional>

#include "driver/context.h"
#include "driver/failure.h"

namespace driver {

std::optional<int> injected_fault(const char* function);
bool faults_understood();  // false where PLATEAU_FAULT says something else than function:n:code,...

void require_initialized();

enum class Needs { nothing, initialized, context };

template <class Body>
CUresult call(const char* name, Needs needs, const Body& body) noexcept {
  try {
    if (const auto code = injected_fault(name)) {
      return static_cast<CUresult>(*code);
    }
    if (needs != Needs::nothing) {
      require_initialized();
    }
    if (needs == Needs::context) {
      require_working_context();
    }
    body();
    return CUDA_SUCCESS;
  } catch (const Failure& failure) {
    return failure.code;
  } catch (const std::bad_alloc&) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  } catch (...) {
    return CUDA_ERROR_UNKNOWN;
  }
}

}  // namespace driver
