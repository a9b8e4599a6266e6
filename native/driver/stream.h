// Streams, events, and capture.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "driver/context.h"
#include "driver/graph.h"
#include "driver/handle_table.h"
#include "driver/operation.h"
#include "driver/position.h"

namespace driver {

struct Capture {
  std::shared_ptr<Graph> graph = std::make_shared<Graph>();
  Stream* origin;
  CUstreamCaptureMode mode;
  std::thread::id thread;
  bool invalidated = false;
  std::uint64_t id;
  std::set<Stream*> streams;
};

// One cuEventRecord. A wait is for the record that was the last when it was asked for, whatever is
// recorded afterwards.
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

// An in-order queue with a worker thread of its own. Where the system makes no thread, each
// operation is run by the call that enqueues it, which CUDA allows, too.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<Context> context, unsigned flags, int priority);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Enqueues and returns the operation's place in the order of work, or adds a node while capturing
  // and returns 0.
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
  void work_here();
  void run(std::shared_ptr<Operation> operation);

  std::mutex mutex_;
  std::condition_variable ready_, done_;
  std::deque<std::shared_ptr<Operation>> queue_;
  std::atomic<std::uint64_t> submitted_{0}, completed_{0};
  std::atomic<bool> sleeping_{false};
  bool closing_ = false;
  bool working_here_ = false;
  std::thread worker_;
  const bool has_worker_;
};

HandleTable<Stream>& streams();
std::shared_ptr<Stream> stream_of(void* handle);
std::mutex& capture_mutex();
void begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode);
std::shared_ptr<Graph> end_capture(const std::shared_ptr<Stream>& stream);
// Fails, and invalidates captures, where a capture forbids the calling thread what it is about to
// do.
void forbid_during_capture();
void forbid_while_capturing(Stream& stream);
// Fails, and invalidates them, where streams of the context capture, whatever the mode and thread.
void forbid_while_any_stream_captures(const Context& context);
// Fails, and invalidates the capture, where the legacy stream of the context would have to wait for
// a capturing one.
void require_legacy_stream(const Context& context);
bool is_capturing(const Stream& stream);
void abandon_capture(Stream& stream);

}  // namespace driver
