// The CPU driver's objects. Handles that the ABI gives out are addresses of these objects; a table of live ones tells a destroyed handle from a valid one.
#pragma once
#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "driver/abi.h"
#include "simt/image.h"

namespace driver {

// Thrown inside the driver, returned from the ABI.
struct Failure {
  CUresult code;
};
[[noreturn]] inline void fail(CUresult code) { throw Failure{code}; }
inline void require(bool condition, CUresult code) {
  if (!condition) {
    fail(code);
  }
}

// Live objects of one kind by handle.
template <class T>
class HandleTable {
 public:
  void* add(std::shared_ptr<T> object) {
    std::unique_lock lock(mutex_);
    void* handle = object.get();
    live_.emplace(handle, std::move(object));
    return handle;
  }
  std::shared_ptr<T> get(void* handle) const {
    std::shared_lock lock(mutex_);
    const auto found = live_.find(handle);
    require(found != live_.end(), CUDA_ERROR_INVALID_HANDLE);
    return found->second;
  }
  std::shared_ptr<T> remove(void* handle) {
    std::unique_lock lock(mutex_);
    const auto found = live_.find(handle);
    require(found != live_.end(), CUDA_ERROR_INVALID_HANDLE);
    std::shared_ptr<T> object = std::move(found->second);
    live_.erase(found);
    return object;
  }
  template <class Visit>
  void for_each(const Visit& visit) const {
    std::vector<std::shared_ptr<T>> objects;
    {
      std::shared_lock lock(mutex_);
      for (const auto& [handle, object] : live_) {
        objects.push_back(object);
      }
    }
    for (const auto& object : objects) {
      visit(object);
    }
  }
  template <class Predicate>
  void remove_if(const Predicate& predicate) {
    std::unique_lock lock(mutex_);
    std::erase_if(live_, [&](const auto& entry) { return predicate(*entry.second); });
  }
  std::size_t size() const {
    std::shared_lock lock(mutex_);
    return live_.size();
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<void*, std::shared_ptr<T>> live_;
};

// ---- contexts ----

class Stream;

// An error of an asynchronous operation stays with its context: every later call returns it, as on a GPU.
struct Context {
  std::atomic<CUresult> sticky{CUDA_SUCCESS};
  std::shared_ptr<Stream> null_stream;
  bool primary = false;
};

std::shared_ptr<Context> current_context();  // fails with CUDA_ERROR_INVALID_CONTEXT
void require_working_context();              // that a context is current and has not failed
void synchronize(Context& context);          // waits for all streams of the context; fails with the sticky error
HandleTable<Context>& contexts();
HandleTable<Stream>& streams();

// ---- memory ----

enum class MemoryKind { device, pinned };

struct Allocation {
  std::uint64_t address;
  std::size_t bytes;
  MemoryKind kind;
  Context* context;
  bool owned;  // false: registered host memory, or a module's variable
};

class Memory {
 public:
  std::uint64_t allocate(std::size_t bytes, MemoryKind kind, Context* context);
  void adopt(Allocation allocation);
  Allocation release(std::uint64_t address, MemoryKind kind);  // forgets it; CUDA_ERROR_INVALID_VALUE where there is none
  void forget(std::uint64_t address);
  void release_all(Context* context);
  static bool free(const Allocation& allocation);  // returns memory; false where the bytes behind the end were overwritten
  std::optional<Allocation> find(std::uint64_t address, std::size_t bytes) const;
  std::size_t count(MemoryKind kind) const;
  std::size_t used() const { return used_; }
  std::uint64_t releases() const { return releases_; }  // tells whether what was checked earlier may have been freed since
  static std::size_t total();

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::uint64_t, Allocation> by_address_;
  std::atomic<std::size_t> used_{0};
  std::atomic<std::uint64_t> releases_{0};
};
Memory& memory();
void require_device_range(std::uint64_t address, std::size_t bytes);

// ---- modules ----

struct Module;

// Whether threads pay for a kernel: what a block takes when one thread runs them all, against what it takes when they are shared out. Both are measured over some runs in a row, since the first run of
// either kind still finds its data in the other's caches, and again now and then; kernels take turns in it, so that each is measured among others that do as they usually do. What is shared is measured
// always: where other programs hold the cores, it stops.
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

// A file in memory to dlopen from. It stays open as long as the module lives: the dynamic loader knows a library by its path, which holds the descriptor.
class MemoryFile {
 public:
  MemoryFile(const void* bytes, std::size_t count);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const;
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
HandleTable<Function>& functions();

// ---- streams ----

// Something a stream does, or a node of a graph.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual void run(Context& context) = 0;
  // Fails with CUDA_ERROR_ILLEGAL_ADDRESS where memory that it uses has been freed since it was made.
  virtual void check_memory() const {}
  virtual CUgraphNodeType type() const { return CU_GRAPH_NODE_TYPE_HOST; }
};

// A kernel launch with its own copy of the arguments.
class KernelLaunch final : public Operation {
 public:
  KernelLaunch(std::shared_ptr<Module> module, Function& function, simt::Dim3 grid, simt::Dim3 block, void* const* arguments);
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

// What the other libraries, waits and host functions are made of.
class Callback final : public Operation {
 public:
  explicit Callback(std::function<void(Context&)> body) : body_(std::move(body)) {}
  void run(Context& context) override { body_(context); }

 private:
  std::function<void(Context&)> body_;
};

struct Node {
  std::shared_ptr<Operation> operation;
  std::vector<Node*> dependencies;
};

// Nodes in the order they were added, which is a topological order of what capture makes.
struct Graph {
  std::vector<std::unique_ptr<Node>> nodes;
};

// A place in a stream's order of work.
struct Position {
  std::shared_ptr<Stream> stream;
  std::uint64_t sequence = 0;
  bool reached() const;
  void wait() const;
};

// What a launch of a graph runs, in order; by the graph's node, for updates.
struct Program {
  std::vector<std::pair<Node*, std::shared_ptr<Operation>>> operations;
};

struct GraphExec {
  std::shared_ptr<Graph> graph;  // keeps the node handles valid
  std::mutex mutex;
  std::shared_ptr<Program> program;      // an update leaves launches in flight the program they were made with
  std::uint64_t checked_at_release = 0;  // memory().releases() when the program's memory was last known to be alive
  Position last_launch;
};
HandleTable<Graph>& graphs();
HandleTable<GraphExec>& graph_execs();

struct Capture {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  Stream* origin;
  CUstreamCaptureMode mode;
  std::thread::id thread;
  bool invalidated = false;
  std::uint64_t id;
  std::set<Stream*> streams;
};

// One cuEventRecord. A wait is for the record that was the last when it was asked for, whatever is recorded afterwards.
struct Record {
  Position position;
  std::chrono::steady_clock::time_point time;  // when the stream came to it
};

struct Event {
  const Context* context;
  bool timed = true;
  std::mutex mutex;
  std::shared_ptr<const Record> last;
  // of the last record that was captured; guarded by capture_mutex()
  std::shared_ptr<Capture> capture;
  std::vector<Node*> frontier;
};
HandleTable<Event>& events();

// An in-order queue with a worker thread of its own.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<Context> context, unsigned flags, int priority);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Enqueues and returns the operation's place in the order of work, or adds a node while capturing and returns 0.
  std::uint64_t submit(std::shared_ptr<Operation> operation);
  void synchronize();
  bool idle() const { return completed_.load(std::memory_order_acquire) == submitted_.load(std::memory_order_acquire); }
  bool reached(std::uint64_t sequence) const { return completed_.load(std::memory_order_acquire) >= sequence; }
  void wait_until(std::uint64_t sequence);
  std::uint64_t last() const { return submitted_.load(std::memory_order_acquire); }
  bool blocking() const { return (flags & CU_STREAM_NON_BLOCKING) == 0; }
  void record(const std::shared_ptr<Event>& event);
  void wait(const std::shared_ptr<Event>& event);
  void close();  // lets pending work finish, then ends the worker

  const std::shared_ptr<Context> context;
  const unsigned flags;
  const int priority;
  const std::uint64_t id;
  // capture state; guarded by capture_mutex()
  std::shared_ptr<Capture> capture;
  std::vector<Node*> frontier;

 private:
  std::uint64_t enqueue(std::shared_ptr<Operation> operation);
  void work();

  std::mutex mutex_;
  std::condition_variable ready_, done_;
  std::deque<std::shared_ptr<Operation>> queue_;
  std::atomic<std::uint64_t> submitted_{0}, completed_{0};
  std::atomic<bool> sleeping_{false};
  bool closing_ = false;
  std::thread worker_;
};

std::shared_ptr<Stream> stream_of(void* handle);
std::mutex& capture_mutex();
void begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode);
std::shared_ptr<Graph> end_capture(const std::shared_ptr<Stream>& stream);
// Fails, and invalidates captures, where a capture forbids the calling thread what it is about to do.
void forbid_during_capture();
void forbid_while_capturing(Stream& stream);
bool is_capturing(const Stream& stream);
void abandon_capture(Stream& stream);

// ---- pool ----

// How long an idle worker, or a waiting thread, polls before it parks: longer than the gap between two launches, shorter than a scheduler's slice.
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

// ---- faults ----

std::optional<int> injected_fault(const char* function);

// ---- the ABI's frame ----

void require_initialized();

enum class Needs { nothing, initialized, context };

template <class Body>
CUresult call(const char* name, Needs needs, const Body& body) noexcept {
  try {
    if (const auto code = injected_fault(name)) {
      return static_cast<CUresult>(*code);
    }
    if (needs != Needs::nothing) {
      require_initialized();
    }
    if (needs == Needs::context) {
      require_working_context();
    }
    body();
    return CUDA_SUCCESS;
  } catch (const Failure& failure) {
    return failure.code;
  } catch (const std::bad_alloc&) {
    return CUDA_ERROR_OUT_OF_MEMORY;
  } catch (...) {
    return CUDA_ERROR_UNKNOWN;
  }
}

}  // namespace driver
