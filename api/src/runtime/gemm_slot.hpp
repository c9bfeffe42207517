// The plugin's optional gemm slot, in the core's words: what lies above the runtime names no type of the contract.
#pragma once

#include <cstdint>

#include "portico/device.hpp"

namespace portico::detail {

/// The fields of portico_gemm, whose comment in backend_abi.h says what they mean.
struct GemmSlot {
  std::int32_t dtype;
  bool trans_a, trans_b;
  std::uint32_t m, n, k, batch;
  std::uint32_t lda, ldb, ldc;
  std::uint64_t stride_a, stride_b, stride_c;
  float alpha, beta;
  std::int32_t activation;
  std::int32_t epilogue;  ///< PORTICO_EPILOGUE_*
  std::uint32_t ld_aux;
};

/// Whether the device's plugin has a library behind the slot.
bool has_gemm_slot(const Device& device);

/// Queues the product on the current stream, with the calling thread's float32_precision(). False when the library
/// declines it. `bias` and `aux` may be null.
bool run_gemm_slot(const Device& device, const GemmSlot& call, const Arg& a, const Arg& b, const Arg& c,
                   const Arg* bias, const Arg* aux, const char* subject);

}  // namespace portico::detail
