// The thread pool that shares out the blocks of large kernels. Its threads poll for about a
// millisecond, as a step may take in which a kernel tries whether sharing pays, and then park: a
// thread that spins for longer would take a core from whatever else runs. One job at a time; a
// second caller meanwhile does its work alone, and so does everyone while there are as many streams
// at work as threads.
#include "driver/pool.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <system_error>
#include <utility>

#include "driver/call.h"
#include "driver/limits.h"
#include "driver/plateau_driver.h"

namespace driver {
namespace {

using Body = void (*)(void*, std::uint64_t, std::uint64_t);

std::atomic<unsigned> streams_at_work{0};

// A job is cut into chunks, and every thread has a share of them: the same part of every job of a
// kind, so that what one kernel has left in a core's cache the next one finds there. Who is done
// with its own share takes from the others'. A share's word holds the job's number and how many of
// its chunks nobody has claimed: who claims one may read what the job is, which stays until all are
// finished.
class Pool {
 public:
  Pool() {
    const unsigned asked = std::max(1u, threads_asked_for(std::getenv("PLATEAU_CPU_THREADS"), usable_cpus()));
    shares_ = std::make_unique<Share[]>(asked);
    for (threads_ = 1; threads_ < asked; ++threads_) {
      std::thread thread = thread_if_any([this, i = threads_] { work(i); });
      if (!thread.joinable()) {
        break;
      }
      thread.detach();
    }
    made_ = true;
    made_.notify_all();
  }

  unsigned threads() const { return threads_; }

  void run(std::uint64_t count, Body body, void* state) {
    if (count < 2 || streams_at_work.load(std::memory_order_relaxed) >= threads_ ||
        busy_.test_and_set(std::memory_order_acquire)) {
      body(state, 0, count);
      return;
    }
    const std::uint64_t chunk = std::max<std::uint64_t>(1, count / (kChunksPerThread * threads_)),
                        chunks = (count + chunk - 1) / chunk;
    unfinished_.store(chunks, std::memory_order_relaxed);
    number_ += kNextJob;
    const std::uint64_t sharers = std::min<std::uint64_t>(threads_, chunks);
    std::uint64_t first = 0;
    for (unsigned i = 0; i < sharers; ++i) {
      const std::uint64_t end = chunks * (i + 1) / sharers;
      shares_[i].job = {body, state, count, chunk, end};
      shares_[i].unclaimed = number_ + end - first;
      shares_[i].unclaimed.notify_all();
      first = end;
    }
    take(0);
    if (!polled([this] { return unfinished_.load(std::memory_order_acquire) == 0; })) {
      for (std::uint64_t left; (left = unfinished_.load(std::memory_order_acquire)) > 0;) {
        unfinished_.wait(left);
      }
    }
    busy_.clear(std::memory_order_release);
  }

 private:
  struct Job {
    Body body;
    void* state;
    std::uint64_t count, chunk, end;
  };
  struct alignas(64) Share {  // one cache line, so that one transfer brings all
    std::atomic<std::uint64_t> unclaimed{0};
    Job job{};
  };
  static constexpr std::uint64_t kNextJob = std::uint64_t{1} << 32, kChunks = kNextJob - 1, kChunksPerThread = 8;
  static constexpr int kIdlePolls = 20 * kPolls;

  // Claims a chunk of a share and runs it; false where there is none.
  static bool run_chunk(Share& share) {
    std::uint64_t unclaimed = share.unclaimed.load(std::memory_order_relaxed);
    do {
      if ((unclaimed & kChunks) == 0) {
        return false;
      }
    } while (!share.unclaimed.compare_exchange_weak(unclaimed, unclaimed - 1, std::memory_order_acquire,
                                                    std::memory_order_relaxed));
    const Job& job = share.job;
    const std::uint64_t first = (job.end - (unclaimed & kChunks)) * job.chunk;
    job.body(job.state, first, std::min(first + job.chunk, job.count));
    return true;
  }

  // Its own share, then the others'.
  void take(unsigned thread) {
    std::uint64_t finished = 0;
    for (unsigned i = 0; i < threads_; ++i) {
      while (run_chunk(shares_[(thread + i) % threads_])) {
        ++finished;
      }
    }
    if (finished > 0 && unfinished_.fetch_sub(finished, std::memory_order_acq_rel) == finished) {
      unfinished_.notify_one();
    }
  }

  [[noreturn]] void work(unsigned thread) {
    flush_denormals();
    made_.wait(false);  // how many there are is not known before
    const std::atomic<std::uint64_t>& own = shares_[thread].unclaimed;
    while (true) {
      take(thread);
      std::uint64_t seen = 0;
      if (!polled([&] { return ((seen = own.load(std::memory_order_relaxed)) & kChunks) > 0; }, kIdlePolls)) {
        own.wait(seen);
      }
    }
  }

  unsigned threads_;
  std::atomic<bool> made_{false};
  std::unique_ptr<Share[]> shares_;
  std::uint64_t number_ = 0;
  alignas(64) std::atomic<std::uint64_t> unfinished_{0};
  std::atomic_flag busy_;
};

Pool& pool() {
  static Pool* instance = new Pool;  // never destroyed: streams may still run while the process ends
  return *instance;
}

}  // namespace

StreamAtWork::StreamAtWork() { streams_at_work.fetch_add(1, std::memory_order_relaxed); }
StreamAtWork::~StreamAtWork() { streams_at_work.fetch_sub(1, std::memory_order_relaxed); }

std::thread thread_if_any(std::function<void()> body) {
  if (injected_fault("pthread_create")) {
    return {};
  }
  try {
    return std::thread(std::move(body));
  } catch (const std::system_error&) {
    return {};
  }
}

int pool_threads() { return static_cast<int>(pool().threads()); }

void parallel_for(std::uint64_t count, void (*body)(void*, std::uint64_t, std::uint64_t), void* state) {
  pool().run(count, body, state);
}

// Denormals are as slow as they are meaningless in training; GPUs flush them too.
void flush_denormals() { _mm_setcsr(_mm_getcsr() | 0x8040u); }

}  // namespace driver

PLATEAU_API void plateau_parallel_for(std::uint64_t count, void (*body)(void*, std::uint64_t, std::uint64_t),
                                      void* state) {
  driver::parallel_for(count, body, state);
}
PLATEAU_API int plateau_pool_threads(void) { return driver::pool_threads(); }
