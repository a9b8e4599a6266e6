// A place in the work of a stream.
#pragma once
#include <cstdint>
#include <memory>

namespace driver {

class Stream;

// A place in a stream's order of work.
struct Position {
  std::shared_ptr<Stream> stream;
  std::uint64_t sequence = 0;
  bool reached() const;
  void wait() const;
};

}  // namespace driver
