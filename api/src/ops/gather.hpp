// What data and train need from kernels: batches out of a set on the device, and counting right answers. No gradients.
#pragma once

#include <cstdint>

#include "portico/tensor.hpp"

namespace portico::detail {

/// images[b] = pixels[order[first + b]] * scale + shift and labels[b] likewise, for the images.dim(0) rows of a batch.
/// pixels is u8 [count, ...], all_labels and order are i32 and lie within [0, count): the caller's promise.
void gather_images(const Tensor& pixels, const Tensor& all_labels, const Tensor& order, std::int64_t first,
                   const Tensor& images, const Tensor& labels, float scale, float shift);

/// hits[first + row] = 1 where logits [n, classes] are largest at labels [n], else 0.
void count_hits(const Tensor& logits, const Tensor& labels, const Tensor& hits, std::int64_t first);

}  // namespace portico::detail
