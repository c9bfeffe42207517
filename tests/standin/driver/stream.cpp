#include "tests/standin/driver/stream.hpp"

#include <cstdlib>
#include <string_view>

#include "tests/standin/driver/device.hpp"

namespace portico::standin {

Order order() {
  static const Order chosen = [] {
    const char* text = std::getenv("PORTICO_STANDIN_ORDER");
    const std::string_view name = text ? text : "eager";
    if (name == "late") return Order::late;
    if (name == "random") return Order::random;
    if (name == "eager") return Order::eager;
    std::fprintf(stderr, "stand-in: PORTICO_STANDIN_ORDER is \"%s\", expected eager, late or random\n", text);
    std::abort();
  }();
  return chosen;
}

Clock clock() {
  static const Clock chosen = [] {
    const char* text = std::getenv("PORTICO_STANDIN_CLOCK");
    const std::string_view name = text ? text : "host";
    if (name == "stated") return Clock::stated;
    if (name == "host") return Clock::host;
    std::fprintf(stderr, "stand-in: PORTICO_STANDIN_CLOCK is \"%s\", expected host or stated\n", text);
    std::abort();
  }();
  return chosen;
}

void Marker::reach(Device& device) {
  const std::lock_guard lock(mutex_);
  done_ = true;
  using std::chrono::steady_clock;
  when_ = clock() == Clock::host ? steady_clock::now()
                                 : steady_clock::time_point(std::chrono::duration_cast<steady_clock::duration>(
                                       std::chrono::duration<double, std::milli>(device.stated_milliseconds())));
  changed_.notify_all();
}

void Marker::wait() {
  if (const auto stream = stream_.lock()) stream->demand(position_);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return done_; });
}

// Asking is no waiting, but a program that asks again and again has to get on.
bool Marker::done() {
  if (const auto stream = stream_.lock()) stream->demand(position_);
  const std::lock_guard lock(mutex_);
  return done_;
}

std::chrono::steady_clock::time_point Marker::when() {
  const std::lock_guard lock(mutex_);
  return when_;
}

Stream::Stream(Device& owner) : device(owner) {
  static std::atomic<unsigned> number{0};
  const char* seed = std::getenv("PORTICO_STANDIN_SEED");
  pauses_.seed((seed ? static_cast<unsigned>(std::strtoul(seed, nullptr, 10)) : 1u) * 7919u + ++number);
}

std::shared_ptr<Stream> Stream::make(Device& device) {
  std::shared_ptr<Stream> made(new Stream(device));
  made->worker_ = std::thread([stream = made.get()] { stream->work_off(); });
  return made;
}

Stream::~Stream() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    demanded_ = queued_;
    changed_.notify_all();
  }
  // The last owner may be the worker itself, at the end of an item that held the stream.
  if (worker_.get_id() == std::this_thread::get_id())
    worker_.detach();
  else
    worker_.join();
}

void Stream::start(Item item) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(item));
  ++queued_;
  changed_.notify_all();
}

void Stream::submit(Work work) { start({std::move(work), nullptr, nullptr}); }

std::shared_ptr<Marker> Stream::mark() {
  const std::lock_guard lock(mutex_);
  auto marker = std::make_shared<Marker>(weak_from_this(), ++queued_);
  queue_.push_back({{}, marker, nullptr});
  changed_.notify_all();
  return marker;
}

void Stream::wait_for(std::shared_ptr<Marker> marker) { start({{}, nullptr, std::move(marker)}); }

void Stream::demand(std::uint64_t position) {
  if (order() != Order::late) return;
  const std::lock_guard lock(mutex_);
  demanded_ = std::max(demanded_, position);
  changed_.notify_all();
}

void Stream::drain() {
  std::unique_lock lock(mutex_);
  const std::uint64_t target = queued_;
  demanded_ = std::max(demanded_, target);
  changed_.notify_all();
  changed_.wait(lock, [&] { return finished_ >= target; });
}

bool Stream::idle() {
  const std::lock_guard lock(mutex_);
  demanded_ = queued_;
  changed_.notify_all();
  return finished_ == queued_;
}

void Stream::perform(Item& item) {
  if (item.awaited) item.awaited->wait();
  if (item.work.call || item.work.run) {
    if (order() == Order::random && pauses_() % 4 == 0)
      std::this_thread::sleep_for(std::chrono::microseconds(pauses_() % 400));
    if (device.lost() == kOk) {
      const int code = item.work.call ? item.work.call->kernel->run(*item.work.call, device, lane_) : item.work.run();
      if (code != kOk) device.lose(code);
      device.spend(item.work.milliseconds);
    }
  }
  if (item.reached) item.reached->reach(device);
}

void Stream::work_off() {
  std::unique_lock lock(mutex_);
  std::uint64_t performed = 0;
  bool in_lane = false;  // kernels were handed to the lane and may still run
  const auto available = [&] { return !queue_.empty() && (order() != Order::late || performed < demanded_); };
  const auto settle = [&] {
    lock.unlock();
    if (lane_) lane_->finish();
    lock.lock();
    in_lane = false;
    finished_ = performed;
    changed_.notify_all();
  };
  for (;;) {
    if (!available()) {
      if (in_lane) {
        settle();
        continue;
      }
      if (ending_) return;
      changed_.wait(lock);
      continue;
    }
    Item item = std::move(queue_.front());
    queue_.pop_front();
    const bool kernel = item.work.call != nullptr;
    if (in_lane && !kernel) settle();
    lock.unlock();
    perform(item);
    item = {};
    lock.lock();
    ++performed;
    in_lane = kernel;
    if (!in_lane) {
      finished_ = performed;
      changed_.notify_all();
    }
  }
}

}  // namespace portico::standin
