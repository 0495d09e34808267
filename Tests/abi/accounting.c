/* How old coroutines are, how often they were switched to, and how long they have run: coro_set_accounting. */
#include "coroutines.h"

static void *run_for(void *ms) {
    coro_test_step_time(CORO_MS(AS_INT(ms)));
    coro_yield();
    coro_test_step_time(CORO_MS(AS_INT(ms)));
    coro_park(NULL);
    return ms;
}

CORO_TEST(G8_run_time_is_counted_while_that_is_on) {
    coro_test_set_virtual_time(true);
    coro_t before = coro_spawn(run_for, AS_POINTER(10));
    CHECK_EQ(coro_set_accounting(true), false);
    CHECK_EQ(coro_set_accounting(true), true);
    coro_t first = coro_spawn(run_for, AS_POINTER(100)), second = coro_spawn(run_for, AS_POINTER(1000));
    coro_test_step_time(CORO_MS(1));
    CHECK_EQ(info_of(coro_current()).run_time, CORO_MS(1));
    for (int i = 0; i < 3; i++) coro_yield();
    CHECK_EQ(info_of(before).run_time, CORO_MS(20));
    CHECK_EQ(info_of(first).run_time, CORO_MS(200));
    CHECK_EQ(info_of(second).run_time, CORO_MS(2000));
    CHECK_EQ(info_of(coro_current()).run_time, CORO_MS(1));
    /* Off: what was counted stays, and nothing is added. */
    CHECK_EQ(coro_set_accounting(false), true);
    coro_t third = coro_spawn(run_for, AS_POINTER(10));
    coro_schedule(first, NULL);
    for (int i = 0; i < 3; i++) coro_yield();
    CHECK_EQ(info_of(first).run_time, CORO_MS(200));
    CHECK_EQ(info_of(third).run_time, 0);
    CHECK_EQ(info_of(coro_current()).run_time, CORO_MS(1));
    /* On again: it goes on from there. */
    coro_test_step_time(CORO_MS(7));
    coro_set_accounting(true);
    coro_test_step_time(CORO_MS(2));
    coro_yield();
    CHECK_EQ(info_of(coro_current()).run_time, CORO_MS(3));
}

TEST(G8_run_time_is_counted_for_those_who_end) {
    coro_test_set_virtual_time(true);
    coro_set_accounting(true);
    for (int i = 0; i < 100; i++) {
        coro_t co = coro_spawn(run_for, AS_POINTER(5));
        coro_yield();
        coro_yield();
        coro_schedule(co, NULL);
        coro_yield();
        CHECK_EQ(info_of(co).run_time, CORO_MS(10));
        CHECK_EQ(coro_join(co, NULL, 0), 0);
        go(do_nothing, NULL);
        coro_yield();
    }
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(G8_without_memory_for_it_run_time_is_not_counted) {
    coro_t co = start_now(park, NULL);
    coro_test_fail_call("calloc", 2, ENOMEM); /* the first is for the thread's own stack */
    CHECK_EQ(coro_set_accounting(true), false);
    coro_schedule(co, NULL);
    CHECK_EQ(coro_yield(), 0);
    if (!is_watched()) CHECK_EQ(info_of(co).run_time, 0); /* AddressSanitizer has needed that memory before */
    CHECK_EQ(coro_join(co, NULL, 0), 0);
}

TEST(G8_age_and_switches) {
    coro_test_set_virtual_time(true);
    coro_t co = coro_spawn(run_for, AS_POINTER(0));
    CHECK_EQ(info_of(co).switches, 0);
    CHECK(info_of(co).age < 1024);
    coro_test_step_time(CORO_SECONDS(3));
    coro_yield();
    CHECK_EQ(info_of(co).switches, 1);
    coro_yield();
    CHECK_EQ(info_of(co).switches, 2);
    CHECK(info_of(co).age >= CORO_SECONDS(3) && info_of(co).age < CORO_SECONDS(3) + 1024);
    /* Whatever the time is, it is not negative. */
    coro_test_step_time(CORO_FOREVER);
    CHECK(info_of(co).age >= 0);
}
