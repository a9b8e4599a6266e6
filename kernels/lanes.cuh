// Sixteen neighbouring values, such as channels: one CPU thread holds them all, in a vector; on a
// GPU sixteen threads hold one each. The same expressions serve both. A function's `lane` is the
// first that the thread holds: 0 on a CPU.
#pragma once
#include "common.cuh"

constexpr int kLanes = 16;

// A value, or a vector of neighbouring ones, from memory and into it, wherever it stands.
template <class Value>
__device__ __forceinline__ Value load(const float* from) {
  if constexpr (sizeof(Value) == sizeof(float)) {
    return *from;
  } else {
    Value value;
    memcpy(&value, from, sizeof value);
    return value;
  }
}
template <class Value>
__device__ __forceinline__ void store(float* to, Value value) {
  if constexpr (sizeof(Value) == sizeof(float)) {
    *to = value;
  } else {
    memcpy(to, &value, sizeof value);
  }
}

#if defined(SIMT_ONE_THREAD)
// How a vector wider than the machine's is passed differs between targets; nothing here leaves its
// file.
#pragma clang diagnostic ignored "-Wpsabi"
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
typedef int IntLanes __attribute__((vector_size(kLanes * sizeof(int))));
typedef unsigned char ByteLanes __attribute__((vector_size(kLanes)));

__device__ __forceinline__ Lanes load_lanes(const float* from, int) { return load<Lanes>(from); }
__device__ __forceinline__ void store_lanes(float* to, int, Lanes values) { store(to, values); }

// The first `count` of 16 values, the others 0.
template <class Vector, class T>
__device__ __forceinline__ Vector load_first(const T* from, int count) {
  Vector values;
  if (count == kLanes) {
    memcpy(&values, from, sizeof values);
  } else {  // a masked load, once it is compiled
    T some[kLanes];
    for (int i = 0; i < kLanes; ++i) {
      some[i] = i < count ? from[i] : T{};
    }
    memcpy(&values, some, sizeof values);
  }
  return values;
}
template <class Vector, class T>
__device__ __forceinline__ void store_first(T* to, int count, Vector values) {
  if (count == kLanes) {
    memcpy(to, &values, sizeof values);
  } else {
    for (int i = 0; i < count; ++i) {
      to[i] = values[i];
    }
  }
}

// As load_lanes and store_lanes, where only the first `count` lanes are there; the others read as
// 0.
__device__ __forceinline__ Lanes load_some(const float* from, int, int count) { return load_first<Lanes>(from, count); }
__device__ __forceinline__ IntLanes load_some(const unsigned char* from, int, int count) {
  return __builtin_convertvector(load_first<ByteLanes>(from, count), IntLanes);
}
__device__ __forceinline__ void store_some(float* to, int, int count, Lanes values) { store_first(to, count, values); }
__device__ __forceinline__ void store_some(unsigned char* to, int, int count, IntLanes values) {
  store_first(to, count, __builtin_convertvector(values, ByteLanes));
}

// Whether a value of this thread's lanes is not 0.
__device__ __forceinline__ bool any_lane(Lanes values) { return __builtin_reduce_or(values != 0.0f) != 0; }

// Lane j of vector i becomes lane i of vector j: vectors are interleaved with those half of them
// further on, four times.
__device__ __forceinline__ void transpose_lanes(Lanes (&values)[kLanes]) {
#pragma unroll
  for (int round = 0; round < 4; ++round) {
    Lanes interleaved[kLanes];
#pragma unroll
    for (int i = 0; i < kLanes / 2; ++i) {
      interleaved[2 * i] = __builtin_shufflevector(values[i], values[i + kLanes / 2], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20,
                                                   5, 21, 6, 22, 7, 23);
      interleaved[2 * i + 1] = __builtin_shufflevector(values[i], values[i + kLanes / 2], 8, 24, 9, 25, 10, 26, 11, 27,
                                                       12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma unroll
    for (int i = 0; i < kLanes; ++i) {
      values[i] = interleaved[i];
    }
  }
}

// The sum over the lanes of each of 16 vectors, as one vector: pairs are interleaved and added,
// four times.
__device__ __forceinline__ Lanes sums_over_lanes(Lanes* values) {
#pragma unroll
  for (int half = kLanes / 2; half > 0; half /= 2) {
#pragma unroll
    for (int i = 0; i < half; ++i) {
      values[i] =
          __builtin_shufflevector(values[i], values[i + half], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23) +
          __builtin_shufflevector(values[i], values[i + half], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                                  31);
    }
  }
  return values[0];
}
#else
typedef float Lanes;
typedef int IntLanes;

__device__ __forceinline__ Lanes load_lanes(const float* from, int lane) { return load<Lanes>(from + lane); }
__device__ __forceinline__ void store_lanes(float* to, int lane, Lanes value) { store(to + lane, value); }
__device__ __forceinline__ Lanes load_some(const float* from, int lane, int count) {
  return lane < count ? from[lane] : 0.0f;
}
__device__ __forceinline__ IntLanes load_some(const unsigned char* from, int lane, int count) {
  return lane < count ? from[lane] : 0;
}
__device__ __forceinline__ void store_some(float* to, int lane, int count, Lanes value) {
  if (lane < count) {
    to[lane] = value;
  }
}
__device__ __forceinline__ void store_some(unsigned char* to, int lane, int count, IntLanes value) {
  if (lane < count) {
    to[lane] = static_cast<unsigned char>(value);
  }
}
#endif

// Calls body(item, lane) for the lanes of all items, spread over the block.
template <class Body>
__device__ __forceinline__ void for_each_lane(int items, Body body) {
  if constexpr (kOneThreadPerBlock) {
    for (int item = 0; item < items; ++item) {
      body(item, 0);
    }
  } else {
    for (int i = threadIdx.x; i < items * kLanes; i += blockDim.x) {
      body(i / kLanes, i % kLanes);
    }
  }
}

// Calls body(row, column, lane) for the lanes of all items of a grid, spread over the block.
template <class Body>
__device__ __forceinline__ void for_each_lane(int rows, int columns, Body body) {
  if constexpr (kOneThreadPerBlock) {
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        body(row, column, 0);
      }
    }
  } else {
    for_each_lane(rows * columns, [&](int item, int lane) { body(item / columns, item % columns, lane); });
  }
}
