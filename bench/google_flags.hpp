// Google Benchmark's flags that this program reads, too. They are defined by the library as macros for its own use
// only, so their texts are taken from the command line before the library sees it.
#pragma once

#include <string>

namespace portico::bench {

struct GoogleFlags {
  std::string out, out_format = "json", format = "console";
  bool list = false;
};
/// The flags of the command line that started this process.
GoogleFlags google_flags();

}  // namespace portico::bench
