# What an installation holds. Everything is found relative to the library or to the file that names it, so an installed
# tree may be moved as a whole.
include(CMakePackageConfigHelpers)

set(portico_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Portico)

install(TARGETS portico EXPORT PorticoTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/api/include/portico DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")

install(EXPORT PorticoTargets NAMESPACE Portico:: DESTINATION ${portico_package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/PorticoConfig.cmake.in ${PROJECT_BINARY_DIR}/PorticoConfig.cmake
  INSTALL_DESTINATION ${portico_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/PorticoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/PorticoConfig.cmake ${PROJECT_BINARY_DIR}/PorticoConfigVersion.cmake
  DESTINATION ${portico_package_dir})

# pkg-config knows where portico.pc lies (pcfiledir); the other folders are written relative to it, however deep the
# library folder is (lib, lib64, lib/x86_64-linux-gnu).
file(RELATIVE_PATH portico_pc_to_prefix "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
file(RELATIVE_PATH portico_pc_to_include "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/portico.pc.in ${PROJECT_BINARY_DIR}/portico.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/portico.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
