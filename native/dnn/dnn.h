// What the files of the CPU's cuDNN share: descriptors, the frame of a call, and how a call's work
// gets to its stream.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include "driver/plateau_driver.h"

extern "C" {
#include "dnn/cudnn_subset.h"
}

namespace dnn {

// A refused call, on its way out of it.
struct Failure {
  cudnnStatus_t status;
};

[[noreturn]] inline void fail(cudnnStatus_t status) { throw Failure{status}; }
inline void require(bool condition, cudnnStatus_t otherwise) {
  if (!condition) {
    fail(otherwise);
  }
}

// Belongs to the context that was current when it was made.
struct Handle {
  void* context = nullptr;
  void* stream = nullptr;
};

// (n, c, h, w) float32 in one of two dense layouts; `is_set` is false between cudnnCreate… and
// cudnnSet….
struct Tensor {
  bool is_set = false;
  cudnnTensorFormat_t format{};
  cudnnDataType_t type{};
  std::array<int, 4> dims{};

  std::size_t elements() const { return static_cast<std::size_t>(dims[0]) * dims[1] * dims[2] * dims[3]; }
  std::size_t bytes() const { return elements() * sizeof(float); }
  // Elements from one to the next along n, c, h, w.
  std::array<std::size_t, 4> strides() const {
    const std::size_t c = dims[1], h = dims[2], w = dims[3];
    return format == CUDNN_TENSOR_NHWC ? std::array{c * h * w, std::size_t{1}, w * c, c}
                                       : std::array{c * h * w, h * w, w, std::size_t{1}};
  }
  auto operator<=>(const Tensor&) const = default;
};

// (out maps, in maps, rows, cols), otherwise as a tensor; a type of its own because a call must not
// take one for the other.
struct Filter : Tensor {};

struct Convolution {
  bool is_set = false;
  std::array<int, 2> padding{}, stride{}, dilation{};
  cudnnConvolutionMode_t mode{};
  cudnnDataType_t accumulate{};
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
  auto operator<=>(const Convolution&) const = default;
};

struct Pooling {
  bool is_set = false;
  cudnnPoolingMode_t mode{};
  cudnnNanPropagation_t nan{};
  std::array<int, 2> window{}, padding{}, stride{};
};

struct Activation {
  bool is_set = false;
  cudnnActivationMode_t mode{};
  cudnnNanPropagation_t nan{};
  double coefficient = 0;
};

// The live objects of a kind, by the pointers that callers hold. Objects are copied out: a call
// works with the descriptors as they were when it was made.
template <class T>
class Table {
 public:
  void* add() {
    auto object = std::make_unique<T>();
    void* key = object.get();
    std::lock_guard lock(mutex_);
    live_.emplace(key, std::move(object));
    return key;
  }
  T get(const void* key) const {
    std::lock_guard lock(mutex_);
    return *find(key);
  }
  void set(const void* key, const T& value) {
    std::lock_guard lock(mutex_);
    *find(key) = value;
  }
  void remove(const void* key) {
    std::lock_guard lock(mutex_);
    find(key);
    live_.erase(key);
  }

 private:
  T* find(const void* key) const {
    require(key != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    const auto found = live_.find(key);
    require(found != live_.end(), CUDNN_STATUS_BAD_PARAM);
    return found->second.get();
  }

  mutable std::mutex mutex_;
  std::map<const void*, std::unique_ptr<T>> live_;
};

template <class T>
Table<T>& table() {
  static auto* instance = new Table<T>;
  return *instance;
}

// A handle of the context that is current.
inline Handle handle_of(const void* key) {
  const Handle handle = table<Handle>().get(key);
  require(handle.context == plateau_current_context(), CUDNN_STATUS_NOT_INITIALIZED);
  return handle;
}

// A descriptor that has been set.
template <class T>
T described(const void* key) {
  const T value = table<T>().get(key);
  require(value.is_set, CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
  return value;
}

// What all computations here ask of their tensors and filters: float32, and not a vectorised
// layout.
inline void require_computable(const Tensor& tensor) {
  require(tensor.type == CUDNN_DATA_FLOAT, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE);
  require(tensor.format != CUDNN_TENSOR_NCHW_VECT_C, CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
}

template <class T>
T computable(const void* key) {
  const T value = described<T>(key);
  require_computable(value);
  return value;
}

// A GPU faults where a pointer is not device memory or the memory ends too early; here the call
// itself is refused.
inline void require_device(const void* pointer, std::size_t bytes) {
  require(pointer != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  require(plateau_device_range(reinterpret_cast<std::uint64_t>(pointer), bytes) == 0, CUDNN_STATUS_EXECUTION_FAILED);
}

inline const float* input(const void* pointer, const Tensor& tensor) {
  require_device(pointer, tensor.bytes());
  return static_cast<const float*>(pointer);
}
inline float* output(void* pointer, const Tensor& tensor) {
  require_device(pointer, tensor.bytes());
  return static_cast<float*>(pointer);
}

// result = alpha computed + beta result. With beta 0 the old result is not read: it may be NaN.
struct Scaling {
  float alpha, beta;
  Scaling(const void* alpha_pointer, const void* beta_pointer) {
    require(alpha_pointer != nullptr && beta_pointer != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    alpha = *static_cast<const float*>(alpha_pointer);
    beta = *static_cast<const float*>(beta_pointer);
  }
  bool plain() const { return alpha == 1 && beta == 0; }
  void store(float computed, float& result) const {
    result = beta == 0 ? alpha * computed : alpha * computed + beta * result;
  }
};

// The frame of every function that has a status.
template <class Body>
cudnnStatus_t call(const char* name, const Body& body) noexcept {
  try {
    int fault = 0;
    if (plateau_injected_fault(name, &fault) != 0) {
      return static_cast<cudnnStatus_t>(fault);
    }
    body();
    return CUDNN_STATUS_SUCCESS;
  } catch (const Failure& failure) {
    return failure.status;
  } catch (const std::bad_alloc&) {
    return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
  } catch (...) {
    return CUDNN_STATUS_INTERNAL_ERROR;
  }
}

using Work = std::function<void()>;

// Puts work on the handle's stream, or into the graph that it captures.
inline void submit(const Handle& handle, const char* name, Work work) {
  const int status = plateau_stream_submit(
      handle.stream, name, [](void* state) { (*static_cast<Work*>(state))(); }, new Work(std::move(work)),
      [](void* state) { delete static_cast<Work*>(state); });
  require(status == 0, CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER);
}

// Below this many operations waking another thread costs more than it gives.
constexpr double kWorthThreads = 1 << 17;

// body(i) for i in [0, count), on several threads where the `operations` of all of them together
// are worth it.
template <class Body>
void parallel(std::size_t count, double operations, const Body& body) {
  if (operations < kWorthThreads) {
    for (std::size_t i = 0; i < count; ++i) {
      body(i);
    }
    return;
  }
  plateau_parallel_for(
      count,
      [](void* state, std::uint64_t first, std::uint64_t last) {
        for (std::uint64_t i = first; i < last; ++i) {
          (*static_cast<const Body*>(state))(i);
        }
      },
      const_cast<Body*>(&body));
}

}  // namespace dnn

#define DNN_API extern "C" __attribute__((visibility("default")))
