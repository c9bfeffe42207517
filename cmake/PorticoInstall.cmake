# What an installation holds. Everything is found relative to the library, so an installed tree may be moved.
include(CMakePackageConfigHelpers)

install(TARGETS portico EXPORT PorticoTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/api/include/portico DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT PorticoTargets NAMESPACE Portico:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Portico)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/PorticoConfig.cmake.in ${PROJECT_BINARY_DIR}/PorticoConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Portico)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/PorticoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/PorticoConfig.cmake ${PROJECT_BINARY_DIR}/PorticoConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Portico)

configure_file(${CMAKE_CURRENT_LIST_DIR}/portico.pc.in ${PROJECT_BINARY_DIR}/portico.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/portico.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
