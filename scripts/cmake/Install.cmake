# Headers, libraries, pkg-config file and CMake package.
include(CMakePackageConfigHelpers)

install(FILES include/coro.h bindings/cpp/coro.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY bindings/cpp/coro DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS coro coro_static EXPORT coro-targets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT coro-targets NAMESPACE coro:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/coro)

# Relative to where the file lies, so that `cmake --install --prefix` and moving the tree keep it right.
file(RELATIVE_PATH coro_pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file(scripts/cmake/libcoro.pc.in libcoro.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/libcoro.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

configure_package_config_file(scripts/cmake/coro-config.cmake.in coro-config.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/coro)
write_basic_package_version_file(coro-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/coro-config.cmake" "${CMAKE_CURRENT_BINARY_DIR}/coro-config-version.cmake"
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/coro)
