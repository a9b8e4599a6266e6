// Graphs, and the programs that launches of them run.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "driver/handle_table.h"
#include "driver/operation.h"
#include "driver/position.h"

namespace driver {

struct Node {
  std::shared_ptr<Operation> operation;
  std::vector<Node*> dependencies;
};

// Nodes in the order they were added, which is a topological order of what capture makes.
struct Graph {
  const Context* context = nullptr;  // of the streams that it was captured on
  std::vector<std::unique_ptr<Node>> nodes;
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

}  // namespace driver
