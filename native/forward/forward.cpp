// JCublas 12 asks for libcublas.so.12, with that symbol version. On a machine with CUDA 13 only,
// this library has that name and hands the functions that Plateau uses to libcublas.so.13; their
// signatures are the same in both.
#include <dlfcn.h>

#include <cstddef>
#include <cstdio>

namespace {

constexpr int kNotInitialized = 1;

void* library() {
  static void* handle = [] {
    void* opened = dlopen("libcublas.so.13", RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) {
      std::fprintf(stderr, "plateau: cuBLAS forwarder: %s\n", dlerror());
    }
    return opened;
  }();
  return handle;
}

template <class Function>
Function* look_up(const char* name) {
  void* symbol = library() == nullptr ? nullptr : dlsym(library(), name);
  if (symbol == nullptr) {
    std::fprintf(stderr, "plateau: cuBLAS forwarder: libcublas.so.13 has no %s\n", name);
  }
  return reinterpret_cast<Function*>(symbol);
}

template <class Function, class... A>
int forward(Function* function, A... arguments) {
  return function == nullptr ? kNotInitialized : function(arguments...);
}

}  // namespace

#define FORWARD(name, parameters, ...)                                    \
  extern "C" __attribute__((visibility("default"))) int name parameters { \
    static const auto target = look_up<int parameters>(#name);            \
    return forward(target, __VA_ARGS__);                                  \
  }

FORWARD(cublasCreate_v2, (void** handle), handle)
FORWARD(cublasDestroy_v2, (void* handle), handle)
FORWARD(cublasSetStream_v2, (void* handle, void* stream), handle, stream)
FORWARD(cublasGetStream_v2, (void* handle, void** stream), handle, stream)
FORWARD(cublasSetWorkspace_v2, (void* handle, void* workspace, std::size_t bytes), handle, workspace, bytes)
FORWARD(cublasGetVersion_v2, (void* handle, int* version), handle, version)
FORWARD(cublasGetProperty, (int property, int* value), property, value)
FORWARD(cublasSetPointerMode_v2, (void* handle, int mode), handle, mode)
FORWARD(cublasGetPointerMode_v2, (void* handle, int* mode), handle, mode)
FORWARD(cublasSetMathMode, (void* handle, int mode), handle, mode)
FORWARD(cublasGetMathMode, (void* handle, int* mode), handle, mode)
FORWARD(cublasSgemm_v2,
        (void* handle, int ta, int tb, int m, int n, int k, const float* alpha, const float* a, int lda, const float* b,
         int ldb, const float* beta, float* c, int ldc),
        handle, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
FORWARD(cublasSgemmStridedBatched,
        (void* handle, int ta, int tb, int m, int n, int k, const float* alpha, const float* a, int lda,
         long long stride_a, const float* b, int ldb, long long stride_b, const float* beta, float* c, int ldc,
         long long stride_c, int batch),
        handle, ta, tb, m, n, k, alpha, a, lda, stride_a, b, ldb, stride_b, beta, c, ldc, stride_c, batch)
FORWARD(cublasSgemv_v2,
        (void* handle, int t, int m, int n, const float* alpha, const float* a, int lda, const float* x, int incx,
         const float* beta, float* y, int incy),
        handle, t, m, n, alpha, a, lda, x, incx, beta, y, incy)

extern "C" __attribute__((visibility("default"))) const char* cublasGetStatusName(int status) {
  static const auto target = look_up<const char*(int)>("cublasGetStatusName");
  return target == nullptr ? "CUBLAS_STATUS_NOT_INITIALIZED" : target(status);
}
extern "C" __attribute__((visibility("default"))) const char* cublasGetStatusString(int status) {
  static const auto target = look_up<const char*(int)>("cublasGetStatusString");
  return target == nullptr ? "libcublas.so.13 cannot be loaded" : target(status);
}
