# portico_add_backend(<name> SOURCES <files...> PRELUDE <file>): the plugin libportico_<name>.so.
#
# A plugin is a module that the core opens at run time. It links nothing but the C++ runtime, exports one symbol and
# carries its prelude as the generated header "prelude.hpp" (portico::plugin::kPrelude).
include_guard(GLOBAL)
include(GNUInstallDirs)
find_package(Threads REQUIRED)

option(PORTICO_COVERAGE "Count which lines of the plugins run (tests/coverage.sh)" OFF)

get_filename_component(PORTICO_ROOT "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)

function(portico_add_backend name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PRELUDE" "SOURCES")
  set(target portico_${name})
  set(cmake_folder "${PORTICO_ROOT}/cmake")
  get_filename_component(prelude "${arg_PRELUDE}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
  set(generated "${CMAKE_CURRENT_BINARY_DIR}/${name}_generated")

  add_custom_command(
    OUTPUT "${generated}/prelude.hpp"
    COMMAND ${CMAKE_COMMAND} -D "INPUT=${prelude}" -D "OUTPUT=${generated}/prelude.hpp" -P
            "${cmake_folder}/embed_prelude.cmake"
    DEPENDS "${prelude}" "${cmake_folder}/embed_prelude.cmake"
    COMMENT "Embedding the prelude of ${name}"
    VERBATIM)

  add_library(${target} MODULE ${arg_SOURCES} "${generated}/prelude.hpp")
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_include_directories(${target} PRIVATE "${PORTICO_ROOT}" "${PORTICO_ROOT}/api/include" "${generated}")
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow)
  target_link_libraries(${target} PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  # The version script also keeps the C++ runtime's inline symbols local: two plugins in a process must not share state.
  target_link_options(${target} PRIVATE "LINKER:--version-script=${cmake_folder}/plugin.map")
  if(PORTICO_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage -fprofile-update=atomic)
    target_link_options(${target} PRIVATE --coverage)
  endif()
  if(NOT PORTICO_SANITIZE)
    target_link_options(${target} PRIVATE LINKER:--no-undefined)  # sanitizers leave their functions to the program
  endif()
  set_target_properties(
    ${target}
    PROPERTIES CXX_EXTENSIONS OFF
               CXX_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               POSITION_INDEPENDENT_CODE ON
               LINK_DEPENDS "${cmake_folder}/plugin.map"
               INSTALL_RPATH ""
               LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib/portico")
  install(TARGETS ${target} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/portico")
  set_property(GLOBAL APPEND PROPERTY PORTICO_BACKENDS ${name})
endfunction()
