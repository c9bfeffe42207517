// Finding a vendor's libraries: by soname first, then in the folders where the vendor's installer puts them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "backends/common/library.hpp"

namespace portico::cuda_hip {

/// The file names to try, in order: each of `names` as the loader finds it, then each in each of `folders`.
std::vector<std::string> candidates(const std::vector<std::string>& names, const std::vector<std::string>& folders);

/// Opens the first candidate that opens and that `accept` takes; `accept` binds the functions and returns an empty
/// text, or the reason against the library. When the environment variable `variable` is set its value is the only
/// candidate. An empty Library with every reason in `tried` when none will do.
plugin::Library open_library(const char* variable, const std::vector<std::string>& names, std::string& tried,
                             const std::function<std::string(plugin::Library&)>& accept);

/// Whether one of the candidates is a file. Cheap: a BLAS library takes 50 ms and more to open, so it is opened when
/// it is first needed, and until then only looked for. Searches the loader's usual folders and `folders`.
bool library_exists(const char* variable, const std::vector<std::string>& names,
                    const std::vector<std::string>& folders);

/// The folder of the library that `function` is in; empty when that cannot be told.
std::string folder_of(const void* function);

/// Whether kernels compiled beforehand for `backend` lie beside the library that `function` is in.
bool has_precompiled(const void* function, const char* backend);

/// The value of the first of these environment variables that is set, with `below` appended; empty when none is.
std::string folder_from(std::initializer_list<const char*> variables, const char* below);

}  // namespace portico::cuda_hip
