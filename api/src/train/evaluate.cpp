#include <span>

#include "modes.hpp"
#include "ops/gather.hpp"
#include "portico/autograd.hpp"
#include "portico/ops.hpp"
#include "portico/train/train.hpp"

namespace portico::train {

Evaluation evaluate(nn::Module& model, data::Loader& data) {
  const NoGrad no_grad;
  const ModeGuard mode(model, false);
  const Device device = data.device();

  // One read for everything at the end: a read a batch would drain the queue every time.
  const Tensor hits = Tensor::empty({data.examples()}, {.dtype = DType::i32, .device = device});
  const Tensor losses = Tensor::empty({data.batches()}, {.device = device});
  std::vector<std::int64_t> sizes;

  data.start_epoch(0);
  Evaluation result;
  for (data::Batch batch; data.next(batch);) {
    const Tensor logits = model(batch.images);
    const auto at = static_cast<std::int64_t>(sizes.size());
    losses.rows(at, at + 1).copy_from(cross_entropy(logits, batch.labels).reshape({1}));
    detail::count_hits(logits, batch.labels, hits, result.examples);
    sizes.push_back(batch.labels.count());
    result.examples += sizes.back();
  }
  if (result.examples == 0) return result;

  const std::vector<float> loss = losses.to_vector();
  for (std::size_t i = 0; i < sizes.size(); ++i) result.loss += loss[i] * static_cast<double>(sizes[i]);
  std::int64_t right = 0;
  for (const std::int32_t hit : hits.to_ints()) right += hit;
  result.loss /= static_cast<double>(result.examples);
  result.accuracy = static_cast<double>(right) / static_cast<double>(result.examples);
  return result;
}

Tensor predict(nn::Module& model, const Tensor& images) {
  const NoGrad no_grad;
  const ModeGuard mode(model, false);
  return softmax(model(images));
}

}  // namespace portico::train
