// Paths that part and meet, calls, tables, barriers, and what the lanes of a warp do together.
#include "harness.hpp"

using namespace portico::standin::test;

namespace {

using u32 = std::uint32_t;
using u64 = std::uint64_t;

// Runs a body that leaves its result in %r5, for one block.
std::vector<u32> results(const std::string& body, unsigned threads, const std::string& globals = "") {
  Bench bench;
  bench.x = bench.buffer(threads * 4);
  bench.y = bench.buffer(threads * 4);
  bench.run(
      kernel_text(body + "\nmul.wide.u32 %rd4, %r32, 4; add.s64 %rd6, %rd2, %rd4; st.global.u32 [%rd6], %r5;", globals),
      1, threads);
  return bench.read<u32>(bench.y, threads);
}

}  // namespace

TEST_CASE("lanes part, loop their own number of times, and meet again") {
  // Collatz steps of thread + 1; after the loop all lanes must be together for the vote.
  const std::string body =
      "add.u32 %r2, %r1, 1; mov.u32 %r5, 0;\n"
      "LOOP: setp.eq.u32 %p1, %r2, 1; @%p1 bra DONE;\n"
      "and.b32 %r3, %r2, 1; setp.eq.u32 %p2, %r3, 0; @%p2 bra EVEN;\n"
      "mad.lo.u32 %r2, %r2, 3, 1; bra NEXT;\n"
      "EVEN: shr.u32 %r2, %r2, 1;\n"
      "NEXT: add.u32 %r5, %r5, 1; bra.uni LOOP;\n"
      "DONE: activemask.b32 %r6; popc.b32 %r7, %r6; mad.lo.u32 %r5, %r7, 1000, %r5;";
  with_each_variant([&] {
    const std::vector<u32> got = results(body, 77);
    for (u32 t = 0; t < 77; ++t) {
      u32 steps = 0;
      for (u32 n = t + 1; n != 1; n = n % 2 ? 3 * n + 1 : n / 2) ++steps;
      CHECK(got[t] == steps + 1000 * (t < 64 ? 32 : 13));
    }
  });
}

TEST_CASE("early ends, predicates on all sorts, tables") {
  const std::vector<u32> got = results(
      "mov.u32 %r5, 7; setp.lt.u32 %p1, %r1, 5; setp.gt.u32 %p2, %r1, 20; or.pred %p3, %p1, %p2; not.pred %p4, %p3; "
      "xor.pred %p5, %p4, %p1;\n"
      "@%p3 mov.u32 %r5, 1; @!%p5 add.u32 %r5, %r5, 10;\n"
      "rem.u32 %r2, %r1, 3;\nTABLE: .branchtargets A, B, C;\nbrx.idx %r2, TABLE;\n"
      "A: add.u32 %r5, %r5, 100; bra END;\nB: add.u32 %r5, %r5, 200; bra END;\nC: add.u32 %r5, %r5, 300;\nEND: "
      "activemask.b32 %r9; popc.b32 %r9, %r9; mad.lo.u32 %r5, %r9, 10000, %r5;",
      32);
  for (u32 t = 0; t < 32; ++t) {
    const bool out = t < 5 || t > 20, p5 = !out != (t < 5);
    CHECK(got[t] == (out ? 1u : 7u) + (p5 ? 0 : 10) + 100 * (1 + t % 3) + 320000);
  }
}

TEST_CASE("functions: parameters, results, calls within calls, each with registers of its own") {
  const std::string globals =
      ".func (.param .b32 r) twice(.param .b32 a) { .reg .b32 %r<4>; ld.param.u32 %r1, [a]; add.u32 %r2, %r1, %r1; "
      "st.param.b32 [r], %r2; ret; }\n"
      ".func (.param .b32 r) pick(.param .b32 a, .param .b64 b) {\n"
      ".reg .b32 %r<6>; .reg .pred %p<2>; .reg .b64 %rd<3>;\n"
      "ld.param.u32 %r1, [a]; ld.param.u64 %rd1, [b]; cvt.u32.u64 %r2, %rd1; setp.gt.u32 %p1, %r1, 10; @%p1 bra L;\n"
      "st.param.b32 [r], %r2; ret;\n"
      "L: { .param .b32 q; st.param.b32 [q], %r1; .param .b32 s; call.uni (s), twice, (q); ld.param.b32 %r3, [s]; }\n"
      "st.param.b32 [r], %r3; ret; }\n";
  const std::vector<u32> got = results(
      "cvt.u64.u32 %rd7, %r1; add.s64 %rd7, %rd7, 1000; mov.u32 %r2, 5000;\n"
      "{ .param .b32 a; st.param.b32 [a], %r1; .param .b64 b; st.param.b64 [b], %rd7; .param .b32 r; call.uni (r), "
      "pick, (a, b); ld.param.b32 %r5, [r]; }\nadd.u32 %r5, %r5, %r2;",
      40, globals);
  for (u32 t = 0; t < 40; ++t) CHECK(got[t] == 5000 + (t > 10 ? 2 * t : 1000 + t));
  CHECK_THROWS_WITH(
      portico::standin::ptx::Module::parse(kHead + ".func f() { call f; ret; }\n.entry k() { call f; ret; }"),
      Catch::Contains("recursion"));
}

TEST_CASE("shuffles, votes, matches, reductions of a warp") {
  with_each_variant([] {
    CHECK(results("shfl.sync.down.b32 %r5|%p1, %r1, 4, 31, -1; @!%p1 add.u32 %r5, %r5, 100;", 32)[27] == 31);
    const std::vector<u32> down =
        results("shfl.sync.down.b32 %r5|%p1, %r1, 4, 31, -1; @!%p1 add.u32 %r5, %r5, 100;", 32);
    const std::vector<u32> up = results("shfl.sync.up.b32 %r5|%p1, %r1, 3, 0, -1; @!%p1 add.u32 %r5, %r5, 100;", 32);
    const std::vector<u32> bfly = results("shfl.sync.bfly.b32 %r5, %r1, 5, 31, -1;", 32);
    const std::vector<u32> idx =
        results("add.u32 %r2, %r1, 3; shfl.sync.idx.b32 %r5, %r1, %r2, 0x181f, -1;", 32);  // segments of 8
    for (u32 t = 0; t < 32; ++t) {
      CHECK(down[t] == (t < 28 ? t + 4 : t + 100));
      CHECK(up[t] == (t >= 3 ? t - 3 : t + 100));
      CHECK(bfly[t] == (t ^ 5));
      CHECK(idx[t] == ((t & 24) | ((t + 3) & 7)));
    }
    CHECK(results("and.b32 %r2, %r1, 1; setp.eq.u32 %p1, %r2, 1; vote.sync.ballot.b32 %r5, %p1, -1;", 32)[3] ==
          0xaaaaaaaa);
    CHECK(results("setp.lt.u32 %p1, %r1, 32; vote.sync.all.pred %p2, %p1, -1; selp.u32 %r5, 1, 0, %p2;", 32)[3] == 1);
    CHECK(results("setp.lt.u32 %p1, %r1, 31; vote.sync.all.pred %p2, %p1, -1; selp.u32 %r5, 1, 0, %p2;", 32)[3] == 0);
    CHECK(results("setp.eq.u32 %p1, %r1, 9; vote.sync.any.pred %p2, %p1, -1; selp.u32 %r5, 1, 0, %p2;", 32)[3] == 1);
    CHECK(results("rem.u32 %r2, %r1, 4; match.any.sync.b32 %r5, %r2, -1;", 32)[5] == 0x22222222);
    CHECK(results("match.all.sync.b32 %r5|%p1, %r31, -1; @!%p1 mov.u32 %r5, 5;", 32)[5] == 0xffffffff);
    CHECK(results("redux.sync.add.u32 %r5, %r1, -1;", 32)[5] == 496);
    CHECK(results("sub.s32 %r2, 5, %r1; redux.sync.min.s32 %r5, %r2, -1;", 32)[5] == static_cast<u32>(-26));
  });
}

TEST_CASE("barriers: all wait for all, with reductions over the block") {
  const std::string shared = ".shared .align 4 .b8 s[400];\n";
  const std::vector<u32> got = results(
      "mov.u32 %r2, s; shl.b32 %r3, %r32, 2; add.u32 %r3, %r2, %r3; st.shared.u32 [%r3], %r32; bar.sync 0;\n"
      "sub.u32 %r4, 99, %r32; shl.b32 %r4, %r4, 2; add.u32 %r4, %r2, %r4; ld.shared.u32 %r5, [%r4];\n"
      "and.b32 %r6, %r32, 1; setp.eq.u32 %p1, %r6, 0; barrier.sync 0; bar.red.popc.u32 %r7, 0, %p1; mad.lo.u32 %r5, "
      "%r7, 1000, %r5;\n"
      "bar.red.and.pred %p2, 0, %p1; bar.red.or.pred %p3, 0, %p1; @%p2 mov.u32 %r5, 0; @!%p3 mov.u32 %r5, 0;",
      100, shared);
  for (u32 t = 0; t < 100; ++t) CHECK(got[t] == 99 - t + 50000);
}

TEST_CASE("what is not known is named with its line") {
  const auto message = [](const std::string& body) {
    try {
      portico::standin::ptx::Module::parse(kernel_text(body));
    } catch (const portico::standin::ptx::ParseError& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  CHECK_THAT(message("\n\nfrobnicate.f32 %f1, %f2;"),
             Catch::Contains("PTX line 11") && Catch::Contains("frobnicate.f32 %f1, %f2;"));
  CHECK_THAT(message("add.f32 %f1, %f2, %nowhere;"), Catch::Contains("no register %nowhere"));
  CHECK_THAT(message("add.u32 %r1, %r2, %rd1;"), Catch::Contains("has 64 bits, the instruction wants 32"));
  CHECK_THAT(message("bra NOWHERE;"), Catch::Contains("no label NOWHERE"));
  CHECK_THAT(message("wmma.load.a.sync.aligned.row.m16n16k16.global.f16 {%r1}, [%rd1];"),
             Catch::Contains("does not know"));
  CHECK_THAT(message("add.u32 %r1, %r2"), Catch::Contains("PTX line"));
  CHECK_THAT(message("{ .param .b32 a; call (a), nobody, (a); }"), Catch::Contains("no function nobody"));
  CHECK_THAT(message(".reg .b128 %q<2>;"), Catch::Contains("b128"));
  CHECK_THROWS_WITH(portico::standin::ptx::Module::parse("this is no PTX"), Catch::Contains("PTX line 1"));
}
