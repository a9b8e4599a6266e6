// The thread pool that shares out the blocks of large kernels. Its threads poll for as long as the gap between two kernels of a step may last, and then park: a thread that spins for longer would take a
// core from whatever else runs. One job at a time; a second caller meanwhile does its work alone, and so does everyone while there are as many streams at work as threads.
#include <cstdlib>

#include "driver/core.h"
#include "driver/plateau_driver.h"

namespace driver {
namespace {

std::atomic<int> streams_at_work{0};

class Pool {
 public:
  Pool() {
    const char* setting = std::getenv("PLATEAU_CPU_THREADS");
    const int wanted = setting != nullptr ? std::atoi(setting) : static_cast<int>(std::thread::hardware_concurrency());
    for (int i = 1; i < wanted; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      closing_ = true;
    }
    ready_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  int threads() const { return static_cast<int>(threads_.size()) + 1; }

  void run(std::uint64_t count, void (*body)(void*, std::uint64_t, std::uint64_t), void* state) {
    std::unique_lock only(one_job_, std::try_to_lock);
    if (!only || count < 2 || streams_at_work.load(std::memory_order_relaxed) >= threads()) {
      body(state, 0, count);
      return;
    }
    {
      std::lock_guard lock(mutex_);
      body_ = body;
      state_ = state;
      count_ = count;
      chunk_ = std::max<std::uint64_t>(1, count / (4 * static_cast<std::uint64_t>(threads())));
      next_.store(0, std::memory_order_relaxed);
      ++job_;
    }
    ready_.notify_all();
    take();
    polled([this] { return active_.load(std::memory_order_acquire) == 0; });
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [this] { return active_ == 0; });
    body_ = nullptr;  // a thread that wakes late finds nothing to do
  }

 private:
  void take() {
    for (std::uint64_t first; (first = next_.fetch_add(chunk_)) < count_;) {
      body_(state_, first, std::min(first + chunk_, count_));
    }
  }

  void work() {
    flush_denormals();
    std::uint64_t seen = 0;
    while (true) {
      const bool come = polled([&] { return job_.load(std::memory_order_acquire) != seen; });
      std::unique_lock lock(mutex_);
      if (come && body_ == nullptr) {  // too late for that one
        seen = job_;
        continue;
      }
      ready_.wait(lock, [&] { return closing_ || (job_ != seen && body_ != nullptr); });
      if (closing_) {
        return;
      }
      seen = job_;
      ++active_;
      lock.unlock();
      take();
      lock.lock();
      if (--active_ == 0) {
        finished_.notify_one();
      }
    }
  }

  std::vector<std::thread> threads_;
  std::mutex one_job_, mutex_;
  std::condition_variable ready_, finished_;
  void (*body_)(void*, std::uint64_t, std::uint64_t) = nullptr;
  void* state_ = nullptr;
  std::uint64_t count_ = 0, chunk_ = 1;
  std::atomic<std::uint64_t> next_{0}, job_{0};
  std::atomic<int> active_{0};
  bool closing_ = false;
};

Pool& pool() {
  static Pool* instance = new Pool;  // never destroyed: streams may still run while the process ends
  return *instance;
}

}  // namespace

StreamAtWork::StreamAtWork() { streams_at_work.fetch_add(1, std::memory_order_relaxed); }
StreamAtWork::~StreamAtWork() { streams_at_work.fetch_sub(1, std::memory_order_relaxed); }

int pool_threads() { return pool().threads(); }

void parallel_for(std::uint64_t count, void (*body)(void*, std::uint64_t, std::uint64_t), void* state) { pool().run(count, body, state); }

// Denormals are as slow as they are meaningless in training; GPUs flush them too.
void flush_denormals() { _mm_setcsr(_mm_getcsr() | 0x8040u); }

}  // namespace driver

PLATEAU_API void plateau_parallel_for(std::uint64_t count, void (*body)(void*, std::uint64_t, std::uint64_t), void* state) { driver::parallel_for(count, body, state); }
PLATEAU_API int plateau_pool_threads(void) { return driver::pool_threads(); }
