/* Rows D2, D5, D6, D9, D10 and D12: timeout scopes and everything else that may happen at the same time. In virtual time. */
#include "coroutines.h"
#include "net.h"

static int64_t began;

static void start_clock(void) {
    coro_test_set_virtual_time(true);
    began = coro_get_now();
}

static char byte;

/* -- D5: what was woken before its time was up has its event -- */

static void *park_in_scope(void *argument) {
    void *value = NULL;
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(10));
    trace("park:%d", coro_park(&value));
    trace("%s", value ? (char *)value : "-");
    trace("end:%d", (int)coro_timeout_end(scope, 1));
    trace("sleep:%d", coro_sleep(CORO_SECONDS(1)));
    return argument;
}

/* Woken, and only then its time is up, before it runs: the event wins, and the timeout is gone with the scope. */
CORO_TEST(D5_an_event_before_the_interruption_wins) {
    start_clock();
    coro_t co = start_now(park_in_scope, NULL);
    CHECK_EQ(coro_schedule(co, "value"), 0);
    coro_test_step_time(CORO_MS(20));
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "park:0 value end:1 sleep:0 ");
}

/* Its timer has gone off: an event that comes before it runs does not reach it, and is not lost either. */
CORO_TEST(D5_an_event_after_the_interruption_is_too_late) {
    start_clock();
    coro_t co = start_now(park_in_scope, NULL);
    CHECK_EQ(coro_sleep(CORO_MS(9)), 0);
    coro_test_step_time(CORO_MS(5));
    CHECK_EQ(coro_yield_slice(), 0); /* it was made runnable before us, and has run */
    CHECK_STR(traced(), "park:-5009 - end:-5005 ");
    CHECK_EQ(coro_schedule(co, "early"), 0); /* wakes the sleeper that it is by now */
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "park:-5009 - end:-5005 sleep:0 ");
}

static void *go_on_after_one_event(void *argument) {
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(10));
    trace("%d", coro_park(NULL));
    trace("%d", coro_park(NULL));
    trace("%d", (int)coro_timeout_end(scope, 1));
    return argument;
}

static void *schedule_again_and_again(void *of_target) {
    while (coro_is_alive(*(coro_t *)of_target)) {
        coro_schedule(*(coro_t *)of_target, NULL);
        coro_yield();
    }
    return NULL;
}

/* Row D6 and defect 10. Once the time is up one more event comes, whatever is kept ready for it. */
CORO_TEST(D6_one_event_at_most_comes_after_the_time_is_up) {
    start_clock();
    coro_test_set_order_seed(1);
    CHECK_EQ(coro_yield_slice(), 0); /* with a seed this batch ends with our next wait, before anybody else runs */
    coro_t co = start_now(go_on_after_one_event, NULL);
    coro_t scheduler = coro_spawn(schedule_again_and_again, &co);
    coro_test_set_order_seed(0);
    /* It runs in the next batch, when its time is up, and so does the scheduler, as often as it likes. */
    CHECK_EQ(coro_schedule(co, NULL), 0);
    coro_test_step_time(CORO_SECONDS(1));
    CHECK_EQ(coro_join(scheduler, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "0 -5009 -5005 ");
}

/* -- D6: those who are never done; real time, because virtual time stands still while somebody can run -- */

static int fds[2];

static int read_and_write(void) {
    if (coro_write(fds[1], "x", 1) < 0) return CORO_EINTERRUPTED;
    return (int)coro_read(fds[0], &byte, 1);
}

static int sleep_0(void) { return coro_sleep(0); }
static int sleep_1(void) { return coro_sleep(1); }
static int join_one(void) { return coro_join(coro_spawn(do_nothing, NULL), NULL, CORO_FOREVER); }
static int park_to_be_woken(void) { return coro_park(NULL); }

static void *without_end(void *of_call) {
    int (*call)(void) = *(int (**)(void))of_call, code;
    while ((code = call()) >= 0) {}
    CHECK_EQ(code, CORO_EINTERRUPTED);
    return NULL;
}

CORO_TEST(D6_one_that_is_never_done_is_interrupted) {
    static int (*calls[])(void) = {coro_yield, coro_yield_slice, sleep_0, sleep_1, read_and_write, join_one, park_to_be_woken};
    static coro_t me;
    me = coro_current();
    unix_pair(fds);
    go(schedule_again_and_again, &me);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        CHECK_EQ(coro_with_timeout(CORO_MS(5), without_end, &calls[i], NULL), CORO_ETIMEOUT);
        CHECK_EQ(coro_yield(), 0);
    }
}

static void *read_all(void *argument) {
    char buffer[64];
    while (coro_read(fds[0], buffer, sizeof buffer) > 0) {}
    return argument;
}

static void *write_without_end(void *argument) {
    while (coro_write(fds[1], "data that keep coming", 21) > 0) {}
    return argument;
}

/* Shrapnel's took 1.2 seconds instead of 0.1. */
CORO_TEST(D6_a_busy_reader_is_interrupted) {
    unix_pair(fds);
    coro_t writer = coro_spawn(write_without_end, NULL);
    CHECK_EQ(coro_with_timeout(CORO_MS(20), read_all, NULL, NULL), CORO_ETIMEOUT);
    coro_close(fds[0]);
    coro_close(fds[1]);
    CHECK_EQ(coro_join(writer, NULL, CORO_FOREVER), 0);
}

static void *wake_once(void *of_target) {
    CHECK_EQ(coro_schedule(*(coro_t *)of_target, NULL), 0);
    return NULL;
}

/* -- D2: waits that end by themselves leave nothing armed, in a scope that goes on -- */

CORO_TEST(D2_a_scope_goes_on_over_waits_of_every_kind) {
    void *value;
    start_clock();
    unix_pair(fds);
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(10));
    coro_t me = coro_current();
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(coro_yield(), 0);
        CHECK_EQ(coro_yield_slice(), 0);
        CHECK_EQ(coro_sleep(0), 0);
        CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
        CHECK_EQ(coro_join(coro_spawn(do_nothing, NULL), NULL, CORO_FOREVER), 0);
        CHECK_EQ(coro_join(coro_spawn(sleep_for_ever, NULL), NULL, CORO_MS(1)), CORO_ETIMEOUT);
        go(wake_once, &me);
        CHECK_EQ(coro_park(&value), 0);
        go(wake_once, &me);
        CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0); /* woken early */
    }
    CHECK_EQ(coro_timeout_expired(scope), 0);
    CHECK_EQ(coro_timeout_end(scope, 3), 3);
}

/* -- D9: what it waited in knows nothing of it any more -- */

CORO_TEST(D9_accept_times_out_twice_on_one_listener) {
    struct address at;
    start_clock();
    int listener = make_listener(AF_INET, SOCK_STREAM, 5, &at);
    for (int i = 0; i < 2; i++) {
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(1));
        int code = coro_accept(listener, NULL, NULL);
        CHECK_EQ(code, CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
    }
    int client = coro_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(coro_connect(client, (struct sockaddr *)&at.storage, at.length), 0);
    int server = coro_accept(listener, NULL, NULL);
    CHECK(server >= 0);
}

CORO_TEST(D9_everything_can_be_used_again_at_once) {
    start_clock();
    unix_pair(fds);
    coro_event *event = coro_event_new();
    coro_t co = start_now(park, NULL);
    for (int i = 0; i < 10; i++) {
        coro_timeout_t scope = coro_timeout_begin(i % 2 ? CORO_MS(1) : 0);
        int code = i < 2   ? (int)coro_read(fds[0], &byte, 1)
                   : i < 4 ? coro_wait_for(fds[0], CORO_READ)
                   : i < 6 ? coro_join(co, NULL, CORO_FOREVER)
                   : i < 8 ? coro_event_wait(event, NULL)
                           : coro_park(NULL);
        CHECK_EQ(code, CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
        CHECK_EQ(info_of(coro_current()).wait_kind, CORO_WAIT_NONE);
    }
    coro_event_set(event, NULL); /* wakes nobody */
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
    CHECK_EQ(coro_join(co, NULL, 0), 0);
    coro_event_free(event);
}

/* -- D10 -- */

static void *sleep_and_tell(void *argument) {
    CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER); /* scopes are not inherited */
    CHECK_EQ(coro_sleep(CORO_SECONDS(5)), 0);
    trace("%s", (char *)argument);
    return argument;
}

CORO_TEST(D10_what_was_started_in_a_scope_runs_on) {
    start_clock();
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(1));
    coro_t spawned = coro_spawn(sleep_and_tell, "spawned"), started = start_now(sleep_and_tell, "started");
    CHECK_EQ(coro_join(spawned, NULL, CORO_FOREVER), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, 0), CORO_ETIMEOUT);
    CHECK_EQ(coro_join(spawned, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(started, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "started spawned ");
}

static void *sleep_5_s(void *number) {
    CHECK_EQ(coro_sleep(CORO_SECONDS(5)), 0);
    return number;
}

static void *three_in_parallel(void *calls) {
    int code = coro_in_parallel(calls, 3);
    return code < 0 ? coro_fail(code, NULL) : calls;
}

CORO_TEST(D1_a_scope_around_functions_in_parallel) {
    coro_call calls[3];
    start_clock();
    for (int i = 0; i < 3; i++) calls[i] = (coro_call){.fn = sleep_5_s, .arg = AS_POINTER(4 + i)};
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(2), three_in_parallel, calls, NULL), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - began, CORO_SECONDS(2));
    CHECK_EQ(coro_get_live_coros(), 4);
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(7), three_in_parallel, calls, NULL), 0);
    CHECK_EQ(coro_get_now() - began, CORO_SECONDS(7));
    for (int i = 0; i < 3; i++) CHECK_EQ(AS_INT(calls[i].result), 4 + i);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* -- D12, without a watch: a scope in which nobody waits takes no timer -- */

CORO_TEST(D12_a_scope_without_waits_costs_no_timer_and_no_memory) {
    start_clock();
    coro_timeout_end(coro_timeout_begin(CORO_SECONDS(1)), 0); /* the place for scopes */
    coro_test_fail_call("calloc", 1, ENOMEM);
    for (int i = 0; i < 100000; i++) CHECK_EQ(coro_timeout_end(coro_timeout_begin(CORO_MS(1)), i), i);
    coro_test_fail_call("calloc", 0, 0);
    /* With no timer left over time goes straight to this one. */
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    CHECK_EQ(coro_get_now() - began, CORO_SECONDS(1));
}

CORO_TEST(D1_without_memory_nothing_is_begun_and_nothing_lost) {
    int code;
    start_clock();
    for (int n = 1;; n++) {
        coro_test_fail_call("calloc", n, ENOMEM);
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(1));
        if (scope < 0) {
            CHECK_EQ(scope, -ENOMEM);
            CHECK_EQ(coro_timeout_deadline(), CORO_FOREVER);
            CHECK_EQ(coro_with_timeout(CORO_MS(1), do_nothing, NULL, NULL), 0);
            continue;
        }
        code = coro_park(NULL);
        CHECK(code == -ENOMEM || code == CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, code), code == -ENOMEM ? -ENOMEM : CORO_ETIMEOUT);
        coro_test_fail_call("calloc", 0, 0);
        CHECK_EQ(info_of(coro_current()).wait_kind, CORO_WAIT_NONE);
        CHECK_EQ(coro_yield(), 0);
        if (code == CORO_EINTERRUPTED) break;
    }
}
