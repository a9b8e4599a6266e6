// Tests: every CUDA thread of a block is a fiber. The scheduler resumes the threads in turn until
// each waits or has ended, then releases the waits that are complete: a warp collective when its 32
// lanes are there, __syncthreads when the whole block is. Anything else can never complete, and is
// reported.
#pragma once
#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__)
#error "the fibers switch stacks in x86-64 assembly"
#endif

// Saves the callee-saved registers on the running stack, stores its pointer in *save, and continues
// the stack at `to`.
extern "C" __attribute__((visibility("hidden"))) void simt_switch(void** save, void* to);
asm(R"(
.weak simt_switch
.hidden simt_switch
.type simt_switch,@function
simt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size simt_switch, .-simt_switch
)");

namespace simt {

inline constexpr std::size_t kStackBytes = 64 * 1024;
inline constexpr unsigned kMaxThreads = 1024, kWarp = 32;

struct Fiber {
  enum class State { ready, waits_for_warp, waits_for_block, ended } state;
  void* stack_pointer;
  uint3 index;
  const char* site;      // the collective it waits in
  unsigned collectives;  // warp collectives entered so far: picks the exchange buffer
};

class Scheduler {
 public:
  Scheduler()
      : stacks_(static_cast<char*>(mmap(nullptr, kMaxThreads * kStackBytes, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
    if (stacks_ == MAP_FAILED) {
      std::fputs("simt: no memory for fiber stacks\n", stderr);
      std::abort();
    }
  }
  ~Scheduler() { munmap(stacks_, kMaxThreads * kStackBytes); }
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  void run(const Launch& launch, const char* kernel, void (*entry)(void*), void* argument) {
    entry_ = entry;
    argument_ = argument;
    count_ = launch.block.x * launch.block.y * launch.block.z;
    for (unsigned i = 0; i < count_; ++i) {
      prepare(i, {i % launch.block.x, i / launch.block.x % launch.block.y, i / launch.block.x / launch.block.y});
    }
    for (unsigned ended = 0; ended < count_;) {
      for (unsigned i = 0; i < count_; ++i) {
        if (fibers_[i].state == Fiber::State::ready) {
          resume(i);
          ended += fibers_[i].state == Fiber::State::ended;
        }
      }
      if (ended < count_ && !release()) {
        report(launch, kernel);
        return;  // the waiting fibers are abandoned; their stacks are laid anew for the next block
      }
    }
  }

  // Called on a fiber: gives the processor back until the wait is over.
  void wait(Fiber::State state, const char* site) {
    Fiber& fiber = fibers_[current_];
    fiber.state = state;
    fiber.site = site;
    leave(fiber, false);
  }

  const std::uint64_t* exchange(const char* site, std::uint64_t bits) {
    const unsigned warp = current_ / kWarp;
    // Two buffers suffice: a lane deposits for collective c + 2 only after all lanes have entered
    // c + 1, and so have read c.
    std::uint64_t* lanes = exchange_[fibers_[current_].collectives++ % 2][warp];
    lanes[current_ % kWarp] = bits;
    wait(Fiber::State::waits_for_warp, site);
    return lanes;
  }

  static Scheduler& mine() {
    static thread_local Scheduler scheduler;
    return scheduler;
  }

 private:
  static void start() {
    Scheduler& scheduler = mine();
    scheduler.arrived();
    scheduler.entry_(scheduler.argument_);
    Fiber& fiber = scheduler.fibers_[scheduler.current_];
    fiber.state = Fiber::State::ended;
    scheduler.leave(fiber, true);
    std::abort();  // an ended fiber is never resumed
  }

  void prepare(unsigned i, uint3 index) {
    void** top = reinterpret_cast<void**>(stacks_ + (i + 1) * kStackBytes - 64);
    *--top = nullptr;  // keeps the stack aligned as after a call
    *--top = reinterpret_cast<void*>(&start);
    for (int registers = 0; registers < 6; ++registers) {
      *--top = nullptr;
    }
    fibers_[i] = {Fiber::State::ready, top, index, nullptr, 0};
  }

  void resume(unsigned i) {
    current_ = i;
    threadIdx = fibers_[i].index;
#if defined(__SANITIZE_ADDRESS__)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, stacks_ + i * kStackBytes, kStackBytes);
#endif
    simt_switch(&own_stack_, fibers_[i].stack_pointer);
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
  }

  void leave(Fiber& fiber, [[maybe_unused]] bool for_good) {
#if defined(__SANITIZE_ADDRESS__)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake, own_bottom_, own_bytes_);
    simt_switch(&fiber.stack_pointer, own_stack_);
    __sanitizer_finish_switch_fiber(fake, &own_bottom_, &own_bytes_);
#else
    simt_switch(&fiber.stack_pointer, own_stack_);
#endif
  }

  void arrived() {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(nullptr, &own_bottom_, &own_bytes_);
#endif
  }

  // Makes the threads ready whose collective is complete; false where there are none.
  bool release() {
    bool released = false, block = true;
    for (unsigned first = 0; first < count_; first += kWarp) {
      bool warp = first + kWarp <= count_;  // collectives need whole warps
      for (unsigned i = first; i < first + kWarp && i < count_; ++i) {
        warp &= fibers_[i].state == Fiber::State::waits_for_warp && fibers_[i].site == fibers_[first].site;
        block &= fibers_[i].state == Fiber::State::waits_for_block;
      }
      if (warp) {
        make_ready(first, first + kWarp);
        released = true;
      }
    }
    if (block) {
      make_ready(0, count_);
    }
    return released || block;
  }

  void make_ready(unsigned first, unsigned last) {
    for (unsigned i = first; i < last; ++i) {
      fibers_[i].state = Fiber::State::ready;
    }
  }

  void report(const Launch& launch, const char* kernel) const {
    unsigned waiting = 0, ended = 0, first = count_;
    for (unsigned i = 0; i < count_; ++i) {
      if (fibers_[i].state == Fiber::State::ended) {
        ++ended;
      } else if (waiting++ == 0) {
        first = i;
      }
    }
    launch.failure->failed = true;
    std::snprintf(launch.failure->message, sizeof launch.failure->message,
                  "kernel %s, block (%u,%u,%u): thread (%u,%u,%u) waits in %s that not all threads reach: %u of %u "
                  "wait, %u have ended",
                  kernel, blockIdx.x, blockIdx.y, blockIdx.z, fibers_[first].index.x, fibers_[first].index.y,
                  fibers_[first].index.z, fibers_[first].site, waiting, count_, ended);
  }

  char* stacks_;
  Fiber fibers_[kMaxThreads];
  std::uint64_t exchange_[2][kMaxThreads / kWarp][kWarp];
  unsigned current_ = 0, count_ = 0;
  void* own_stack_ = nullptr;
  void (*entry_)(void*) = nullptr;
  void* argument_ = nullptr;
#if defined(__SANITIZE_ADDRESS__)
  const void* own_bottom_ = nullptr;
  std::size_t own_bytes_ = 0;
#endif
};

inline void block_barrier() { Scheduler::mine().wait(Fiber::State::waits_for_block, "__syncthreads"); }
inline const std::uint64_t* warp_exchange(const char* site, std::uint64_t bits) {
  return Scheduler::mine().exchange(site, bits);
}

template <bool, class Body>
inline void run_blocks(const Launch& launch, const char* kernel, std::uint64_t first, std::uint64_t last,
                       const Body& body) {
  for_each_block(launch, first, last, [&] {
    if (!launch.failure->failed) {
      Scheduler::mine().run(
          launch, kernel, [](void* argument) { (*static_cast<const Body*>(argument))(); }, const_cast<Body*>(&body));
    }
  });
}

template <class Body>
inline void run_elements(const Launch& launch, const char* kernel, std::uint64_t first, std::uint64_t last,
                         std::uint64_t, const Body& body) {
  run_blocks<false>(launch, kernel, first, last, body);
}

template <bool cooperative>
inline constexpr unsigned max_threads(unsigned bound) {
  return cooperative ? bound : 1024;
}

}  // namespace simt

#include "simt/collectives.h"
