// The capture slots, driver calls and all: what is captured runs at each replay and not before, and whatever goes wrong
// ends the capture and leaves nothing behind.
#include "harness.hpp"

namespace portico::test {
namespace {

using Graph = Owned<portico_graph>;

void begin(portico_stream* stream) { ok(backend().capture_begin(stream)); }

Graph end(portico_stream* stream) {
  portico_graph* graph = nullptr;
  ok(backend().capture_end(stream, &graph));
  return {graph, backend().graph_destroy};
}

}  // namespace

TEST_CASE("what is captured runs at each replay, on any stream, and not before") {
  const auto recording = make_stream(), stream = make_stream();
  const auto from = make_buffer(400), to = make_buffer(800);
  const Floats first = numbers(100, 1), second = numbers(100, 2);
  write(stream.get(), from.get(), first);
  ok(backend().fill(stream.get(), to.get(), 0, 0, 800));
  ok(backend().stream_synchronize(stream.get()));

  begin(recording.get());
  ok(backend().copy(recording.get(), to.get(), 0, from.get(), 0, 400));
  ok(backend().copy(recording.get(), to.get(), 400, to.get(), 0, 400));
  ok(backend().fill(recording.get(), to.get(), 0, 0x3f800000u, 4));
  const Graph graph = end(recording.get());
  CHECK(read(stream.get(), to.get(), 200) == Floats(200, 0.0f));

  for (const Floats& values : {first, second}) {
    write(stream.get(), from.get(), values);
    ok(backend().graph_launch(stream.get(), graph.get()));
    Floats expected = values;
    expected[0] = 1.0f;
    expected.insert(expected.end(), values.begin(), values.end());
    CHECK(read(stream.get(), to.get(), 200) == expected);
  }
}

TEST_CASE("a captured launch keeps its arguments, and its own copy of them") {
  const auto recording = make_stream(), stream = make_stream();
  const auto x = make_buffer(400), y = make_buffer(400);
  const auto program = make_program(kAdd);
  const auto kernel = make_kernel(program.get(), "add");
  write(stream.get(), x.get(), Floats(100, 1.0f));
  write(stream.get(), y.get(), Floats(100, 5.0f));
  begin(recording.get());
  {
    std::vector<portico_arg> args = {buffer_arg(x.get(), 3), buffer_arg(y.get(), 2), scalar_arg(77, 4)};
    const portico_launch call{.struct_size = sizeof(portico_launch),
                              .groups = {2, 1, 1},
                              .local = {32, 1, 1},
                              .arg_count = 3,
                              .args = args.data()};
    ok(backend().launch(recording.get(), kernel.get(), &call));
    args[2].value.bits = 78;  // the caller's memory is its own again
  }
  const Graph graph = end(recording.get());
  Floats expected(100, 5.0f);
  CHECK(read(stream.get(), y.get(), 100) == expected);
  for (int i = 0; i < 2; ++i) ok(backend().graph_launch(stream.get(), graph.get()));
  for (int i = 2; i < 79; ++i) expected[static_cast<std::size_t>(i)] += 2.0f;
  CHECK(read(stream.get(), y.get(), 100) == expected);
}

TEST_CASE("a product of the vendor's library is captured with the rest") {
  const auto recording = make_stream(), stream = make_stream();
  const auto a = make_buffer(16), b = make_buffer(16), c = make_buffer(16);
  portico_gemm call{};
  call.struct_size = sizeof call;
  call.dtype = PORTICO_F32;
  call.m = call.n = call.k = call.lda = call.ldb = call.ldc = 2;
  call.batch = 1;
  call.alpha = 1;
  call.a = buffer_arg(a.get(), 0);
  call.b = buffer_arg(b.get(), 0);
  call.c = buffer_arg(c.get(), 0);
  Lender lender(call);
  begin(recording.get());
  ok(backend().gemm(recording.get(), &call));
  const Graph graph = end(recording.get());
  write(stream.get(), b.get(), {1, 0, 0, 1});
  for (const Floats& values : {Floats{1, 2, 3, 4}, Floats{5, 6, 7, 8}}) {
    write(stream.get(), a.get(), values);
    ok(backend().graph_launch(stream.get(), graph.get()));
    CHECK(read(stream.get(), c.get(), 4) == values);
  }
}

TEST_CASE("a capture that is abandoned, or fails, is over") {
  const auto stream = make_stream();
  const auto to = make_buffer(400);
  const int kNotPermitted = 900;
  begin(stream.get());
  ok(backend().fill(stream.get(), to.get(), 0, 1, 400));
  ok(backend().capture_end(stream.get(), nullptr));
  const std::size_t before = alive();
  for (const auto& [cuda, hip] : {std::pair{"cuStreamEndCapture", "hipStreamEndCapture"},
                                  std::pair{"cuGraphInstantiateWithFlags", "hipGraphInstantiateWithFlags"}}) {
    begin(stream.get());
    ok(backend().fill(stream.get(), to.get(), 0, 1, 400));
    fail_next(cuda, hip, kNotPermitted);
    portico_graph* graph = nullptr;
    CHECK(backend().capture_end(stream.get(), &graph) == PORTICO_INTERNAL);
    CHECK(graph == nullptr);
  }
  fail_next("cuStreamBeginCapture_v2", "hipStreamBeginCapture", kNotPermitted);
  CHECK(backend().capture_begin(stream.get()) == PORTICO_INTERNAL);
  CHECK(alive() == before);
  // The stream works as before.
  const Floats values = numbers(100, 3);
  write(stream.get(), to.get(), values);
  CHECK(read(stream.get(), to.get(), 100) == values);
}

TEST_CASE("begin and end come in pairs") {
  const auto stream = make_stream();
  portico_graph* graph = nullptr;
  CHECK(backend().capture_end(stream.get(), &graph) == PORTICO_INTERNAL);
  CHECK(t_message.find("not capturing") != std::string::npos);
  begin(stream.get());
  CHECK(backend().capture_begin(stream.get()) == PORTICO_INTERNAL);
  CHECK(t_message.find("capturing already") != std::string::npos);
  ok(backend().capture_end(stream.get(), nullptr));
}

TEST_CASE("memory given back during a capture is freed after it") {
  const auto recording = make_stream(), stream = make_stream();
  const auto to = make_buffer(400);
  begin(recording.get());
  const std::size_t before = alive();
  {
    const auto from = make_buffer(400);
    write(stream.get(), from.get(), numbers(100, 4));
    ok(backend().copy(stream.get(), to.get(), 0, from.get(), 0, 400));
  }
  const std::size_t held = alive();
  CHECK(held > before);  // waiting for the queued copy would have ended the capture
  ok(backend().capture_end(recording.get(), nullptr));
  CHECK(alive() < held);
  CHECK(read(stream.get(), to.get(), 100) == numbers(100, 4));
}

TEST_CASE("a graph is destroyed while its replay is queued") {
  const auto recording = make_stream(), stream = make_stream();
  const auto to = make_buffer(4);
  begin(recording.get());
  ok(backend().fill(recording.get(), to.get(), 0, 0x40000000u, 4));
  {
    const Graph graph = end(recording.get());
    ok(backend().graph_launch(stream.get(), graph.get()));
  }
  CHECK(read(stream.get(), to.get(), 1) == Floats{2.0f});
}

TEST_CASE("a launch of a graph that fails says so") {
  const auto stream = make_stream();
  begin(stream.get());
  const Graph graph = end(stream.get());
  fail_next("cuGraphLaunch", "hipGraphLaunch", 2);  // out of memory on both
  CHECK(backend().graph_launch(stream.get(), graph.get()) == PORTICO_OUT_OF_MEMORY);
  CHECK(t_message.find("launching a graph") != std::string::npos);
  ok(backend().graph_launch(stream.get(), graph.get()));
}

}  // namespace portico::test
