// Small wrong kernels, each caught with kernel, line, thread and address; and right ones beside them that pass.
#include "harness.hpp"

using namespace portico::standin;
using namespace portico::standin::test;

namespace {

const std::string kShared = ".shared .align 4 .b8 s[512];\n";
// %r3: the thread's own word of s; %r4: its neighbour's.
const std::string kWords =
    "mov.u32 %r2, s; shl.b32 %r3, %r32, 2; add.u32 %r3, %r2, %r3; add.u32 %r4, %r32, 1; rem.u32 %r4, %r4, %r31; "
    "shl.b32 %r4, %r4, 2; add.u32 %r4, %r2, %r4;\n";
const std::string kOut = "mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd2, %rd4; st.global.u32 [%rd5], %r5;";

struct Setup {
  Bench bench;
  Setup() {
    bench.x = bench.buffer(4096);
    bench.y = bench.buffer(4096);
  }
};

}  // namespace

TEST_CASE("outside, released, null, foreign, misaligned") {
  with_each_variant([] {
    Setup s;
    const Outcome behind = outcome(
        s.bench, kernel_text("mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd1, %rd4;\nld.global.u32 %r5, [%rd5+3700];"),
        1, 128);
    CHECK(behind.kind == "outside");
    CHECK(behind.place.thread[0] == 99);
    CHECK(behind.place.kernel == "k");
    CHECK(behind.place.text == "ld.global.u32 %r5, [%rd5+3700];");
    CHECK_THAT(behind.message, Catch::Contains("PTX line " + std::to_string(behind.place.line)) &&
                                   Catch::Contains("0 bytes behind the block of 4096 bytes"));
    CHECK(outcome(s.bench, kernel_text("st.global.u32 [%rd1+-4], %r1;"), 1, 1).kind == "outside");
    CHECK_THAT(outcome(s.bench, kernel_text("mov.u64 %rd4, 0; ld.global.u32 %r5, [%rd4];"), 1, 1).message,
               Catch::Contains("null pointer"));
    CHECK(outcome(s.bench, kernel_text("ld.global.u32 %r5, [%rd1+2];"), 1, 1).kind == "misaligned");
    CHECK(outcome(s.bench, kernel_text("ld.global.v4.u32 {%r5, %r6, %r7, %r8}, [%rd1+8];"), 1, 1).kind == "misaligned");
    CHECK(outcome(s.bench, kernel_text("ld.global.v4.u32 {%r5, %r6, %r7, %r8}, [%rd1+16];"), 1, 1).kind == "none");
    CHECK(outcome(s.bench, kernel_text("mov.u32 %r2, s; ld.shared.u32 %r5, [%r2+512];", kShared), 1, 1).kind ==
          "outside");
    CHECK(
        outcome(s.bench, kernel_text(".local .align 4 .b8 l[16]; mov.u64 %rd4, l; st.local.u32 [%rd4+16], %r1;"), 1, 1)
            .kind == "outside");
    CHECK(
        outcome(s.bench,
                kernel_text("mov.u64 %rd4, t; cvta.const.u64 %rd4, %rd4; st.u32 [%rd4], %r1;", ".const .u32 t = 1;\n"),
                1, 1)
            .kind == "outside");
    s.bench.memory.release(reinterpret_cast<void*>(s.bench.x));
    CHECK(outcome(s.bench, kernel_text("ld.global.u32 %r5, [%rd1];"), 1, 1).kind == "released");
    Setup other;
    s.bench.x = other.bench.x;
    CHECK_THAT(outcome(s.bench, kernel_text("ld.global.u32 %r5, [%rd1];"), 1, 1).message,
               Catch::Contains("another device"));
  });
}

TEST_CASE("reads of what nothing has written: global, shared, local, and copies that nobody waited for") {
  with_each_variant([] {
    Setup s;
    s.bench.x = s.bench.buffer(4096, false);
    const Outcome first =
        outcome(s.bench,
                kernel_text("mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd1, %rd4; setp.ne.u32 %p1, %r1, 77;\n"
                            "@%p1 st.global.u32 [%rd5], %r1; ld.global.u32 %r5, [%rd5];"),
                1, 128);
    CHECK(first.kind == "unset");
    CHECK(first.place.thread[0] == 77);
    CHECK(outcome(s.bench, kernel_text("ld.global.u8 %r5, [%rd1+600];"), 1, 1).kind == "unset");
    CHECK(outcome(s.bench, kernel_text("st.global.u8 [%rd1+600], %h1; ld.global.u8 %r5, [%rd1+600];"), 1, 1).kind ==
          "none");
    CHECK(outcome(s.bench, kernel_text(kWords + "ld.shared.u32 %r5, [%r3];", kShared), 1, 32).kind == "unset");
    CHECK(outcome(s.bench, kernel_text(".local .align 4 .b8 l[16]; mov.u64 %rd4, l; ld.local.u32 %r5, [%rd4];"), 1, 32)
              .kind == "unset");
    // Shared memory is fresh in every block: what block 0 wrote is gone in block 1.
    CHECK(outcome(
              s.bench,
              kernel_text(kWords + "setp.eq.u32 %p1, %r30, 0; @%p1 st.shared.u32 [%r3], %r1; ld.shared.u32 %r5, [%r3];",
                          kShared),
              2, 32)
              .place.block[0] == 1);
    const std::string copy = kWords +
                             "mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd2, %rd4; cp.async.ca.shared.global [%r3], "
                             "[%rd5], 4; cp.async.commit_group;\n";
    CHECK(outcome(s.bench, kernel_text(copy + "ld.shared.u32 %r5, [%r3];", kShared), 1, 32).kind == "unset");
    CHECK(
        outcome(s.bench, kernel_text(copy + "cp.async.wait_group 1; ld.shared.u32 %r5, [%r3];", kShared), 1, 32).kind ==
        "unset");
    CHECK(
        outcome(s.bench, kernel_text(copy + "cp.async.wait_group 0; ld.shared.u32 %r5, [%r3];", kShared), 1, 32).kind ==
        "none");
    Checks checks;
    checks.unset = false;
    CHECK(outcome(s.bench, kernel_text(kWords + "ld.shared.u32 %r5, [%r3];", kShared), 1, 32, checks).kind == "none");
  });
}

TEST_CASE("races in shared memory") {
  with_each_variant([] {
    Setup s;
    const auto kind = [&](const std::string& body, unsigned threads = 96) {
      return outcome(s.bench, kernel_text(kWords + body, kShared), 1, threads).kind;
    };
    const std::string fill = "st.shared.u32 [%r3], %r1; bar.sync 0;\n";
    CHECK(kind("st.shared.u32 [%r3], %r1; bar.sync 0; ld.shared.u32 %r5, [%r4];") == "none");
    CHECK(kind(fill + "st.shared.u32 [%r3], %r1; ld.shared.u32 %r5, [%r4];") == "race");  // no barrier between
    CHECK(kind(fill + "ld.shared.u32 %r5, [%r4]; st.shared.u32 [%r3], %r5;") == "race");  // write after read
    CHECK(kind(fill + "ld.shared.u32 %r5, [%r4]; bar.sync 0; st.shared.u32 [%r3], %r5;") == "none");
    CHECK(kind("st.shared.u32 [%r2], %r1;") == "race");  // all to one word
    CHECK(kind("setp.eq.u32 %p1, %r1, 5; @%p1 st.shared.u32 [%r2], %r1; bar.sync 0; ld.shared.u32 %r5, [%r2];") ==
          "none");
    CHECK(kind("setp.eq.u32 %p1, %r1, 5; @%p1 st.shared.u32 [%r2], %r1; bar.sync 0; ld.shared.u32 %r5, [%r2]; "
               "setp.eq.u32 %p1, %r1, 70; @%p1 st.shared.u32 [%r2], %r1;") == "race");
    CHECK(kind(fill + "atom.shared.add.u32 %r5, [%r2], 1;") == "none");
    CHECK(kind(fill + "atom.shared.add.u32 %r5, [%r2], 1; setp.eq.u32 %p1, %r1, 70; @%p1 st.shared.u32 [%r2], %r1;") ==
          "race");
    CHECK(kind(fill + "st.volatile.shared.u32 [%r2], %r1;") == "none");
    // One warp: bar.warp.sync is enough, nothing is not.
    CHECK(kind("st.shared.u32 [%r3], %r1; bar.warp.sync -1; ld.shared.u32 %r5, [%r4];", 32) == "none");
    CHECK(kind(fill + "st.shared.u32 [%r3], %r1; ld.shared.u32 %r5, [%r4];", 32) == "race");
    CHECK(kind(fill + "st.shared.u32 [%r3], %r1; bar.warp.sync -1; ld.shared.u32 %r5, [%r4];", 64) ==
          "race");  // lane 31 reads the other warp's
    // The sync of one warp orders nothing that another one did.
    CHECK(kind(fill + "setp.lt.u32 %p1, %r32, 32; @%p1 st.shared.u32 [%r3], %r1; bar.warp.sync -1;\n"
                      "@!%p1 ld.shared.u32 %r5, [%r3+-128];",
               64) == "race");
    // Bytes of one word are different words to the race check.
    CHECK(kind("add.u32 %r6, %r2, %r32; st.shared.u8 [%r6], %r1;") == "none");
    CHECK(kind("shr.u32 %r6, %r32, 1; add.u32 %r6, %r2, %r6; st.shared.u8 [%r6], %r1;") == "race");
    const Outcome said = outcome(
        s.bench, kernel_text(kWords + fill + "st.shared.u32 [%r3], %r1; ld.shared.u32 %r5, [%r4];", kShared), 1, 96);
    CHECK_THAT(said.message, Catch::Contains("races with an access of thread (") && Catch::Contains("of this block"));
    Checks checks;
    checks.races = false;
    CHECK(outcome(s.bench, kernel_text(kWords + "st.shared.u32 [%r2], %r1;", kShared), 1, 96, checks).kind == "none");
  });
}

TEST_CASE("races in global memory, within a block and between blocks") {
  with_each_variant([] {
    Setup s;
    const auto kind = [&](const std::string& body, unsigned blocks = 4) {
      return outcome(s.bench, kernel_text(body), blocks, 64).kind;
    };
    const std::string own = "mul.wide.u32 %rd4, %r1, 4; add.s64 %rd5, %rd1, %rd4;\n";
    CHECK(kind(own + "st.global.u32 [%rd5], %r1; ld.global.u32 %r5, [%rd5];") == "none");
    CHECK(kind(own + "ld.global.u32 %r5, [%rd1]; st.global.u32 [%rd5+64], %r5;") == "none");  // all read one word
    CHECK(kind("st.global.u32 [%rd1], %r1;", 1) == "race");
    CHECK(kind("setp.eq.u32 %p1, %r32, 0; @%p1 st.global.u32 [%rd1], %r1;") == "race");  // one thread of each block
    CHECK(kind("setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%rd1], %r1; bar.sync 0; ld.global.u32 %r5, [%rd1];") ==
          "race");  // a barrier ties one block only
    CHECK(kind("setp.eq.u32 %p1, %r1, 0; @%p1 st.global.u32 [%rd1], %r1; bar.sync 0; ld.global.u32 %r5, [%rd1];", 1) ==
          "none");
    CHECK(kind("ld.global.u32 %r5, [%rd1]; setp.eq.u32 %p1, %r1, 200; @%p1 st.global.u32 [%rd1], %r1;") ==
          "race");  // read by others before
    CHECK(kind("red.global.add.u32 [%rd1], 1;") == "none");
    // The last block sums up: partial results, fence, ticket.
    const std::string partial = own + "st.global.u32 [%rd5], 1; bar.sync 0; setp.ne.u32 %p1, %r32, 0; @%p1 bra END;\n";
    const std::string last =
        "atom.global.inc.u32 %r6, [%rd2], 3; setp.ne.u32 %p2, %r6, 3; @%p2 bra END; ld.global.u32 %r5, [%rd1];\nEND:";
    CHECK(kind(partial + "membar.gl; " + last) == "none");
    CHECK(kind(partial + last) == "race");
    // Another launch is another time.
    CHECK(kind(own + "st.global.u32 [%rd5], %r1;") == "none");
    CHECK(
        kind(
            own +
            "sub.u32 %r2, 255, %r1; mul.wide.u32 %rd4, %r2, 4; add.s64 %rd5, %rd1, %rd4; st.global.u32 [%rd5], %r1;") ==
        "none");
    const Outcome said =
        outcome(s.bench, kernel_text("setp.eq.u32 %p1, %r32, 3; @%p1 st.global.u32 [%rd1], %r1;"), 2, 64);
    CHECK_THAT(said.message, Catch::Contains("thread (3,0,0) of block (0,0,0)"));
    CHECK(said.place.block[0] == 1);
  });
}

TEST_CASE("barriers that not all threads reach") {
  with_each_variant([] {
    Setup s;
    const auto kind = [&](const std::string& body) { return outcome(s.bench, kernel_text(body), 1, 96).kind; };
    CHECK(kind("bar.sync 0;") == "none");
    CHECK(kind("setp.lt.u32 %p1, %r1, 40; @%p1 bar.sync 0;") == "barrier");                  // half a warp
    CHECK(kind("setp.lt.u32 %p1, %r1, 64; @!%p1 bra END; bar.sync 0;\nEND:") == "barrier");  // a whole warp stays away
    CHECK(kind("setp.lt.u32 %p1, %r1, 90; @!%p1 ret; bar.sync 0;") == "barrier");            // some have left
    CHECK(kind("setp.lt.u32 %p1, %r1, 64; @%p1 bra A; bar.sync 0; bra END;\nA: bar.sync 0;\nEND:") ==
          "barrier");  // two barriers
    CHECK(kind("setp.lt.u32 %p1, %r1, 40; vote.sync.any.pred %p2, %p1, -1; @%p1 vote.sync.any.pred %p2, %p1, -1;") ==
          "barrier");
    CHECK(kind("setp.lt.u32 %p1, %r1, 64; @!%p1 bra END; bar.sync 1, 64;\nEND:") == "none");  // a barrier for 64
    const Outcome said = outcome(s.bench, kernel_text("setp.lt.u32 %p1, %r1, 40; @%p1 bar.sync 0;"), 1, 96);
    CHECK(said.place.thread[0] == 40);
    Checks checks;
    checks.barriers = false;
    CHECK(outcome(s.bench, kernel_text("setp.lt.u32 %p1, %r1, 64; @!%p1 bra END; bar.sync 0;\nEND:"), 1, 96, checks)
              .kind == "none");
  });
}

TEST_CASE("traps, kernels without end, launches that no device takes") {
  Setup s;
  CHECK(outcome(s.bench, kernel_text("setp.eq.u32 %p1, %r1, 3; @%p1 trap;"), 1, 8).place.thread[0] == 3);
  Checks checks;
  checks.max_instructions = 100000;
  CHECK(outcome(s.bench, kernel_text("L: bra L;"), 1, 8, checks).kind == "trap");
  CHECK(outcome(s.bench, kernel_text("bar.sync 0;"), 1, 8, checks).kind == "none");
  CHECK(outcome(s.bench, kernel_text(""), 1, 1025).kind == "launch");
  CHECK(outcome(s.bench, kernel_text(""), 0, 8).kind == "launch");
  CHECK(outcome(s.bench, kernel_text("", ".shared .b8 big[300000];\n"), 1, 8).kind ==
        "none");  // not used, so not there
  CHECK(outcome(s.bench, kernel_text("mov.u32 %r2, big;", ".shared .b8 big[300000];\n"), 1, 8).kind == "launch");
  // One warp spins on a word that the next one writes: it gets its turn.
  CHECK(outcome(s.bench,
                kernel_text("setp.gt.u32 %p1, %r1, 31; @%p1 bra W;\nL: ld.volatile.global.u32 %r5, [%rd1]; setp.eq.u32 "
                            "%p2, %r5, 0; @%p2 bra L; bra END;\n"
                            "W: st.volatile.global.u32 [%rd1], 1;\nEND:"),
                1, 64)
            .kind == "none");
}
