/*
 * MUST(call): the examples' way with errors that they could not recover from. Says what failed and why, and ends the
 * program; otherwise it is the call's result.
 */
#ifndef MUST_H
#define MUST_H

#include <coro.h>

#include <stdio.h>
#include <stdlib.h>

#define MUST(call) must((call), #call)

static inline int64_t must(int64_t result, const char *call) {
    if (result >= 0) return result;
    fprintf(stderr, "%s: %s (%s)\n", call, coro_strerror((int)result), coro_error_detail());
    exit(EXIT_FAILURE);
}

#endif
