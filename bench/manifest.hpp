// What a result was measured on and with.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "portico/device.hpp"

namespace portico::bench {

/// The commit that this program was built from; made at build time (commit.cmake).
extern const char* const kCommit;

/// Machine, versions, commit, command, date, PORTICO_* variables, and of each device its description, limits and
/// sensor; of backends that are not usable the reason.
nlohmann::ordered_json machine_manifest(const std::vector<Device>& devices, const std::string& command);

}  // namespace portico::bench
