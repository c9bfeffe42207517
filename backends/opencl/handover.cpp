#include "backends/opencl/handover.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "backends/opencl/objects.hpp"

namespace portico::opencl {
namespace {

// Drivers have exit handlers, after which they must not be called. Handlers run in reverse order, and a driver's are
// there before the first replay.
class Running {
 public:
  static Running& instance() {
    static Running& running = *new Running;
    return running;
  }
  void add(Handover& handover) {
    const std::lock_guard lock(mutex_);
    if (all_.empty()) std::atexit([] { instance().stop(); });
    all_.push_back(&handover);
  }
  void remove(Handover& handover) {
    const std::lock_guard lock(mutex_);
    std::erase(all_, &handover);
  }

 private:
  void stop() {
    if (getpid() != process_) return;  // a child made by fork() has neither the threads nor a say about the locks
    std::vector<Handover*> all;
    {
      const std::lock_guard lock(mutex_);
      all = all_;
    }
    for (Handover* each : all) each->stop();
  }

  const pid_t process_ = getpid();
  std::mutex mutex_;
  std::vector<Handover*> all_;
};

}  // namespace

bool Handover::start() {
  if (thread_.joinable()) return true;
  if (stopped_) return false;
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {
    stopped_ = true;  // no thread now, none later: replays cost what they cost
    return false;
  }
  Running::instance().add(*this);
  return true;
}

void Handover::stop() noexcept {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    thread.swap(thread_);
  }
  if (!thread.joinable()) return;
  wake_.notify_all();
  thread.join();
  Running::instance().remove(*this);
}

void Handover::work() {
  std::unique_lock lock(mutex_);
  const auto first = [this]() -> portico_stream* {
    for (portico_stream* stream : streams_)
      if (!stream->handed_over.begun) return stream;
    return nullptr;
  };
  while (!stopped_) {
    if (portico_stream* stream = first())
      queue(*stream, lock);
    else
      wake_.wait(lock);
  }
}

// What is queued late cannot be tried again by the core, which would take "out of memory" for the call's own.
void Handover::queue(portico_stream& stream, std::unique_lock<std::mutex>& lock) noexcept {
  HandedOver& replay = stream.handed_over;
  replay.begun = true;
  lock.unlock();
  std::optional<Failure> failure;
  try {
    queue_replay(stream, *replay.graph, Retry::here);
  } catch (Failure& caught) {
    failure = std::move(caught);
  } catch (const std::exception& caught) {
    failure = Failure{PORTICO_INTERNAL, caught.what()};
  }
  lock.lock();
  replay.failure = std::move(failure);
  replay.graph = nullptr;
  replay.begun = false;
  std::erase(streams_, &stream);
  queued_.notify_all();
}

void Handover::finish(portico_stream& stream, std::unique_lock<std::mutex>& lock) noexcept {
  while (stream.handed_over.graph != nullptr) {
    if (stream.handed_over.begun)
      queued_.wait(lock);
    else
      queue(stream, lock);
  }
}

void Handover::throw_failure(portico_stream& stream, bool forget) {
  if (!stream.handed_over.failure) return;
  Failure failure = *stream.handed_over.failure;
  if (forget) stream.handed_over.failure.reset();
  stream.unsettled.store(!forget, std::memory_order_release);
  throw failure;
}

bool Handover::take(portico_stream& stream, portico_graph& graph) {
  std::unique_lock lock(mutex_);
  finish(stream, lock);
  stream.unsettled.store(false, std::memory_order_release);
  throw_failure(stream, true);
  if (!start()) return false;
  streams_.push_back(&stream);
  stream.handed_over.graph = &graph;
  stream.queued.fetch_add(1, std::memory_order_release);  // the stream is not idle from here on
  stream.unsettled.store(true, std::memory_order_release);
  lock.unlock();
  wake_.notify_one();
  return true;
}

void Handover::settle(portico_stream& stream, bool forget) {
  std::unique_lock lock(mutex_);
  finish(stream, lock);
  stream.unsettled.store(false, std::memory_order_release);
  throw_failure(stream, forget);
}

void Handover::settle(portico_graph& graph) noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto found = std::find_if(streams_.begin(), streams_.end(),
                                    [&](portico_stream* stream) { return stream->handed_over.graph == &graph; });
    if (found == streams_.end()) return;
    finish(**found, lock);
  }
}

}  // namespace portico::opencl
