// The thread pool, and how threads wait.
#pragma once
#include <immintrin.h>
#include <cstdint>
#include <functional>
#include <thread>

namespace driver {

// How long an idle worker, or a waiting thread, polls before it parks: longer than the gap between
// two launches, shorter than a scheduler's slice.
constexpr int kPolls = 2000;

bool polled(const auto& condition, int polls = kPolls) {
  for (int poll = 0; poll < polls; ++poll) {
    if (condition()) {
      return true;
    }
    _mm_pause();
  }
  return false;
}

// While a stream's worker runs operations, it has a core: the pool has what is left of them.
class StreamAtWork {
 public:
  StreamAtWork();
  ~StreamAtWork();
  StreamAtWork(const StreamAtWork&) = delete;
  StreamAtWork& operator=(const StreamAtWork&) = delete;
};

// A thread that runs the body; none (not joinable) where the system does not make one, as past a
// limit on processes: whoever asked for it does the work itself.
std::thread thread_if_any(std::function<void()> body);

int pool_threads();
void parallel_for(std::uint64_t count, void (*body)(void*, std::uint64_t, std::uint64_t), void* state);
void flush_denormals();

// On a thread that is not the driver's, for as long as it lives.
class DenormalsFlushed {
 public:
  DenormalsFlushed() : before_(_mm_getcsr()) { flush_denormals(); }
  ~DenormalsFlushed() { _mm_setcsr(before_); }
  DenormalsFlushed(const DenormalsFlushed&) = delete;
  DenormalsFlushed& operator=(const DenormalsFlushed&) = delete;

 private:
  unsigned before_;
};

}  // namespace driver
