# add_go_program(NAME SOURCE): builds a Go program, as a target NAME_program, where Go is installed.
find_program(GO go)
function(add_go_program name source)
    if(NOT GO OR CMAKE_CROSSCOMPILING)
        return()
    endif()
    add_custom_command(
        OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${name}"
        COMMAND ${GO} build -o "${CMAKE_CURRENT_BINARY_DIR}/${name}" "${CMAKE_CURRENT_SOURCE_DIR}/${source}"
        DEPENDS ${source}
        VERBATIM COMMENT "Building ${name}")
    add_custom_target(${name}_program DEPENDS "${CMAKE_CURRENT_BINARY_DIR}/${name}")
endfunction()
