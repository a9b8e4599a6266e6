// What training on tuples of images (section 3.1) reports.
#include "common.cuh"
#include "ring.cuh"

constexpr int kTupleMetricsWords = 4;

// One row of the ring is {step, loss, accuracy of the tuples, accuracy of the images}: n tuples of
// k images each, loss the mean of tuple_loss(n), plus the mean of image_loss(n k) unless that is
// null. An accuracy is the mean of [y p > 0]: a tie counts as wrong. One block.
extern "C" __global__ void __launch_bounds__(1024)
    tuple_metrics(int n, int k, const float* __restrict__ tuple_loss, const float* __restrict__ image_loss,
                  const float* __restrict__ tuple_score, const float* __restrict__ tuple_label,
                  const float* __restrict__ image_score, const float* __restrict__ image_label,
                  const unsigned* __restrict__ step, int slots, float* __restrict__ ring, long long replica_stride) {
  to_replica(replica_stride, tuple_loss, image_loss, tuple_score, tuple_label, image_score, image_label, step, ring);
  const int images = n * k;
  float tuple_sum = 0.0f, image_sum = 0.0f, tuples_right = 0.0f, images_right = 0.0f;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    tuple_sum += tuple_loss[i];
    tuples_right += tuple_label[i] * tuple_score[i] > 0.0f ? 1.0f : 0.0f;
  }
  for (int i = threadIdx.x; i < images; i += blockDim.x) {
    images_right += image_label[i] * image_score[i] > 0.0f ? 1.0f : 0.0f;
  }
  for (int i = threadIdx.x; image_loss != nullptr && i < images; i += blockDim.x) {
    image_sum += image_loss[i];
  }
  tuple_sum = block_sum(tuple_sum);
  image_sum = block_sum(image_sum);
  tuples_right = block_sum(tuples_right);
  images_right = block_sum(images_right);
  if (threadIdx.x == 0) {
    float* row = ring_row(ring, step, slots, kTupleMetricsWords);
    row[1] = tuple_sum / static_cast<float>(n) + image_sum / static_cast<float>(images);
    row[2] = tuples_right / static_cast<float>(n);
    row[3] = images_right / static_cast<float>(images);
  }
}
