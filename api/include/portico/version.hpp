// The library's version, as in CMakeLists.txt.
#pragma once

#include "portico/error.hpp"

namespace portico {

/// "0.1.0"
PORTICO_API const char* version();

}  // namespace portico
