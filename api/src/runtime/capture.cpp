#include "runtime/capture.hpp"

#include <atomic>
#include <utility>

#include "runtime/debug.hpp"
#include "runtime/status.hpp"
#include "runtime/trace.hpp"

namespace portico::detail {
namespace {

// Room for the values of a graph: a few words an optimizer launch, four a random operation.
constexpr std::size_t kMostWords = 4096;

thread_local Recorder* t_recorder = nullptr;
std::atomic<std::uint64_t> g_recordings{0};

DeviceImpl& not_nested(DeviceImpl& device) {
  if (t_recorder != nullptr)
    throw Error(ErrorCode::invalid_argument,
                "Graph::record: this thread is recording already; graphs do not nest, record them one after the other");
  return device;
}

bool plugin_captures(const portico_backend& api) {
  return api.capture_begin != nullptr && api.capture_end != nullptr && api.graph_launch != nullptr &&
         api.graph_destroy != nullptr;
}

}  // namespace

void refuse_recording(const char* what, const char* why) {
  throw Error(ErrorCode::unsupported, std::string(what) + ": cannot be recorded into a graph: " + why);
}

void refuse_while_recording(const char* what, const char* why) {
  if (t_recorder != nullptr) refuse_recording(what, why);
}

// ---- Recording

Recorder* Recorder::current() { return t_recorder; }

Recorder::Recorder(DeviceImpl& device)
    : device_(not_nested(device)),
      origin_(device.current_stream()),
      stream_{.device = &device, .handle = nullptr, .number = UINT32_MAX, .recorder = this},
      number_(++g_recordings),
      by_plugin_(plugin_captures(device.api)) {
  // What lives longer than the graph must not come from its memory.
  device_.report_word();
  values_ = Access::device(device_).allocate(kMostWords * 4);
  memory_ = std::make_shared<GraphMemory>(device_, origin_);
  check(device_.api.stream_create(device_.handle, &stream_.handle), "Graph::record on " + device_.label);
  const portico_status status = by_plugin_ ? device_.api.capture_begin(stream_.handle) : PORTICO_OK;
  if (status == PORTICO_UNSUPPORTED) {
    take_message();
    by_plugin_ = false;  // an old driver; the core's list does
  } else if (status != PORTICO_OK) {
    device_.api.stream_destroy(stream_.handle);
    fail(status, "Graph::record on " + device_.label);
  }
  t_recorder = this;
  DeviceImpl::begin_recording();
  DeviceImpl::push_current_stream(stream_);
  active_ = true;
}

void Recorder::leave() noexcept {
  if (!active_) return;
  active_ = false;
  t_recorder = nullptr;
  DeviceImpl::pop_current_stream();
  DeviceImpl::end_recording();
}

Recorder::~Recorder() {
  leave();
  if (finished_) return;
  if (by_plugin_) device_.api.capture_end(stream_.handle, nullptr);
  while (!undo_.empty()) {
    undo_.back()();
    undo_.pop_back();
  }
  memory_->close();
  device_.api.stream_destroy(stream_.handle);
}

std::shared_ptr<RecordedGraph> Recorder::finish() {
  leave();
  portico_graph* graph = nullptr;
  if (by_plugin_) {
    // Failed or not, the capture is over then.
    const portico_status status = device_.api.capture_end(stream_.handle, &graph);
    if (status != PORTICO_OK) {
      finished_ = true;
      const std::string message = take_message();
      for (; !undo_.empty(); undo_.pop_back()) undo_.back()();
      memory_->close();
      device_.api.stream_destroy(stream_.handle);
      throw Error(ErrorCode::unsupported, "Graph::record on " + device_.label + ": " + message);
    }
  }
  finished_ = true;
  return std::make_shared<RecordedGraph>(*this, graph);
}

Values Recorder::values(ValueSource source) {
  if (words_ + source.words > kMostWords)
    throw Error(ErrorCode::unsupported,
                "Graph::record: more than " + std::to_string(kMostWords) +
                    " words of values that change from replay to replay; record the step in parts");
  Values place{values_, words_};
  words_ += source.words;
  sources_.push_back(std::move(source));
  return place;
}

void Recorder::hold(Block& block) {
  if (memory_->owns(block) || held_.contains(&block)) return;
  held_.emplace(&block, block.shared_from_this());
}

void Recorder::changed(Block& block) {
  if (block.device != &device_) return;
  hold(block);
  changed_.insert(&block);
}

portico_status Recorder::launch(KernelImpl& kernel, const portico_launch& call) {
  ++count_;
  if (!kernel.launched.load(std::memory_order_relaxed)) new_kernels_.push_back(&kernel);
  if (by_plugin_) return device_.api.launch(stream_.handle, kernel.handle, &call);
  calls_.launch(kernel.handle, call);
  return PORTICO_OK;
}

portico_status Recorder::gemm(const portico_gemm& call) {
  if (!by_plugin_) return PORTICO_UNSUPPORTED;
  const portico_status status = device_.api.gemm(stream_.handle, &call);
  count_ += status == PORTICO_OK;
  return status;
}

portico_status Recorder::conv(const portico_conv& call) {
  if (!by_plugin_) return PORTICO_UNSUPPORTED;
  const portico_status status = device_.api.conv(stream_.handle, &call);
  count_ += status == PORTICO_OK;
  return status;
}

portico_status Recorder::copy(portico_buffer* to, std::size_t to_offset, portico_buffer* from, std::size_t from_offset,
                              std::size_t bytes) {
  ++count_;
  if (by_plugin_) return device_.api.copy(stream_.handle, to, to_offset, from, from_offset, bytes);
  calls_.copy(to, to_offset, from, from_offset, bytes);
  return PORTICO_OK;
}

portico_status Recorder::fill(portico_buffer* to, std::size_t offset, std::uint32_t pattern, std::size_t bytes) {
  ++count_;
  if (by_plugin_) return device_.api.fill(stream_.handle, to, offset, pattern, bytes);
  calls_.fill(to, offset, pattern, bytes);
  return PORTICO_OK;
}

// ---- What was recorded

RecordedGraph::RecordedGraph(Recorder& recorder, portico_graph* graph)
    : device_(recorder.device_),
      recorded_on_(recorder.stream_.handle),
      graph_(graph),
      calls_(std::move(recorder.calls_)),
      count_(recorder.count_),
      memory_(std::move(recorder.memory_)),
      changed_(recorder.changed_.begin(), recorder.changed_.end()),
      values_(std::move(recorder.values_)),
      words_(recorder.words_),
      sources_(std::move(recorder.sources_)),
      new_kernels_(std::move(recorder.new_kernels_)),
      reports_(recorder.reports_),
      last_stream_(&recorder.origin_) {
  held_.reserve(recorder.held_.size());
  for (auto& [block, owner] : recorder.held_) held_.push_back(std::move(owner));
  if (sources_.empty()) values_ = {};
}

RecordedGraph::~RecordedGraph() {
  if (graph_ != nullptr) device_.api.graph_destroy(graph_);
  device_.api.stream_destroy(recorded_on_);
  memory_->close();
}

// As DeviceImpl::use() for every block of the graph. With one stream there is nothing to do but on the first replay.
void RecordedGraph::order_behind(StreamImpl& stream) {
  if (!device_.has_other_streams() && last_stream_ == &stream && ran_) return;
  StreamImpl* last_tied = &stream;
  const auto behind = [&](StreamImpl* last) {
    if (last == last_tied || last == &stream) return;
    device_.tie_streams(*last, stream);
    last_tied = last;
  };
  behind(last_stream_);
  for (const std::shared_ptr<Block>& block : held_) {
    StreamImpl* last = block->last_stream.load(std::memory_order_relaxed);
    if (last == nullptr) DeviceImpl::refuse_never_run();
    behind(last);
    block->last_stream.store(&stream, std::memory_order_relaxed);
  }
  memory_->each([&](Block& block) {
    if (StreamImpl* last = block.last_stream.load(std::memory_order_relaxed)) behind(last);
    block.last_stream.store(&stream, std::memory_order_relaxed);
  });
  last_stream_ = &stream;
}

void RecordedGraph::choose_values() {
  std::size_t at = 0;
  for (const ValueSource& source : sources_) {
    source.fill(std::span(words_).subspan(at, source.words));
    at += source.words;
  }
}

portico_status RecordedGraph::queue() {
  const auto streams = device_.lock_streams();
  StreamImpl& stream = device_.current_stream();
  order_behind(stream);
  if (!words_.empty()) {
    const portico_status status =
        device_.api.write(stream.handle, Access::block(values_)->handle, 0, words_.data(), words_.size() * 4);
    if (status != PORTICO_OK) return status;
  }
  ran_ = true;
  const auto run = [&] {
    return graph_ != nullptr ? device_.api.graph_launch(stream.handle, graph_) : calls_.run(device_.api, stream.handle);
  };
  return trace_enabled() ? trace_call(stream, "graph replay", run) : run();
}

void RecordedGraph::replay() {
  if (t_recorder != nullptr)
    throw Error(ErrorCode::invalid_argument, "Graph::replay: this thread is recording; graphs do not nest");
  const std::lock_guard lock(mutex_);
  choose_values();
  portico_status status = queue();
  if (status == PORTICO_OUT_OF_MEMORY && !DeviceImpl::some_thread_records()) [[unlikely]] {
    device_.pool.trim();  // a driver may make room for a graph only when it first runs
    status = queue();
  }
  // A plugin may queue later and tell of an error then. The guards, which the replay writes, want to know now.
  if (status == PORTICO_OK && debug_enabled()) [[unlikely]]
    status = device_.api.stream_synchronize(device_.current_stream().handle);
  if (status != PORTICO_OK) [[unlikely]] {
    memory_->each([](Block& block) { block.guarded = false; });  // who knows which guards the replay came to write
    fail(status, "Graph::replay on " + device_.label);
  }
  for (KernelImpl* kernel : new_kernels_)
    if (!kernel->launched.load(std::memory_order_relaxed)) save_later(*kernel);
  new_kernels_.clear();
  for (const ValueSource& source : sources_)
    if (source.advance) source.advance();
  for (Block* block : changed_) block->version.fetch_add(1, std::memory_order_relaxed);
  if (reports_) device_.expect_report();
}

}  // namespace portico::detail
