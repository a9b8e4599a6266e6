// Convolutions, by oneDNN. A batch is cut into pieces that depend on the shape alone, each computed
// by one thread, so the bits do not depend on how many threads there are; the filter gradients of
// the pieces are added in order. Everything that a convolution needs while it runs lies in the
// caller's workspace.
#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "dnn/dnn.h"
#include "oneapi/dnnl/dnnl.hpp"

extern "C" void omp_set_num_threads(int);

namespace {

using namespace dnn;
using Layout = dnnl::memory::desc;

enum class Direction { forward, backward_data, backward_filter };

struct Shape {
  Direction direction;
  Tensor input, output;
  Filter filter;
  Convolution convolution;
  auto operator<=>(const Shape&) const = default;
};

// Pieces of a batch that is worth threads. More would balance more threads, but cost a primitive's
// start and, backwards, a filter gradient each.
constexpr int kPieces = 8;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMostPlans = 256;

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

dnnl::engine& engine() {
  static auto* instance = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *instance;
}

dnnl::stream& this_threads_stream() {
  thread_local dnnl::stream stream(engine());
  return stream;
}

// oneDNN reads how many OpenMP threads the calling thread may use, when it plans and when it runs.
// The driver's own pool shares out the pieces instead: OpenMP's would compete with it for the
// cores, and its number would show in the bits.
void use_one_thread() { omp_set_num_threads(1); }

Layout layout(const std::array<int, 4>& dims, dnnl::memory::format_tag tag) {
  return {{dims[0], dims[1], dims[2], dims[3]}, dnnl::memory::data_type::f32, tag};
}
Layout callers(const Tensor& tensor) {
  return layout(tensor.dims,
                tensor.format == CUDNN_TENSOR_NHWC ? dnnl::memory::format_tag::nhwc : dnnl::memory::format_tag::nchw);
}
Layout callers(const Filter& filter) {
  return layout(filter.dims,
                filter.format == CUDNN_TENSOR_NHWC ? dnnl::memory::format_tag::ohwi : dnnl::memory::format_tag::oihw);
}
// What oneDNN computes in: of channels-last activations their own layout, for which it has kernels
// as fast as for its blocked ones; else what it likes best.
Layout preferred(const Tensor& tensor) {
  return tensor.format == CUDNN_TENSOR_NHWC ? callers(tensor) : layout(tensor.dims, dnnl::memory::format_tag::any);
}
Layout preferred(const Filter& filter) { return layout(filter.dims, dnnl::memory::format_tag::any); }

// One operand of a primitive: where the caller's layout is not the primitive's, it is converted
// from or to a copy in the workspace.
struct Operand {
  int argument;
  Layout callers, primitives;
  dnnl::reorder convert;

  Operand(int which, const Layout& from, const Layout& to) : argument(which), callers(from), primitives(to) {}
  static Operand read(int which, const Layout& callers, const Layout& primitives) {
    Operand operand(which, callers, primitives);
    if (operand.copied()) {
      operand.convert = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), callers, engine(), primitives));
    }
    return operand;
  }
  static Operand written(int which, const Layout& callers, const Layout& primitives) {
    Operand operand(which, callers, primitives);
    if (operand.copied()) {
      operand.convert = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), primitives, engine(), callers));
    }
    return operand;
  }
  bool copied() const { return callers != primitives; }
  std::size_t copy_bytes() const { return copied() ? aligned(primitives.get_size()) : 0; }
};

void convert(const Operand& operand, const Layout& from, void* source, const Layout& to, void* target) {
  operand.convert.execute(this_threads_stream(), {{DNNL_ARG_FROM, dnnl::memory(from, engine(), source)},
                                                  {DNNL_ARG_TO, dnnl::memory(to, engine(), target)}});
}

// The computation for a number of images: two operands that are read and one that is written. The
// filter, or its gradient, is what the pieces share.
struct Piece {
  dnnl::primitive primitive;
  Operand first, second, result;
  std::size_t scratch_bytes;

  // For this piece alone, that is without a copy of the shared filter.
  std::size_t workspace(Direction direction) const {
    return first.copy_bytes() + aligned(scratch_bytes) +
           (direction == Direction::backward_filter ? second.copy_bytes() + aligned(result.primitives.get_size())
                                                    : result.copy_bytes());
  }
};

Piece make_piece(const Shape& shape, int images) {
  Tensor input = shape.input, output = shape.output;
  input.dims[0] = output.dims[0] = images;
  const auto dims = [](const std::array<int, 2>& pair, int minus) {
    return dnnl::memory::dims{pair[0] - minus, pair[1] - minus};
  };
  const Convolution& c = shape.convolution;
  const auto strides = dims(c.stride, 0), dilation = dims(c.dilation, 1), padding = dims(c.padding, 0);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  constexpr auto direct = dnnl::algorithm::convolution_direct;
  const dnnl::convolution_forward::primitive_desc forward(engine(), dnnl::prop_kind::forward_training, direct,
                                                          preferred(input), preferred(shape.filter), preferred(output),
                                                          strides, dilation, padding, padding, attributes);
  switch (shape.direction) {
    case Direction::forward:
      return {dnnl::convolution_forward(forward), Operand::read(DNNL_ARG_SRC, callers(input), forward.src_desc()),
              Operand::read(DNNL_ARG_WEIGHTS, callers(shape.filter), forward.weights_desc()),
              Operand::written(DNNL_ARG_DST, callers(output), forward.dst_desc()),
              forward.scratchpad_desc().get_size()};
    case Direction::backward_data: {
      const dnnl::convolution_backward_data::primitive_desc backward(
          engine(), direct, preferred(input), preferred(shape.filter), preferred(output), strides, dilation, padding,
          padding, forward, attributes);
      return {dnnl::convolution_backward_data(backward),
              Operand::read(DNNL_ARG_DIFF_DST, callers(output), backward.diff_dst_desc()),
              Operand::read(DNNL_ARG_WEIGHTS, callers(shape.filter), backward.weights_desc()),
              Operand::written(DNNL_ARG_DIFF_SRC, callers(input), backward.diff_src_desc()),
              backward.scratchpad_desc().get_size()};
    }
    case Direction::backward_filter:
      break;
  }
  const dnnl::convolution_backward_weights::primitive_desc backward(engine(), direct, preferred(input),
                                                                    preferred(shape.filter), preferred(output), strides,
                                                                    dilation, padding, padding, forward, attributes);
  return {dnnl::convolution_backward_weights(backward),
          Operand::read(DNNL_ARG_SRC, callers(input), backward.src_desc()),
          Operand::read(DNNL_ARG_DIFF_DST, callers(output), backward.diff_dst_desc()),
          Operand::written(DNNL_ARG_DIFF_WEIGHTS, callers(shape.filter), backward.diff_weights_desc()),
          backward.scratchpad_desc().get_size()};
}

double multiplications(const Shape& shape) {
  return static_cast<double>(shape.output.elements()) * static_cast<double>(shape.filter.elements()) /
         shape.filter.dims[0];
}

// How a shape is computed: `pieces` - 1 times `full`, then once `last`.
struct Plan {
  Shape shape;
  int images;  // of a full piece
  std::size_t pieces;
  Piece full, last;
  std::size_t workspace;  // bytes, with what aligning its start may take

  explicit Plan(const Shape& of)
      : shape(of),
        images(multiplications(of) < kWorthThreads ? of.input.dims[0] : (of.input.dims[0] + kPieces - 1) / kPieces),
        pieces(static_cast<std::size_t>((of.input.dims[0] + images - 1) / images)),
        full(make_piece(of, images)),
        last(make_piece(of, of.input.dims[0] - static_cast<int>(pieces - 1) * images)),
        workspace(0) {
    require(full.second.primitives == last.second.primitives || shape.direction == Direction::backward_filter,
            CUDNN_STATUS_INTERNAL_ERROR_UNEXPECTED_VALUE);
    require(full.result.primitives == last.result.primitives || shape.direction != Direction::backward_filter,
            CUDNN_STATUS_INTERNAL_ERROR_UNEXPECTED_VALUE);
    workspace = shared_bytes() + (pieces - 1) * full.workspace(shape.direction) + last.workspace(shape.direction);
    workspace += workspace > 0 ? kAlignment : 0;
  }

  const Piece& piece(std::size_t i) const { return i + 1 < pieces ? full : last; }
  std::size_t shared_bytes() const {
    return shape.direction == Direction::backward_filter ? 0 : full.second.copy_bytes();
  }
};

struct ShapeHash {
  std::size_t operator()(const Shape& shape) const {
    std::size_t hash = static_cast<std::size_t>(shape.direction);
    for (const auto& dims : {shape.input.dims, shape.output.dims, shape.filter.dims}) {
      for (const int dim : dims) {
        hash = hash * 1000003 + static_cast<std::size_t>(dim);
      }
    }
    return hash;
  }
};

// Plans are made once per shape: oneDNN generates code for them, which takes milliseconds.
std::shared_ptr<const Plan> plan_for(const Shape& shape) {
  static auto* mutex = new std::mutex;
  static auto* plans = new std::unordered_map<Shape, std::shared_ptr<const Plan>, ShapeHash>;
  std::lock_guard lock(*mutex);
  auto& plan = (*plans)[shape];
  if (plan == nullptr) {
    try {
      use_one_thread();
      plan = std::make_shared<const Plan>(shape);
    } catch (const dnnl::error& error) {
      plans->erase(shape);
      fail(error.status == dnnl_out_of_memory ? CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED
                                              : CUDNN_STATUS_NOT_SUPPORTED);
    } catch (...) {
      plans->erase(shape);
      throw;
    }
    if (plans->size() > kMostPlans) {
      const auto kept = plan;
      plans->clear();
      return kept;
    }
  }
  return plan;
}

// A piece of one call: its primitive and where its operands lie.
struct Job {
  const Piece* piece;
  char *first, *second, *result;  // the caller's; of the piece's first image where it is an activation
  char *first_copy, *second_copy, *result_copy, *scratch;
};

// One call: the plan, and the addresses it works on. Run once, or at every replay of a graph.
class Call {
 public:
  Call(std::shared_ptr<const Plan> plan, const void* first, const void* second, void* result, void* workspace,
       Scaling scaling)
      : plan_(std::move(plan)),
        second_(static_cast<char*>(const_cast<void*>(second))),
        result_(static_cast<float*>(result)),
        scaling_(scaling) {
    const Direction direction = plan_->shape.direction;
    result_elements_ = direction == Direction::forward         ? plan_->shape.output.elements()
                       : direction == Direction::backward_data ? plan_->shape.input.elements()
                                                               : plan_->shape.filter.elements();
    if (!scaling_.plain()) {
      computed_.resize(result_elements_);
    }
    char* target = reinterpret_cast<char*>(scaling_.plain() ? result_ : computed_.data());
    char* next = reinterpret_cast<char*>(aligned(reinterpret_cast<std::uintptr_t>(workspace)));
    const auto take = [&](std::size_t bytes) { return std::exchange(next, next + bytes); };
    shared_ = take(plan_->shared_bytes());
    char* at_first = static_cast<char*>(const_cast<void*>(first));
    char* at_second = second_;
    char* at_result = target;
    for (std::size_t i = 0; i < plan_->pieces; ++i) {
      const Piece& piece = plan_->piece(i);
      Job job{&piece, at_first, at_second, at_result, take(piece.first.copy_bytes()), nullptr, nullptr, nullptr};
      at_first += piece.first.callers.get_size();
      if (direction == Direction::backward_filter) {
        at_second += piece.second.callers.get_size();
        job.second_copy = take(piece.second.copy_bytes());
        job.result_copy = take(aligned(piece.result.primitives.get_size()));
      } else {
        at_result += piece.result.callers.get_size();
        job.second_copy = shared_;
        job.result_copy = take(piece.result.copy_bytes());
      }
      job.scratch = take(aligned(piece.scratch_bytes));
      jobs_.push_back(job);
    }
  }

  void run() {
    use_one_thread();
    const Operand& filter = plan_->full.second;
    const bool backward_filter = plan_->shape.direction == Direction::backward_filter;
    if (!backward_filter && filter.copied()) {
      convert(filter, filter.callers, second_, filter.primitives, shared_);
    }
    parallel(jobs_.size(), multiplications(plan_->shape),
             [&](std::size_t i) { backward_filter ? run_backward_filter(jobs_[i]) : run_activations(jobs_[i]); });
    if (backward_filter) {
      add_filter_gradients();
    }
    if (!scaling_.plain()) {
      for (std::size_t i = 0; i < result_elements_; ++i) {
        scaling_.store(computed_[i], result_[i]);
      }
    }
  }

 private:
  static void execute(const Piece& piece, char* first, char* second, char* result, char* scratch) {
    const dnnl::memory::desc scratch_layout({static_cast<dnnl::memory::dim>(piece.scratch_bytes)},
                                            dnnl::memory::data_type::u8, dnnl::memory::format_tag::a);
    piece.primitive.execute(this_threads_stream(),
                            {{piece.first.argument, dnnl::memory(piece.first.primitives, engine(), first)},
                             {piece.second.argument, dnnl::memory(piece.second.primitives, engine(), second)},
                             {piece.result.argument, dnnl::memory(piece.result.primitives, engine(), result)},
                             {DNNL_ARG_SCRATCHPAD, dnnl::memory(scratch_layout, engine(), scratch)}});
  }

  static char* converted(const Operand& operand, char* callers, char* copy) {
    if (operand.copied()) {
      convert(operand, operand.callers, callers, operand.primitives, copy);
      return copy;
    }
    return callers;
  }

  void run_activations(const Job& job) const {
    use_one_thread();
    const Piece& piece = *job.piece;
    char* first = converted(piece.first, job.first, job.first_copy);
    execute(piece, first, piece.second.copied() ? shared_ : job.second,
            piece.result.copied() ? job.result_copy : job.result, job.scratch);
    if (piece.result.copied()) {
      convert(piece.result, piece.result.primitives, job.result_copy, piece.result.callers, job.result);
    }
  }

  void run_backward_filter(const Job& job) const {
    use_one_thread();
    char* first = converted(job.piece->first, job.first, job.first_copy);
    char* second = converted(job.piece->second, job.second, job.second_copy);
    execute(*job.piece, first, second, job.result_copy, job.scratch);
  }

  // Of the pieces, in order, in the primitive's layout; then to the caller's.
  void add_filter_gradients() const {
    const Operand& result = plan_->full.result;
    const std::size_t count = result.primitives.get_size() / sizeof(float);
    auto* sum = reinterpret_cast<float*>(jobs_[0].result_copy);
    for (std::size_t piece = 1; piece < jobs_.size(); ++piece) {
      const auto* term = reinterpret_cast<const float*>(jobs_[piece].result_copy);
      for (std::size_t i = 0; i < count; ++i) {
        sum[i] += term[i];
      }
    }
    if (result.copied()) {
      convert(result, result.primitives, sum, result.callers, jobs_[0].result);
    } else {
      std::memcpy(jobs_[0].result, sum, count * sizeof(float));
    }
  }

  std::shared_ptr<const Plan> plan_;
  char* second_;
  float* result_;
  char* shared_ = nullptr;
  Scaling scaling_;
  std::size_t result_elements_ = 0;
  std::vector<float> computed_;  // before alpha and beta, where they are not 1 and 0
  std::vector<Job> jobs_;
};

std::array<int, 4> output_dims(const Tensor& input, const Filter& filter, const Convolution& convolution) {
  require(input.dims[1] == filter.dims[1], CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
  std::array<int, 4> dims{input.dims[0], filter.dims[0], 0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    const int reach = (filter.dims[2 + i] - 1) * convolution.dilation[i] + 1,
              room = input.dims[2 + i] + 2 * convolution.padding[i] - reach;
    require(room >= 0, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    dims[2 + i] = room / convolution.stride[i] + 1;
  }
  return dims;
}

// The descriptors of one call, checked against each other and against what NVIDIA documents for the
// algorithm.
Shape checked(Direction direction, const void* input, const void* filter, const void* convolution, const void* output,
              bool algorithm_supported) {
  const Shape shape{direction, described<Tensor>(input), described<Tensor>(output), described<Filter>(filter),
                    described<Convolution>(convolution)};
  require(shape.input.type == shape.output.type && shape.input.type == shape.filter.type, CUDNN_STATUS_BAD_PARAM);
  require(shape.output.dims == output_dims(shape.input, shape.filter, shape.convolution),
          CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
  require_computable(shape.input);
  require_computable(shape.output);
  require_computable(shape.filter);
  require(shape.convolution.accumulate == CUDNN_DATA_FLOAT, CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE);
  require(shape.convolution.mode == CUDNN_CROSS_CORRELATION,
          CUDNN_STATUS_NOT_SUPPORTED);  // oneDNN has no mirrored filters
  require(algorithm_supported, CUDNN_STATUS_NOT_SUPPORTED);
  // A channels-last filter works on channels-last activations alone.
  require(shape.filter.format == CUDNN_TENSOR_NCHW ||
              (shape.input.format == CUDNN_TENSOR_NHWC && shape.output.format == CUDNN_TENSOR_NHWC),
          CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
  return shape;
}

// The algorithms that compute any shape in float32: which of them is named makes no difference
// here. The FFT and Winograd ones are not offered.
bool supported(cudnnConvolutionFwdAlgo_t algorithm) {
  return algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM ||
         algorithm == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM || algorithm == CUDNN_CONVOLUTION_FWD_ALGO_GEMM;
}
bool supported(cudnnConvolutionBwdDataAlgo_t algorithm) {
  return algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_0 || algorithm == CUDNN_CONVOLUTION_BWD_DATA_ALGO_1;
}
bool supported(cudnnConvolutionBwdFilterAlgo_t algorithm) {
  return algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 || algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1 ||
         algorithm == CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3;
}

void workspace_size(const void* handle, const Shape& shape, std::size_t* bytes) {
  handle_of(handle);
  require(bytes != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
  *bytes = plan_for(shape)->workspace;
}

void convolve(const char* name, const void* key, const Shape& shape, const void* first, const void* second,
              void* result, void* workspace, std::size_t bytes, const void* alpha, const void* beta) {
  const Handle handle = handle_of(key);
  const Scaling scaling(alpha, beta);
  const bool backward_filter = shape.direction == Direction::backward_filter;
  input(first, shape.direction == Direction::backward_data ? shape.output : shape.input);
  input(second, backward_filter ? shape.output : shape.filter);
  output(result, shape.direction == Direction::forward ? shape.output : backward_filter ? shape.filter : shape.input);
  auto plan = plan_for(shape);
  require(bytes >= plan->workspace, CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT);
  if (plan->workspace > 0) {
    require_device(workspace, plan->workspace);
  }
  auto call = std::make_shared<Call>(std::move(plan), first, second, result, workspace, scaling);
  submit(handle, name, [call] { call->run(); });
}

}  // namespace

DNN_API cudnnStatus_t cudnnGetConvolution2dForwardOutputDim(cudnnConvolutionDescriptor_t convolution,
                                                            cudnnTensorDescriptor_t input,
                                                            cudnnFilterDescriptor_t filter, int* n, int* c, int* h,
                                                            int* w) {
  return call("cudnnGetConvolution2dForwardOutputDim", [&] {
    require(n != nullptr && c != nullptr && h != nullptr && w != nullptr, CUDNN_STATUS_BAD_PARAM_NULL_POINTER);
    const std::array<int, 4> dims =
        output_dims(described<Tensor>(input), described<Filter>(filter), described<Convolution>(convolution));
    *n = dims[0];
    *c = dims[1];
    *h = dims[2];
    *w = dims[3];
  });
}

DNN_API cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, cudnnTensorDescriptor_t input,
                                                              cudnnFilterDescriptor_t filter,
                                                              cudnnConvolutionDescriptor_t convolution,
                                                              cudnnTensorDescriptor_t output,
                                                              cudnnConvolutionFwdAlgo_t algorithm, size_t* bytes) {
  return call("cudnnGetConvolutionForwardWorkspaceSize", [&] {
    workspace_size(handle, checked(Direction::forward, input, filter, convolution, output, supported(algorithm)),
                   bytes);
  });
}

DNN_API cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t handle, cudnnFilterDescriptor_t filter,
                                                                   cudnnTensorDescriptor_t output,
                                                                   cudnnConvolutionDescriptor_t convolution,
                                                                   cudnnTensorDescriptor_t input,
                                                                   cudnnConvolutionBwdDataAlgo_t algorithm,
                                                                   size_t* bytes) {
  return call("cudnnGetConvolutionBackwardDataWorkspaceSize", [&] {
    workspace_size(handle, checked(Direction::backward_data, input, filter, convolution, output, supported(algorithm)),
                   bytes);
  });
}

DNN_API cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t handle, cudnnTensorDescriptor_t input, cudnnTensorDescriptor_t output,
    cudnnConvolutionDescriptor_t convolution, cudnnFilterDescriptor_t filter, cudnnConvolutionBwdFilterAlgo_t algorithm,
    size_t* bytes) {
  return call("cudnnGetConvolutionBackwardFilterWorkspaceSize", [&] {
    workspace_size(
        handle, checked(Direction::backward_filter, input, filter, convolution, output, supported(algorithm)), bytes);
  });
}

DNN_API cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t x_desc,
                                              const void* x, cudnnFilterDescriptor_t w_desc, const void* w,
                                              cudnnConvolutionDescriptor_t convolution,
                                              cudnnConvolutionFwdAlgo_t algorithm, void* workspace, size_t bytes,
                                              const void* beta, cudnnTensorDescriptor_t y_desc, void* y) {
  return call("cudnnConvolutionForward", [&] {
    convolve("cudnnConvolutionForward", handle,
             checked(Direction::forward, x_desc, w_desc, convolution, y_desc, supported(algorithm)), x, w, y, workspace,
             bytes, alpha, beta);
  });
}

DNN_API cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                                   cudnnFilterDescriptor_t w_desc, const void* w,
                                                   cudnnTensorDescriptor_t dy_desc, const void* dy,
                                                   cudnnConvolutionDescriptor_t convolution,
                                                   cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace,
                                                   size_t bytes, const void* beta, cudnnTensorDescriptor_t dx_desc,
                                                   void* dx) {
  return call("cudnnConvolutionBackwardData", [&] {
    convolve("cudnnConvolutionBackwardData", handle,
             checked(Direction::backward_data, dx_desc, w_desc, convolution, dy_desc, supported(algorithm)), dy, w, dx,
             workspace, bytes, alpha, beta);
  });
}

DNN_API cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                                     cudnnTensorDescriptor_t x_desc, const void* x,
                                                     cudnnTensorDescriptor_t dy_desc, const void* dy,
                                                     cudnnConvolutionDescriptor_t convolution,
                                                     cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace,
                                                     size_t bytes, const void* beta, cudnnFilterDescriptor_t dw_desc,
                                                     void* dw) {
  return call("cudnnConvolutionBackwardFilter", [&] {
    convolve("cudnnConvolutionBackwardFilter", handle,
             checked(Direction::backward_filter, x_desc, dw_desc, convolution, dy_desc, supported(algorithm)), x, dy,
             dw, workspace, bytes, alpha, beta);
  });
}
