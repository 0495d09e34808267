/* Rows A: the life of a coroutine. */
#include "harness.h"

static void *trace_letters(void *argument) {
    trace("%s1", (char *)argument);
    coro_sleep(CORO_MS(1));
    trace("%s2", (char *)argument);
    return argument;
}

TEST(A4_start_now_runs_to_the_first_suspension) {
    coro_t co = coro_new(trace_letters, "a", NULL);
    CHECK_EQ(coro_start_now(co), 0);
    trace("main");
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "a1 main a2 ");
}
