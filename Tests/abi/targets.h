/* What the tests of targets share. */
#ifndef TARGETS_H
#define TARGETS_H

#include "coroutines.h"

/* Registers fn; checked. */
coro_target_t target_of(const char *prototype, coro_function fn);
#define TARGET(prototype, fn) target_of(prototype, (coro_function)(fn))

/* The same with a handler, by options that are given but for that. */
coro_target_t target_with(const char *prototype, coro_handler handler, coro_target_options options);

/* Joins for the result, which must come without error. */
#define RESULT(co, type) \
    __extension__({ \
        type result_; \
        memset(&result_, 0x55, sizeof result_); \
        CHECK_EQ(coro_join_result(co, &result_, sizeof result_, CORO_FOREVER), 0); \
        result_; \
    })

/* What a target is released with: counts. */
void count_release(void *counter);

/* Targets. */
int add(int a, int b);                   /* the sum */
int64_t park_target(void);               /* parks once; 7, or fails with what interrupts it */
int fail_target(int code);               /* fails */

#endif
