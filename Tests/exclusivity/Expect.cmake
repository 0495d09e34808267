# Runs PROGRAM CASE, which is to say EXPECTED: "done" at its end, or why Swift ended it.
execute_process(COMMAND ${CMAKE_COMMAND} -E env SWIFT_BACKTRACE=enable=no "${PROGRAM}" ${CASE}
    RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(NOT said MATCHES "${EXPECTED}")
    message(FATAL_ERROR "${CASE}: ${result}: ${said}")
endif()
if(EXPECTED STREQUAL done AND NOT result EQUAL 0 OR NOT EXPECTED STREQUAL done AND result EQUAL 0)
    message(FATAL_ERROR "${CASE}: it ended with ${result}")
endif()
