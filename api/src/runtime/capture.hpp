// Recording what a thread queues on a device, and queueing it again: the device's side of graph.hpp.
//
// A recording has a stream of its own, which the thread's work goes to while it lasts. Where the plugin has the capture
// slots it writes the calls down; else CallList does. Memory allocated meanwhile is the graph's (graph_memory.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/call_list.hpp"
#include "runtime/device_impl.hpp"
#include "runtime/graph_memory.hpp"

namespace portico::detail {

/// Words of device memory that are written anew before each replay; kernels read there what they take by value
/// otherwise.
struct Values {
  Buffer buffer;
  std::size_t first = 0;  ///< in words of four bytes
  Arg arg() const { return {buffer, first, 4}; }
};

/// How values come about. `fill` gives them for the next replay, `advance` follows once that is queued.
struct ValueSource {
  std::size_t words = 0;
  std::function<void(std::span<std::uint32_t>)> fill;
  std::function<void()> advance;  ///< may be empty
};

class RecordedGraph;

/// A recording under way on this thread.
class Recorder {
 public:
  /// Begins; throws when the thread records already.
  explicit Recorder(DeviceImpl& device);
  /// Ends it; abandons what finish() has not taken.
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// The calling thread's; null when it does not record.
  static Recorder* current();

  std::shared_ptr<RecordedGraph> finish();

  DeviceImpl& device() const { return device_; }
  const StreamImpl& stream() const { return stream_; }
  std::uint64_t number() const { return number_; }  ///< from 1, no two alike in a process

  Values values(ValueSource source);
  /// The graph keeps the block alive and is ordered behind its other users.
  void hold(Block& block);
  /// Its contents change with every replay.
  void changed(Block& block);
  /// A kernel that writes the device's report word was recorded.
  void expect_report() { reports_ = true; }
  /// Called when the recording is abandoned, latest first.
  void on_abandon(std::function<void()> undo) { undo_.push_back(std::move(undo)); }

  std::shared_ptr<Block> allocate(std::size_t bytes) { return memory_->allocate(bytes, stream_); }
  portico_status launch(KernelImpl& kernel, const portico_launch& call);
  portico_status gemm(const portico_gemm& call);
  portico_status conv(const portico_conv& call);
  portico_status copy(portico_buffer* to, std::size_t to_offset, portico_buffer* from, std::size_t from_offset,
                      std::size_t bytes);
  portico_status fill(portico_buffer* to, std::size_t offset, std::uint32_t pattern, std::size_t bytes);

 private:
  friend class RecordedGraph;
  void leave() noexcept;

  DeviceImpl& device_;
  StreamImpl& origin_;  ///< where the thread's work went before, and goes again afterwards
  StreamImpl stream_;
  const std::uint64_t number_;
  bool by_plugin_;
  bool active_ = false, finished_ = false;
  std::shared_ptr<GraphMemory> memory_;
  CallList calls_;
  std::size_t count_ = 0;
  std::unordered_map<Block*, std::shared_ptr<Block>> held_;
  std::unordered_set<Block*> changed_;
  Buffer values_;
  std::size_t words_ = 0;
  std::vector<ValueSource> sources_;
  std::vector<KernelImpl*> new_kernels_;  ///< not launched before: the disk cache wants them once they have run
  bool reports_ = false;
  std::vector<std::function<void()>> undo_;
};

/// Throws `Error{unsupported}` "<what>: cannot be recorded into a graph: <why>" when the calling thread records.
void refuse_while_recording(const char* what, const char* why);
[[noreturn]] void refuse_recording(const char* what, const char* why);

/// What was recorded.
class RecordedGraph {
 public:
  explicit RecordedGraph(Recorder& recorder, portico_graph* graph);
  ~RecordedGraph();
  RecordedGraph(const RecordedGraph&) = delete;
  RecordedGraph& operator=(const RecordedGraph&) = delete;

  void replay();

  DeviceImpl& device() const { return device_; }
  std::size_t calls() const { return count_; }
  std::size_t memory_bytes() const { return memory_->bytes(); }
  bool by_plugin() const { return graph_ != nullptr; }

 private:
  void order_behind(StreamImpl& stream);
  void choose_values();
  portico_status queue();

  DeviceImpl& device_;
  portico_stream* const recorded_on_;  ///< lives as long as the graph: a library's workspace may hang on it
  portico_graph* const graph_;         ///< null: calls_ has it
  CallList calls_;
  const std::size_t count_;
  std::shared_ptr<GraphMemory> memory_;
  std::vector<std::shared_ptr<Block>> held_;
  std::vector<Block*> changed_;
  Buffer values_;
  std::vector<std::uint32_t> words_;
  std::vector<ValueSource> sources_;
  std::vector<KernelImpl*> new_kernels_;
  const bool reports_;

  std::mutex mutex_;         ///< one replay at a time: sources change their state
  StreamImpl* last_stream_;  ///< of the last replay; before the first, what was current when recording
  bool ran_ = false;
};

}  // namespace portico::detail
