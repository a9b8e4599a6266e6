// Not a way to run kernels but to check them, at build time and one file at a time, against the
// contract at the head of kernels/common.cuh. What a kind of kernel may not use is declared here,
// and refused where a kernel of that kind calls it, directly or through a function: the compiler
// follows the calls. native/KernelContract.java compiles it twice,
//
//   SIMT_ELEMENTWISE_CONTRACT   with the kernels without __launch_bounds__; then runs them, to see
//                               that the first parameter is the number of elements,
//   SIMT_COOPERATIVE_CONTRACT   with those that have it, in blocks of one thread,
//
// and, where that fails, with SIMT_ONLY naming one kernel at a time, to tell whose fault it is.
#pragma once
#include <type_traits>
#include <utility>

#define SIMT_CONTRACT
#define SIMT_INLINE inline __attribute__((always_inline))
#define SIMT_REFUSED(why) __attribute__((error(why)))

static uint3 simt_block;
static dim3 simt_grid;

#if defined(SIMT_ELEMENTWISE_CONTRACT)

namespace simt {

struct ThreadIdx {
  SIMT_REFUSED("uses threadIdx") unsigned fetch() const;
  __declspec(property(get = fetch)) unsigned x, y, z;
};
struct BlockDim {
  SIMT_REFUSED("uses blockDim") unsigned fetch() const;
  __declspec(property(get = fetch)) unsigned x, y, z;
};
struct BlockIdx {
  SIMT_REFUSED("uses blockIdx.x") unsigned along() const;
  SIMT_INLINE unsigned row() const { return simt_block.y; }
  SIMT_INLINE unsigned layer() const { return simt_block.z; }
  __declspec(property(get = along)) unsigned x;
  __declspec(property(get = row)) unsigned y;
  __declspec(property(get = layer)) unsigned z;
};
struct GridDim {
  SIMT_REFUSED("uses gridDim.x") unsigned along() const;
  SIMT_INLINE unsigned rows() const { return simt_grid.y; }
  SIMT_INLINE unsigned layers() const { return simt_grid.z; }
  __declspec(property(get = along)) unsigned x;
  __declspec(property(get = rows)) unsigned y;
  __declspec(property(get = layers)) unsigned z;
};
SIMT_REFUSED("uses __shared__") void shared_memory();
static int element;

}  // namespace simt

constexpr simt::ThreadIdx threadIdx{};
constexpr simt::BlockDim blockDim{};
constexpr simt::BlockIdx blockIdx{};
constexpr simt::GridDim gridDim{};
#define SIMT_ELEMENT simt::element

SIMT_INLINE void simt_shared(void*) { simt::shared_memory(); }
#define __shared__ __attribute__((cleanup(simt_shared)))
#define SIMT_WARP_RULE ""
SIMT_REFUSED("uses __syncthreads") void __syncthreads();
SIMT_REFUSED("uses __syncwarp") void __syncwarp(unsigned = 0xffffffffu);

#else

namespace simt {

SIMT_REFUSED("uses y or z of threadIdx or blockDim; blocks have x alone") unsigned flat();
struct Position {
  SIMT_INLINE unsigned first() const { return 0; }
  SIMT_INLINE unsigned other() const { return flat(); }
  __declspec(property(get = first)) unsigned x;
  __declspec(property(get = other)) unsigned y, z;
};
struct Extent {
  SIMT_INLINE unsigned one() const { return 1; }
  SIMT_INLINE unsigned other() const { return flat(); }
  __declspec(property(get = one)) unsigned x;
  __declspec(property(get = other)) unsigned y, z;
};
SIMT_REFUSED(
    "uses element_index(), which is for kernels without __launch_bounds__; a block's threads stride from threadIdx.x "
    "by blockDim.x")
int element_index();

}  // namespace simt

constexpr simt::Position threadIdx{};
constexpr simt::Extent blockDim{};
#define blockIdx simt_block
#define gridDim simt_grid
#define SIMT_ELEMENT simt::element_index()

#define __shared__
#define SIMT_WARP_RULE " in a block of one thread, which is no warp; block_sum and block_max are right for every block"
SIMT_INLINE void __syncthreads() {}
SIMT_INLINE void __syncwarp(unsigned = 0xffffffffu) {}

#endif

template <class T>
SIMT_REFUSED("uses __shfl_sync" SIMT_WARP_RULE)
T __shfl_sync(unsigned, T, int, int = 32);
template <class T>
SIMT_REFUSED("uses __shfl_up_sync" SIMT_WARP_RULE)
T __shfl_up_sync(unsigned, T, unsigned, int = 32);
template <class T>
SIMT_REFUSED("uses __shfl_down_sync" SIMT_WARP_RULE)
T __shfl_down_sync(unsigned, T, unsigned, int = 32);
template <class T>
SIMT_REFUSED("uses __shfl_xor_sync" SIMT_WARP_RULE)
T __shfl_xor_sync(unsigned, T, int, int = 32);
SIMT_REFUSED("uses __ballot_sync" SIMT_WARP_RULE) unsigned __ballot_sync(unsigned, int);
SIMT_REFUSED("uses __any_sync" SIMT_WARP_RULE) int __any_sync(unsigned, int);
SIMT_REFUSED("uses __all_sync" SIMT_WARP_RULE) int __all_sync(unsigned, int);

namespace simt {

template <class...>
struct FirstOf {
  using Type = void;
};
template <class T, class... Rest>
struct FirstOf<T, Rest...> {
  using Type = T;
};

template <auto kernel, unsigned bound>
struct Contract;

template <class... A, void (*kernel)(A...), unsigned bound>
struct Contract<kernel, bound> {
  using First = typename FirstOf<A...>::Type;
  static_assert(((std::is_arithmetic_v<A> || std::is_pointer_v<A>) && ...),
                "parameters are numbers and pointers, which the driver can check");
  static_assert(bound % 32 == 0 && bound <= 1024, "__launch_bounds__ is a multiple of 32, at most 1024");
  static_assert(bound > 0 || !std::is_integral_v<First> || std::is_same_v<First, int>,
                "a first parameter that is an integer is the number of elements, an int");

  static constexpr std::size_t kWords = 4096;
  static inline float memory[sizeof...(A) + 1][kWords];

  // Of the memory behind a pointer: no kernel writes it by accident, since parameters differ.
  static float word(std::size_t parameter, float sign) { return sign * (1.0f + static_cast<float>(parameter)); }

  template <class T>
  static T argument(std::size_t parameter, int first, float sign) {
    if constexpr (std::is_pointer_v<T>) {
      for (float& now : memory[parameter]) {
        now = word(parameter, sign);
      }
      return reinterpret_cast<T>(memory[parameter]);
    } else {
      return static_cast<T>(parameter == 0 ? first : 2);
    }
  }

  // Whether the thread that comes after the first `count` of them leaves all memory as it is.
  template <std::size_t... I>
  static bool idle(int count, float sign, std::index_sequence<I...>) {
#if defined(SIMT_ELEMENTWISE_CONTRACT)
    element = count;
#endif
    kernel(argument<A>(I, count, sign)...);
    const auto unchanged = [&](std::size_t parameter) {
      bool same = true;
      for (const float now : memory[parameter]) {
        same &= now == word(parameter, sign);
      }
      return same;
    };
    return ((!std::is_pointer_v<A> || unchanged(I)) && ...);
  }

  static bool holds() {
    // Compiles the kernel, which is what refuses most.
    static void (*volatile emitted)(A...) = [](A... arguments) { kernel(arguments...); };
    static_cast<void>(emitted);
    if constexpr (bound == 0 && std::is_same_v<First, int>) {
      for (const int count : {0, 1}) {
        for (const float sign : {1.0f, -1.0f}) {
          if (!idle(count, sign, std::index_sequence_for<A...>{})) {
            return false;
          }
        }
      }
    }
    return true;
  }
};

#if defined(SIMT_ONLY)
#define SIMT_TEXT(name) #name
#define SIMT_NAME(name) SIMT_TEXT(name)
constexpr const char* kOnly = SIMT_NAME(SIMT_ONLY);
#else
constexpr const char* kOnly = nullptr;
#endif

// Whether this compilation is about that kernel.
constexpr bool concerns(const char* name, unsigned bound) {
#if defined(SIMT_ELEMENTWISE_CONTRACT)
  const bool of_kind = bound == 0;
#else
  const bool of_kind = bound > 0;
#endif
  return of_kind && (kOnly == nullptr || __builtin_strcmp(name, kOnly) == 0);
}

// A kernel that this compilation is not about is not even looked at.
template <bool concerned, auto kernel, unsigned bound>
bool holds() {
  if constexpr (concerned) {
    return Contract<kernel, bound>::holds();
  } else {
    return true;
  }
}

}  // namespace simt

#define SIMT_IMAGE_BEGIN int main() {
#define SIMT_KERNEL(name, bound, replicated)                          \
  if constexpr (simt::concerns(#name, bound)) {                       \
    if (!simt::holds<simt::concerns(#name, bound), &name, bound>()) { \
      return 1;                                                       \
    }                                                                 \
  }
#define SIMT_IMAGE_END \
  return 0;            \
  }
