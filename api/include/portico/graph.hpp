// Graph: a step of work recorded once and replayed at a fraction of its host cost.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "portico/tensor.hpp"

namespace portico {

namespace detail {
class RecordedGraph;
}

/// What a recorded step holds.
struct GraphInfo {
  std::size_t launches = 0;      ///< kernels, products, copies and fills that a replay queues
  std::size_t memory_bytes = 0;  ///< device memory of its intermediate results, its own while the graph lives
  bool by_driver = false;        ///< the backend replays it (CUDA graph, HIP graph, OpenCL command list), not the core
};

/// What a function queued on a device, to be queued again as a whole: a CUDA or HIP graph, an OpenCL command buffer or
/// list of prepared launches, or a list of the core's own, as the backend has it. Results are bit for bit those of
/// calling the function, as far as both use the same kernels (OpenCL's CLBlast cannot be recorded; own kernels stand
/// in).
///
///   Graph step = Graph::record([&] {
///     optimizer.clear_grad();
///     loss = cross_entropy(model(images), labels);
///     loss.backward();
///     optimizer.step();
///   });
///   for (...) { images.copy_from(...); labels.copy_from(...); step.replay(); }
///
/// **Recording runs nothing on the device.** The function's code on the host runs once: what it decides (shapes, `if`s,
/// numbers passed by value) is recorded as it was. The first replay() is the step's first execution; until then reading
/// a tensor that was made inside is an `Error{invalid_argument}`.
///
/// **What changes from replay to replay** without recording again: everything in tensors that were made before the
/// recording (inputs, parameters, a loss scale given as `backward(scale)`'s seed), and what the library feeds in
/// through device memory: learning rates and step counts of optimizers, seed and position of the random Generator
/// (dropout, Tensor::uniform and normal). A replay advances those as a call of the step would.
///
/// **What cannot be recorded** throws `Error{unsupported}` naming the operation and why, through record(): everything
/// that waits for a result (item, to_vector, synchronize; hence shapes that depend on data), that brings bytes from the
/// host (Tensor::from, copy_from of host values), events, and work on another stream or device. The recording is then
/// abandoned: gradients are as before, and other tensors made inside must not be used.
///
/// **Memory.** What the step allocates belongs to the graph and is handed to nobody else while the graph, or a tensor
/// in it, lives. Tensors made before and used inside are kept alive.
///
/// Errors that kernels report (labels out of range) come, as without a graph, with the next call that waits.
class PORTICO_API Graph {
 public:
  Graph() = default;  ///< empty; replay() is an `Error{invalid_argument}`

  /// Runs `step` once on the calling thread, recording instead of executing. The device is Device::current(). Throws
  /// `Error{invalid_argument}` when the thread is recording already, and whatever `step` throws.
  static Graph record(const std::function<void()>& step);
  /// The same with tensors that replay(inputs) will fill. Their device is the graph's.
  static Graph record(std::vector<Tensor> inputs, const std::function<void()>& step);

  /// Queues the recorded step on the calling thread's current stream of the graph's device and returns. Any thread;
  /// calls from several threads at once take turns. Not while recording (`Error{invalid_argument}`).
  void replay() const;
  /// Copies each of `inputs` into the tensor that record() was given in its place, then replays. Throws
  /// `Error{invalid_argument}` for another number, shape or dtype of inputs; nothing is queued then.
  void replay(std::initializer_list<Tensor> inputs) const;

  explicit operator bool() const noexcept { return impl_ != nullptr; }
  Device device() const;
  GraphInfo info() const;

 private:
  std::shared_ptr<detail::RecordedGraph> impl_;
  std::vector<Tensor> inputs_;
};

/// True while the calling thread records.
PORTICO_API bool recording() noexcept;

}  // namespace portico
