#include "ops/gather.hpp"

#include <algorithm>

#include "ops/common.hpp"

namespace portico::detail {

void gather_images(const Tensor& pixels, const Tensor& all_labels, const Tensor& order, std::int64_t first,
                   const Tensor& images, const Tensor& labels, float scale, float shift) {
  static const KernelFamily kGather("gather", "gather_images");
  const std::int64_t count = images.dim(0);
  if (count == 0) return;
  const std::int64_t size = images.count() / count;
  const Device device = pixels.device();
  const bool cpu = cpu_shape(device);
  const std::uint32_t group = cpu ? 1 : std::min<std::uint32_t>(128, device.info().max_group_size);
  // A CPU wants a few groups a core, no more; a GPU one group an image.
  const std::int64_t groups =
      cpu ? std::min<std::int64_t>(count, 4 * std::max(1u, device.info().compute_units)) : count;
  kGather.get(device, key(group), [&] { return Spec().set("WG", group); })(
      {.groups = {as_u32(groups, "gather_images"), 1, 1}, .local = {group, 1, 1}},
      {pixels.arg(), all_labels.arg(), order.arg(), images.arg(), labels.arg(), as_u32(first, "gather_images"),
       as_u32(count, "gather_images"), as_u32(size, "gather_images"), scale, shift});
}

void count_hits(const Tensor& logits, const Tensor& labels, const Tensor& hits, std::int64_t first) {
  static const KernelFamily kHits("hits", "count_hits");
  if (logits.rank() != 2 || labels.rank() != 1 || logits.dim(0) != labels.dim(0) || logits.dim(1) < 1)
    throw Error(ErrorCode::invalid_argument, "accuracy: logits " + logits.shape().to_string() +
                                                 " need [n, classes] and labels [n], got labels " +
                                                 labels.shape().to_string());
  if (logits.dim(0) == 0) return;
  const Tensor rows = row_major(logits);
  const Device device = rows.device();
  kHits.get(device, key(logits.dtype()), [&] { return Spec().set("REAL", word(logits.dtype())); })(
      flat_grid(device, rows.dim(0)), {rows.arg(), labels.arg(), hits.rows(first, first + rows.dim(0)).arg(),
                                       as_u32(rows.dim(0), "accuracy"), as_u32(rows.dim(1), "accuracy")});
}

}  // namespace portico::detail
