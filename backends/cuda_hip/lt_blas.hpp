// Matrix products by cuBLASLt or hipBLASLt, which share one interface under two names.
#pragma once

#include <cstddef>
#include <memory>

#include "backends/cuda_hip/blas.hpp"
#include "lt.hpp"

namespace portico::cuda_hip {

/// A handle of the library for the stream. `table` outlives it; algorithms may use up to `workspace_limit` bytes.
std::unique_ptr<Blas> lt_create(const vendor::lt::Table& table, const portico_stream& stream,
                                std::size_t workspace_limit);

}  // namespace portico::cuda_hip
