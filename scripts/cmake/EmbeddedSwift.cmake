# add_embedded_swift_object(<variable> MODULE <name> SOURCES <files> HEADERS <files> INCLUDES <folders>
#                           [FLAGS <flags>])
#
# Compiles Swift sources as one Embedded Swift module into one position-independent object, whose path is stored in
# <variable>. A custom command and not CMake's own Swift support, so that the C compiler drives the link, cross-compiling
# included, and projects that add this one need not enable Swift. HEADERS are what the sources import.

find_program(CORO_SWIFTC swiftc REQUIRED DOC "The Swift compiler, 6.3 or later")

# The triple of the stdlib module to compile against, and how C headers are found there.
set(CORO_SWIFT_TARGET_FLAGS "" CACHE STRING "More flags for swiftc, as a list: needed for cross-compiling only")

function(add_embedded_swift_object variable)
    cmake_parse_arguments(arg "" "MODULE" "SOURCES;HEADERS;INCLUDES;FLAGS" ${ARGN})
    set(object "${CMAKE_CURRENT_BINARY_DIR}/${arg_MODULE}.o")
    set(flags -swift-version 6 -wmo -parse-as-library -enable-experimental-feature Embedded -module-name ${arg_MODULE}
        -Xcc -fPIC -Xfrontend -function-sections -warnings-as-errors ${arg_FLAGS})
    if(CMAKE_BUILD_TYPE STREQUAL "Debug")
        list(APPEND flags -Onone -g)
    else()
        list(APPEND flags -O -g)
    endif()
    foreach(folder ${arg_INCLUDES})
        list(APPEND flags -I "${folder}")
    endforeach()
    add_custom_command(
        OUTPUT "${object}"
        COMMAND "${CORO_SWIFTC}" ${flags} ${CORO_SWIFT_TARGET_FLAGS} -c ${arg_SOURCES} -o "${object}"
        DEPENDS ${arg_SOURCES} ${arg_HEADERS}
        VERBATIM COMMENT "Compiling the Embedded Swift module ${arg_MODULE}")
    set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    set(${variable} "${object}" PARENT_SCOPE)
endfunction()
