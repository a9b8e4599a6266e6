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

// A file in memory to dlopen from, under a name that no other had.
class MemoryFile {
 public:
  MemoryFile(const void* bytes, std::size_t count);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string name() const;
  template <class T>
  T read(std::size_t offset) const {
    T value;
    read(&value, sizeof value, offset);
    return value;
  }

 private:
  void read(void* to, std::size_t bytes, std::size_t offset) const;
  int descriptor_;
};

struct Module {
  explicit Module(const void* image);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  MemoryFile file;
  void* library = nullptr;
  const simt::Image* image = nullptr;
  std::vector<std::shared_ptr<Function>> functions;
  std::vector<std::uint64_t> globals;
  Context* context = nullptr;
};
HandleTable<Module>& modules();
std::shared_ptr<Module> module_of(void* handle);  // of the current context

}  // namespace driver
