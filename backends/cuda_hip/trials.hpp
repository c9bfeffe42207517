// Which of several ways to do the same is fastest, by the device's own clock.
#pragma once

#include <cstddef>
#include <functional>

#include "vendor.hpp"

namespace portico::cuda_hip {

/// False when PORTICO_MEASURE=0: the libraries' first suggestions are taken as they are.
bool measuring_allowed();

/// The number of the fastest of `count` trials on the stream: each is queued once cold and three times timed, 200 ms in
/// all at most; of equals the first wins. `run(i)` queues trial i and answers false where the library refuses it.
std::size_t fastest(vendor::Stream stream, std::size_t count, const std::function<bool(std::size_t)>& run);

}  // namespace portico::cuda_hip
