# What `cmake --install` lays down: headers, both libraries, the program, find_package, pkg-config.
# All of it may be moved as a whole afterwards.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Strata)

install(DIRECTORY include/strata TYPE INCLUDE FILES_MATCHING PATTERN "*.h")
install(TARGETS strata_shared EXPORT StrataSharedTargets)
install(TARGETS strata_static EXPORT StrataStaticTargets)
if(TARGET strata)
  install(TARGETS strata)
endif()

# Two export sets: a user of the shared library needs nothing of what it stands on.
foreach(kind Shared Static)
  install(EXPORT Strata${kind}Targets NAMESPACE Strata:: DESTINATION ${package_dir})
endforeach()
configure_package_config_file(cmake/StrataConfig.cmake.in StrataConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(StrataConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/StrataConfig.cmake
  ${PROJECT_BINARY_DIR}/StrataConfigVersion.cmake DESTINATION ${package_dir})

file(RELATIVE_PATH STRATA_PC_UP /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" STRATA_PC_UP "${STRATA_PC_UP}")
configure_file(cmake/strata.pc.in strata.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/strata.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
