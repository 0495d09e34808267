/* Row L5: poll hooks, between which the thread sleeps: a host language gives up its lock there. */
#include "hooks.h"

#include <pthread.h>

static int waits, inside;

static void before(void *context) {
    CHECK(context == &waits);
    CHECK_EQ(coro_current(), 0);
    CHECK_EQ(inside, 0);
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    inside = 1;
    waits++;
    errno = E2BIG;
}

static void after(void *context) {
    CHECK(context == &waits);
    CHECK_EQ(coro_current(), 0);
    CHECK_EQ(inside, 1);
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    inside = 0;
    errno = E2BIG;
}

static void set_counting_hooks(void) {
    coro_poll_hooks hooks = {sizeof hooks, &waits, before, after};
    CHECK_EQ(coro_set_poll_hooks(&hooks), 0);
}

static void *sleep_shortly(void *times) {
    for (int i = 0; i < AS_INT(times); i++) {
        CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
        CHECK_EQ(inside, 0);
    }
    return times;
}

TEST(L5_poll_hooks_are_called_around_each_wait) {
    set_counting_hooks();
    go(sleep_shortly, AS_POINTER(5));
    run_until_idle();
    CHECK(waits >= 1);
    CHECK_EQ(inside, 0);
    /* Also where a call runs the loop; */
    waits = 0;
    errno = EDOM;
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK(waits >= 1);
    CHECK_EQ(errno, EDOM);
    /* and no more when they are taken away. */
    waits = 0;
    CHECK_EQ(coro_set_poll_hooks(NULL), 0);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(waits, 0);
}

static void *yield_often(void *times) {
    for (int i = 0; i < AS_INT(times); i++) CHECK_EQ(i % 2 ? coro_yield() : coro_yield_slice(), 0);
    return times;
}

static void *read_one(void *fd) {
    char byte;
    CHECK_EQ(coro_read(AS_INT(fd), &byte, 1), 1);
    return fd;
}

/* While somebody can run the poller is asked in passing: nobody sleeps. */
TEST(L5_poll_hooks_are_not_called_where_nobody_sleeps) {
    int ends[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    coro_t reader = start_now(read_one, AS_POINTER(ends[0]));
    set_counting_hooks();
    coro_t busy = coro_spawn(yield_often, AS_POINTER(2000));
    CHECK_EQ(coro_join(busy, NULL, CORO_FOREVER), 0);
    CHECK_EQ(waits, 0);
    /* Nor while virtual time goes on. */
    coro_test_set_virtual_time(true);
    coro_t sleeper = coro_spawn(sleep_shortly, AS_POINTER(100));
    CHECK_EQ(coro_sleep(CORO_SECONDS(100)), 0);
    CHECK_EQ(coro_join(sleeper, NULL, 0), 0);
    CHECK_EQ(waits, 0);
    CHECK_EQ(coro_write(ends[1], "x", 1), 1);
    CHECK_EQ(coro_join(reader, NULL, CORO_FOREVER), 0);
}

TEST(L5_poll_hooks_come_in_pairs_when_the_wait_fails) {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.poll_timeout = CORO_MS(1);
    set_counting_hooks();
    CHECK(coro_backend_name() != NULL);
    go(sleep_for_ever, NULL);
    coro_test_fail_call(call_that_waits(), 2, EBADF); /* the first may be a glance */
    CHECK_EQ(coro_event_loop_with(&options), -EBADF);
    CHECK(waits >= 1);
    CHECK_EQ(inside, 0);
    waits = 0;
    coro_test_fail_call(call_that_waits(), 1, EBADF);
    CHECK_EQ(coro_sleep(CORO_SECONDS(10)), -EBADF);
    CHECK_EQ(inside, 0);
}

static void nothing(int number) {
    (void)number;
}

struct disturber {
    pthread_t target;
    coro_loop_t loop;
    int is_done;
};

static void *end_loop(void *disturber) {
    __atomic_store_n(&((struct disturber *)disturber)->is_done, 1, __ATOMIC_RELAXED);
    coro_set_exit(7);
    return NULL;
}

/* Interrupts the other thread until its loop has waited some times, then lets it go on. */
static void *disturb(void *argument) {
    struct disturber *disturber = argument;
    while (__atomic_load_n(&waits, __ATOMIC_RELAXED) < 5) {
        pthread_kill(disturber->target, SIGUSR1);
        usleep(1000);
    }
    CHECK_EQ(coro_post(disturber->loop, end_loop, disturber), 0);
    return NULL;
}

TEST(L5_poll_hooks_come_in_pairs_when_a_signal_breaks_off_the_wait) {
    struct sigaction action = {.sa_handler = nothing};
    struct disturber disturber = {pthread_self(), coro_loop_current(), 0};
    pthread_t thread;
    sigaction(SIGUSR1, &action, NULL);
    coro_set_print_exit_string(false);
    set_counting_hooks();
    CHECK_EQ(pthread_create(&thread, NULL, disturb, &disturber), 0);
    CHECK_EQ(coro_event_loop(), 7);
    CHECK_EQ(disturber.is_done, 1);
    CHECK_EQ(inside, 0);
    CHECK(waits >= 5);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* -- what hooks start is not forgotten over the wait -- */

static void *leave_loop(void *code) {
    coro_set_exit(AS_INT(code));
    return NULL;
}

static void spawn_once(void *spawned) {
    if (!*(bool *)spawned) go(leave_loop, AS_POINTER(3));
    *(bool *)spawned = true;
}

static void post_once(void *posted) {
    if (!*(bool *)posted) CHECK_EQ(coro_post(coro_loop_current(), leave_loop, AS_POINTER(4)), 0);
    *(bool *)posted = true;
}

TEST(L5_what_a_poll_hook_starts_runs_at_once) {
    bool done = false;
    coro_poll_hooks hooks = {sizeof hooks, &done, spawn_once, NULL};
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.poll_timeout = CORO_FOREVER;
    coro_set_print_exit_string(false);
    CHECK_EQ(coro_set_poll_hooks(&hooks), 0);
    CHECK_EQ(coro_event_loop_with(&options), 3);
    done = false;
    hooks = (coro_poll_hooks){sizeof hooks, &done, post_once, NULL};
    CHECK_EQ(coro_set_poll_hooks(&hooks), 0);
    CHECK_EQ(coro_event_loop_with(&options), 4);
    /* The first wait ends with this one's, so that the loop comes round. */
    done = false;
    hooks = (coro_poll_hooks){sizeof hooks, &done, NULL, spawn_once};
    CHECK_EQ(coro_set_poll_hooks(&hooks), 0);
    go(sleep_shortly, AS_POINTER(1));
    CHECK_EQ(coro_event_loop_with(&options), 3);
}
