// The private ABI between this project's libcuda.so.1 and its libcublas.so.12 and libcudnn.so.9:
// how a library puts work on a stream and checks the device memory it is given. NVIDIA's driver has
// no such entry points; only our libraries and tests call them.
#pragma once
#include <cstddef>
#include <cstdint>

extern "C" {

// Work that a library enqueues, run by the stream's worker in stream order, or recorded as a node
// while the stream is capturing (then run on every replay). `state` is released by `destroy` when
// neither the stream nor a graph needs it any more. Returns a CUresult.
int plateau_stream_submit(void* stream, const char* name, void (*run)(void* state), void* state,
                          void (*destroy)(void* state));

// The context that is current on the calling thread; null where there is none. What a library makes
// belongs to it.
void* plateau_current_context(void);

// What cuCtxSynchronize does, as libraries do when they destroy a handle.
int plateau_synchronize_device(void);

// For what a library does that CUDA calls unsafe while a stream captures, as allocating memory:
// CUDA_SUCCESS (0), or that a capture forbids it to the calling thread, which then is spoilt.
int plateau_unsafe_during_capture(void);

// Whether there is such a stream, and it belongs to the current context (1), or not (0).
int plateau_stream_is_current(void* stream);

// Whether the stream is capturing (1) or not (0).
int plateau_stream_is_capturing(void* stream);

// CUDA_SUCCESS (0) where [pointer, pointer + bytes) lies inside one live allocation that kernels of
// the current context can use, else CUDA_ERROR_INVALID_VALUE (1).
int plateau_device_range(std::uint64_t pointer, std::size_t bytes);

// Makes a part of a device allocation an allocation of its own to every check, with guard bytes in
// the 64 bytes behind it, and fresh content. It is freed with the whole, of which nothing but such
// parts can be used afterwards. For arenas, which CUDA knows nothing of. Returns a CUresult.
int plateau_carve(std::uint64_t address, std::size_t bytes);

// True (1) once where fault injection asks for this call of `function` to fail; then *code is what
// to return (a value of the library's own status type).
int plateau_injected_fault(const char* function, int* code);

// Splits [0, count) over the driver's thread pool and returns when all of it is done; the caller
// takes part. The result must not depend on the split.
void plateau_parallel_for(std::uint64_t count, void (*body)(void* state, std::uint64_t first, std::uint64_t last),
                          void* state);

// Threads that plateau_parallel_for may use, the caller included.
int plateau_pool_threads(void);

// *kind becomes 0 for an elementwise kernel, 1 for a cooperative one (the head of
// kernels/common.cuh). CUDA has no such call: CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK is 1 for a
// cooperative kernel in an image for use, but its launch bound on a GPU and in an image with real
// threads, where an elementwise kernel's 1024 can be a bound, too. Returns a CUresult.
int plateau_function_kind(void* function, int* kind);

// For tests: what driver/limits.h makes of the /proc and /sys in that folder, of so many CPUs in
// the affinity mask, and of a setting of PLATEAU_CPU_THREADS or null. CPUs, threads, bytes of
// device memory, bytes that can be filled now.
void plateau_limits(const char* root, unsigned in_mask, const char* setting, std::uint64_t limits[4]);
}
