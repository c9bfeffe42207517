# Turns a prelude into a C++ header: cmake -D INPUT=opencl.h -D OUTPUT=prelude.hpp -P embed_prelude.cmake
# NAMESPACE: where the text is declared, portico::plugin when it is not given.
# The text goes in as bytes, so that no string-literal limit or escape applies.
file(READ "${INPUT}" bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,)(0x..,))" "\\1\n" bytes "${bytes}")
if(NOT NAMESPACE)
  set(NAMESPACE portico::plugin)
endif()
get_filename_component(name "${INPUT}" NAME)
file(WRITE "${OUTPUT}" "// Made by cmake/embed_prelude.cmake from ${name}.
#pragma once

#include \"portico/backend_abi.h\"

namespace ${NAMESPACE} {
inline constexpr unsigned char kPreludeText[] = {
${bytes}};
inline constexpr portico_bytes kPrelude = {kPreludeText, sizeof kPreludeText};
}  // namespace ${NAMESPACE}
")
