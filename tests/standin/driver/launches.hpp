// A launch as it was asked for, checked and made into a call that can wait its turn.
#pragma once

#include <memory>

#include "tests/standin/driver/api.hpp"
#include "tests/standin/driver/device.hpp"

namespace portico::standin::api {

int make_call(void* function, const LaunchShape& shape, void** arguments, void** extra, Device& device,
              std::shared_ptr<const Call>& out);

}  // namespace portico::standin::api
