/* Row B18: nothing that coroutines do keeps timers and descriptors waiting. Known bugs 46, 85, 86. */
#include "coroutines.h"

/* What the busy ones do until this is set, which the timer or the reader does. Were that one starved, they went on for ever,
   and the harness would end the test. */
static bool stop;
static long switches;

static coro_t start_detached_now(coro_fn function, void *argument) {
    coro_t co = coro_new(function, argument, NULL);
    coro_detach(co);
    CHECK_EQ(coro_start_now(co), 0);
    return co;
}

static coro_t players[2];

static void *ping_pong(void *argument) {
    coro_t *partner = &players[!AS_INT(argument)];
    while (!stop) {
        CHECK_EQ(coro_park(NULL), 0);
        switches++;
        if (!stop) CHECK_EQ(coro_schedule(*partner, NULL), 0);
    }
    coro_schedule(*partner, NULL);
    return NULL;
}

static void start_ping_pong(void) {
    for (int i = 0; i < 2; i++) players[i] = start_detached_now(ping_pong, AS_POINTER(i));
    CHECK_EQ(coro_schedule(players[0], NULL), 0);
}

static void *respawn(void *argument) {
    switches++;
    if (!stop) go(respawn, argument);
    return NULL;
}

static void start_respawner(void) { go(respawn, NULL); }

static void *yield_until_stopped(void *argument) {
    while (!stop) {
        CHECK_EQ(coro_yield(), 0);
        switches++;
    }
    return argument;
}

static void start_yielders(void) {
    for (int i = 0; i < 3; i++) go(yield_until_stopped, NULL);
}

static void *yield_once(void *argument) {
    coro_yield();
    return argument;
}

static void *start_children(void *argument) {
    while (!stop) {
        start_detached_now(yield_once, NULL);
        CHECK_EQ(coro_yield(), 0);
        switches++;
    }
    return argument;
}

static void start_starter(void) { go(start_children, NULL); }

/* Known bug 46: a zero timer that is always set again. */
static void *sleep_0_until_stopped(void *argument) {
    while (!stop) {
        CHECK_EQ(coro_sleep(0), 0);
        switches++;
    }
    return argument;
}

static void *sleep_past_until_stopped(void *argument) {
    while (!stop) {
        CHECK_EQ(coro_sleep_absolute(1), 0);
        switches++;
    }
    return argument;
}

static void start_zero_sleepers(void) {
    go(sleep_0_until_stopped, NULL);
    go(sleep_past_until_stopped, NULL);
}


static void *end_at_once(void *argument) { return argument; }

static void *spawn_and_join(void *argument) {
    while (!stop) {
        CHECK_EQ(coro_join(coro_spawn(end_at_once, NULL), NULL, CORO_FOREVER), 0);
        switches++;
    }
    return argument;
}

static void start_joiner(void) { go(spawn_and_join, NULL); }

static void (*const busy[])(void) = {start_ping_pong, start_respawner, start_yielders,
                                     start_starter,   start_zero_sleepers, start_joiner};
enum { BUSY = sizeof busy / sizeof *busy };

static void *stop_after_10_ms(void *argument) {
    CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
    stop = true;
    return argument;
}

/* A 10 ms timer, beside each kind of busy coroutines, is late by what a slow machine is, and not by what they do. */
TEST(B18_busy_coroutines_do_not_starve_a_timer) {
    for (int i = 0; i < BUSY; i++) {
        stop = false;
        switches = 0;
        int64_t start = coro_get_now();
        busy[i]();
        go(stop_after_10_ms, NULL);
        run_until_idle();
        CHECK(switches > 10);
        CHECK(coro_get_now() - start >= CORO_MS(10));
        CHECK(coro_get_now() - start < CORO_SECONDS(2));
        CHECK_EQ(coro_get_live_coros(), 0);
    }
}

static void *read_and_stop(void *argument) {
    char byte;
    CHECK_EQ(coro_read(*(int *)argument, &byte, 1), 1);
    stop = true;
    return NULL;
}

TEST(B18_busy_coroutines_do_not_starve_a_descriptor) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    for (int i = 0; i < BUSY; i++) {
        stop = false;
        coro_t reader = start_detached_now(read_and_stop, &ends[0]);
        busy[i]();
        /* Only now, so that it is the poller that has to find it. */
        CHECK_EQ(write(ends[1], "x", 1), 1);
        run_until_idle();
        CHECK(!coro_is_alive(reader));
    }
}

static void *stop_on_wake(void *argument) {
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    stop = true;
    return argument;
}

static void *step_time_once(void *argument) {
    while (switches < 5000) CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_test_step_time(CORO_SECONDS(2)), 0);
    *(long *)argument = switches;
    return NULL;
}

/* In switches, not in time: a timer that becomes due is looked at within a bounded number of them. */
TEST(B18_a_due_timer_waits_for_a_bounded_number_of_switches) {
    coro_test_set_virtual_time(true);
    for (int i = 0; i < BUSY; i++) {
        long due_at = 0;
        stop = false;
        switches = 0;
        go(stop_on_wake, NULL);
        busy[i]();
        go(step_time_once, &due_at);
        run_until_idle();
        CHECK(due_at > 0);
        CHECK(switches - due_at < 1000);
    }
}

static int echoed;
static void *echo(void *argument) {
    int *ends = argument;
    char byte;
    while (coro_recv(ends[0], &byte, 1, 0) == 1) {
        CHECK_EQ(coro_send(ends[0], &byte, 1, 0), 1);
        echoed++;
    }
    return NULL;
}

static void *ask_100_times(void *argument) {
    int *ends = argument;
    char byte = 'x';
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(coro_send(ends[1], &byte, 1, 0), 1);
        CHECK_EQ(coro_recv(ends[1], &byte, 1, 0), 1);
    }
    stop = true;
    CHECK_EQ(coro_close(ends[1]), 0);
    return NULL;
}

TEST(B18_an_echo_goes_on_beside_all_of_them) {
    int ends[2];
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    start_detached_now(echo, ends);
    for (int i = 0; i < BUSY; i++) busy[i]();
    go(ask_100_times, ends);
    run_until_idle();
    CHECK_EQ(echoed, 100);
    CHECK_EQ(coro_close(ends[0]), 0);
}
