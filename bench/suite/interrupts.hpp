// Ctrl-C during a suite: the first ends the run in order, the second at once.
#pragma once

namespace portico::bench {

/// From here on SIGINT and SIGTERM are noted by a thread of their own. Call before a device is opened: the signals are
/// blocked in the calling thread and in those that it starts, so that what a driver starts (PoCL a linker) is not ended
/// by the terminal's Ctrl-C; PoCL aborts the process when its linker fails.
void watch_interrupts();

/// Whether one of them has come.
bool interrupted();

}  // namespace portico::bench
