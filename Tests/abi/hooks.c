/* Row L5: switch hooks, by which a host language keeps its state of a thread apart for each coroutine: when they are called. */
#include "hooks.h"

TEST(L5_switch_hooks_are_called_at_each_switch) {
    set_traced_hooks();
    go_named("a", run_and_end);
    go_named("b", run_and_end);
    run_until_idle();
    CHECK_STR(traced(), "leave:main enter:a runs:a leave:a enter:b runs:b leave:b "
                        "enter:a ends:a end:a enter:b ends:b end:b enter:main ");
}

static void trace_release(void *unused) {
    (void)unused;
    trace("release");
}

static void trace_destroy(void *unused) {
    (void)unused;
    trace("destroy");
}

static coro_local_t local;

static void *set_local(void *unused) {
    CHECK_EQ(coro_local_set(local, &local), 0);
    trace("returns");
    return unused;
}

static void set_local_at_end(void *context, coro_t co, void **state) {
    (void)context, (void)co, (void)state;
    trace("end");
    CHECK_EQ(coro_local_set(local, &local), 0);
}

TEST(L5_the_end_hook_is_the_last_of_a_coroutine) {
    coro_switch_hooks hooks = CORO_SWITCH_HOOKS_INIT;
    coro_options options = CORO_OPTIONS_INIT;
    options.release = trace_release;
    hooks.end = set_local_at_end;
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
    local = coro_local_new(trace_destroy);
    coro_t co = coro_spawn_with(set_local, NULL, &options);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    /* But for what it sets itself. */
    CHECK_STR(traced(), "returns release destroy end destroy ");
}

TEST(L5_one_that_was_cancelled_is_not_entered_and_does_not_end) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = trace_release;
    set_traced_hooks();
    coro_t created = coro_new(do_nothing, NULL, &options), queued = coro_spawn_with(do_nothing, NULL, &options);
    CHECK_EQ(coro_shutdown(created), 0);
    CHECK_EQ(coro_shutdown(queued), 0);
    run_until_idle();
    CHECK_EQ(coro_join(created, NULL, 0), CORO_ESHUTDOWN);
    CHECK_EQ(coro_join(queued, NULL, 0), CORO_ESHUTDOWN);
    CHECK_STR(traced(), "release release ");
}

static void *start_another(void *unused) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "inner";
    options.flags = CORO_DETACHED | CORO_START_NOW;
    trace("starts");
    CHECK(coro_spawn_with(run_and_end, NULL, &options) > 0);
    trace("started");
    return unused;
}

TEST(L5_starting_at_once_is_a_switch_there_and_back) {
    set_traced_hooks();
    go_named("outer", start_another);
    run_until_idle();
    CHECK_STR(traced(), "leave:main enter:outer starts leave:outer enter:inner runs:inner leave:inner enter:outer started "
                        "end:outer enter:inner ends:inner end:inner enter:main ");
}

TEST(L5_main_is_not_left_while_its_loop_waits) {
    coro_test_set_virtual_time(true);
    set_traced_hooks();
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0); /* nobody else can run */
    CHECK_STR(traced(), "");
    go_named("a", run_and_end);
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    /* It yields, and nobody else can run. */
    CHECK_STR(traced(), "leave:main enter:a runs:a ends:a end:a enter:main ");
}

/* -- where they run -- */

enum { NEAR = 64 * 1024 };
static char *here;
static int looks;

static void look_where_it_runs(void *context, coro_t co, void **state) {
    char *mine = __builtin_frame_address(0);
    CHECK(context == &looks);
    CHECK_EQ(coro_current(), co);
    CHECK(state != NULL && state == coro_switch_state());
    if (co != 0 && here != NULL) CHECK(mine < here && here - mine < NEAR);
    here = co == 0 ? NULL : mine + 1;
    looks++;
}

static void *look(void *unused) {
    char *mine = __builtin_frame_address(0);
    for (int i = 0; i < 3; i++) {
        here = mine;
        CHECK_EQ(coro_yield(), 0);
        CHECK(here < mine && mine - here < NEAR); /* enter ran on this stack */
    }
    here = mine;
    return unused;
}

/* enter of one that begins has nothing to hold on to. */
static void begin_looking(void *context, coro_t co, void **state) {
    if (*state == NULL) here = NULL;
    else if (co != 0) here = *state;
    look_where_it_runs(context, co, state);
    *state = here;
}

static void stop_looking(void *context, coro_t co, void **state) {
    char *mine = here;
    look_where_it_runs(context, co, state);
    *state = mine;
}

TEST(L5_switch_hooks_run_on_the_coroutines_own_stack) {
    if (is_watched()) test_skip("a watched function's frame may be elsewhere");
    coro_switch_hooks hooks = {sizeof hooks, &looks, stop_looking, begin_looking, look_where_it_runs};
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
    for (int i = 0; i < 3; i++) go(look, NULL);
    run_until_idle();
    CHECK_EQ(looks, 2 + 3 * (4 + 3 + 1)); /* main's two, and each one's enters, leaves and end */
}

/* -- what they may not do -- */

static int refused;

static void misbehave(void *context, coro_t co, void **state) {
    coro_switch_hooks none = CORO_SWITCH_HOOKS_INIT;
    coro_poll_hooks no_poll = CORO_POLL_HOOKS_INIT;
    (void)context, (void)co, (void)state;
    errno = E2BIG;
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_sleep(0), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_event_loop(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_set_switch_hooks(NULL), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_set_switch_hooks(&none), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_set_poll_hooks(NULL), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_set_poll_hooks(&no_poll), CORO_EYIELDFROMMAIN);
    CHECK_CONTAINS(coro_error_detail(), "hook");
    coro_fail(-EIO, "not of a hook");
    refused++;
}

static void *keep_errno(void *number) {
    for (int i = 0; i < 3; i++) {
        errno = AS_INT(number);
        CHECK_EQ(coro_yield(), 0);
        CHECK_EQ(errno, AS_INT(number));
    }
    return NULL;
}

TEST(L5_hooks_must_not_suspend_nor_change_the_hooks_nor_errno) {
    coro_switch_hooks hooks = {sizeof hooks, NULL, misbehave, misbehave, misbehave};
    coro_poll_hooks poll = CORO_POLL_HOOKS_INIT;
    coro_t all[3];
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
    for (int i = 0; i < 3; i++) all[i] = coro_spawn(keep_errno, AS_POINTER(ENOENT + i));
    errno = EDOM;
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(errno, EDOM);
    run_until_idle();
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_join(all[i], NULL, 0), 0); /* and none was made to fail */
    CHECK(refused > 20);
    /* Afterwards all is as it was. */
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_set_poll_hooks(&poll), 0);
    CHECK_EQ(coro_set_poll_hooks(NULL), 0);
    unset_hooks();
}

/* What they create, wake and end meanwhile is as if somebody else did it. That a new coroutine may get the record, or the
   stack, of the one that has just ended must not matter. */
static int busy, ended;
static coro_t sleeper;

static void *count_end(void *unused) {
    ended++;
    return unused;
}

static void be_busy(void *context, coro_t co, void **state) {
    (void)context, (void)co, (void)state;
    if (busy == 0) return;
    busy--;
    go(count_end, NULL);
    if (coro_is_alive(sleeper)) (void)coro_interrupt(sleeper, NULL);
}

static void *sleep_until_shut_down(void *count) {
    int code;
    while ((code = coro_sleep(CORO_FOREVER)) == CORO_EINTERRUPTED) ++*(int *)count;
    CHECK_EQ(code, CORO_ESHUTDOWN);
    return NULL;
}

TEST(L5_hooks_may_create_and_wake_coroutines) {
    coro_switch_hooks hooks = {sizeof hooks, NULL, be_busy, be_busy, be_busy};
    enum { TIMES = 1000 };
    int interrupted = 0;
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
    sleeper = start_now(sleep_until_shut_down, &interrupted);
    busy = TIMES;
    for (int i = 0; i < 100; i++) {
        go(do_nothing, NULL);
        CHECK_EQ(coro_yield(), 0);
    }
    for (int i = 0; busy > 0; i++) CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_shutdown(sleeper), 0);
    CHECK_EQ(coro_join(sleeper, NULL, CORO_FOREVER), 0);
    run_until_idle();
    CHECK_EQ(ended, TIMES);
    CHECK(interrupted > 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}
