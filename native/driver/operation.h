// What streams and graphs are made of.
#pragma once
#include <functional>
#include <utility>

#include "driver/abi.h"

namespace driver {

struct Context;

// Something a stream does, or a node of a graph.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual void run(Context& context) = 0;
  // Fails with CUDA_ERROR_ILLEGAL_ADDRESS where memory that it uses has been freed since it was
  // made.
  virtual void check_memory() const {}
  virtual CUgraphNodeType type() const { return CU_GRAPH_NODE_TYPE_HOST; }
};

// What the other libraries, waits and host functions are made of.
class Callback final : public Operation {
 public:
  explicit Callback(std::function<void(Context&)> body) : body_(std::move(body)) {}
  void run(Context& context) override { body_(context); }

 private:
  std::function<void(Context&)> body_;
};

}  // namespace driver
