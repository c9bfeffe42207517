# Writes the commit that is built into OUTPUT, when it has changed: results say what they were measured with.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE code)
if(NOT code EQUAL 0 OR commit STREQUAL "")
  set(commit "unknown: not built from a git tree")
endif()
set(text "#include \"manifest.hpp\"\n\nconst char* const portico::bench::kCommit = \"${commit}\";\n")
set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
