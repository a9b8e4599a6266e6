// Lists an image's kernels for the driver: parameter layout from the function's type, and a
// function that runs a range of blocks.
#pragma once
#if !defined(SIMT_CONTRACT)
#include <type_traits>
#include <utility>

namespace simt {

template <auto kernel, unsigned bound, bool replicated>
struct Runner;

// bound is the kernel's __launch_bounds__, which makes it a cooperative kernel, or 0: an
// elementwise one. A replicated one moves its pointers to the replica blockIdx.z; where a block is
// one thread, that is done here, once for all blocks of a replica.
template <class... A, void (*kernel)(A...), unsigned bound, bool replicated>
struct Runner<kernel, bound, replicated> {
  static inline const char* name;

  static void run(const Launch& launch, std::uint64_t first, std::uint64_t last) {
    unpack(launch, first, last, std::index_sequence_for<A...>{});
  }

  template <std::size_t... I>
  static void unpack(const Launch& launch, std::uint64_t first, std::uint64_t last, std::index_sequence<I...>) {
    run_blocks(launch, first, last, *static_cast<const std::remove_cv_t<A>*>(launch.params[I])...);
  }

  static void run_blocks(const Launch& launch, std::uint64_t first, std::uint64_t last, A... arguments) {
#if defined(SIMT_ONE_THREAD)
    if constexpr (replicated) {
      if (launch.grid.z > 1) {
        const std::uint64_t blocks = static_cast<std::uint64_t>(launch.grid.x) * launch.grid.y;
        Launch one = launch;
        one.grid.z = 1;
        for (std::uint64_t replica = first / blocks; replica * blocks < last; ++replica) {
          const std::uint64_t begin = replica * blocks, end = begin + blocks;
          const auto offset = static_cast<std::ptrdiff_t>(replica) * last_of(arguments...);
          run_replica(one, (first > begin ? first : begin) - begin, (last < end ? last : end) - begin,
                      moved(arguments, offset)...);
        }
        return;
      }
    }
#endif
    run_replica(launch, first, last, arguments...);
  }

  template <class T, class... Rest>
  static auto last_of([[maybe_unused]] T value, Rest... rest) {
    if constexpr (sizeof...(Rest) == 0) {
      return value;
    } else {
      return last_of(rest...);
    }
  }
  template <class T>
  static T moved(T value, [[maybe_unused]] std::ptrdiff_t offset) {
    if constexpr (std::is_pointer_v<T>) {
      return value == nullptr ? value : (T)((char*)value + offset);
    } else {
      return value;
    }
  }

  // Not inlined: compiled twice, sums could be taken in two orders, and a run among others have
  // other bits than alone.
  __attribute__((noinline)) static void run_replica(const Launch& launch, std::uint64_t first, std::uint64_t last,
                                                    A... arguments) {
    gridDim = {launch.grid.x, launch.grid.y, launch.grid.z};
    const auto body = [&]() __attribute__((always_inline)) { kernel(arguments...); };
    if constexpr (bound > 0) {
      simt::run_blocks<true>(launch, name, first, last, body);
    } else {
      run_elements(launch, name, first, last, extent(launch, arguments...), body);
    }
  }

  // Elements along x of an elementwise kernel: its first parameter where that is an int, else all
  // threads of the grid.
  template <class First, class... Rest>
  static std::uint64_t extent(const Launch& launch, First count, Rest...) {
    if constexpr (std::is_same_v<First, int>) {
      return count < 0 ? 0 : static_cast<std::uint64_t>(count);
    } else {
      return static_cast<std::uint64_t>(launch.grid.x) * launch.block.x;
    }
  }

  struct Layout {
    Param params[sizeof...(A) + 1];
  };
  template <class T>
  static constexpr Param parameter(std::uint32_t offset) {
    if constexpr (std::is_pointer_v<T>) {
      using Element = std::remove_pointer_t<T>;
      return {sizeof(T), offset, ParamKind::pointer, sizeof(Element), alignof(Element)};
    } else {
      return {sizeof(T), offset, ParamKind::value, 0, 0};
    }
  }
  static constexpr Layout layout() {
    Layout made{};
    std::uint32_t index = 0, offset = 0;
    ((offset = (offset + alignof(A) - 1) / alignof(A) * alignof(A), made.params[index++] = parameter<A>(offset),
      offset += sizeof(A)),
     ...);
    return made;
  }
  static constexpr Layout kLayout = layout();

  static Kernel describe(const char* kernel_name) {
    name = kernel_name;
    return {kernel_name,
            &run,
            kLayout.params,
            sizeof...(A),
            max_threads<(bound > 0)>(bound),
            0,
            bound > 0 ? KernelKind::cooperative : KernelKind::elementwise};
  }
};

}  // namespace simt

#define SIMT_IMAGE_BEGIN                            \
  extern "C" const simt::Image* SIMT_IMAGE_NAME() { \
    static const simt::Kernel kernels[] = {
#define SIMT_KERNEL(name, bound, replicated) simt::Runner<&name, bound, replicated>::describe(#name),
#define SIMT_IMAGE_END                                                                                 \
  }                                                                                                    \
  ;                                                                                                    \
  static const simt::Image image = {simt::kImageVersion, sizeof kernels / sizeof kernels[0], kernels}; \
  return &image;                                                                                       \
  }
#endif
