// Times and rates as people read them.
#pragma once

#include <string>

namespace portico::bench {

std::string time_text(double seconds);                       ///< "12.3 us"
std::string rate_text(double per_second, const char* unit);  ///< "231 GFLOPS", with unit "FLOPS"
std::string ratio_text(double ratio);                        ///< "1.27"

}  // namespace portico::bench
