// Graphs: what capture made, instantiated into a flat list that a stream's worker runs without
// leaving native code.
#include "driver/graph.h"

#include <algorithm>

#include "driver/call.h"
#include "driver/launch.h"
#include "driver/memory.h"
#include "driver/stream.h"

namespace driver {
namespace {

// Its own copy of a kernel node, so that updates of one executable graph do not show in another;
// other operations are immutable and shared.
std::shared_ptr<Operation> instance_of(const std::shared_ptr<Operation>& operation) {
  if (const auto* launch = dynamic_cast<const KernelLaunch*>(operation.get())) {
    return std::make_shared<KernelLaunch>(*launch);
  }
  return operation;
}

std::shared_ptr<Program> copy_of(const Program& program) {
  auto copy = std::make_shared<Program>();
  for (const auto& [node, operation] : program.operations) {
    copy->operations.emplace_back(node, instance_of(operation));
  }
  return copy;
}

std::shared_ptr<GraphExec> instantiate(const std::shared_ptr<Graph>& graph) {
  auto exec = std::make_shared<GraphExec>();
  exec->graph = graph;
  exec->program = std::make_shared<Program>();
  std::map<std::string, std::shared_ptr<BlockTime>>
      times;  // the same launch comes again in every step that is unrolled
  for (const auto& node : graph->nodes) {
    exec->program->operations.emplace_back(node.get(), instance_of(node->operation));
    if (auto* launch = dynamic_cast<KernelLaunch*>(exec->program->operations.back().second.get())) {
      auto& time = times[launch->key()];
      if (time == nullptr) {
        time = std::make_shared<BlockTime>();
      }
      launch->time_with(time);
    }
  }
  return exec;
}

class GraphRun final : public Operation {
 public:
  explicit GraphRun(std::shared_ptr<Program> program) : program_(std::move(program)) {}
  void run(Context& context) override {
    for (const auto& [node, operation] : program_->operations) {
      operation->run(context);
      if (context.sticky.load(std::memory_order_relaxed) != CUDA_SUCCESS) {
        return;
      }
    }
  }

 private:
  std::shared_ptr<Program> program_;
};

// A graph is launched in the context that it was captured in, which is less than CUDA allows.
// Launches of one executable graph come one after the other, on whatever streams. Its memory is
// checked again where any has been freed since the last launch.
void launch(GraphExec& exec, const std::shared_ptr<Stream>& stream) {
  require(exec.graph->context == stream->context.get(), CUDA_ERROR_NOT_SUPPORTED);
  std::lock_guard lock(exec.mutex);
  if (const std::uint64_t releases = memory().releases() + 1; exec.checked_at_release != releases) {
    for (const auto& [node, operation] : exec.program->operations) {
      operation->check_memory();
    }
    exec.checked_at_release = releases;
  }
  if (exec.last_launch.stream != nullptr && exec.last_launch.stream != stream && !exec.last_launch.reached()) {
    stream->submit(std::make_shared<Callback>([last = exec.last_launch](Context&) { last.wait(); }));
  }
  exec.last_launch = {stream, stream->submit(std::make_shared<GraphRun>(exec.program))};
}

// Launches already enqueued keep the arguments they were enqueued with.
void update(GraphExec& exec, const void* node, const Function& function, const CUDA_KERNEL_NODE_PARAMS_v2& params) {
  std::lock_guard lock(exec.mutex);
  const auto find = [&](const Program& program) {
    const auto found = std::find_if(program.operations.begin(), program.operations.end(),
                                    [&](const auto& entry) { return entry.first == node; });
    require(found != program.operations.end(), CUDA_ERROR_INVALID_VALUE);
    auto* launch = dynamic_cast<KernelLaunch*>(found->second.get());
    require(launch != nullptr && &launch->function() == &function, CUDA_ERROR_INVALID_VALUE);
    return launch;
  };
  find(*exec.program);
  if (exec.last_launch.stream != nullptr && !exec.last_launch.reached()) {
    exec.program = copy_of(*exec.program);
  }
  find(*exec.program)
      ->update({params.gridDimX, params.gridDimY, params.gridDimZ},
               {params.blockDimX, params.blockDimY, params.blockDimZ}, params.kernelParams);
}

}  // namespace

HandleTable<Graph>& graphs() {
  static auto* table = new HandleTable<Graph>;
  return *table;
}
HandleTable<GraphExec>& graph_execs() {
  static auto* table = new HandleTable<GraphExec>;
  return *table;
}

}  // namespace driver

using namespace driver;

PLATEAU_API CUresult cuGraphInstantiateWithFlags(void** exec, void* graph, unsigned long long flags) {
  return call("cuGraphInstantiate", Needs::context, [&] {
    require(exec != nullptr && flags < 16, CUDA_ERROR_INVALID_VALUE);
    *exec = graph_execs().add(instantiate(graphs().get(graph)));
  });
}

PLATEAU_API CUresult cuGraphInstantiate_v2(void** exec, void* graph, void** error_node, char* log,
                                           std::size_t log_bytes) {
  return call("cuGraphInstantiate", Needs::context, [&] {
    require(exec != nullptr, CUDA_ERROR_INVALID_VALUE);
    if (error_node != nullptr) {
      *error_node = nullptr;
    }
    if (log != nullptr && log_bytes > 0) {
      *log = '\0';
    }
    *exec = graph_execs().add(instantiate(graphs().get(graph)));
  });
}

PLATEAU_API CUresult cuGraphLaunch(void* exec, void* stream) {
  return call("cuGraphLaunch", Needs::context, [&] {
    const auto target = stream_of(stream);
    forbid_while_capturing(*target);  // a child graph of a captured graph is more than Plateau calls
    launch(*graph_execs().get(exec), target);
  });
}

PLATEAU_API CUresult cuGraphUpload(void* exec, void* stream) {
  return call("cuGraphUpload", Needs::context, [&] {
    stream_of(stream);
    graph_execs().get(exec);
  });
}

PLATEAU_API CUresult cuGraphExecKernelNodeSetParams_v2(void* exec, void* node,
                                                       const CUDA_KERNEL_NODE_PARAMS_v2* params) {
  return call("cuGraphExecKernelNodeSetParams", Needs::context, [&] {
    require(params != nullptr && params->sharedMemBytes == 0 && params->extra == nullptr, CUDA_ERROR_INVALID_VALUE);
    update(*graph_execs().get(exec), node, *function_of(params->func), *params);
  });
}

PLATEAU_API CUresult cuGraphGetNodes(void* handle, void** nodes, std::size_t* count) {
  return call("cuGraphGetNodes", Needs::context, [&] {
    require(count != nullptr, CUDA_ERROR_INVALID_VALUE);
    const auto graph = graphs().get(handle);
    if (nodes != nullptr) {
      for (std::size_t i = 0; i < *count; ++i) {
        nodes[i] = i < graph->nodes.size() ? graph->nodes[i].get() : nullptr;
      }
    }
    *count = graph->nodes.size();
  });
}

PLATEAU_API CUresult cuGraphNodeGetType(void* node, int* type) {
  return call("cuGraphNodeGetType", Needs::context, [&] {
    require(type != nullptr, CUDA_ERROR_INVALID_VALUE);
    bool found = false;
    graphs().for_each([&](const std::shared_ptr<Graph>& graph) {
      for (const auto& candidate : graph->nodes) {
        if (candidate.get() == node) {
          *type = candidate->operation->type();
          found = true;
        }
      }
    });
    require(found, CUDA_ERROR_INVALID_VALUE);
  });
}

PLATEAU_API CUresult cuGraphDestroy(void* handle) {
  return call("cuGraphDestroy", Needs::context, [&] { graphs().remove(handle); });
}

PLATEAU_API CUresult cuGraphExecDestroy(void* handle) {
  return call("cuGraphExecDestroy", Needs::context, [&] { graph_execs().remove(handle); });
}
