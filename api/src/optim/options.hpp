// The check of an optimizer's options.
#pragma once

#include <sstream>
#include <string>

#include "portico/error.hpp"

namespace portico::detail {

/// Throws "<subject>: <option> is <value>; <rule>" unless `good`, which is false for NaN too where it is a comparison.
inline void check_option(bool good, const char* subject, const char* option, double value, const char* rule) {
  if (good) return;
  std::ostringstream text;
  text << subject << ": " << option << " is " << value << "; " << rule;
  throw Error(ErrorCode::invalid_argument, text.str());
}

}  // namespace portico::detail
