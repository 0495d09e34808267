#include "coro_context.h"

#include <errno.h>

extern coro_exception_globals *__cxa_get_globals(void) __attribute__((weak));

coro_exception_globals *coro_exception_globals_here(void) {
    return __cxa_get_globals ? __cxa_get_globals() : 0;
}

int *coro_errno_here(void) {
    return &errno;
}
