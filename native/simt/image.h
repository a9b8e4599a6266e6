// What a kernel shared object shows to the CPU driver: its kernels, their parameters, and how to
// run a range of blocks.
#pragma once
#include <cstdint>

namespace simt {

inline constexpr std::uint32_t kImageVersion = 2;

struct Dim3 {
  std::uint32_t x, y, z;
};

// Why a launch stopped: a kernel that real hardware would hang on, or would run with undefined
// results, says so here instead.
struct Failure {
  bool failed;
  char message[240];
};

// One kernel launch, as cuLaunchKernel hands it over: params[i] points at the value of argument i.
struct Launch {
  Dim3 grid, block;
  void* const* params;
  Failure* failure;
};

enum class ParamKind : std::uint8_t {
  value,    // an int, float, ... by value
  pointer,  // must point into device memory, or be null
};

struct Param {
  std::uint32_t size;    // bytes
  std::uint32_t offset;  // in a packed, naturally aligned argument buffer, as cuFuncGetParamInfo reports it
  ParamKind kind;
  std::uint32_t element_size, element_alignment;  // of what a pointer points at; 0 for a value
};

// What a kernel is by whether it has __launch_bounds__ (kernels/common.cuh).
enum class KernelKind : std::uint32_t { elementwise = 0, cooperative = 1 };

struct Kernel {
  const char* name;
  // Runs the blocks [first, last) in linear order, x fastest. Different ranges of one launch may
  // run on different OS threads at once.
  void (*run)(const Launch& launch, std::uint64_t first, std::uint64_t last);
  const Param* params;
  std::uint32_t param_count;
  std::uint32_t max_threads;          // largest block this build of the kernel runs
  std::uint32_t static_shared_bytes;  // 0 where the build does not know
  KernelKind kind;
};

struct Image {
  std::uint32_t version;  // kImageVersion
  std::uint32_t kernel_count;
  const Kernel* kernels;
};

}  // namespace simt

#ifndef SIMT_IMAGE_NAME
#define SIMT_IMAGE_NAME plateau_simt_image
#endif

// The one symbol the driver looks up with dlsym ("plateau_simt_image"); __device__ and __constant__
// variables are looked up by their own names.
extern "C" __attribute__((visibility("default"))) const simt::Image* SIMT_IMAGE_NAME();
