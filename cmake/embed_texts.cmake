# Turns text files into one C++ file that holds them. Run at build time:
#   cmake -D OUTPUT=kernel_table.cpp -D FOLDER=kernels -P embed_texts.cmake
#
# The texts go in as byte arrays, so that no limit on string literals applies. #include "x.h" is replaced by the text of
# FOLDER/x.h here (each header at most once a file), so that what is hashed, compiled and dumped is one and the same text.
cmake_minimum_required(VERSION 3.22)  # a script starts with the policies of old

file(GLOB files ${FOLDER}/*.cl)
list(SORT files)
set(arrays "")
set(rows "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  set(seen "")
  while(text MATCHES "#include \"([a-z0-9_]+\\.h)\"")
    set(directive "${CMAKE_MATCH_0}")
    set(header_name "${CMAKE_MATCH_1}")
    string(FIND "${text}" "${directive}" at)
    string(LENGTH "${directive}" length)
    string(SUBSTRING "${text}" 0 ${at} before)
    math(EXPR after_at "${at} + ${length}")
    string(SUBSTRING "${text}" ${after_at} -1 after)
    set(header "")
    if(NOT header_name IN_LIST seen)
      if(NOT EXISTS ${FOLDER}/${header_name})
        message(FATAL_ERROR "${file} includes ${header_name}, which is not in ${FOLDER}")
      endif()
      list(APPEND seen ${header_name})
      file(READ ${FOLDER}/${header_name} header)
    endif()
    set(text "${before}${header}${after}")
  endwhile()
  file(WRITE ${OUTPUT}.tmp "${text}")
  file(READ ${OUTPUT}.tmp bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char k_${name}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${name}\", {reinterpret_cast<const char*>(k_${name}), sizeof k_${name}}},\n")
endforeach()
file(REMOVE ${OUTPUT}.tmp)
file(WRITE ${OUTPUT} "// Made by cmake/embed_texts.cmake.
#include \"runtime/kernel_table.hpp\"

namespace {
${arrays}}  // namespace

const std::map<std::string_view, std::string_view>& portico::detail::kernel_table() {
  static const std::map<std::string_view, std::string_view> table = {
${rows}  };
  return table;
}
")
