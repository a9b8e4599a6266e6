// The thread pool, and how threads wait.
#pragma once
#include <immintrin.h>
#include <cstdint>

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

int pool_threads();
void parallel_for(std::uint64_t count, void (*body)(void*, std::uint64_t, std::uint64_t), void* state);
void flush_denormals();

}  // namespace driver
