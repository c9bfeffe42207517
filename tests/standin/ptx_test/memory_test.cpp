// Loads, stores, atomics, address spaces, asynchronous copies, matrices; and the table of a device's memory.
#include <bit>
#include <cmath>
#include <thread>

#include "harness.hpp"

using namespace portico::standin;
using namespace portico::standin::test;

namespace {
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
}  // namespace

TEST_CASE("widths, signs and vectors, contiguous and scattered") {
  with_each_variant([] {
    Bench bench;
    std::vector<std::uint8_t> x(4096);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(i * 37 + 11);
    bench.x = bench.buffer(x);
    bench.y = bench.buffer(64 * 64);
    bench.run(kernel_text("mul.wide.u32 %rd4, %r1, 16; add.s64 %rd5, %rd1, %rd4; mul.wide.u32 %rd4, %r1, 64; add.s64 "
                          "%rd6, %rd2, %rd4;\n"
                          "ld.global.s8 %r2, [%rd5+3]; ld.global.u8 %h1, [%rd5+4]; ld.global.s16 %rd7, [%rd5+6]; "
                          "ld.global.v2.u16 {%h2, %h3}, [%rd5+8];\n"
                          "ld.global.v4.u8 {%h4, %h5, %h6, %h7}, [%rd5+12]; ld.global.v4.u32 {%r3, %r4, %r5, %r6}, "
                          "[%rd5]; ld.global.v2.u64 {%rd8, %rd9}, [%rd5];\n"
                          "st.global.u32 [%rd6], %r2; st.global.u8 [%rd6+4], %h1; st.global.u64 [%rd6+8], %rd7; "
                          "st.global.v2.u16 [%rd6+16], {%h3, %h2};\n"
                          "st.global.v4.u8 [%rd6+20], {%h7, %h6, %h5, %h4}; st.global.v4.u32 [%rd6+32], {%r6, %r5, "
                          "%r4, %r3}; st.global.v2.u64 [%rd6+48], {%rd9, %rd8};"),
              1, 50);
    const auto y = bench.read<std::uint8_t>(bench.y, 64 * 64);
    for (std::size_t t = 0; t < 50; ++t) {
      const std::uint8_t *from = &x[16 * t], *to = &y[64 * t];
      const auto as32 = [](const std::uint8_t* p) {
        u32 v;
        std::memcpy(&v, p, 4);
        return v;
      };
      CHECK(as32(to) == static_cast<u32>(static_cast<std::int8_t>(from[3])));
      CHECK(to[4] == from[4]);
      CHECK((to[8] == from[6] && to[9] == from[7] && to[12] == (from[7] & 0x80 ? 0xff : 0)));
      CHECK((to[16] == from[10] && to[17] == from[11] && to[18] == from[8]));
      CHECK((to[20] == from[15] && to[23] == from[12]));
      for (int k = 0; k < 4; ++k) CHECK(as32(to + 32 + 4 * k) == as32(from + 12 - 4 * k));
      CHECK((std::memcmp(to + 48, from + 8, 8) == 0 && std::memcmp(to + 56, from, 8) == 0));
    }
  });
}

TEST_CASE("module variables, local memory, generic addresses of all spaces, dynamic shared memory") {
  const std::string globals =
      ".const .align 4 .u32 table[4] = {10, 20, 30, 40};\n.global .align 8 .u64 pointer = generic(counter);\n"
      ".global .align 4 .u32 counter = 5;\n.global .align 4 .u32 zero[2];\n.extern .shared .align 16 .b8 "
      "dynamic[];\n.shared .align 4 .u32 fixed;\n";
  const std::string body =
      ".local .align 8 .b8 depot[32]; .reg .b64 %SP;\n"
      "and.b32 %r2, %r1, 3; mul.wide.u32 %rd4, %r2, 4; mov.u64 %rd5, table; add.s64 %rd5, %rd5, %rd4; ld.const.u32 "
      "%r3, [%rd5];\n"
      "mov.u64 %SP, depot; cvta.local.u64 %rd6, %SP; st.local.u32 [%SP+8], %r3; add.s64 %rd6, %rd6, 8; ld.u32 %r4, "
      "[%rd6];\n"
      "mov.u64 %rd7, dynamic; mul.wide.u32 %rd8, %r32, 4; add.s64 %rd9, %rd7, %rd8; cvta.shared.u64 %rd10, %rd9; "
      "st.u32 [%rd10], %r4; ld.shared.u32 %r5, [%rd9];\n"
      "isspacep.shared %p1, %rd10; isspacep.local %p2, %rd6; isspacep.global %p3, %rd1; @!%p1 mov.u32 %r5, 0; @!%p2 "
      "mov.u32 %r5, 0; @!%p3 mov.u32 %r5, 0;\n"
      "ld.global.u64 %rd11, [pointer]; ld.global.u32 %r6, [%rd11]; add.u32 %r5, %r5, %r6; ld.global.u32 %r7, [zero+4]; "
      "add.u32 %r5, %r5, %r7;\n"
      "cvt.u64.u32 %rd12, %r5; add.s64 %rd13, %rd2, %rd3; st.global.u64 [%rd13], %rd12;";
  Bench bench;
  bench.x = bench.buffer(8);
  bench.y = bench.buffer(64 * 8);
  bench.run(kernel_text(body, globals), 1, 64, 256);
  const auto y = bench.read<u64>(bench.y, 64);
  for (u32 t = 0; t < 64; ++t) CHECK(y[t] == 10 * (t % 4 + 1) + 5);
  CHECK(bench.memory.live_blocks() == 2);  // the module's variables are given back
}

TEST_CASE("atomics of every kind") {
  Bench bench;
  std::vector<u32> start(32, 0);
  start[1] = 0xffffffff;  // min
  start[4] = 0xffffffff;  // and
  bench.x = bench.buffer(8);
  bench.y = bench.buffer(start);
  bench.run(kernel_text("shl.b32 %r2, 1, %r32; cvt.rn.f32.u32 %f1, %r1; cvt.rn.f64.u32 %fd1, %r1;\n"
                        "red.global.add.u32 [%rd2], %r1; atom.global.min.u32 %r3, [%rd2+4], %r1; atom.global.max.s32 "
                        "%r3, [%rd2+8], %r1; red.global.or.b32 [%rd2+12], %r2;\n"
                        "not.b32 %r4, %r2; red.global.and.b32 [%rd2+16], %r4; red.global.xor.b32 [%rd2+20], %r1; "
                        "atom.global.inc.u32 %r5, [%rd2+24], 99; atom.global.add.f32 %f2, [%rd2+28], %f1;\n"
                        "red.global.add.f64 [%rd2+32], %fd1; cvt.u64.u32 %rd5, %r1; red.global.add.u64 [%rd2+40], "
                        "%rd5; atom.global.exch.b32 %r6, [%rd2+48], 77;\n"
                        "LOOP: ld.global.u32 %r7, [%rd2+52]; add.u32 %r8, %r7, 3; atom.global.cas.b32 %r9, [%rd2+52], "
                        "%r7, %r8; setp.ne.u32 %p1, %r7, %r9; @%p1 bra LOOP;\n"
                        "mov.b32 %r10, 0x3c004000; red.global.add.noftz.f16x2 [%rd2+56], %r10;"),
            4, 32);
  const auto y = bench.read<u32>(bench.y, 32);
  const u32 sum = 127 * 64;
  CHECK(y[0] == sum);
  CHECK(y[1] == 0);
  CHECK(y[2] == 127);
  CHECK(y[3] == 0xffffffff);
  CHECK(y[4] == 0);
  CHECK(y[5] == 0);  // 0 ^ ... ^ 127
  CHECK(y[6] == 28);
  CHECK(std::bit_cast<float>(y[7]) == static_cast<float>(sum));
  CHECK(bench.read<double>(bench.y + 32, 1)[0] == sum);
  CHECK(y[10] == sum);
  CHECK(y[12] == 77);
  CHECK(y[13] == 384);
  CHECK(y[14] == 0x58005c00);  // 128 and 256
}

TEST_CASE("asynchronous copies, ldmatrix, and mma against the same product on the host") {
  with_each_variant([] {
    // D[16,8] = A[16,16] B[16,8]: A and B^T as halves in x, fetched by cp.async and ldmatrix.
    std::vector<float> a(256), b(128);
    std::vector<u16> x(512);
    for (int i = 0; i < 256; ++i) a[i] = static_cast<float>(i * 7 % 23 - 11) / 8;
    for (int i = 0; i < 128; ++i) b[i] = static_cast<float>(i * 5 % 19 - 9) / 4;
    const auto half = [](float v) {  // small numbers of few digits only
      if (v == 0) return u16{0};
      int e;
      const float m = std::frexp(std::fabs(v), &e);
      return static_cast<u16>((v < 0 ? 0x8000 : 0) | (e + 14) << 10 | (static_cast<int>(m * 2048) & 1023));
    };
    for (int i = 0; i < 256; ++i) x[i] = half(a[i]);
    for (int k = 0; k < 16; ++k)
      for (int n = 0; n < 8; ++n) x[256 + n * 16 + k] = half(b[k * 8 + n]);
    Bench bench;
    bench.x = bench.buffer(x);
    bench.y = bench.buffer(128 * 4);
    bench.run(kernel_text("mov.u32 %r2, tile; shl.b32 %r3, %r32, 4; add.u32 %r4, %r2, %r3; mul.wide.u32 %rd4, %r32, "
                          "16; add.s64 %rd5, %rd1, %rd4;\n"
                          "cp.async.cg.shared.global [%r4], [%rd5], 16; setp.lt.u32 %p1, %r32, 16; @%p1 "
                          "cp.async.ca.shared.global.L2::128B [%r4+512], [%rd5+512], 16;\n"
                          "cp.async.commit_group; cp.async.wait_group 0; bar.warp.sync -1;\n"
                          // lanes 0-15 give the rows' left halves, 16-31 their right ones
                          "and.b32 %r5, %r32, 15; shr.u32 %r6, %r32, 4; shl.b32 %r5, %r5, 5; shl.b32 %r6, %r6, 4; "
                          "add.u32 %r5, %r5, %r6; add.u32 %r5, %r2, %r5;\n"
                          "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r5];\n"
                          "and.b32 %r7, %r32, 7; shl.b32 %r7, %r7, 5; and.b32 %r8, %r32, 8; shl.b32 %r8, %r8, 1; "
                          "add.u32 %r7, %r7, %r8; add.u32 %r7, %r2, %r7;\n"
                          "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r14, %r15}, [%r7+512];\n"
                          "mov.f32 %f1, 0f3F800000; mov.f32 %f2, %f1; mov.f32 %f3, %f1; mov.f32 %f4, %f1;\n"
                          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f1, %f2, %f3, %f4}, {%r10, %r11, %r12, "
                          "%r13}, {%r14, %r15}, {%f1, %f2, %f3, %f4};\n"
                          "shr.u32 %r16, %r32, 2; and.b32 %r17, %r32, 3; shl.b32 %r16, %r16, 5; shl.b32 %r17, %r17, 3; "
                          "add.u32 %r16, %r16, %r17; cvt.u64.u32 %rd6, %r16; add.s64 %rd6, %rd2, %rd6;\n"
                          "st.global.v2.f32 [%rd6], {%f1, %f2}; st.global.v2.f32 [%rd6+256], {%f3, %f4};",
                          ".shared .align 16 .b8 tile[768];\n"),
              1, 32);
    const auto y = bench.read<float>(bench.y, 128);
    for (int i = 0; i < 16; ++i)
      for (int j = 0; j < 8; ++j) {
        float wanted = 1;
        for (int k = 0; k < 16; ++k) wanted += a[i * 16 + k] * b[k * 8 + j];
        CAPTURE(i, j);
        CHECK(y[i * 8 + j] == wanted);
      }
  });
}

TEST_CASE("the device's memory: blocks, totals, shadows") {
  Memory memory(1 << 20);
  CHECK(memory.allocate(0) == nullptr);
  auto* a = static_cast<std::uint8_t*>(memory.allocate(1000));
  auto* b = static_cast<std::uint8_t*>(memory.allocate(500));
  REQUIRE((a && b));
  CHECK(reinterpret_cast<std::uintptr_t>(a) % 256 == 0);
  CHECK(memory.in_use() == 1500);
  CHECK(memory.allocate((1 << 20) - 1400) == nullptr);  // more than is left
  Block block;
  REQUIRE(memory.find(reinterpret_cast<std::uintptr_t>(a) + 999, block));
  CHECK(block.bytes == 1000);
  CHECK(!memory.find(reinterpret_cast<std::uintptr_t>(a) + 1000, block));
  memory.mark_written(a + 10, 20);
  memory.copy_shadow(b, a, 100);
  REQUIRE(memory.find(reinterpret_cast<std::uintptr_t>(b), block));
  CHECK((block.written[9] == 0 && block.written[10] == 1 && block.written[29] == 1 && block.written[30] == 0));
  CHECK_THAT(memory.describe(reinterpret_cast<std::uintptr_t>(a) + 1004),
             Catch::Contains("4 bytes behind the block of 1000 bytes"));
  CHECK(!memory.release(a + 1));
  CHECK(memory.release(a));
  CHECK(!memory.release(a));
  CHECK(memory.why(reinterpret_cast<std::uintptr_t>(a) + 5) == Memory::Why::released);
  Memory other(1 << 20);
  const auto foreign = reinterpret_cast<std::uintptr_t>(other.allocate(64));
  CHECK(memory.why(foreign) == Memory::Why::other);
  std::vector<std::uint8_t> mine(4096);
  CHECK(memory.allocate_from(mine.data(), mine.size()) == mine.data());
  CHECK(memory.allocate_from(mine.data() + 100, 8) == nullptr);
  CHECK(memory.release(mine.data()));
  // Round the arena many times: what is handed out is never written and never overlaps.
  for (int i = 0; i < 20000; ++i) {
    auto* p = static_cast<std::uint8_t*>(memory.allocate(60000));
    REQUIRE(p != nullptr);
    REQUIRE(memory.find(reinterpret_cast<std::uintptr_t>(p), block));
    REQUIRE(block.written[59999] == 0);
    REQUIRE((p + 60000 <= b || p >= b + 500));
    memory.mark_written(p, 60000);
    REQUIRE(memory.release(p));
  }
  CHECK(memory.in_use() == 500);
}
