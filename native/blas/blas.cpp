// libcublas.so.12 for the CPU driver: the part of cuBLAS that Plateau calls, over oneDNN. Calls put
// their work on the handle's stream, so they are ordered with kernels and can be captured. cuBLAS's
// matrices are column-major; a column-major product is the row-major product of the transposed
// operands, swapped.
#include <dlfcn.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "driver/plateau_driver.h"
#include "oneapi/dnnl/dnnl.h"

namespace {

enum Status : int {
  kSuccess = 0,
  kNotInitialized = 1,
  kAllocFailed = 3,
  kInvalidValue = 7,
  kExecutionFailed = 13,
  kInternalError = 14,
  kNotSupported = 15
};
enum Operation : int { kNone = 0, kTransposed = 1, kConjugated = 2 };
enum PointerMode : int { kHost = 0, kDevice = 1 };

constexpr int kVersion = 120600;

constexpr std::size_t kWorkspaceAlignment = 256;

// Belongs to the context that was current when it was made.
struct Handle {
  void* context = nullptr;
  void* stream = nullptr;
  void* workspace = nullptr;  // null: cuBLAS's own
  std::size_t workspace_bytes = 0;
  int pointer_mode = kHost;
  int math_mode = 0;
};

class Handles {
 public:
  Handle* add(void* context) {
    auto handle = std::make_unique<Handle>();
    handle->context = context;
    Handle* key = handle.get();
    std::lock_guard lock(mutex_);
    live_.insert(std::move(handle));
    return key;
  }
  // Null where there is none, or another context is current.
  Handle* find(void* key) {
    const void* context = plateau_current_context();
    std::lock_guard lock(mutex_);
    for (const auto& handle : live_) {
      if (handle.get() == key && handle->context == context) {
        return handle.get();
      }
    }
    return nullptr;
  }
  bool remove(void* key) {
    std::lock_guard lock(mutex_);
    return std::erase_if(live_, [&](const auto& handle) { return handle.get() == key; }) > 0;
  }

 private:
  std::mutex mutex_;
  std::set<std::unique_ptr<Handle>> live_;
};

Handles& handles() {
  static auto* instance = new Handles;
  return *instance;
}

using Sgemm = dnnl_status_t (*)(char, char, dnnl_dim_t, dnnl_dim_t, dnnl_dim_t, float, const float*, dnnl_dim_t,
                                const float*, dnnl_dim_t, float, float*, dnnl_dim_t);
using SetThreads = void (*)(int);

// oneDNN, loaded from the folder this library lies in when the first product needs it. Its OpenMP
// threads are told, before they exist, to park at once.
struct OneDnn {
  Sgemm sgemm = nullptr;
  SetThreads set_threads = nullptr;

  OneDnn() {
    setenv("OMP_WAIT_POLICY", "passive", 0);
    setenv("GOMP_SPINCOUNT", "0", 0);
    Dl_info own;
    if (dladdr(reinterpret_cast<void*>(&handles), &own) == 0) {
      return;
    }
    const std::string path = own.dli_fname;
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    void* openmp = dlopen((folder + "libgomp.so.1").c_str(), RTLD_NOW | RTLD_GLOBAL);
    void* library = dlopen((folder + "libdnnl.so.3").c_str(), RTLD_NOW | RTLD_LOCAL);
    if (openmp == nullptr || library == nullptr) {
      std::fprintf(stderr, "plateau: CPU cuBLAS: %s\n", dlerror());
      return;
    }
    sgemm = reinterpret_cast<Sgemm>(dlsym(library, "dnnl_sgemm"));
    set_threads = reinterpret_cast<SetThreads>(dlsym(openmp, "omp_set_num_threads"));
  }
};

const OneDnn& one_dnn() {
  static auto* instance = new OneDnn;
  return *instance;
}

struct Product {
  bool transpose_a, transpose_b;
  int m, n, k;
  float alpha, beta;
  const float* a;
  const float* b;
  float* c;
  int lda, ldb, ldc;
  long long stride_a = 0, stride_b = 0, stride_c = 0;
  int batch = 1;
};

// One thread: at Plateau's shapes OpenMP's threads cost more than they give, and one thread's bits
// do not depend on the machine.
void run(void* state) {
  const Product& p = *static_cast<Product*>(state);
  one_dnn().set_threads(1);
  for (int i = 0; i < p.batch; ++i) {
    one_dnn().sgemm(p.transpose_b ? 'T' : 'N', p.transpose_a ? 'T' : 'N', p.n, p.m, p.k, p.alpha, p.b + i * p.stride_b,
                    p.ldb, p.a + i * p.stride_a, p.lda, p.beta, p.c + i * p.stride_c, p.ldc);
  }
}

bool in_range(const float* pointer, std::size_t elements) {
  return plateau_device_range(reinterpret_cast<std::uint64_t>(pointer), elements * sizeof(float)) == 0;
}

// Elements from the first to the last of a column-major matrix.
std::size_t extent(int rows, int columns, int leading) {
  return rows == 0 || columns == 0 ? 0 : static_cast<std::size_t>(columns - 1) * leading + rows;
}

int submit(const char* name, void* key, int operation_a, int operation_b, Product product, const float* alpha,
           const float* beta) {
  int fault = 0;
  if (plateau_injected_fault(name, &fault) != 0) {
    return fault;
  }
  const Handle* handle = handles().find(key);
  if (handle == nullptr) {
    return kNotInitialized;
  }
  if (handle->pointer_mode != kHost) {
    return kNotSupported;
  }
  if (product.m < 0 || product.n < 0 || product.k < 0 || product.batch < 0 || operation_a < kNone ||
      operation_a > kConjugated || operation_b < kNone || operation_b > kConjugated || alpha == nullptr ||
      beta == nullptr) {
    return kInvalidValue;
  }
  product.transpose_a = operation_a != kNone;
  product.transpose_b = operation_b != kNone;
  const int rows_a = product.transpose_a ? product.k : product.m,
            columns_a = product.transpose_a ? product.m : product.k;
  const int rows_b = product.transpose_b ? product.n : product.k,
            columns_b = product.transpose_b ? product.k : product.n;
  if (product.lda < std::max(1, rows_a) || product.ldb < std::max(1, rows_b) || product.ldc < std::max(1, product.m)) {
    return kInvalidValue;
  }
  if (product.m == 0 || product.n == 0 || product.batch == 0) {
    return kSuccess;
  }
  for (int i = 0; i < product.batch; ++i) {
    if (!in_range(product.a + i * product.stride_a, extent(rows_a, columns_a, product.lda)) ||
        !in_range(product.b + i * product.stride_b, extent(rows_b, columns_b, product.ldb)) ||
        !in_range(product.c + i * product.stride_c, extent(product.m, product.n, product.ldc))) {
      return kExecutionFailed;
    }
  }
  if (handle->workspace == nullptr && plateau_stream_is_capturing(handle->stream) != 0) {
    std::fputs("plateau: CPU cuBLAS: NVIDIA's would allocate memory inside this capture; give it a workspace\n",
               stderr);
    return kAllocFailed;
  }
  if (!in_range(static_cast<const float*>(handle->workspace), handle->workspace_bytes / sizeof(float))) {
    return kExecutionFailed;
  }
  if (one_dnn().sgemm == nullptr) {
    return kInternalError;
  }
  product.alpha = *alpha;
  product.beta = *beta;
  const int status = plateau_stream_submit(handle->stream, name, &run, new Product(product),
                                           [](void* state) { delete static_cast<Product*>(state); });
  return status == 0 ? kSuccess : kExecutionFailed;
}

}  // namespace

#define API extern "C" __attribute__((visibility("default"))) int

API cublasCreate_v2(void** handle) {
  int fault = 0;
  if (plateau_injected_fault("cublasCreate", &fault) != 0) {
    return fault;
  }
  if (handle == nullptr) {
    return kInvalidValue;
  }
  void* context = plateau_current_context();
  if (context == nullptr) {
    return kNotInitialized;
  }
  if (plateau_unsafe_during_capture() != 0) {  // NVIDIA's allocates
    return kAllocFailed;
  }
  *handle = handles().add(context);
  return kSuccess;
}

// As NVIDIA's, it waits for the device, which spoils whatever is being captured there.
API cublasDestroy_v2(void* handle) {
  if (handles().find(handle) == nullptr) {
    return kNotInitialized;
  }
  const bool synchronized = plateau_synchronize_device() == 0;
  return handles().remove(handle) && synchronized ? kSuccess : kInternalError;
}

API cublasSetStream_v2(void* key, void* stream) {
  Handle* handle = handles().find(key);
  if (handle == nullptr) {
    return kNotInitialized;
  }
  handle->stream = stream;
  handle->workspace = nullptr;  // a stream has cuBLAS's own until it is given one
  handle->workspace_bytes = 0;
  return kSuccess;
}

API cublasSetWorkspace_v2(void* key, void* workspace, std::size_t bytes) {
  Handle* handle = handles().find(key);
  if (handle == nullptr) {
    return kNotInitialized;
  }
  if (reinterpret_cast<std::uintptr_t>(workspace) % kWorkspaceAlignment != 0 ||
      !in_range(static_cast<const float*>(workspace), bytes / sizeof(float))) {
    return kInvalidValue;
  }
  handle->workspace = workspace;
  handle->workspace_bytes = bytes;
  return kSuccess;
}

API cublasGetStream_v2(void* key, void** stream) {
  const Handle* handle = handles().find(key);
  if (handle == nullptr) {
    return kNotInitialized;
  }
  if (stream == nullptr) {
    return kInvalidValue;
  }
  *stream = handle->stream;
  return kSuccess;
}

API cublasGetVersion_v2(void* key, int* version) {
  if (version == nullptr) {
    return kInvalidValue;
  }
  if (handles().find(key) == nullptr) {
    return kNotInitialized;
  }
  *version = kVersion;
  return kSuccess;
}

API cublasGetProperty(int property, int* value) {
  if (value == nullptr || property < 0 || property > 2) {
    return kInvalidValue;
  }
  *value = property == 0 ? kVersion / 10000 : property == 1 ? kVersion / 100 % 100 : kVersion % 100;
  return kSuccess;
}

API cublasSetPointerMode_v2(void* key, int mode) {
  Handle* handle = handles().find(key);
  if (handle == nullptr) {
    return kNotInitialized;
  }
  if (mode != kHost && mode != kDevice) {
    return kInvalidValue;
  }
  handle->pointer_mode = mode;
  return kSuccess;
}

API cublasGetPointerMode_v2(void* key, int* mode) {
  const Handle* handle = handles().find(key);
  if (handle == nullptr) {
    return kNotInitialized;
  }
  *mode = handle->pointer_mode;
  return kSuccess;
}

API cublasSetMathMode(void* key, int mode) {
  Handle* handle = handles().find(key);
  if (handle == nullptr) {
    return kNotInitialized;
  }
  handle->math_mode = mode;
  return kSuccess;
}

API cublasGetMathMode(void* key, int* mode) {
  const Handle* handle = handles().find(key);
  if (handle == nullptr) {
    return kNotInitialized;
  }
  *mode = handle->math_mode;
  return kSuccess;
}

extern "C" __attribute__((visibility("default"))) const char* cublasGetStatusName(int status) {
  switch (status) {
    case kSuccess:
      return "CUBLAS_STATUS_SUCCESS";
    case kNotInitialized:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case kAllocFailed:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case kInvalidValue:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case kExecutionFailed:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case kInternalError:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
    case kNotSupported:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "unknown status";
  }
}

extern "C" __attribute__((visibility("default"))) const char* cublasGetStatusString(int status) {
  switch (status) {
    case kSuccess:
      return "the operation completed successfully";
    case kNotInitialized:
      return "the handle is not one that cublasCreate made";
    case kAllocFailed:
      return "out of memory";
    case kInvalidValue:
      return "an argument is out of range";
    case kExecutionFailed:
      return "a matrix is not in device memory, or the stream refused the work";
    case kInternalError:
      return "oneDNN could not be loaded";
    case kNotSupported:
      return "not supported by the CPU's cuBLAS";
    default:
      return "unknown status";
  }
}

API cublasSgemm_v2(void* handle, int operation_a, int operation_b, int m, int n, int k, const float* alpha,
                   const float* a, int lda, const float* b, int ldb, const float* beta, float* c, int ldc) {
  return submit("cublasSgemm", handle, operation_a, operation_b, {false, false, m, n, k, 0, 0, a, b, c, lda, ldb, ldc},
                alpha, beta);
}

API cublasSgemmStridedBatched(void* handle, int operation_a, int operation_b, int m, int n, int k, const float* alpha,
                              const float* a, int lda, long long stride_a, const float* b, int ldb, long long stride_b,
                              const float* beta, float* c, int ldc, long long stride_c, int batch) {
  return submit("cublasSgemmStridedBatched", handle, operation_a, operation_b,
                {false, false, m, n, k, 0, 0, a, b, c, lda, ldb, ldc, stride_a, stride_b, stride_c, batch}, alpha,
                beta);
}

// y = alpha op(A) x + beta y with A (m, n): the product of op(A) and a matrix of one column, for
// unit strides.
API cublasSgemv_v2(void* handle, int operation, int m, int n, const float* alpha, const float* a, int lda,
                   const float* x, int increment_x, const float* beta, float* y, int increment_y) {
  if (increment_x != 1 || increment_y != 1) {
    return kNotSupported;
  }
  const int rows = operation == kNone ? m : n, columns = operation == kNone ? n : m;
  return submit("cublasSgemv", handle, operation, kNone,
                {false, false, rows, 1, columns, 0, 0, a, x, y, lda, std::max(1, columns), std::max(1, rows)}, alpha,
                beta);
}
