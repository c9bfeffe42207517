# -D PORTICO_CUDA_ARCHS="80;90;100" -D PORTICO_HIP_ARCHS="gfx90a;gfx942": the common kernels as machine code for these
# architectures, in `kernels` beside the plugins, built and installed with them. Needs NVRTC or hipRTC on this machine, and
# no device: the texts come from a run on the null backend, or from PORTICO_KERNEL_TEXTS, where a program of
# one's own left them (PORTICO_DUMP).
set(PORTICO_CUDA_ARCHS "" CACHE STRING "Compute capabilities (80;90) whose kernels are compiled when building")
set(PORTICO_HIP_ARCHS "" CACHE STRING "AMD architectures (gfx90a;gfx942) whose kernels are compiled when building")
set(PORTICO_KERNEL_TEXTS "" CACHE PATH "Texts to compile, as PORTICO_DUMP leaves them; empty: those of common training")
if(NOT PORTICO_CUDA_ARCHS AND NOT PORTICO_HIP_ARCHS)
  return()
endif()

set(portico_kernels ${PROJECT_BINARY_DIR}/lib/portico/kernels)
set(portico_recorded "")
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/precompile)
if(PORTICO_KERNEL_TEXTS)
  set(portico_texts ${PORTICO_KERNEL_TEXTS})
else()
  set(portico_texts ${PROJECT_BINARY_DIR}/precompile/texts)
  set(portico_recorded ${portico_texts}.stamp)
  add_custom_command(
    OUTPUT ${portico_recorded}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${portico_texts} ${portico_kernels}
    COMMAND $<TARGET_FILE:portico-precompile> record ${portico_texts}
    COMMAND ${CMAKE_COMMAND} -E touch ${portico_recorded}
    DEPENDS portico-precompile portico_null_backend portico
    COMMENT "Recording the common kernels"
    VERBATIM)
endif()

set(portico_stamps "")
function(portico_precompile backend target)
  set(stamp ${PROJECT_BINARY_DIR}/precompile/${target}.stamp)
  add_custom_command(
    OUTPUT ${stamp}
    COMMAND $<TARGET_FILE:portico-precompile> compile ${backend} ${target} ${portico_texts} ${portico_kernels}
    COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
    DEPENDS ${portico_recorded} portico_${backend}
    COMMENT "Compiling the common kernels for ${target}"
    VERBATIM)
  list(APPEND portico_stamps ${stamp})
  set(portico_stamps ${portico_stamps} PARENT_SCOPE)
endfunction()
foreach(arch IN LISTS PORTICO_CUDA_ARCHS)
  portico_precompile(cuda sm_${arch})
endforeach()
foreach(arch IN LISTS PORTICO_HIP_ARCHS)
  portico_precompile(hip ${arch})
endforeach()
add_custom_target(portico_precompiled ALL DEPENDS ${portico_stamps})
install(DIRECTORY ${portico_kernels} DESTINATION ${CMAKE_INSTALL_LIBDIR}/portico
  FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
  DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
