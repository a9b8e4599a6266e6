// Modules: ELF images of kernels, loaded with the dynamic loader.
#include "driver/module.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "driver/call.h"
#include "driver/launch.h"
#include "driver/memory.h"
#include "driver/stream.h"

namespace driver {
namespace {

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

MemoryFile::MemoryFile(const void* bytes, std::size_t count)
    : descriptor_(memfd_create("plateau-kernels", MFD_CLOEXEC)) {
  require(descriptor_ >= 0,
          errno == EMFILE || errno == ENFILE ? CUDA_ERROR_OPERATING_SYSTEM : CUDA_ERROR_OUT_OF_MEMORY);
  for (std::size_t written = 0; written < count;) {
    const ssize_t n = write(descriptor_, static_cast<const char*>(bytes) + written, count - written);
    require(n > 0, n < 0 && errno == EFAULT ? CUDA_ERROR_INVALID_IMAGE : CUDA_ERROR_OUT_OF_MEMORY);
    written += static_cast<std::size_t>(n);
  }
}

MemoryFile::~MemoryFile() { close(descriptor_); }

void MemoryFile::read(void* to, std::size_t bytes, std::size_t offset) const {
  require(pread(descriptor_, to, bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes),
          CUDA_ERROR_INVALID_IMAGE);
}

// The loader takes a library that is loaded under the same name for the one that is asked for, and
// dlclose leaves one loaded while a thread lives that has to destroy objects of its. So each has a
// name of its own: its number, each bit a "/" or a "/.".
std::string MemoryFile::name() const {
  static std::atomic<std::uint64_t> count;
  std::string path = "/proc/self/fd";
  for (std::uint64_t number = count++; number > 0; number /= 2) {
    path += number % 2 == 0 ? "/" : "/.";
  }
  return path + "/" + std::to_string(descriptor_);
}

constexpr std::size_t kLargestImage = std::size_t{1} << 30;

// Bytes of the ELF shared object at `image`: its section headers come last.
std::size_t elf_size(const void* image) {
  Elf64_Ehdr header;
  std::memcpy(&header, image, sizeof header);
  require(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0, CUDA_ERROR_INVALID_IMAGE);
  require(header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_type == ET_DYN && header.e_machine == EM_X86_64,
          CUDA_ERROR_NO_BINARY_FOR_GPU);
  require(header.e_shoff >= sizeof header && header.e_shoff < kLargestImage &&
              header.e_shentsize == sizeof(Elf64_Shdr) && header.e_shstrndx < header.e_shnum,
          CUDA_ERROR_INVALID_IMAGE);
  return header.e_shoff + static_cast<std::size_t>(header.e_shnum) * header.e_shentsize;
}

// cuModuleLoadData is not told how many bytes it is given: what lies where the section headers
// should be tells a whole image from one cut short.
void require_whole(const MemoryFile& file) {
  const auto header = file.read<Elf64_Ehdr>(0);
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto section = file.read<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    const bool in_file = section.sh_type == SHT_NOBITS ||
                         (section.sh_offset <= header.e_shoff && section.sh_size <= header.e_shoff - section.sh_offset);
    const bool right_type =
        i == 0 ? section.sh_type == SHT_NULL : i != header.e_shstrndx || section.sh_type == SHT_STRTAB;
    require(in_file && right_type, CUDA_ERROR_INVALID_IMAGE);
  }
}

// The loader says in words alone what kept it from a file.
bool another_file_can_be_opened() {
  const int descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (descriptor >= 0) {
    close(descriptor);
  }
  return descriptor >= 0;
}

std::shared_ptr<Module> load(const void* image) {
  require(image != nullptr, CUDA_ERROR_INVALID_VALUE);
  forbid_during_capture();
  auto module = std::make_shared<Module>(image);
  module->context = current_context().get();
  for (std::uint32_t i = 0; i < module->image->kernel_count; ++i) {
    module->functions.push_back(std::make_shared<Function>(module.get(), &module->image->kernels[i]));
    functions().add(module->functions.back());
  }
  return module;
}

}  // namespace

HandleTable<Module>& modules() {
  static auto* table = new HandleTable<Module>;
  return *table;
}

std::shared_ptr<Module> module_of(void* handle) {
  auto module = modules().get(handle);
  require(is_current(module->context), CUDA_ERROR_INVALID_CONTEXT);
  return module;
}

Module::Module(const void* bytes) {
  const MemoryFile file(bytes, elf_size(bytes));
  require_whole(file);
  library = dlopen(file.name().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    require(another_file_can_be_opened(), CUDA_ERROR_OPERATING_SYSTEM);
    std::fprintf(stderr, "plateau: CPU driver: %s\n", dlerror());
    fail(CUDA_ERROR_INVALID_IMAGE);
  }
  const auto entry = reinterpret_cast<const simt::Image* (*)()>(dlsym(library, "plateau_simt_image"));
  image = entry == nullptr ? nullptr : entry();
  if (image == nullptr || image->version != simt::kImageVersion) {
    dlclose(library);
    fail(CUDA_ERROR_NO_BINARY_FOR_GPU);
  }
}

Module::~Module() {
  for (const std::uint64_t address : globals) {
    memory().forget(address);
  }
  if (library != nullptr) {
    dlclose(library);
  }
}

}  // namespace driver

using namespace driver;

PLATEAU_API CUresult cuModuleLoadData(void** handle, const void* image) {
  return call("cuModuleLoadData", Needs::context, [&] {
    require(handle != nullptr, CUDA_ERROR_INVALID_VALUE);
    *handle = modules().add(load(image));
  });
}

PLATEAU_API CUresult cuModuleLoadDataEx(void** handle, const void* image, unsigned, void*, void*) {
  return call("cuModuleLoadDataEx", Needs::context, [&] {
    require(handle != nullptr, CUDA_ERROR_INVALID_VALUE);
    *handle = modules().add(load(image));
  });
}

PLATEAU_API CUresult cuModuleLoad(void** handle, const char* path) {
  return call("cuModuleLoad", Needs::context, [&] {
    require(handle != nullptr && path != nullptr, CUDA_ERROR_INVALID_VALUE);
    std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path, "rb"), &std::fclose);
    require(file != nullptr, CUDA_ERROR_FILE_NOT_FOUND);
    std::vector<char> bytes;
    for (char chunk[65536]; const std::size_t n = std::fread(chunk, 1, sizeof chunk, file.get());) {
      bytes.insert(bytes.end(), chunk, chunk + n);
    }
    require(bytes.size() >= sizeof(Elf64_Ehdr) && elf_size(bytes.data()) <= bytes.size(), CUDA_ERROR_INVALID_IMAGE);
    *handle = modules().add(load(bytes.data()));
  });
}

PLATEAU_API CUresult cuModuleUnload(void* handle) {
  return call("cuModuleUnload", Needs::context, [&] {
    module_of(handle);
    forbid_during_capture();
    const auto module = modules().remove(handle);
    functions().remove_if([&](const Function& function) { return function.module == module.get(); });
    synchronize(*current_context());
  });
}

PLATEAU_API CUresult cuModuleGetFunction(void** function, void* handle, const char* name) {
  return call("cuModuleGetFunction", Needs::context, [&] {
    require(function != nullptr && name != nullptr, CUDA_ERROR_INVALID_VALUE);
    const auto module = module_of(handle);
    const auto found = std::find_if(module->functions.begin(), module->functions.end(), [&](const auto& candidate) {
      return std::strcmp(candidate->kernel->name, name) == 0;
    });
    require(found != module->functions.end(), CUDA_ERROR_NOT_FOUND);
    *function = found->get();
  });
}

PLATEAU_API CUresult cuModuleGetFunctionCount(unsigned* count, void* handle) {
  return call("cuModuleGetFunctionCount", Needs::context, [&] {
    require(count != nullptr, CUDA_ERROR_INVALID_VALUE);
    *count = static_cast<unsigned>(module_of(handle)->functions.size());
  });
}

PLATEAU_API CUresult cuModuleEnumerateFunctions(void** list, unsigned count, void* handle) {
  return call("cuModuleEnumerateFunctions", Needs::context, [&] {
    require(list != nullptr && count > 0, CUDA_ERROR_INVALID_VALUE);
    const auto module = module_of(handle);
    for (std::size_t i = 0; i < count && i < module->functions.size(); ++i) {
      list[i] = module->functions[i].get();
    }
  });
}

PLATEAU_API CUresult cuModuleGetGlobal_v2(CUdeviceptr* address, std::size_t* bytes, void* handle, const char* name) {
  return call("cuModuleGetGlobal", Needs::context, [&] {
    require(name != nullptr, CUDA_ERROR_INVALID_VALUE);
    const auto module = module_of(handle);
    void* variable = dlsym(module->library, name);
    require(variable != nullptr, CUDA_ERROR_NOT_FOUND);
    Dl_info info;
    ElfW(Sym)* symbol = nullptr;
    require(dladdr1(variable, &info, reinterpret_cast<void**>(&symbol), RTLD_DL_SYMENT) != 0 && symbol != nullptr &&
                ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT,
            CUDA_ERROR_NOT_FOUND);
    const auto where = reinterpret_cast<std::uint64_t>(variable);
    if (!memory().find(where, 1)) {
      memory().adopt({where, symbol->st_size, MemoryKind::device, module->context, module->context->device, false});
      module->globals.push_back(where);
    }
    if (address != nullptr) {
      *address = where;
    }
    if (bytes != nullptr) {
      *bytes = symbol->st_size;
    }
  });
}
