/*
 * The test harness: tests of libcoro through its C ABI.
 *
 *     TEST(A15_join_returns_the_result) {            runs on the thread's own stack
 *         CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
 *     }
 *     CORO_TEST(A15_join_in_a_coroutine) { ... }     runs in a coroutine, inside coro_event_loop()
 *
 * A name starts with the id of the row in the list of features, or with what it is about. Each test runs in a process of its
 * own, which is killed after TEST_SECONDS. A failed CHECK prints what it saw and ends the test's process with status 1.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <coro.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void (*test_function)(void);
void test_register(const char *name, test_function function);
void test_run_in_loop(test_function function);
_Noreturn void test_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
_Noreturn void test_skip(const char *why);

#define TEST(name) \
    static void name(void); \
    __attribute__((constructor)) static void register_##name(void) { test_register(#name, name); } \
    static void name(void)

#define CORO_TEST(name) \
    static void body_##name(void); \
    TEST(name) { test_run_in_loop(body_##name); } \
    static void body_##name(void)

#define CHECK(condition) \
    do { \
        if (!(condition)) test_fail(__FILE__, __LINE__, "%s", #condition); \
    } while (0)

#define CHECK_EQ(actual, expected) \
    do { \
        long long actual_ = (long long)(actual), expected_ = (long long)(expected); \
        if (actual_ != expected_) \
            test_fail(__FILE__, __LINE__, "%s is %lld, not %lld (%s)", #actual, actual_, expected_, #expected); \
    } while (0)

#define CHECK_STR(actual, expected) test_check_text(__FILE__, __LINE__, #actual, (actual), (expected))
void test_check_text(const char *file, int line, const char *what, const char *actual, const char *expected);

/* That `part` is somewhere in the text. */
#define CHECK_CONTAINS(actual, part) \
    do { \
        const char *actual_ = (actual), *part_ = (part); \
        if (strstr(actual_, part_) == NULL) \
            test_fail(__FILE__, __LINE__, "%s is \"%s\", without \"%s\"", #actual, actual_, part_); \
    } while (0)

/* -- what many tests need -- */

/* An int as a coroutine's argument or result, and back. */
#define AS_POINTER(number) ((void *)(intptr_t)(number))
#define AS_INT(pointer) ((int)(intptr_t)(pointer))

/* A record of what happened in which order: trace("a%d", 1) appends "a1 ". */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *traced(void);

/* Runs the loop until nothing can run any more. */
void run_until_idle(void);

/* Whether AddressSanitizer or Valgrind watches: then memory is not what it is otherwise, and a stack takes mappings. */
bool is_watched(void);

/* How many descriptors the process has open. */
int open_descriptors(void);

/* Whether the loop of this thread polls by io_uring, and the system call that it waits in: what is counted, or fails, in tests. */
bool polls_by_ring(void);
const char *call_that_waits(void);

/* How many timers of timer_create() the process has; 0 on a kernel that does not tell. */
int count_timers(void);

/* Runs function in a child process; returns its wait status, and what it wrote to stderr in `output`. */
int run_in_child(test_function function, char *output, size_t size);

#endif
