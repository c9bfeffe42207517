// Checks of the layers' options.
#pragma once

#include <string>

#include "nn/text.hpp"
#include "portico/error.hpp"

namespace portico::nn {

/// Throws "<layer>: <text>" unless `good`.
inline void check(bool good, const char* layer, const std::string& text) {
  if (!good) throw Error(ErrorCode::invalid_argument, std::string(layer) + ": " + text);
}

/// Both values of a pair at least `least`.
inline void check_pair(const Pair& pair, std::int64_t least, const char* layer, const char* name) {
  check(pair[0] >= least && pair[1] >= least, layer,
        std::string(name) + " is " + text(pair) + "; it must be at least " + text(least));
}

}  // namespace portico::nn
