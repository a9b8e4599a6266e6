// A stand-in for libnvtx3interop.so.1: writes each call as a line to the file that
// PLATEAU_NVTX_CALLS names. A call that NVTX's documentation does not allow is a line that begins
// with "wrong".
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>

#include "nvtx_attributes.h"

namespace {

std::mutex mutex;
std::deque<std::string> registered;
int domain;

void write_line(const std::string& line) {
  static const int file = [] {
    const char* name = std::getenv("PLATEAU_NVTX_CALLS");
    return name == nullptr ? -1 : open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }();
  const std::string text = line + "\n";
  if (file >= 0 && write(file, text.data(), text.size()) < 0) {
    std::perror("the stand-in of NVTX");
  }
}

// A line of the domain's.
void write_line(const void* of, const std::string& line) { write_line(of == &domain ? line : "wrong domain: " + line); }

std::string thread() { return std::to_string(gettid()); }

// The message of attributes that are as they must be; else what is wrong with them.
std::string message_of(const NvtxAttributes& attributes) {
  if (attributes.version != 2 || attributes.size != sizeof attributes || attributes.reserved0 != 0 ||
      attributes.payload_type != 0 || attributes.color_type != kNvtxColorArgb) {
    return "wrong attributes";
  }
  if (attributes.message_type == kNvtxMessageAscii) {
    return static_cast<const char*>(attributes.message);
  }
  const std::lock_guard lock(mutex);
  for (const std::string& text : registered) {
    if (attributes.message_type == kNvtxMessageRegistered && &text == attributes.message) {
      return text;
    }
  }
  return "wrong message";
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT void* nvtxDomainCreateA(const char* name) {
  write_line(std::string("domain ") + name);
  return &domain;
}

EXPORT void nvtxDomainNameCategoryA(void* of, uint32_t category, const char* name) {
  write_line(of, "category " + std::to_string(category) + " " + name);
}

EXPORT void* nvtxDomainRegisterStringA(void* of, const char* text) {
  write_line(of, std::string("register ") + text);
  const std::lock_guard lock(mutex);
  return &registered.emplace_back(text);
}

EXPORT int nvtxDomainRangePushEx(void* of, const NvtxAttributes* attributes) {
  write_line(of, "push " + thread() + " " + std::to_string(attributes->category) + " " + message_of(*attributes));
  return 0;
}

EXPORT int nvtxDomainRangePop(void* of) {
  write_line(of, "pop " + thread());
  return 0;
}

EXPORT void nvtxNameOsThreadA(uint32_t id, const char* name) {
  write_line("thread " + std::to_string(id) + " " + name);
}

EXPORT void nvtxNameCuStreamA(const void* stream, const char* name) {
  write_line(std::string("stream ") + (stream == nullptr ? "0 " : "1 ") + name);
}

EXPORT void nvtxNameCuContextA(const void* context, const char* name) {
  write_line(std::string("context ") + (context == nullptr ? "0 " : "1 ") + name);
}
