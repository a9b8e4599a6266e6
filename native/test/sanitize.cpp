// compute-sanitizer's stand-in: runs every kernel of the images in a folder at real block sizes on
// exactly-sized host buffers, in images built with ThreadSanitizer (a CUDA thread is an
// operating-system thread) or AddressSanitizer and UndefinedBehaviorSanitizer (fibers). A race, an
// overrun or undefined behaviour ends the program; so does a result that is not the one of a single
// thread, and a kernel that has no check below. Each kernel that was run is printed.
//
//   sanitize FOLDER          all kernels
//   sanitize FOLDER KERNEL   one of the kernels that are wrong on purpose: race, overrun
#include <dlfcn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "simt/image.h"

namespace {

std::map<std::string, const simt::Kernel*> kernels;
std::set<std::string> unchecked;  // of the library's kernels

[[noreturn]] void stop(const char* format, const char* what) {
  std::fprintf(stderr, format, what);
  std::exit(2);
}

void load(const std::filesystem::path& file, bool of_the_library) {
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    stop("sanitize: %s\n", dlerror());
  }
  const simt::Image* image = reinterpret_cast<const simt::Image* (*)()>(dlsym(library, "plateau_simt_image"))();
  for (std::uint32_t i = 0; i < image->kernel_count; ++i) {
    const char* name = image->kernels[i].name;
    if (!kernels.emplace(name, &image->kernels[i]).second) {
      stop("sanitize: two kernels are called %s\n", name);
    }
    if (of_the_library) {
      unchecked.insert(name);
    }
  }
}

// All images below the folder but those that only measure; the features' kernels are there to be
// called by name.
void load_all(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::filesystem::path within = std::filesystem::relative(entry.path(), folder);
    if (entry.path().extension() == ".so" && *within.begin() != "bench") {
      load(entry.path(), *within.begin() != "test");
    }
  }
}

// Arguments of one launch. Buffers are exactly as large as the kernel may use; outputs start as
// NaN.
class Launch {
 public:
  Launch(const char* name, simt::Dim3 grid) : name_(name), grid_(grid) {}

  Launch& value(int x) { return scalar(x); }
  Launch& value(unsigned x) { return scalar(x); }
  Launch& value(float x) { return scalar(x); }
  Launch& value(double x) { return scalar(x); }
  Launch& null() { return scalar(static_cast<void*>(nullptr)); }
  Launch& input(int count) {
    return buffer(count, false, [](int i) { return static_cast<float>(i * 7919 % 101) * 0.02f - 1.0f; });
  }
  Launch& words(std::vector<unsigned> content) {
    return buffer(static_cast<int>(content.size()), false, [content](int i) {
      float word;
      std::memcpy(&word, &content[static_cast<std::size_t>(i)], sizeof word);
      return word;
    });
  }
  Launch& output(int count) {
    return buffer(count, true, [](int) { return std::nanf(""); });
  }
  // Float64 numbers, as many; outputs of theirs are compared as numbers, not as two floats each.
  Launch& doubles(int count) {
    return buffer(2 * count, false,
                  [](int i) { return half_of(static_cast<double>(i / 2 * 7919 % 101) * 0.02 - 1.0, i); });
  }
  Launch& doubles_output(int count) {
    buffer(2 * count, true, [](int) { return std::nanf(""); });
    arguments_.back().is_double = true;
    return *this;
  }
  Launch& doubles_updated(int count) {
    buffer(2 * count, true, [](int i) { return half_of(static_cast<double>(i / 2 * 31 % 17) * 0.1, i); });
    arguments_.back().is_double = true;
    return *this;
  }
  Launch& updated(int count) {
    return buffer(count, true, [](int i) { return static_cast<float>(i * 31 % 17) * 0.1f; });
  }

  const char* name() const { return name_; }

  // The outputs after a run with that block.
  std::vector<float> run(unsigned threads) {
    const auto found = kernels.find(name_);
    if (found == kernels.end()) {
      stop("sanitize: there is no kernel %s\n", name_);
    }
    const simt::Kernel& kernel = *found->second;
    std::vector<std::unique_ptr<float[]>> memory;
    std::vector<std::vector<std::byte>> values;
    for (const Argument& argument : arguments_) {
      values.push_back(argument.value);
      if (argument.count > 0) {
        memory.push_back(std::make_unique<float[]>(static_cast<std::size_t>(argument.count)));
        for (int i = 0; i < argument.count; ++i) {
          memory.back()[static_cast<std::size_t>(i)] = argument.content(i);
        }
        float* address = memory.back().get();
        values.back().resize(sizeof address);
        std::memcpy(values.back().data(), &address, sizeof address);
      }
    }
    std::vector<void*> pointers;
    for (auto& value : values) {
      pointers.push_back(value.data());
    }
    long long replica_stride = 0;
    if (pointers.size() < kernel.param_count) {
      pointers.push_back(&replica_stride);
    }
    simt::Failure failure{};
    const simt::Launch launch{grid_, {threads, 1, 1}, pointers.data(), &failure};
    kernel.run(launch, 0, static_cast<std::uint64_t>(grid_.x) * grid_.y * grid_.z);
    if (failure.failed) {
      std::fprintf(stderr, "sanitize: %s\n", failure.message);
      std::exit(1);
    }
    std::vector<float> outputs;
    std::size_t next = 0;
    for (const Argument& argument : arguments_) {
      if (argument.count > 0) {
        const float* content = memory[next++].get();
        for (int i = 0; argument.is_double && i < argument.count; i += 2) {
          double number;
          std::memcpy(&number, content + i, sizeof number);
          outputs.push_back(static_cast<float>(number));
        }
        if (argument.is_output && !argument.is_double) {
          outputs.insert(outputs.end(), content, content + argument.count);
        }
      }
    }
    return outputs;
  }

  unsigned max_threads() const { return kernels.at(name_)->max_threads; }

 private:
  struct Argument {
    std::vector<std::byte> value;
    int count = 0;
    bool is_output = false;
    bool is_double = false;
    std::function<float(int)> content;
  };

  // Element i of doubles that lie in memory as twice as many floats.
  static float half_of(double value, int i) {
    float halves[2];
    std::memcpy(halves, &value, sizeof halves);
    return halves[i % 2];
  }

  template <class T>
  Launch& scalar(T x) {
    Argument argument;
    argument.value.resize(sizeof x);
    std::memcpy(argument.value.data(), &x, sizeof x);
    arguments_.push_back(std::move(argument));
    return *this;
  }
  Launch& buffer(int count, bool is_output, std::function<float(int)> content) {
    arguments_.push_back({{}, count, is_output, false, std::move(content)});
    return *this;
  }

  const char* name_;
  simt::Dim3 grid_;
  std::vector<Argument> arguments_;
};

// Where every CUDA thread is an operating-system thread, a barrier of a thousand takes
// milliseconds; a race shows among fewer.
#if defined(__SANITIZE_THREAD__)
constexpr unsigned kBlocks[] = {1, 32, 96};
#else
constexpr unsigned kBlocks[] = {1, 32, 96, 256, 1024};
#endif

// Runs at every block size, or at one, and compares with the first. The grid of an elementwise
// launch covers its elements at one block size alone.
void check(Launch launch, unsigned only = 0) {
  std::vector<float> expected;
  std::vector<unsigned> blocks(std::begin(kBlocks), std::end(kBlocks));
  if (only != 0) {
    blocks = {only};
  }
  for (const unsigned threads : blocks) {
    if (threads > launch.max_threads()) {
      continue;
    }
    const std::vector<float> outputs = launch.run(threads);
    if (expected.empty()) {
      expected = outputs;
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const bool both_nan = std::isnan(outputs[i]) && std::isnan(expected[i]);
      if (!both_nan && !(std::fabs(outputs[i] - expected[i]) <= 1e-4f * (1.0f + std::fabs(expected[i])))) {
        std::fprintf(stderr, "sanitize: %s with %u threads: output %zu is %g, not %g\n", launch.name(), threads, i,
                     static_cast<double>(outputs[i]), static_cast<double>(expected[i]));
        std::exit(1);
      }
    }
  }
  unchecked.erase(launch.name());
  std::printf("%s: clean\n", launch.name());
}

unsigned tiles(int n) { return static_cast<unsigned>((n + 63) / 64); }

void check_dense(int m, int n, int k) {
  check(Launch("dense_forward", {tiles(n), tiles(m), 1})
            .value(m)
            .value(n)
            .value(k)
            .input(m * k)
            .input(k * n)
            .input(n)
            .value(1)
            .output(m * n));
  check(Launch("dense_forward", {tiles(n), tiles(m), 1})
            .value(m)
            .value(n)
            .value(k)
            .input(m * k)
            .input(k * n)
            .null()
            .value(0)
            .output(m * n));
  check(Launch("dense_backward_input", {tiles(k), tiles(m), 1})
            .value(m)
            .value(n)
            .value(k)
            .input(m * n)
            .input(k * n)
            .input(m * k)
            .output(m * k));
  check(Launch("dense_backward_weights", {tiles(n), tiles(k), 1})
            .value(m)
            .value(n)
            .value(k)
            .input(m * k)
            .input(m * n)
            .output(k * n)
            .output(n));
}

void check_all() {
  check_dense(3, 5, 7);
  check_dense(65, 67, 33);
  const int m = 3, k = 300, n = 259;
  check(Launch("dense_forward_single", {m, 1, 1}).value(k).input(m * k).input(k).input(1).value(0).output(m));
  check(Launch("dense_backward_input_single", {m, 1, 1}).value(k).input(m).input(k).input(m * k).output(m * k));
  check(Launch("dense_backward_weights_single", {2, 1, 1}).value(m).value(k).input(m * k).input(m).output(k).output(1));
  check(Launch("bias_activation", {m, 1, 1}).value(n).input(n).value(1).updated(m * n));
  check(Launch("relu_mask", {2, 1, 1}).value(n).input(n).updated(n), 256);
  check(Launch("column_sums", {2, 1, 1}).value(m).value(n).input(m * n).output(n));
  check(Launch("hinge_forward_backward", {2, 1, 1}).value(n).value(0.1f).input(n).input(n).output(n).output(n), 256);
  check(Launch("hinge_forward", {2, 1, 1}).value(n).input(n).input(n).output(n), 256);
  check(Launch("sigmoid_forward", {2, 1, 1}).value(n).input(n).output(n), 256);
  check(Launch("sigmoid_backward", {2, 1, 1}).value(n).input(n).input(n).output(n), 256);
  check(Launch("sgd", {2, 1, 1}).value(n).input(1).input(n).updated(n), 256);
  check(Launch("adam", {2, 1, 1})
            .value(n)
            .input(1)
            .value(0.9f)
            .value(0.99f)
            .value(1e-5f)
            .input(n)
            .updated(n)
            .updated(n)
            .updated(n),
        256);
  check(Launch("adam_rate", {1, 1, 1}).input(1).words({41}).value(0.9).value(0.99).output(1));
  check(Launch("accumulate", {2, 1, 1}).value(n).input(n).updated(n), 256);
  check(Launch("loss_and_accuracy", {1, 1, 1}).value(n).input(n).input(n).input(n).words({12}).value(8).updated(24));
  check(Launch("loss_and_distance", {1, 1, 1})
            .value(n)
            .input(n)
            .value(70)
            .input(70)
            .input(70)
            .words({12})
            .value(8)
            .updated(24));
  check(
      Launch("loss_and_distance", {1, 1, 1}).value(n).input(n).value(0).null().null().words({12}).value(8).updated(16));
  check(Launch("advance_step", {1, 1, 1}).updated(1));
  check(Launch("truncated_normal", {2, 1, 1}).value(n).words({5, 0}).value(2u).value(1.0f).output(n), 256);
  check(Launch("philox_words", {2, 1, 1}).value(n).value(0u).value(1u).value(2u).value(3u).words({5, 0}).output(4 * n),
        256);
  check(Launch("standard_normal", {2, 1, 1}).value(n).words({5, 0}).value(2u).value(7u).output(n), 256);
  check(Launch("parity_batch", {2, 1, 1})
            .value(70)
            .value(131)
            .words({5, 0})
            .value(2u)
            .words({3})
            .words({0x2aau, 5u, ~0u, 1u, 7u})
            .output(70 * 131)
            .output(70));
  check(Launch("parity_subset", {1, 1, 1}).value(70).value(9).words({5, 0}).value(2u).output(3));
  // 2 samples, 2 to 3 channels, 35 positions, 5 taps, padding 2.
  check(Launch("conv1d_forward", {2, 3, 1})
            .value(2)
            .value(35)
            .value(5)
            .value(2)
            .input(2 * 2 * 35)
            .input(3 * 2 * 5)
            .output(2 * 3 * 35));
  check(Launch("conv1d_backward_data", {2, 2, 1})
            .value(3)
            .value(35)
            .value(5)
            .value(2)
            .input(2 * 3 * 35)
            .input(3 * 2 * 5)
            .output(2 * 2 * 35));
  check(Launch("conv1d_backward_filter", {5, 6, 1})
            .value(2)
            .value(2)
            .value(35)
            .value(2)
            .input(2 * 2 * 35)
            .input(2 * 3 * 35)
            .output(3 * 2 * 5));
  // 2 images of 4 x 2, 3 channels to 5 (a group of 16), a window of 3: 2 * 2 * 1 * 5 = 20 outputs,
  // their winners in as many bytes. A share is 9 * (3 + 1 + 1) * 16 floats.
  const std::vector<unsigned> winners = {0x00010203, 0x03020100, 0x01010302, 0x02030001, 0x00020103};
  check(Launch("conv2d_pack", {9, 1, 1}).value(3).value(5).input(5 * 27).input(3).output(27 * 16).output(9 * 16));
  check(Launch("conv2d_base", {2, 1, 1})
            .value(2)
            .value(5)
            .value(3)
            .input(5)
            .input(9 * 16)
            .output(8 * 16)
            .output(2 * 16)
            .updated(2 * 4));
  check(Launch("conv2d_pool_forward", {2, 1, 1})
            .value(4)
            .value(2)
            .value(3)
            .value(5)
            .value(3)
            .input(2 * 24)
            .input(3)
            .input(27 * 16)
            .input(8 * 16)
            .input(2 * 16)
            .words(std::vector<unsigned>(2 * 4))
            .output(20)
            .updated(5));
  check(Launch("conv2d_pool_backward_data", {2, 1, 1})
            .value(4)
            .value(2)
            .value(3)
            .value(5)
            .value(3)
            .input(2 * 24)
            .null()
            .input(27 * 16)
            .input(20)
            .words(winners)
            .output(2 * 24));
  check(Launch("conv2d_pool_backward_filter", {2, 1, 1})
            .value(2)
            .value(1)
            .value(4)
            .value(2)
            .value(3)
            .value(5)
            .value(3)
            .input(2 * 24)
            .input(3)
            .input(20)
            .words(winners)
            .output(2 * 45 * 16));
  // An image of 28 x 28 is two tiles, and each of them two lists of pixels; a few of its pixels are
  // not zero.
  std::vector<unsigned> image(28 * 28);
  for (const std::size_t i : {0, 29, 255, 256, 257, 400, 475, 500, 783}) {
    image[i] = 0x3f800000u;
  }
  const std::vector<unsigned> cells(14 * 14 * 2 / 4, 0x00010203);
  check(Launch("conv2d_pool_forward", {1, 1, 1})
            .value(28)
            .value(28)
            .value(1)
            .value(2)
            .value(3)
            .words(image)
            .null()
            .input(9 * 16)
            .input(784 * 16)
            .input(196 * 16)
            .words(std::vector<unsigned>(196 * 4))
            .output(392)
            .updated(98));
  check(Launch("conv2d_pool_backward_data", {1, 1, 1})
            .value(28)
            .value(28)
            .value(1)
            .value(2)
            .value(3)
            .words(image)
            .null()
            .input(9 * 16)
            .input(392)
            .words(cells)
            .output(784));
  check(Launch("conv2d_pool_backward_filter", {1, 1, 1})
            .value(1)
            .value(1)
            .value(28)
            .value(28)
            .value(1)
            .value(2)
            .value(3)
            .words(image)
            .null()
            .input(392)
            .words(cells)
            .output(27 * 16));
  check(Launch("conv2d_sum_shares", {9, 1, 1})
            .value(2)
            .value(3)
            .value(5)
            .input(3)
            .input(2 * 45 * 16)
            .output(5 * 27)
            .output(5)
            .output(9 * 16));
  check(Launch("conv2d_background_gradient", {3, 1, 1}).value(9).input(27 * 16).input(9 * 16).output(3));
  check(Launch("squared_error", {m, 1, 1})
            .value(n)
            .value(0.5f)
            .value(0.1f)
            .input(m * n)
            .input(m * n)
            .output(m)
            .output(m * n));
  check(Launch("squared_error_single", {2, 1, 1}).value(n).value(0.5f).value(0.1f).input(n).input(n).output(n).null(),
        256);
  check(Launch("softmax_cross_entropy", {m, 1, 1})
            .value(n)
            .value(0.1f)
            .input(m * n)
            .words({0, 7, 258})
            .output(m)
            .output(m * n));
  const int levels = 52;
  check(Launch("step_forward", {2, 1, 1}).value(n).value(levels).input(levels).input(n).output(n), 256);
  check(Launch("smooth_step_forward", {5, 1, 1})
            .value(n)
            .value(levels)
            .input(levels)
            .input(levels)
            .input(levels)
            .input(n)
            .output(n)
            .output(n));
  check(Launch("smooth_step_backward", {2, 1, 1}).value(n).input(n).input(n).output(n), 256);
  check(Launch("likeliest_level", {m, 1, 1}).value(levels).input(levels).input(m * levels).output(m));
  check(Launch("step_metrics", {1, 1, 1})
            .value(n)
            .value(levels)
            .input(levels)
            .input(n)
            .input(n)
            .input(n)
            .words({12})
            .value(8)
            .updated(32));
  check(Launch("scaled_normals", {2, 1, 1}).value(n).value(0.01f).words({5, 0}).value(2u).words({3}).output(n));
  check(Launch("shifted_levels", {1, 1, 1}).value(levels).input(levels).input(1).output(levels), 256);
  check(Launch("step_labels", {m, 1, 1})
            .value(100)
            .value(levels)
            .input(m * 100)
            .input(100)
            .input(1)
            .input(levels)
            .output(m)
            .output(m)
            .output(m));
  // Rows of 37 weights, 5 in the table and 4 read, one of them twice; what they have missed has the
  // moments 1, 2, 5 and 14.
  const std::vector<unsigned> read = {3, 0, 3, 4};
  std::vector<unsigned> moments;
  for (const unsigned moment : {0x3f800000u, 0x40000000u, 0x40a00000u, 0x41600000u}) {
    moments.insert(moments.end(), 5, moment);
  }
  check(Launch("row_links", {1, 1, 1}).value(4).words(read).output(8), 256);
  check(Launch("row_catch_up", {1, 1, 1})
            .value(4)
            .value(5)
            .value(-0.1f)
            .value(-0.01f)
            .value(1e-5f)
            .words(read)
            .words({9})
            .words({9, 8, 0, 2, 5})
            .words(moments)
            .output(24),
        256);
  check(Launch("gather_rows", {4, 1, 1})
            .value(37)
            .words(read)
            .updated(24)
            .input(5 * 37)
            .input(5 * 37)
            .updated(5 * 37)
            .output(4 * 37));
  check(Launch("miss_update", {1, 1, 1}).value(5).value(-0.1f).input(1).words({9}).words({9, 8, 0, 2, 5}).updated(20),
        256);
  check(Launch("adam_rows", {4, 1, 1})
            .value(4)
            .value(5)
            .value(37)
            .value(0.9f)
            .value(0.99f)
            .value(1e-5f)
            .input(1)
            .words({9})
            .words(read)
            .words({~0u, ~0u, 0, ~0u, 2, ~0u, ~0u, ~0u})
            .input(24)
            .input(4 * 37)
            .updated(4 * 37)
            .updated(5 * 37)
            .updated(5 * 37)
            .updated(5 * 37)
            .updated(5)
            .updated(20));
  check(Launch("softmax_dot", {3, 1, 1})
            .value(37)
            .value(0.1f)
            .input(3 * 37)
            .input(37)
            .words({0, 7, 36})
            .words({0x2aau, 5u, ~0u, 1u, 7u, 0u})
            .output(3)
            .output(3 * 37));
  check(Launch("softmax_dot", {3, 1, 1})
            .value(37)
            .value(0.1f)
            .input(3 * 37)
            .input(37)
            .words({0, 7, 36})
            .words({0x2aau, 5u, ~0u, 1u, 7u, 0u})
            .output(3)
            .null());
  check(Launch("softmax_dot", {3, 1, 1})
            .value(37)
            .value(0.1f)
            .input(3 * 37)
            .input(37)
            .words({0, 7, 36})
            .null()
            .output(3)
            .output(3 * 37));
  check(Launch("softmax_gradient_moments", {3, 1, 1})
            .value(37)
            .input(3 * 37)
            .input(37)
            .words({0, 7, 36})
            .output(3)
            .output(3)
            .output(3));
  check(Launch("stock_metrics", {1, 1, 1})
            .value(n)
            .value(70)
            .value(37)
            .input(n)
            .input(70)
            .input(70)
            .input(70)
            .input(70)
            .input(37)
            .words({12})
            .value(8)
            .updated(72));
  check(Launch("stock_labels", {2, 1, 1}).value(n).value(37).words({5, 0}).value(2u).output(n), 256);
  check(Launch("stock_signs", {2, 1, 1}).value(n).words({5, 0}).value(2u).words({3}).output(4 * n), 256);
  check(Launch("stock_inputs", {1, 1, 1})
            .value(5)
            .value(3)
            .value(2)
            .words({5, 0})
            .value(2u)
            .words({3})
            .words({36, 7, 0})
            .output(5)
            .output(5)
            .updated(10),
        256);
  // 19 curves, so that the second block has 3, of 37 points; the law of real positions has no
  // sparse encoding.
  for (const int law : {0, 1}) {
    check(Launch("pwl_curves", {2, 1, 1})
              .value(19)
              .value(37)
              .value(2)
              .value(law)
              .words({5, 0})
              .value(2u)
              .words({3})
              .output(19 * 37)
              .output(19 * 35));
  }
  check(Launch("pwl_curves", {2, 1, 1})
            .value(19)
            .value(37)
            .value(2)
            .value(2)
            .words({5, 0})
            .value(2u)
            .words({3})
            .output(19 * 37)
            .null());
  check(Launch("pwl_moments", {1, 1, 1}).value(19).value(37).input(19 * 37).output(2 * 6 * 19), 256);
  check(Launch("pwl_decode", {3, 1, 1}).value(37).value(2).input(3 * 35).output(3 * 37));
  // 5 tuples of 3 images; samples of 100 weights and a 1, as float64: two words each.
  check(Launch("line_tuples", {5, 1, 1})
            .value(7)
            .value(3)
            .value(0)
            .words({5, 0})
            .value(2u)
            .words({3})
            .output(5 * 3 * 28 * 28)
            .output(5 * 3)
            .output(5));
  check(Launch("tuple_metrics", {1, 1, 1})
            .value(n)
            .value(3)
            .input(n)
            .input(3 * n)
            .input(n)
            .input(n)
            .input(3 * n)
            .input(3 * n)
            .words({12})
            .value(8)
            .updated(32));
  check(Launch("labelled_gradients", {5, 1, 1})
            .value(101)
            .value(3)
            .value(3)
            .value(0.5f)
            .input(5 * 3)
            .input(5 * 3 * 100)
            .value(1)
            .input(5)
            .output(2 * 5 * 101));
  check(Launch("gradient_moments", {1, 26, 1}).value(5).value(101).input(2 * 5 * 101).updated(2 * 101 * 101));
  check(Launch("signal_to_noise", {1, 1, 1})
            .value(101)
            .input(2 * 101 * 101)
            .input(2 * 101 * 101)
            .words({12})
            .value(8)
            .updated(8 * 13));
  // A network of 3 bits and 5 units: 8 inputs, 11 terms, 26 parameters; gradients of two parities.
  check(Launch("parity_terms", {1, 1, 1})
            .value(8)
            .value(3)
            .value(5)
            .value(1)
            .input(15)
            .input(5)
            .input(5)
            .input(1)
            .output(88),
        256);
  check(Launch("parity_input_energies", {1, 1, 1})
            .value(9)
            .value(3)
            .value(5)
            .value(1)
            .input(27)
            .input(15)
            .input(5)
            .input(5)
            .input(1)
            .doubles_output(9),
        256);
  check(Launch("walsh_hadamard", {3, 1, 1}).value(128).updated(3 * 128));
  check(Launch("parity_energies", {1, 1, 1}).value(8).value(5).value(0.5).input(88).doubles_output(8).doubles_output(8),
        256);
  check(Launch("parity_signals", {1, 1, 1}).value(8).value(3).doubles(8).doubles(8).doubles_output(8), 256);
  check(Launch("parity_gradients", {1, 1, 1}).value(52).value(3).value(5).value(8).input(88).words({6, 1}).output(52),
        256);
  check(Launch("parity_network_errors", {2, 1, 1})
            .value(512)
            .value(300)
            .value(0x155u)
            .value(6)
            .value(0.25f)
            .input(6)
            .input(6)
            .output(2));
  check(Launch("row_moments", {m, 1, 1}).value(n).input(m * n).doubles_output(2 * m));
  check(Launch("row_sums", {m, 1, 1}).value(n).doubles(m * n).doubles_output(m));
  check(Launch("column_moments", {2, 1, 1}).value(n).value(m).input(m * n).doubles_output(2 * n), 256);
  check(Launch("gram", {m * m, 1, 1}).value(n).value(m).input(m * n).doubles_output(m * m));
  check(Launch("mean_at", {1, 1, 1}).value(n).input(n).words({2}).doubles_updated(4));
  check(Launch("running_sums", {m, 1, 1}).value(n).value(1).doubles(m * n).doubles_output(m * n));
  check(Launch("second_differences", {4, 1, 1}).value(m * n).value(n).value(1).doubles(m * n).doubles_output(m * n),
        256);
  check(Launch("power_step", {m, 1, 1}).value(n).doubles_updated(m * n).doubles(m * n).doubles_output(2 * m));
  check(Launch("iterations_until", {2, 1, 1})
            .value(7)
            .value(5)
            .value(1e-9)
            .doubles(2 * 49)
            .doubles_updated(14)
            .output(2));
  check(Launch("matrix_sgd", {1, 1, 1}).value(2 * 5).value(5).value(0.1f).input(10).input(10).updated(50), 256);
  check(Launch("landscape", {9, 1, 1})
            .value(33)
            .value(33)
            .value(3)
            .value(-1.0f)
            .value(1.0f)
            .value(1)
            .value(0.5f)
            .value(-0.5f)
            .input(9 * 66)
            .input(9 * 33)
            .output(9)
            .output(9));
  check(Launch("cosine_landscape", {1, 1, 1})
            .value(9)
            .value(3)
            .value(-1.0f)
            .value(1.0f)
            .value(0.5f)
            .value(-0.5f)
            .output(9),
        256);
  check(Launch("periodic_gradients", {m, 1, 1}).value(65).value(1.5f).input(65).input(m * 65).output(m * 65));
  check(Launch("sign_products", {1, 1, 1}).value(7).value(3).value(2).input(42).output(7).output(21), 256);
  check(Launch("staircase_residual", {2, 1, 1}).value(n).value(0.25f).value(2.0f).input(n).input(n).output(n).output(n),
        256);
  check(Launch("reverse_blocks", {3, 1, 1}).updated(192));
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::fputs("usage: sanitize FOLDER [KERNEL]\n", stderr);
    return 2;
  }
  load_all(arguments[1]);
  if (count > 2 && std::strcmp(arguments[2], "race") == 0) {
    Launch("race", {1, 1, 1}).output(64).run(64);
  } else if (count > 2 && std::strcmp(arguments[2], "overrun") == 0) {
    Launch("overrun", {1, 1, 1}).value(33).output(33).run(64);
  } else {
    check_all();
    for (const std::string& name : unchecked) {
      std::fprintf(stderr, "sanitize: %s has no check in native/test/sanitize.cpp\n", name.c_str());
    }
  }
  return unchecked.empty() || count > 2 ? 0 : 1;
}
