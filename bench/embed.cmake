# Turns files into one C++ file that holds them (embedded.hpp). Run at build time:
#   cmake -D OUTPUT=embedded.cpp -D "FILES=a.csv;b.css" -P embed.cmake
cmake_minimum_required(VERSION 3.22)
set(arrays "")
set(rows "")
set(number 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char k_${number}[] = {${bytes}};\n")
  string(APPEND rows "      {\"${name}\", {reinterpret_cast<const char*>(k_${number}), sizeof k_${number}}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Made by bench/embed.cmake.
#include \"embedded.hpp\"

#include <map>

#include \"portico/error.hpp\"

namespace {
${arrays}}  // namespace

std::string_view portico::bench::embedded(const std::string& file) {
  static const std::map<std::string, std::string_view, std::less<>> kFiles = {
${rows}  };
  const auto at = kFiles.find(file);
  if (at == kFiles.end()) throw Error(ErrorCode::internal, \"portico-bench holds no file \" + file);
  return at->second;
}
")
