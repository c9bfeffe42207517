// What training commonly launches, for programs that fill a folder with compiled kernels.
#pragma once

namespace portico::tools {

/// Training steps and predictions of common networks on the current device.
void run_networks();

/// Every tile, transposition, activation and alignment of products, and the pointwise operations, in each type.
void run_operations();

}  // namespace portico::tools
