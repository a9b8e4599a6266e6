// Graphs: what capture made, instantiated into a flat list that a stream's worker runs without leaving native code.
#include "driver/core.h"

namespace driver {
namespace {

// Its own copy of a kernel node, so that updates of one executable graph do not show in another; other operations are immutable and shared.
std::shared_ptr<Operation> instance_of(const std::shared_ptr<Operation>& operation) {
  if (const auto* launch = dynamic_cast<const KernelLaunch*>(operation.get())) {
    return std::make_shared<KernelLaunch>(*launch);
  }
  return operation;
}

std::shared_ptr<GraphExec> instantiate(const std::shared_ptr<Graph>& graph) {
  auto exec = std::make_shared<GraphExec>();
  exec->graph = graph;
  for (const auto& node : graph->nodes) {
    exec->operations.emplace_back(node.get(), instance_of(node->operation));
  }
  return exec;
}

class GraphRun final : public Operation {
 public:
  explicit GraphRun(std::shared_ptr<GraphExec> exec) : exec_(std::move(exec)) {}
  void run(Context& context) override {
    for (const auto& [node, operation] : exec_->operations) {
      operation->run(context);
      if (context.sticky.load(std::memory_order_relaxed) != CUDA_SUCCESS) {
        return;
      }
    }
  }

 private:
  std::shared_ptr<GraphExec> exec_;
};

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

PLATEAU_API CUresult cuGraphInstantiate_v2(void** exec, void* graph, void** error_node, char* log, std::size_t log_bytes) {
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
    target->submit(std::make_shared<GraphRun>(graph_execs().get(exec)));
  });
}

PLATEAU_API CUresult cuGraphUpload(void* exec, void* stream) {
  return call("cuGraphUpload", Needs::context, [&] {
    stream_of(stream);
    graph_execs().get(exec);
  });
}

// As on a GPU, launches already enqueued see the update too unless the caller has waited for them.
PLATEAU_API CUresult cuGraphExecKernelNodeSetParams_v2(void* exec, void* node, const CUDA_KERNEL_NODE_PARAMS_v2* params) {
  return call("cuGraphExecKernelNodeSetParams", Needs::context, [&] {
    require(params != nullptr, CUDA_ERROR_INVALID_VALUE);
    const auto target = graph_execs().get(exec);
    const auto function = functions().get(params->func);
    for (const auto& [key, operation] : target->operations) {
      if (key == node) {
        auto* launch = dynamic_cast<KernelLaunch*>(operation.get());
        require(launch != nullptr && &launch->kernel() == function->kernel && params->sharedMemBytes == 0 && params->extra == nullptr, CUDA_ERROR_INVALID_VALUE);
        launch->set_arguments(params->kernelParams);
        launch->set_shape({params->gridDimX, params->gridDimY, params->gridDimZ}, {params->blockDimX, params->blockDimY, params->blockDimZ});
        return;
      }
    }
    fail(CUDA_ERROR_INVALID_VALUE);
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
