// The groups of benchmarks; each registers its own. main.cpp calls them all.
#pragma once

namespace portico::bench {

void add_limits();
void add_memory();
void add_launch();
void add_pointwise();
void add_gemm();
void add_conv();
void add_train_step();
void add_capture();
void add_cold_start();

/// In a process that the cold-start benchmark started: runs the one step it is to time, and returns true.
bool run_first_step();

}  // namespace portico::bench
