// Handles that the ABI gives out are addresses of objects; a table of live ones tells a destroyed
// handle from a valid one.
#pragma once
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "driver/failure.h"

namespace driver {

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
    std::vector<std::shared_ptr<T>> removed;  // destroyed without the lock, as remove()'s is
    std::unique_lock lock(mutex_);
    std::erase_if(live_, [&](const auto& entry) {
      const bool remove = predicate(*entry.second);
      if (remove) {
        removed.push_back(entry.second);
      }
      return remove;
    });
  }
  std::size_t size() const {
    std::shared_lock lock(mutex_);
    return live_.size();
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<void*, std::shared_ptr<T>> live_;
};

}  // namespace driver
