// Streams, events, and the rules of stream capture.
#include "driver/stream.h"

#include <algorithm>

#include "driver/call.h"
#include "driver/context.h"
#include "driver/graph.h"
#include "driver/memory.h"
#include "driver/plateau_driver.h"
#include "driver/pool.h"

namespace driver {
namespace {

std::atomic<std::uint64_t> next_stream_id{1}, next_capture_id{1};
std::atomic<int> captures_active{0};
std::vector<Capture*> open_captures;  // guarded by capture_mutex()

// A new node of the capture that `stream` takes part in, behind everything captured on it so far.
void capture_node(Stream& stream, std::shared_ptr<Operation> operation) {
  auto node = std::make_unique<Node>(Node{std::move(operation), stream.frontier});
  stream.frontier = {node.get()};
  stream.capture->graph->nodes.push_back(std::move(node));
}

// A capture in which a blocking stream of the context takes part, which makes its legacy stream
// unusable; null where there is none.
Capture* capture_of_blocking_stream(const Context& context) {
  for (Capture* capture : open_captures) {
    if (std::any_of(capture->streams.begin(), capture->streams.end(),
                    [&](const Stream* stream) { return stream->blocking() && stream->context.get() == &context; })) {
      return capture;
    }
  }
  return nullptr;
}

void forbid_waiting_for_capture(const Context& context) {
  if (Capture* spoilt = capture_of_blocking_stream(context)) {
    spoilt->invalidated = true;
    fail(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
  }
}

std::shared_ptr<const Record> last_record(Event& event) {
  std::lock_guard lock(event.mutex);
  return event.last;
}

// The last record of an event that the host asks about; null where there is none.
std::shared_ptr<const Record> host_record(Event& event) {
  {
    std::lock_guard lock(capture_mutex());
    require(event.capture == nullptr, CUDA_ERROR_CAPTURED_EVENT);
  }
  return last_record(event);
}

void leave_capture(Capture& capture) {
  capture.graph = nullptr;  // events that were recorded in it lead nowhere now
  std::erase(open_captures, &capture);
  --captures_active;
  for (Stream* stream : capture.streams) {
    stream->capture = nullptr;
    stream->frontier.clear();
  }
}

}  // namespace

HandleTable<Stream>& streams() {
  static auto* table = new HandleTable<Stream>;
  return *table;
}
HandleTable<Event>& events() {
  static auto* table = new HandleTable<Event>;
  return *table;
}
std::mutex& capture_mutex() {
  static auto* mutex = new std::mutex;
  return *mutex;
}

std::shared_ptr<Stream> stream_of(void* handle) {
  const auto value = reinterpret_cast<std::uintptr_t>(handle);
  require(value != CU_STREAM_PER_THREAD, CUDA_ERROR_NOT_SUPPORTED);
  return value <= CU_STREAM_LEGACY ? current_context()->null_stream : streams().get(handle);
}

Stream::Stream(std::shared_ptr<Context> owner, unsigned stream_flags, int stream_priority)
    : context(std::move(owner)),
      flags(stream_flags),
      priority(stream_priority),
      id(next_stream_id++),
      worker_(thread_if_any([this] { work(); })),
      has_worker_(worker_.joinable()) {}

Stream::~Stream() { close(); }

void Stream::close() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  ready_.notify_one();
  if (worker_.joinable()) {
    if (worker_.get_id() == std::this_thread::get_id()) {
      worker_.detach();
    } else {
      worker_.join();
    }
  }
}

std::uint64_t Stream::submit(std::shared_ptr<Operation> operation) {
  if (captures_active.load(std::memory_order_acquire) != 0) {
    std::lock_guard lock(capture_mutex());
    if (capture != nullptr) {
      require(!capture->invalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
      capture_node(*this, std::move(operation));
      return 0;
    }
    if (this == context->null_stream.get()) {
      forbid_waiting_for_capture(*context);
    }
  }
  // The legacy stream and the blocking streams of its context wait for each other.
  const bool legacy = this == context->null_stream.get();
  if (legacy) {
    streams().for_each([&](const std::shared_ptr<Stream>& other) {
      if (other->context == context && other->blocking() && !other->idle()) {
        enqueue(
            std::make_shared<Callback>([other, sequence = other->last()](Context&) { other->wait_until(sequence); }));
      }
    });
  } else if (blocking() && !context->null_stream->idle()) {
    enqueue(std::make_shared<Callback>([other = context->null_stream, sequence = context->null_stream->last()](
                                           Context&) { other->wait_until(sequence); }));
  }
  return enqueue(std::move(operation));
}

std::uint64_t Stream::enqueue(std::shared_ptr<Operation> operation) {
  bool wake;
  std::uint64_t sequence;
  {
    std::lock_guard lock(mutex_);
    require(!closing_, CUDA_ERROR_INVALID_HANDLE);
    queue_.push_back(std::move(operation));
    sequence = submitted_.fetch_add(1, std::memory_order_release) + 1;
    wake = sleeping_;
  }
  if (wake) {
    ready_.notify_one();
  }
  if (!has_worker_) {
    work_here();
  }
  return sequence;
}

void Stream::work() {
  flush_denormals();
  std::deque<std::shared_ptr<Operation>> batch;
  while (true) {
    polled([this] { return !idle(); });
    {
      std::unique_lock lock(mutex_);
      sleeping_ = true;
      ready_.wait(lock, [this] { return closing_ || !queue_.empty(); });
      sleeping_ = false;
      if (queue_.empty()) {
        return;
      }
      batch.swap(queue_);
    }
    const StreamAtWork at_work;
    while (!batch.empty()) {
      std::shared_ptr<Operation> operation = std::move(batch.front());
      batch.pop_front();
      run(std::move(operation));
    }
  }
}

// A call that comes while another one works leaves its operation to that one.
void Stream::work_here() {
  std::unique_lock lock(mutex_);
  if (working_here_) {
    return;
  }
  working_here_ = true;
  const StreamAtWork at_work;
  const DenormalsFlushed flushed;
  while (!queue_.empty()) {
    std::shared_ptr<Operation> operation = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    run(std::move(operation));
    lock.lock();
  }
  working_here_ = false;
}

void Stream::run(std::shared_ptr<Operation> operation) {
  if (context->sticky == CUDA_SUCCESS) {
    try {
      operation->run(*context);
    } catch (const Failure& failure) {
      context->sticky = failure.code;
    } catch (const std::bad_alloc&) {
      context->sticky = CUDA_ERROR_OUT_OF_MEMORY;
    }
  }
  operation.reset();  // before completion is visible: whoever waits may destroy what it holds
  completed_.fetch_add(1, std::memory_order_acq_rel);
  {
    std::lock_guard lock(mutex_);
  }
  done_.notify_all();
}

void Stream::wait_until(std::uint64_t sequence) {
  const auto come = [&] { return reached(sequence); };
  if (!polled(come)) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, come);
  }
}

void Stream::synchronize() { wait_until(last()); }

void Stream::record(const std::shared_ptr<Event>& event) {
  require(event->context == context.get(), CUDA_ERROR_INVALID_HANDLE);
  {
    std::lock_guard lock(capture_mutex());
    if (capture != nullptr) {
      require(!capture->invalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
      event->capture = capture;
      event->frontier = frontier;
      return;
    }
    event->capture = nullptr;
    event->frontier.clear();
  }
  const auto record = std::make_shared<Record>();
  record->position.sequence =
      submit(std::make_shared<Callback>([record](Context&) { record->time = std::chrono::steady_clock::now(); }));
  record->position.stream = shared_from_this();
  std::lock_guard lock(event->mutex);
  event->last = record;
}

void Stream::wait(const std::shared_ptr<Event>& event) {
  {
    std::lock_guard lock(capture_mutex());
    if (event->capture != nullptr && event->capture->graph != nullptr) {  // a fork, or the join of one
      require(!event->capture->invalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
      require(capture == nullptr || capture == event->capture, CUDA_ERROR_STREAM_CAPTURE_MERGE);
      require(this != context->null_stream.get(), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
      require(event->context == context.get(), CUDA_ERROR_NOT_SUPPORTED);  // a graph is of one context here
      capture = event->capture;
      capture->streams.insert(this);
      for (Node* node : event->frontier) {
        if (std::find(frontier.begin(), frontier.end(), node) == frontier.end()) {
          frontier.push_back(node);
        }
      }
      return;
    }
    if (capture != nullptr) {
      capture->invalidated = true;
      fail(CUDA_ERROR_STREAM_CAPTURE_ISOLATION);  // would make the graph depend on work outside it
    }
  }
  const auto record = last_record(*event);
  if (record != nullptr && !record->position.reached()) {
    submit(std::make_shared<Callback>([record](Context&) { record->position.wait(); }));
  }
}

void begin_capture(const std::shared_ptr<Stream>& stream, CUstreamCaptureMode mode) {
  std::lock_guard lock(capture_mutex());
  require(stream != stream->context->null_stream, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  require(stream->capture == nullptr, CUDA_ERROR_ILLEGAL_STATE);
  require(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED, CUDA_ERROR_INVALID_VALUE);
  auto capture = std::make_shared<Capture>();
  capture->origin = stream.get();
  capture->graph->context = stream->context.get();
  capture->mode = mode;
  capture->thread = std::this_thread::get_id();
  capture->id = next_capture_id++;
  capture->streams.insert(stream.get());
  stream->capture = capture;
  stream->frontier.clear();
  open_captures.push_back(capture.get());
  ++captures_active;
}

std::shared_ptr<Graph> end_capture(const std::shared_ptr<Stream>& stream) {
  std::lock_guard lock(capture_mutex());
  const auto capture = stream->capture;
  require(capture != nullptr, CUDA_ERROR_ILLEGAL_STATE);
  require(capture->origin == stream.get(), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
  require(capture->mode == CU_STREAM_CAPTURE_MODE_RELAXED || capture->thread == std::this_thread::get_id(),
          CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD);
  // Every node must be an ancestor of what the origin stream ends with: a forked stream that was
  // not joined has others.
  std::set<Node*> reached;
  std::vector<Node*> open = stream->frontier;
  while (!open.empty()) {
    Node* node = open.back();
    open.pop_back();
    if (reached.insert(node).second) {
      open.insert(open.end(), node->dependencies.begin(), node->dependencies.end());
    }
  }
  const bool joined = reached.size() == capture->graph->nodes.size();
  auto graph = std::exchange(capture->graph, nullptr);
  leave_capture(*capture);
  require(!capture->invalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
  require(joined, CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
  return graph;
}

void forbid_during_capture() {
  if (captures_active.load(std::memory_order_acquire) == 0) {
    return;
  }
  std::lock_guard lock(capture_mutex());
  for (Capture* capture : open_captures) {
    const bool mine = capture->thread == std::this_thread::get_id();
    if (capture->mode == CU_STREAM_CAPTURE_MODE_GLOBAL ||
        (capture->mode == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL && mine)) {
      capture->invalidated = true;
      fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    }
  }
}

void forbid_while_capturing(Stream& stream) {
  if (captures_active.load(std::memory_order_acquire) == 0) {
    return;
  }
  std::lock_guard lock(capture_mutex());
  if (stream.capture != nullptr) {
    stream.capture->invalidated = true;
    fail(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
  }
}

// Whichever thread captures in whatever mode: seen on GPUs, where a library that destroys a handle
// on one thread ends the capture of another.
void forbid_while_any_stream_captures(const Context& context) {
  if (captures_active.load(std::memory_order_acquire) == 0) {
    return;
  }
  std::lock_guard lock(capture_mutex());
  bool forbidden = false;
  for (Capture* capture : open_captures) {
    if (std::any_of(capture->streams.begin(), capture->streams.end(),
                    [&](const Stream* stream) { return stream->context.get() == &context; })) {
      capture->invalidated = forbidden = true;
    }
  }
  require(!forbidden, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
}

void require_legacy_stream(const Context& context) {
  if (captures_active.load(std::memory_order_acquire) != 0) {
    std::lock_guard lock(capture_mutex());
    forbid_waiting_for_capture(context);
  }
}

bool is_capturing(const Stream& stream) {
  if (captures_active.load(std::memory_order_acquire) == 0) {
    return false;
  }
  std::lock_guard lock(capture_mutex());
  return stream.capture != nullptr;
}

// A stream that goes away while it captures takes the capture with it, or nobody could end it; a
// forked one only spoils it.
void abandon_capture(Stream& stream) {
  std::lock_guard lock(capture_mutex());
  const auto capture = stream.capture;
  if (capture == nullptr) {
    return;
  }
  if (capture->origin == &stream) {
    leave_capture(*capture);
  } else {
    capture->invalidated = true;
    capture->streams.erase(&stream);
    stream.capture = nullptr;
  }
}

bool Position::reached() const { return stream->reached(sequence); }
void Position::wait() const { stream->wait_until(sequence); }

namespace {

CUresult create(const char* name, void** stream, unsigned flags, int priority) {
  return call(name, Needs::context, [&] {
    require(stream != nullptr && (flags & ~CU_STREAM_NON_BLOCKING) == 0, CUDA_ERROR_INVALID_VALUE);
    *stream = streams().add(std::make_shared<Stream>(current_context(), flags, priority));
  });
}

}  // namespace
}  // namespace driver

using namespace driver;

PLATEAU_API CUresult cuStreamCreate(void** stream, unsigned flags) {
  return create("cuStreamCreate", stream, flags, 0);
}
PLATEAU_API CUresult cuStreamCreateWithPriority(void** stream, unsigned flags, int priority) {
  return create("cuStreamCreateWithPriority", stream, flags, priority);
}

PLATEAU_API CUresult cuStreamDestroy_v2(void* handle) {
  return call("cuStreamDestroy", Needs::context, [&] {
    const auto stream = streams().remove(handle);
    abandon_capture(*stream);
    stream->close();
  });
}

PLATEAU_API CUresult cuStreamSynchronize(void* handle) {
  return call("cuStreamSynchronize", Needs::context, [&] {
    const auto stream = stream_of(handle);
    forbid_while_capturing(*stream);
    stream->synchronize();
    require(stream->context->sticky == CUDA_SUCCESS, stream->context->sticky);
  });
}

PLATEAU_API CUresult cuStreamQuery(void* handle) {
  return call("cuStreamQuery", Needs::context, [&] {
    const auto stream = stream_of(handle);
    forbid_while_capturing(*stream);
    require(stream->idle(), CUDA_ERROR_NOT_READY);
  });
}

PLATEAU_API CUresult cuStreamGetFlags(void* handle, unsigned* flags) {
  return call("cuStreamGetFlags", Needs::context, [&] {
    require(flags != nullptr, CUDA_ERROR_INVALID_VALUE);
    *flags = stream_of(handle)->flags;
  });
}

PLATEAU_API CUresult cuStreamGetPriority(void* handle, int* priority) {
  return call("cuStreamGetPriority", Needs::context, [&] {
    require(priority != nullptr, CUDA_ERROR_INVALID_VALUE);
    *priority = stream_of(handle)->priority;
  });
}

PLATEAU_API CUresult cuStreamGetCtx(void* handle, void** context) {
  return call("cuStreamGetCtx", Needs::context, [&] {
    require(context != nullptr, CUDA_ERROR_INVALID_VALUE);
    *context = stream_of(handle)->context.get();
  });
}

PLATEAU_API CUresult cuStreamGetId(void* handle, unsigned long long* id) {
  return call("cuStreamGetId", Needs::context, [&] {
    require(id != nullptr, CUDA_ERROR_INVALID_VALUE);
    *id = stream_of(handle)->id;
  });
}

PLATEAU_API CUresult cuStreamWaitEvent(void* handle, void* event, unsigned) {
  return call("cuStreamWaitEvent", Needs::context, [&] { stream_of(handle)->wait(events().get(event)); });
}

PLATEAU_API CUresult cuStreamBeginCapture_v2(void* handle, int mode) {
  return call("cuStreamBeginCapture", Needs::context,
              [&] { begin_capture(stream_of(handle), static_cast<CUstreamCaptureMode>(mode)); });
}

// A capture ends even where this fails, by an injected fault too.
PLATEAU_API CUresult cuStreamEndCapture(void* handle, void** graph) {
  const CUresult status = call("cuStreamEndCapture", Needs::context, [&] {
    require(graph != nullptr, CUDA_ERROR_INVALID_VALUE);
    *graph = nullptr;
    *graph = graphs().add(end_capture(stream_of(handle)));
  });
  if (status == CUDA_ERROR_STREAM_CAPTURE_UNMATCHED || status == CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD) {
    return status;
  }
  if (status != CUDA_SUCCESS) {
    call("", Needs::nothing, [&] { abandon_capture(*stream_of(handle)); });
  }
  return status;
}

PLATEAU_API CUresult cuStreamIsCapturing(void* handle, int* status) {
  return call("cuStreamIsCapturing", Needs::context, [&] {
    require(status != nullptr, CUDA_ERROR_INVALID_VALUE);
    const auto stream = stream_of(handle);
    std::lock_guard lock(capture_mutex());
    require(stream != stream->context->null_stream || capture_of_blocking_stream(*stream->context) == nullptr,
            CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    *status = stream->capture == nullptr     ? CU_STREAM_CAPTURE_STATUS_NONE
              : stream->capture->invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                             : CU_STREAM_CAPTURE_STATUS_ACTIVE;
  });
}

PLATEAU_API CUresult cuEventCreate(void** event, unsigned flags) {
  return call("cuEventCreate", Needs::context, [&] {
    require(event != nullptr && flags < 8, CUDA_ERROR_INVALID_VALUE);
    auto made = std::make_shared<Event>();
    made->context = current_context().get();
    made->timed = (flags & CU_EVENT_DISABLE_TIMING) == 0;
    *event = events().add(std::move(made));
  });
}

PLATEAU_API CUresult cuEventDestroy_v2(void* handle) {
  return call("cuEventDestroy", Needs::context, [&] { events().remove(handle); });
}

PLATEAU_API CUresult cuEventRecord(void* handle, void* stream) {
  return call("cuEventRecord", Needs::context, [&] { stream_of(stream)->record(events().get(handle)); });
}
PLATEAU_API CUresult cuEventRecordWithFlags(void* handle, void* stream, unsigned) {
  return call("cuEventRecordWithFlags", Needs::context, [&] { stream_of(stream)->record(events().get(handle)); });
}

PLATEAU_API CUresult cuEventQuery(void* handle) {
  return call("cuEventQuery", Needs::context, [&] {
    const auto record = host_record(*events().get(handle));
    require(record == nullptr || record->position.reached(), CUDA_ERROR_NOT_READY);
  });
}

PLATEAU_API CUresult cuEventSynchronize(void* handle) {
  return call("cuEventSynchronize", Needs::context, [&] {
    const auto record = host_record(*events().get(handle));
    if (record != nullptr) {
      record->position.wait();
    }
    require_working_context();
  });
}

PLATEAU_API CUresult cuEventElapsedTime(float* milliseconds, void* from, void* to) {
  return call("cuEventElapsedTime", Needs::context, [&] {
    require(milliseconds != nullptr, CUDA_ERROR_INVALID_VALUE);
    const auto start = events().get(from), end = events().get(to);
    require(start->context == end->context, CUDA_ERROR_INVALID_HANDLE);
    const auto first = host_record(*start), second = host_record(*end);
    require(first != nullptr && second != nullptr && start->timed && end->timed, CUDA_ERROR_INVALID_HANDLE);
    require(first->position.reached() && second->position.reached(), CUDA_ERROR_NOT_READY);
    *milliseconds = std::chrono::duration<float, std::milli>(second->time - first->time).count();
  });
}

PLATEAU_API CUresult cuLaunchHostFunc(void* handle, void (*function)(void*), void* argument) {
  return call("cuLaunchHostFunc", Needs::context, [&] {
    require(function != nullptr, CUDA_ERROR_INVALID_VALUE);
    stream_of(handle)->submit(std::make_shared<Callback>([=](Context&) { function(argument); }));
  });
}

PLATEAU_API int plateau_stream_submit(void* handle, const char* name, void (*run)(void*), void* state,
                                      void (*destroy)(void*)) {
  std::shared_ptr<void> owned(state, [destroy](void* doomed) {
    if (destroy != nullptr) {
      destroy(doomed);
    }
  });
  return call(name, Needs::context, [&] {
    const auto stream = stream_of(handle);
    require(is_current(stream->context.get()), CUDA_ERROR_INVALID_HANDLE);
    stream->submit(std::make_shared<Callback>([run, owned](Context&) { run(owned.get()); }));
  });
}

PLATEAU_API int plateau_stream_is_current(void* handle) {
  const CUresult status = call("", Needs::initialized, [&] {
    require(is_current(stream_of(handle)->context.get()), CUDA_ERROR_INVALID_HANDLE);
  });
  return status == CUDA_SUCCESS ? 1 : 0;
}

PLATEAU_API int plateau_stream_is_capturing(void* handle) {
  bool capturing = false;
  call("", Needs::context, [&] { capturing = is_capturing(*stream_of(handle)); });
  return capturing ? 1 : 0;
}
