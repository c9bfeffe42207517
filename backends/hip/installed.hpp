// Which ROCm is there: its libraries only work together when they are of one major version.
#pragma once

namespace vendor {

/// The major version of the HIP runtime that open_libraries() opened.
int runtime_major();

}  // namespace vendor
