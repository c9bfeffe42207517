// What a graph refuses, and that a refusal, or any other error while recording, leaves everything as it was.
#include <thread>

#include "catch.hpp"
#include "twins.hpp"

namespace portico::test {
namespace {

/// The error that `call` ends with.
template <typename Call>
Error error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return {ErrorCode::internal, "nothing was thrown"};
}

void check_error(const Error& error, ErrorCode code, const std::string& begin, const std::string& part) {
  INFO(error.what());
  CHECK(error.code() == code);
  CHECK(std::string(error.what()).starts_with(begin));
  CHECK(std::string(error.what()).find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("what cannot be recorded is named, with the reason, and nothing is broken", "[graph]") {
  const Device device = Device::current();
  const Stream other = device.create_stream();
  const Tensor x = Tensor::ones({4});
  const struct {
    const char* begin;
    const char* part;
    std::function<void()> call;
  } cases[] = {
      {"item: cannot be recorded", "after replay()", [&] { sum(x).item(); }},
      {"to_vector: cannot be recorded", "after replay()", [&] { x.to_vector(); }},
      {"to_ints: cannot be recorded", "after replay()", [&] { x.to(DType::i32).to_ints(); }},
      {"Buffer::read: cannot be recorded", "after replay()",
       [&] {
         std::byte byte{};
         x.buffer().read(0, {&byte, 1});
       }},
      {"Tensor::from: cannot be recorded", "from the host", [] { Tensor::from({1.0f}, {1}); }},
      {"Tensor::from_ints: cannot be recorded", "from the host",
       [] {
         const std::int32_t value = 1;
         Tensor::from_ints({&value, 1}, {1});
       }},
      {"copy_from: cannot be recorded", "from the host", [&] { x.copy_from(std::vector<float>(4)); }},
      {"Device::synchronize: cannot be recorded", "runs at replay()", [&] { device.synchronize(); }},
      {"Stream::synchronize: cannot be recorded", "runs at replay()", [&] { other.synchronize(); }},
      {"Device::stream: cannot be recorded", "replayed on whatever stream", [&] { device.stream(); }},
      {"Event: cannot be recorded", "the stream that replay() goes to", [&] { Event{other}; }},
      {"Device::empty_cache: cannot be recorded", "waits", [&] { device.empty_cache(); }},
      {"StreamGuard: cannot be recorded", "around replay()",
       [&] {
         const StreamGuard guard(other);
         relu(x);
       }},
  };
  Training training(adam()), untouched(adam());
  training.load(0);
  untouched.load(0);
  training.step();
  untouched.step();
  for (const auto& refused : cases) {
    INFO(refused.begin);
    const Error error = error_of([&] {
      Graph::record([&] {
        training.step();
        refused.call();
      });
    });
    check_error(error, ErrorCode::unsupported, refused.begin, refused.part);
    CHECK_FALSE(recording());
    CHECK(training.net().parameters()[0].grad().to_vector() == untouched.net().parameters()[0].grad().to_vector());
  }
  training.step();
  untouched.step();
  CHECK(training.state() == untouched.state());
}

TEST_CASE("an exception of the step itself ends the recording", "[graph]") {
  struct Own {};
  CHECK_THROWS_AS(Graph::record([] { throw Own(); }), Own);
  CHECK_FALSE(recording());
  const Tensor x = Tensor::full({3}, 2.0f);
  CHECK((x * x).to_vector() == std::vector<float>(3, 4.0f));
}

TEST_CASE("graphs do not nest, and an empty one does nothing", "[graph]") {
  const Tensor x = Tensor::ones({3});
  const Graph inner = Graph::record([&] { x.copy_from(relu(x)); });
  check_error(error_of([&] { Graph::record([] { Graph::record([] {}); }); }), ErrorCode::invalid_argument,
              "Graph::record", "do not nest");
  check_error(error_of([&] { Graph::record([&] { inner.replay(); }); }), ErrorCode::invalid_argument, "Graph::replay",
              "do not nest");
  CHECK_FALSE(recording());
  check_error(error_of([] { Graph().replay(); }), ErrorCode::invalid_argument, "Graph::replay", "empty");
  const Graph nothing = Graph::record([] {});
  nothing.replay();
  CHECK(nothing.info().launches == 0);
}

TEST_CASE("a tensor made while recording holds nothing before the first replay", "[graph]") {
  const Tensor x = Tensor::full({3}, 2.0f);
  Tensor y;
  const Graph graph = Graph::record([&] { y = x * x; });
  check_error(error_of([&] { y.to_vector(); }), ErrorCode::invalid_argument, "tensor:", "replay() first");
  graph.replay();
  CHECK(y.to_vector() == std::vector<float>(3, 4.0f));
  Tensor lost;
  CHECK_THROWS_AS(Graph::record([&] {
                    lost = x * x;
                    lost.item();
                  }),
                  Error);
  check_error(error_of([&] { lost.to_vector(); }), ErrorCode::invalid_argument, "tensor:", "make the tensor again");
}

TEST_CASE("inputs of another shape, dtype or number are refused, and nothing runs", "[graph]") {
  const Tensor x = Tensor::zeros({2, 3}), total = Tensor::zeros({});
  const Graph graph = Graph::record({x}, [&] { total.copy_from(sum(x)); });
  graph.replay({Tensor::ones({2, 3})});
  CHECK(total.item() == 6.0f);
  for (const Tensor& wrong : {Tensor::ones({3, 3}), Tensor::ones({2, 3}, {.dtype = DType::f16})})
    check_error(error_of([&] { graph.replay({wrong}); }), ErrorCode::invalid_argument, "Graph::replay: input 0 is ",
                "recorded with f32[2,3]");
  check_error(error_of([&] { graph.replay({}); }), ErrorCode::invalid_argument, "Graph::replay: 0 inputs", "with 1");
  check_error(error_of([&] { graph.replay({Tensor()}); }), ErrorCode::invalid_argument, "Graph::replay: input 0",
              "undefined");
  CHECK(total.item() == 6.0f);
}

TEST_CASE("a graph's memory is nobody else's while it lives", "[graph]") {
  const Device device = Device::current();
  device.empty_cache();
  const Tensor x = Tensor::full({1000}, 3.0f);
  Tensor y;
  const std::uint64_t before = device.memory().in_use;
  {
    const Graph graph = Graph::record([&] { y = exp(x * x) - exp(x); });
    CHECK(graph.info().memory_bytes >= 3 * 4000);
    CHECK(device.memory().in_use >= before + graph.info().memory_bytes);
    graph.replay();
    const std::vector<float> once = y.to_vector();
    // Whatever is made now would be given the step's freed intermediates, were they in the pool.
    std::vector<Tensor> others;
    for (int i = 0; i < 8; ++i) others.push_back(Tensor::full({1000}, -1.0f));
    graph.replay();
    CHECK(y.to_vector() == once);
    for (const Tensor& other : others) CHECK(other.to_vector() == std::vector<float>(1000, -1.0f));
  }
  CHECK(y.to_vector()[0] == Approx(std::exp(9.0) - std::exp(3.0)));  // the tensor keeps its own
  y = {};
  CHECK(device.memory().in_use == before);
}

TEST_CASE("a tensor that a graph reads is kept alive by it", "[graph]") {
  const Tensor y = Tensor::zeros({500});
  Graph graph;
  {
    const Tensor x = Tensor::full({500}, 5.0f);
    graph = Graph::record([&] { y.copy_from(x * x); });
  }
  const Tensor other = Tensor::full({500}, 1.0f);  // would get the memory
  graph.replay();
  CHECK(y.to_vector() == std::vector<float>(500, 25.0f));
  const Graph moved = std::move(graph);
  moved.replay();
  CHECK_FALSE(graph);
}

TEST_CASE("labels that a loss refuses are reported after a replay, as after the step", "[graph]") {
  Training training(sgd());
  const Graph graph = Graph::record([&] { training.step(); });
  training.load(0);
  graph.replay();
  CHECK(std::isfinite(training.loss.item()));
  training.labels.copy_from(Tensor::from_ints(std::vector<std::int32_t>{0, 1, 2, 9, 0, 0, 0, 0}, {8}));
  graph.replay();
  check_error(error_of([&] { training.loss.item(); }), ErrorCode::invalid_argument, "cross_entropy: label 9 in row 3",
              "is not in [0, 5)");
  training.load(1);
  graph.replay();
  CHECK(std::isfinite(training.loss.item()));
}

TEST_CASE("any thread replays, on any stream, while others work", "[graph]") {
  const Device device = Device::current();
  const Tensor x = Tensor::full({256}, 1.0f);
  const Graph graph = Graph::record([&] { x.copy_from(x + x); });
  const Stream other = device.create_stream();
  const auto work = [&] {
    for (int i = 0; i < 20; ++i) CHECK((Tensor::full({64}, 2.0f) * 2.0f).to_vector()[63] == 4.0f);
  };
  std::thread eager(work), replaying([&] {
    const StreamGuard guard(other);
    for (int i = 0; i < 4; ++i) graph.replay();
  });
  eager.join();
  replaying.join();
  for (int i = 0; i < 4; ++i) graph.replay();
  CHECK(x.to_vector() == std::vector<float>(256, 256.0f));

  // Another thread's work goes on beside a recording, and is not in it.
  std::thread beside;
  const Graph second = Graph::record([&] {
    beside = std::thread(work);
    beside.join();
    x.copy_from(x + x);
  });
  CHECK(second.info().launches == graph.info().launches);
  second.replay();
  CHECK(x.to_vector() == std::vector<float>(256, 512.0f));
}

TEST_CASE("step counts that have come apart are refused", "[graph]") {
  Training training(adam());
  const Graph graph = Graph::record([&] { training.step(); });
  training.load(0);
  graph.replay();
  const std::vector<Tensor>& parameters = training.optimizer->parameters();
  for (std::size_t i = 1; i < parameters.size(); ++i) parameters[i].clear_grad();
  training.optimizer->step();  // the first parameter alone
  check_error(error_of([&] { graph.replay(); }), ErrorCode::invalid_argument, "Adam: parameters 0 and 1",
              "record again");
}

}  // namespace portico::test
