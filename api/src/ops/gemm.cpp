// The order of tries for a matrix product: the vendor's library with all that follows the product, the library and a
// kernel for what follows, kernels/gemm.cl in the device's shape.
#include "ops/gemm.hpp"

#include <array>

#include "ops/common.hpp"
#include "ops/copy.hpp"
#include "ops/gemm_plan.hpp"
#include "runtime/gemm_slot.hpp"
#include "runtime/tuning/table.hpp"
#include "runtime/vendor_choice.hpp"

namespace portico::detail {
namespace {

// The values of portico_epilogue.
enum class Epilogue : std::int32_t { forward = 0, row_sums = 1, gradient = 2 };

struct Extra {
  Epilogue epilogue = Epilogue::forward;
  const Arg* aux = nullptr;
  std::int64_t ld_aux = 0;
};

// False when there is no vendor's library or it declines this product.
bool vendor_gemm(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b, const Arg& c,
                 const Arg* bias, const char* subject, const Extra& extra = {}) {
  if (call.k == 0 || !has_gemm_slot(device) || !vendor_allowed()) return false;
  const GemmSlot slot = {.dtype = static_cast<std::int32_t>(dtype),
                         .trans_a = call.trans_a,
                         .trans_b = call.trans_b,
                         .m = as_u32(call.m, subject),
                         .n = as_u32(call.n, subject),
                         .k = as_u32(call.k, subject),
                         .batch = as_u32(call.batch, subject),
                         .lda = as_u32(call.lda, subject),
                         .ldb = as_u32(call.ldb, subject),
                         .ldc = as_u32(call.ldc, subject),
                         .stride_a = static_cast<std::uint64_t>(call.stride_a),
                         .stride_b = static_cast<std::uint64_t>(call.stride_b),
                         .stride_c = static_cast<std::uint64_t>(call.stride_c),
                         .alpha = call.alpha,
                         .beta = call.beta,
                         .activation = static_cast<std::int32_t>(call.activation),
                         .epilogue = static_cast<std::int32_t>(extra.epilogue),
                         .ld_aux = as_u32(extra.ld_aux, subject)};
  return run_gemm_slot(device, slot, a, b, c, bias, extra.aux, subject);
}

// The product alone by the library, then the rest. Where that is slower than one kernel of our own no device has shown
// yet: the library's product uses matrix units, ours does not. In a half type the product is rounded in between, which
// only relu can bear.
bool vendor_gemm_in_two_steps(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b,
                              const Arg& c, const Arg* bias, const char* subject) {
  if (bias == nullptr && call.activation == Activation::none) return false;
  if (dtype != DType::f32 && (bias != nullptr || call.activation != Activation::relu)) return false;
  Gemm plain = call;
  plain.activation = Activation::none;
  if (!vendor_gemm(device, dtype, plain, a, b, c, nullptr, subject)) return false;
  finish_product(device, dtype, call, c, bias, subject);
  return true;
}

const KernelFamily& family() {
  static const KernelFamily kGemm("gemm", "gemm");
  return kGemm;
}

Spec common_spec(DType dtype, const Gemm& call, bool cpu) {
  return Spec()
      .set("REAL", word(dtype))
      .set("TRANS_A", call.trans_a)
      .set("TRANS_B", call.trans_b)
      .set("ACT", static_cast<std::int64_t>(call.activation))
      .set("CPU_SHAPE", cpu);
}

// dtype, transposes and activation of a specialisation in one small number.
std::uint32_t common_key(DType dtype, const Gemm& call) {
  return static_cast<std::uint32_t>(dtype) | (call.trans_a ? 4u : 0u) | (call.trans_b ? 8u : 0u) |
         static_cast<std::uint32_t>(call.activation) << 4;
}

bool four_aligned(const Gemm& call, const Arg& a, const Arg& b, const Arg& c) {
  const std::int64_t all = call.lda | call.ldb | call.ldc | call.stride_a | call.stride_b | call.stride_c |
                           (call.trans_a ? call.m : call.k) | (call.trans_b ? call.k : call.n) | call.n;
  return ((static_cast<std::uint64_t>(all) | a.first_element | b.first_element | c.first_element) & 3u) == 0;
}

// The product with A turned into rows of k, which end in spare elements: never a power of two apart.
void gemm_with_turned_a(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b, const Arg& c,
                        const Arg* bias, const char* subject) {
  Gemm plain = call;
  plain.trans_a = false;
  plain.lda = divide_up(call.k, 16) * 16 + 16;
  plain.stride_a = call.m * plain.lda;
  const Tensor rows = make({call.batch, call.m, plain.lda}, dtype, device);
  const std::int64_t extents[] = {call.batch, call.m, call.k};
  copy_strided(
      {.buffer = &rows.buffer(), .offset = rows.offset(), .dtype = dtype, .strides = {plain.stride_a, plain.lda, 1}},
      {.buffer = a.buffer, .offset = a.first_element, .dtype = dtype, .strides = {call.stride_a, 1, call.lda}}, extents,
      subject);
  gemm(device, dtype, plain, rows.arg(), b, c, bias, subject);
}

// What the tuner says of the product's class, or is trying just now.
const GemmChoice* choice_for(const Device& device, DType dtype, const Gemm& call) {
  if (const GemmChoice* forced = ForcedGemmChoice::current()) return forced;
  return Tuning::of(device).find(gemm_class(dtype, call));
}

}  // namespace

// Bias and activation behind a library that has neither. The slot only exists on GPUs, so this kernel has one shape.
void finish_product(const Device& device, DType dtype, const Gemm& call, const Arg& c, const Arg* bias,
                    const char* subject) {
  static const KernelFamily kFinish("gemm_finish", "gemm_finish");
  const auto types = static_cast<std::uint32_t>(dtype) | static_cast<std::uint32_t>(call.activation) << 4 |
                     (bias != nullptr ? 1u << 8 : 0u);
  const Kernel kernel = kFinish.get(device, key(types), [&] {
    return Spec()
        .set("REAL", word(dtype))
        .set("ACT", static_cast<std::int64_t>(call.activation))
        .set("BIAS", bias != nullptr);
  });
  const std::int64_t rows = call.m * call.batch;
  kernel(flat_grid(device, rows * call.n), {c, bias != nullptr ? *bias : c, static_cast<std::uint64_t>(rows * call.n),
                                            as_u32(call.m, subject), as_u32(call.n, subject), call.ldc, call.stride_c});
}

GemmClass gemm_class(DType dtype, const Gemm& call) {
  return {.dtype = static_cast<std::uint8_t>(dtype),
          .trans = static_cast<std::uint8_t>((call.trans_a ? 1 : 0) | (call.trans_b ? 2 : 0)),
          .m = nearest_exponent(static_cast<std::uint64_t>(call.m)),
          .n = nearest_exponent(static_cast<std::uint64_t>(call.n)),
          .k = nearest_exponent(static_cast<std::uint64_t>(call.k))};
}

bool gemm_keeping_input(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b, const Arg& c,
                        const Arg& z, const Arg* bias, const char* subject) {
  // The slot's aux is z itself for this activation alone, and its rows are multiples of 8.
  if (call.activation != Activation::gelu_tanh || call.ldc % 8 != 0 || call.m == 0 || call.n == 0) return false;
  return vendor_gemm(device, dtype, call, a, b, c, bias, subject, {.aux = &z, .ld_aux = call.ldc});
}

bool gemm_with_row_sums(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b, const Arg& c,
                        const Arg& sums, const char* subject) {
  if (call.m == 0 || call.n == 0) return false;
  return vendor_gemm(device, dtype, call, a, b, c, &sums, subject, {.epilogue = Epilogue::row_sums});
}

void gemm(const Device& device, DType dtype, const Gemm& call, const Arg& a, const Arg& b, const Arg& c,
          const Arg* bias, const char* subject) {
  if (call.m == 0 || call.n == 0 || call.batch == 0) return;
  const GemmChoice* choice = choice_for(device, dtype, call);
  if (choice == nullptr || choice->vendor != 0) {
    if (vendor_gemm(device, dtype, call, a, b, c, bias, subject)) return;
    if (vendor_gemm_in_two_steps(device, dtype, call, a, b, c, bias, subject)) return;
  }

  if (cpu_shape(device) && turns_a(call, dtype)) return gemm_with_turned_a(device, dtype, call, a, b, c, bias, subject);

  const std::uint32_t m = as_u32(call.m, subject), n = as_u32(call.n, subject), k = as_u32(call.k, subject),
                      batch = as_u32(call.batch, subject), has_bias = bias != nullptr ? 1 : 0;
  const Arg& shift = bias != nullptr ? *bias : c;  // a kernel's buffer argument cannot be absent; this one is not read
  if (cpu_shape(device)) {
    const GemmCpuPlan plan = plan_gemm_cpu(call, dtype, std::max(1u, device.info().compute_units), choice);
    const Kernel kernel =
        family().get(device, key(common_key(dtype, call), plan.rows, plan.vecs, plan.pack_b | plan.pack_a << 1), [&] {
          return common_spec(dtype, call, true)
              .set("ROWS", plan.rows)
              .set("VECS", plan.vecs)
              .set("KC", plan.kc())
              .set("PANELS", plan.panels())
              .set("PACK_B", plan.pack_b)
              .set("PACK_A", plan.pack_a)
              .set("STRIP_ROWS", GemmCpuPlan::kStripRows)
              .set("COPY_A", dtype != DType::f32)
              .set("PARTIAL_ROWS", GemmCpuPlan::kPartialRows);
        });
    const std::array args = std::to_array<Arg>({a,
                                                b,
                                                c,
                                                shift,
                                                m,
                                                n,
                                                k,
                                                batch,
                                                call.lda,
                                                call.ldb,
                                                call.ldc,
                                                call.stride_a,
                                                call.stride_b,
                                                call.stride_c,
                                                call.alpha,
                                                call.beta,
                                                has_bias,
                                                plan.group_rows,
                                                plan.group_panels,
                                                plan.strip_rows,
                                                plan.block_depth,
                                                plan.idle_groups});
    kernel.launch({.groups = {plan.groups + plan.idle_groups, 1, 1}, .local = {1, 1, 1}}, args);
    return;
  }
  const bool vec = dtype == DType::f32 && four_aligned(call, a, b, c);
  const GemmGpuPlan plan = plan_gemm_gpu(call, device.info(), vec, choice);
  const Kernel kernel = family().get(device, key(common_key(dtype, call), plan.tile, vec, 0xffff), [&] {
    return common_spec(dtype, call, false)
        .set("BM", plan.bm)
        .set("BN", plan.bn)
        .set("BK", plan.bk)
        .set("TM", plan.tm)
        .set("TN", plan.tn)
        .set("VEC", vec);
  });
  kernel({.groups = {as_u32(static_cast<std::int64_t>(plan.groups), subject), 1, 1}, .local = {plan.threads(), 1, 1}},
         {a, b, c, shift, m, n, k, batch, call.lda, call.ldb, call.ldc, call.stride_a, call.stride_b, call.stride_c,
          call.alpha, call.beta, has_bias});
}

}  // namespace portico::detail
