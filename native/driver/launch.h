// Kernels, and launches of them.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "driver/module.h"
#include "driver/operation.h"
#include "simt/image.h"

namespace driver {

// Whether threads pay for a kernel: what a block takes when one thread runs them all, against what
// it takes when they are shared out. Both are measured over some runs in a row, since the first run
// of either kind still finds its data in the other's caches, and again now and then; kernels take
// turns in it, so that each is measured among others that do as they usually do. What is shared is
// measured always: where other programs hold the cores, it stops.
class BlockTime {
 public:
  BlockTime();
  enum class Way { alone, alone_measured, shared };
  // How the next run is to be done.
  Way next(std::uint64_t blocks);
  void alone_took(std::chrono::nanoseconds time, std::uint64_t blocks);
  void shared_took(std::chrono::nanoseconds time, std::uint64_t blocks);

 private:
  std::atomic<unsigned> runs_;
  std::atomic<float> alone_{0}, shared_{0};  // nanoseconds of a block; 0 until one is measured
};

struct Function {
  Module* module;
  const simt::Kernel* kernel;
  std::shared_ptr<BlockTime> block_time = std::make_shared<BlockTime>();  // of eager launches, whatever their arguments
};

HandleTable<Function>& functions();
std::shared_ptr<Function> function_of(void* handle);  // of the current context

// A kernel launch with its own copy of the arguments.
class KernelLaunch final : public Operation {
 public:
  KernelLaunch(std::shared_ptr<Module> module, Function& function, simt::Dim3 grid, simt::Dim3 block,
               void* const* arguments);
  KernelLaunch(const KernelLaunch& other);
  KernelLaunch& operator=(const KernelLaunch&) = delete;
  void run(Context& context) override;
  void check_memory() const override;
  CUgraphNodeType type() const override { return CU_GRAPH_NODE_TYPE_KERNEL; }
  void update(simt::Dim3 grid, simt::Dim3 block, void* const* arguments);
  const Function& function() const { return function_; }
  // Launches that do the same have the same.
  std::string key() const;
  void time_with(std::shared_ptr<BlockTime> time) { block_time_ = std::move(time); }

 private:
  KernelLaunch(std::shared_ptr<Module> module, Function& function, std::shared_ptr<BlockTime> time);

  std::shared_ptr<Module> module_;  // keeps the code loaded
  Function& function_;
  const simt::Kernel& kernel_;
  std::vector<std::byte> storage_;
  std::vector<void*> pointers_;
  simt::Launch launch_{};
  simt::Failure failure_{};
  std::uint64_t blocks_ = 0;
  std::shared_ptr<BlockTime> block_time_;
};

}  // namespace driver
