# portico_add_test(<name> SOURCES <files...> [BACKENDS <names...>] [SHAPES] [LATE] [CONV] [LIBRARIES <targets...>]
#                  [LABELS <labels...>] [DEFINITIONS <name=value...>] [TIMEOUT <seconds>])
#
# One Catch2 program <name>, built once. Without BACKENDS it is one test of that name. With them it becomes one test for
# each, `<name>/<backend>`, told apart by the same PORTICO_BACKEND that users set and labelled with the backend's name; a
# program that finds no device there exits with 77, which ctest reports as skipped. For opencl there are more variants:
#   <name>/opencl-gpu-shape  with SHAPES: the kernels' GPU shape on a CPU device, so that it is never dead code
#   <name>/intel             where PORTICO_INTEL_OPENCL names an environment with Intel's CPU runtime
# and for cuda and hip one on the stand-in drivers of tests/standin, which run everywhere:
#   <name>/cuda-standin, <name>/hip-standin
#   <name>/cuda-standin-late, ...-random  with LATE: queued work runs when it is waited for, or after random pauses
#   <name>/cuda-standin-conv, <name>/hip-standin-conv  with CONV: convolutions by the stand-ins' cuDNN and MIOpen
# The program links tests/support: main(), skipping, Catch2. Building it builds the plugins it runs on.
include_guard(GLOBAL)

set(PORTICO_INTEL_OPENCL "" CACHE PATH "Python environment that holds Intel's CPU OpenCL runtime: a second implementation to test on")

# Kernel caches of the tests' own: neither the user's cache nor an earlier build's may decide a result.
# PORTICO_DEBUG puts guard words behind every allocation and checks every launch. The kernel texts that are dumped go
# through the vendors' compilers afterwards (tests/kernel_compile).
set(portico_test_dumps "${PROJECT_BINARY_DIR}/test-kernel-texts")
set(portico_test_environment
  "PORTICO_DEBUG=1"
  "PORTICO_DUMP=${portico_test_dumps}"
  "PORTICO_CACHE_DIR=${PROJECT_BINARY_DIR}/test-cache"
  "POCL_CACHE_DIR=${PROJECT_BINARY_DIR}/test-cache-pocl")
set(portico_test_labels "")
set(portico_test_prefix "")
set(portico_test_launcher "")
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/test-cache-pocl")

# A sanitizer's tests have names of their own, so that one run of ctest can hold several builds (tests/run.sh --full).
if(PORTICO_SANITIZE MATCHES "thread")
  set(portico_test_labels tsan)
  set(portico_test_prefix "tsan/")
  # Its memory map does not fit every kernel's way of spreading addresses, so they are not spread.
  find_program(PORTICO_SETARCH setarch)
  mark_as_advanced(PORTICO_SETARCH)
  if(PORTICO_SETARCH)
    set(portico_test_launcher ${PORTICO_SETARCH} -R)
  endif()
  list(APPEND portico_test_environment
    "TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/tsan.supp:exitcode=66:second_deadlock_stack=1")
elseif(PORTICO_SANITIZE MATCHES "address")
  set(portico_test_labels asan)
  set(portico_test_prefix "asan/")
  set(portico_test_launcher "${PROJECT_SOURCE_DIR}/tests/support/again_if_tracer_crashed.sh")
  list(APPEND portico_test_environment
    "ASAN_OPTIONS=detect_stack_use_after_return=1"
    "LSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/support/lsan.supp:print_suppressions=0"
    "UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1")
endif()

# The real NVRTC, for the PTX that the CUDA stand-in executes: the environment's, a toolkit's. Without it the stand-in's own
# compiler keeps the kernels' OpenCL spelling.
if(DEFINED ENV{PORTICO_NVRTC})
  set(PORTICO_TEST_NVRTC "$ENV{PORTICO_NVRTC}" CACHE FILEPATH "NVRTC whose PTX the CUDA stand-in executes; empty for none" FORCE)
else()
  find_library(PORTICO_TEST_NVRTC NAMES libnvrtc.so.13 libnvrtc.so.12 nvrtc
    HINTS ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda /opt/cuda PATH_SUFFIXES lib64 lib
    DOC "NVRTC whose PTX the CUDA stand-in executes; empty for none")
endif()
mark_as_advanced(PORTICO_TEST_NVRTC)

# Registers COMMAND as a ctest test with the tests' environment. For programs that are no Catch2 program too.
function(portico_register_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 1500)  # two cores, shared with another build, and no kernel compiled yet
  endif()
  # With a launcher in front ctest no longer turns a target's name into its file.
  list(POP_FRONT arg_COMMAND program)
  if(TARGET ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  set(test ${portico_test_prefix}${name})
  add_test(NAME ${test} COMMAND ${portico_test_launcher} ${program} ${arg_COMMAND})
  set(labels ${arg_LABELS} ${portico_test_labels})
  set_tests_properties(${test} PROPERTIES
    SKIP_RETURN_CODE 77
    TIMEOUT ${arg_TIMEOUT}
    LABELS "${labels}"
    ENVIRONMENT "${portico_test_environment};${arg_ENVIRONMENT}")
endfunction()

# The variables that put tests/standin in the place of a vendor's libraries, and the labels that say so; empty lists where
# the stand-in is not built. `standin-ptx`: NVRTC's own PTX is executed; `standin`: the kernels' OpenCL spelling is.
# Without the further argument CONV they have no cuDNN and no MIOpen, so that Portico's own convolutions are what is tested.
function(portico_standin backend environment labels)
  set(${environment} "" PARENT_SCOPE)
  set(${labels} "" PARENT_SCOPE)
  if(backend STREQUAL hip AND TARGET standin_hip6)
    set(library "$<TARGET_FILE:standin_hip6>")
    set(convolutions "PORTICO_MIOPEN=")
    if(ARGV3 STREQUAL CONV)
      string(APPEND convolutions "${library}")
    endif()
    set(${environment} "PORTICO_BACKEND=hip" "PORTICO_REQUIRE_BACKEND=1"
      "PORTICO_STANDIN_RECORD=${portico_test_dumps}/hip" "PORTICO_HIP_RUNTIME=${library}"
      "PORTICO_HIPRTC=${library}" "PORTICO_ROCBLAS=${library}" "PORTICO_HIPBLASLT=${library}" "${convolutions}" PARENT_SCOPE)
    set(${labels} standin hip-standin PARENT_SCOPE)
  elseif(backend STREQUAL cuda AND TARGET standin_cuda)
    set(library "$<TARGET_FILE:standin_cuda>")
    set(convolutions "PORTICO_CUDNN=")
    if(ARGV3 STREQUAL CONV)
      string(APPEND convolutions "${library}")
    endif()
    if(PORTICO_TEST_NVRTC)
      set(compiler "${PORTICO_TEST_NVRTC}")
      set(${labels} standin-ptx cuda-standin PARENT_SCOPE)
    else()
      set(compiler "${library}")
      set(${labels} standin cuda-standin PARENT_SCOPE)
    endif()
    set(${environment} "PORTICO_BACKEND=cuda" "PORTICO_REQUIRE_BACKEND=1" "PORTICO_CUDA_DRIVER=${library}"
      "PORTICO_CUBLASLT=${library}" "PORTICO_CUBLAS=${library}" "PORTICO_NVRTC=${compiler}"
      "${convolutions}" PARENT_SCOPE)
  endif()
endfunction()

function(portico_add_standin_tests name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "CONV" "TIMEOUT" "BACKENDS;LABELS;ORDERS")
  if(NOT arg_ORDERS)
    set(arg_ORDERS eager)
  endif()
  foreach(backend IN LISTS arg_BACKENDS)
    portico_standin(${backend} environment labels)
    if(labels)
      add_dependencies(${name} standin_${backend})
      foreach(order IN LISTS arg_ORDERS)
        string(REPLACE "-eager" "" variant "${backend}-standin-${order}")
        portico_register_test(${name}/${variant} COMMAND ${name} LABELS ${labels} ${arg_LABELS}
          TIMEOUT "${arg_TIMEOUT}" ENVIRONMENT ${environment} PORTICO_STANDIN_ORDER=${order})
      endforeach()
      if(arg_CONV)
        portico_standin(${backend} environment labels CONV)
        portico_register_test(${name}/${backend}-standin-conv COMMAND ${name} LABELS ${labels} ${arg_LABELS}
          TIMEOUT "${arg_TIMEOUT}" ENVIRONMENT ${environment})
      endif()
    endif()
  endforeach()
endfunction()

function(portico_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SHAPES;LATE;CONV" "TIMEOUT" "SOURCES;BACKENDS;LIBRARIES;LABELS;DEFINITIONS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE portico portico_test_support ${arg_LIBRARIES})
  target_compile_definitions(${name} PRIVATE ${arg_DEFINITIONS})

  if(NOT arg_BACKENDS)
    portico_register_test(${name} COMMAND ${name} LABELS ${arg_LABELS} TIMEOUT "${arg_TIMEOUT}")
    return()
  endif()
  foreach(backend IN LISTS arg_BACKENDS)
    if(TARGET portico_${backend})
      add_dependencies(${name} portico_${backend})
    endif()
    portico_register_test(${name}/${backend} COMMAND ${name} LABELS ${backend} ${arg_LABELS} TIMEOUT "${arg_TIMEOUT}"
      ENVIRONMENT "PORTICO_BACKEND=${backend}")
  endforeach()
  set(orders eager)
  if(arg_LATE)
    set(orders eager late random)
  endif()
  set(conv "")
  if(arg_CONV)
    set(conv CONV)
  endif()
  portico_add_standin_tests(${name} ${conv} ORDERS ${orders} BACKENDS ${arg_BACKENDS} LABELS ${arg_LABELS}
    TIMEOUT "${arg_TIMEOUT}")
  if("opencl" IN_LIST arg_BACKENDS)
    set_tests_properties(${portico_test_prefix}${name}/opencl PROPERTIES FIXTURES_SETUP ${portico_test_prefix}kernel_texts)
    if(arg_SHAPES)
      portico_register_test(${name}/opencl-gpu-shape COMMAND ${name} LABELS opencl gpu-shape ${arg_LABELS}
        TIMEOUT "${arg_TIMEOUT}" ENVIRONMENT PORTICO_BACKEND=opencl PORTICO_KERNEL_SHAPE=gpu)
      set_tests_properties(${portico_test_prefix}${name}/opencl-gpu-shape PROPERTIES FIXTURES_SETUP ${portico_test_prefix}kernel_texts)
    endif()
    if(PORTICO_INTEL_OPENCL)
      portico_register_test(${name}/intel COMMAND ${name} LABELS intel ${arg_LABELS} TIMEOUT "${arg_TIMEOUT}"
        ENVIRONMENT PORTICO_BACKEND=opencl
        "OCL_ICD_VENDORS=${PORTICO_INTEL_OPENCL}/icd/" "LD_LIBRARY_PATH=${PORTICO_INTEL_OPENCL}/lib")
    endif()
  endif()
endfunction()
