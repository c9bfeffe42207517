// CLBlast as a peer, on the OpenCL device that Portico uses.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace portico::bench {

/// A call of CLBlast's sgemm (row-major, on memory of its own) that waits for its result, so that small products
/// include the driver's wait. Throws `Error{unsupported}` with the reason where the current device is none of OpenCL's
/// or CLBlast is missing.
std::function<void()> clblast_product(std::int64_t m, std::int64_t n, std::int64_t k, bool trans_a, bool trans_b);

}  // namespace portico::bench
