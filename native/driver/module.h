// Modules: images of kernels, loaded.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "driver/handle_table.h"
#include "simt/image.h"

namespace driver {

struct Context;
struct Function;

struct Module {
  explicit Module(const void* image);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  void* library = nullptr;
  const simt::Image* image = nullptr;
  std::vector<std::shared_ptr<Function>> functions;
  std::vector<std::uint64_t> globals;
  Context* context = nullptr;
};
HandleTable<Module>& modules();
std::shared_ptr<Module> module_of(void* handle);  // of the current context

}  // namespace driver
