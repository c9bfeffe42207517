# Language, warnings, sanitizers and run paths, the same for every target of the tree.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

# Programs find the library relative to themselves, in the build tree and installed, so both trees may be moved.
set(CMAKE_BUILD_RPATH_USE_ORIGIN ON)
file(RELATIVE_PATH portico_bin_to_lib "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}")
set(CMAKE_INSTALL_RPATH "$ORIGIN/${portico_bin_to_lib}")

# Designated initialisers leave out members on purpose; that is what their defaults are for.
add_compile_options(-Wall -Wextra -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_compile_options(-Wno-restrict)  # false alarms on std::string + in GCC 12
endif()
if(PORTICO_WARNINGS_AS_ERRORS)
  add_compile_options(-Werror)
endif()

if(PORTICO_SANITIZE)
  add_compile_options(-fsanitize=${PORTICO_SANITIZE} -fno-omit-frame-pointer -O1)
  add_link_options(-fsanitize=${PORTICO_SANITIZE})
endif()

find_program(PORTICO_CCACHE ccache)
mark_as_advanced(PORTICO_CCACHE)
if(PORTICO_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${PORTICO_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PORTICO_CCACHE})
endif()

# __FILE__, which assertions print, is relative to this tree: no binary holds the path it was built under.
add_compile_options(-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)

# Sections that nothing refers to are dropped: the install stays small.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,--as-needed)
