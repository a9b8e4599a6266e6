// Contexts.
#pragma once
#include <atomic>
#include <memory>

#include "driver/handle_table.h"

namespace driver {

class Stream;

// An error of an asynchronous operation stays with its context: every later call returns it, as on
// a GPU.
struct Context {
  std::atomic<CUresult> sticky{CUDA_SUCCESS};
  std::shared_ptr<Stream> null_stream;
  CUdevice device = 0;
  bool primary = false;
};

std::shared_ptr<Context> current_context();  // fails with CUDA_ERROR_INVALID_CONTEXT
bool is_current(const Context* context);     // to the calling thread
void require_working_context();              // that a context is current and has not failed
void synchronize(Context& context);          // waits for all streams of the context; fails with the sticky error
void synchronize_device(Context& context);   // likewise, asked for by the program: no stream of it may be capturing
HandleTable<Context>& contexts();

}  // namespace driver
