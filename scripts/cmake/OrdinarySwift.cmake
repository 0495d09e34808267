# Swift with its ordinary runtime, beside libcoro.so: for programs and libraries that use both.
#
# add_swift_product(<target> LIBRARY|EXECUTABLE [OUTPUT_NAME <name>] SOURCES <files>
#                   [HEADERS <files>] [INCLUDES <folders>] [LINKS <targets>] [OPTIONS <options>])
#
# Compiles Swift sources as one module, with the module Coro from Sources/Coro in it, into one library or program that
# is linked against libcoro.so: the Swift code then shares its loop with all other code of the process. HEADERS are C
# headers that the sources import by way of a module map in INCLUDES. C targets link a LIBRARY by its name; LINKS are
# libraries written in C that the Swift code calls, OPTIONS more options of swiftc. What builds the product is the target <target>_build.
# May be included by several folders: the module is built once.

set(coro_swift_flags -swift-version 6 -wmo -parse-as-library -warnings-as-errors
    $<IF:$<CONFIG:Debug>,-Onone,-O> -g -I "${PROJECT_SOURCE_DIR}/include" ${CORO_SWIFT_TARGET_FLAGS})

# -- the module Coro, once for all -------------------------------------------------------------------------------------

set(coro_swift_module_folder "${PROJECT_BINARY_DIR}/swift")
set(coro_swift_module_library "${coro_swift_module_folder}/libCoroModule.a")
file(MAKE_DIRECTORY "${coro_swift_module_folder}")
if(NOT TARGET coro_swift_module)
    file(GLOB_RECURSE coro_swift_module_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/Sources/Coro/*.swift")
    list(FILTER coro_swift_module_sources EXCLUDE REGEX "\\.docc/") # whole programs, of the tutorial
    add_custom_command(
        OUTPUT "${coro_swift_module_library}"
        BYPRODUCTS "${coro_swift_module_folder}/Coro.swiftmodule"
        COMMAND "${CORO_SWIFTC}" ${coro_swift_flags} -module-name Coro -emit-library -static
            -emit-module -emit-module-path "${coro_swift_module_folder}/Coro.swiftmodule"
            ${coro_swift_module_sources} -o "${coro_swift_module_library}"
        DEPENDS ${coro_swift_module_sources}
            "${PROJECT_SOURCE_DIR}/include/coro.h" "${PROJECT_SOURCE_DIR}/include/module.modulemap"
        VERBATIM COMMENT "Compiling the Swift module Coro")
    add_custom_target(coro_swift_module DEPENDS "${coro_swift_module_library}")
endif()

function(add_swift_product target kind)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "OUTPUT_NAME" "SOURCES;HEADERS;INCLUDES;LINKS;OPTIONS")
    if(NOT arg_OUTPUT_NAME)
        set(arg_OUTPUT_NAME ${target})
    endif()
    if(kind STREQUAL "LIBRARY")
        set(product "${CMAKE_CURRENT_BINARY_DIR}/lib${arg_OUTPUT_NAME}.so")
        set(how -emit-library -Xlinker -soname -Xlinker "lib${arg_OUTPUT_NAME}.so")
    else()
        set(product "${CMAKE_CURRENT_BINARY_DIR}/${arg_OUTPUT_NAME}")
        set(how -emit-executable)
    endif()
    set(flags "")
    foreach(folder ${arg_INCLUDES})
        list(APPEND flags -I "${folder}")
    endforeach()
    set(libraries "")
    foreach(library coro ${arg_LINKS})
        list(APPEND libraries $<TARGET_LINKER_FILE:${library}> -Xlinker -rpath -Xlinker $<TARGET_FILE_DIR:${library}>)
    endforeach()
    list(TRANSFORM arg_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE sources)
    list(TRANSFORM arg_HEADERS PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" OUTPUT_VARIABLE headers)
    add_custom_command(
        OUTPUT "${product}"
        COMMAND "${CORO_SWIFTC}" ${coro_swift_flags} ${arg_OPTIONS} ${flags} -I "${coro_swift_module_folder}" -module-name ${target}
            ${how} ${sources} "${coro_swift_module_library}" ${libraries} -o "${product}"
        DEPENDS ${sources} ${headers} coro_swift_module "${coro_swift_module_library}" coro ${arg_LINKS}
        VERBATIM COMMAND_EXPAND_LISTS COMMENT "Compiling the Swift product ${arg_OUTPUT_NAME}")
    add_custom_target(${target}_build ALL DEPENDS "${product}")
    if(kind STREQUAL "LIBRARY")
        add_library(${target} SHARED IMPORTED)
        set_target_properties(${target} PROPERTIES IMPORTED_LOCATION "${product}")
        add_dependencies(${target} ${target}_build)
    endif()
endfunction()
