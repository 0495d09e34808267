/* Row L5: the states that switch hooks keep, and hooks that come and go while coroutines live. */
#include "hooks.h"

#include <pthread.h>
#include <sys/wait.h>

enum { MAX_STATES = 100 };
static coro_t states[MAX_STATES]; /* whose each is */
static int states_used, live_states, first_enters;

static void check_state(coro_t co, void *state) {
    if (state != NULL) CHECK_EQ(*(coro_t *)state, co);
}

static void save(void *context, coro_t co, void **state) {
    (void)context;
    check_state(co, *state);
    if (*state != NULL) return;
    CHECK(states_used < MAX_STATES);
    states[states_used] = co;
    *state = &states[states_used++];
    live_states++;
}

static void restore(void *context, coro_t co, void **state) {
    (void)context;
    check_state(co, *state);
    if (*state == NULL) first_enters++;
}

static void drop(void *context, coro_t co, void **state) {
    (void)context;
    check_state(co, *state);
    if (*state != NULL) live_states--;
}

static void set_saving_hooks(void) {
    coro_switch_hooks hooks = {sizeof hooks, NULL, save, restore, drop};
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
}

static void *yield_often(void *times) {
    for (int i = 0; i < AS_INT(times); i++) CHECK_EQ(coro_yield(), 0);
    return times;
}

CORO_TEST(L5_each_coroutine_has_its_own_state) {
    enum { COUNT = 50 };
    coro_set_serve_main_queue(false); /* for which main's loop is needed now and then, where there is libdispatch */
    set_saving_hooks();
    for (int i = 0; i < COUNT; i++) go(yield_often, AS_POINTER(i * 7 % COUNT));
    while (coro_get_live_coros() > 1) CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(first_enters, COUNT);
    CHECK_EQ(live_states, 1); /* ours; main's loop was not needed */
}

/* -- set late, taken away -- */

static void *keep_state(void *unused) {
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_park(NULL), 0);
    return unused;
}

/* One suspended by each kind of switch: the plain one, that of who counts, that of who has floating-point control. */
static void suspend_by_all_switches(coro_t all[4]) {
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_SAVE_FP | CORO_START_NOW;
    all[0] = start_now(keep_state, NULL);
    coro_set_accounting(true);
    all[1] = start_now(keep_state, NULL);
    coro_set_accounting(false);
    all[2] = coro_spawn_with(keep_state, NULL, &options);
    all[3] = coro_new(keep_state, NULL, NULL);
}

static void schedule_all(const coro_t all[4]) {
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_schedule(all[i], NULL), 0);
    CHECK_EQ(coro_yield(), 0);
}

CORO_TEST(L5_hooks_set_late_enter_those_that_have_begun) {
    coro_t all[4];
    suspend_by_all_switches(all);
    CHECK(coro_switch_state() == NULL);
    set_saving_hooks();
    CHECK(coro_switch_state() != NULL && *coro_switch_state() == NULL);
    schedule_all(all);
    CHECK_EQ(first_enters, 4);
    CHECK_EQ(live_states, 5);
    schedule_all(all);
    CHECK_EQ(first_enters, 4);
    /* Others in their place find the states as they are; */
    set_saving_hooks();
    schedule_all(all);
    CHECK_EQ(first_enters, 4);
    /* taken away and set again, they find none. */
    coro_t last = start_now(keep_state, NULL);
    CHECK_EQ(live_states, 3); /* ours, its own, and that of the one that was started last */
    unset_hooks();
    CHECK(coro_switch_state() == NULL);
    CHECK_EQ(coro_schedule(last, NULL), 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(live_states, 3); /* nobody is told of these any more */
    first_enters = 0;
    set_saving_hooks();
    CHECK_EQ(coro_schedule(last, NULL), 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(first_enters, 1);
    CHECK_EQ(coro_schedule(all[3], NULL), 0);
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_join(all[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(first_enters, 2);
}

static void *set_and_end(void *unused) {
    set_traced_hooks();
    trace("set");
    return unused;
}

/* They hold from then on, for the one that sets them too. */
TEST(L5_hooks_may_be_set_by_a_coroutine) {
    go_named("a", set_and_end);
    go_named("b", run_and_end);
    run_until_idle();
    CHECK_STR(traced(), "set end:a enter:b runs:b ends:b end:b enter:main ");
}

static void *unset_and_yield(void *unused) {
    unset_hooks();
    CHECK_EQ(coro_yield(), 0);
    return unused;
}

TEST(L5_hooks_may_be_taken_away_by_a_coroutine) {
    set_traced_hooks();
    go_named("a", unset_and_yield);
    go_named("b", run_and_end);
    run_until_idle();
    CHECK_STR(traced(), "leave:main enter:a runs:b ends:b ");
}

/* They ride on the same switch as the count of run time, and the floating-point control. */
TEST(L5_hooks_and_accounting_do_not_mind_each_other) {
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_SAVE_FP;
    set_saving_hooks();
    for (int round = 0; round < 4; round++) {
        coro_set_accounting(round & 1);
        go(yield_often, AS_POINTER(20));
        CHECK(coro_detach(coro_spawn_with(yield_often, AS_POINTER(10), &options)) > 0);
        for (int i = 0; i < 5; i++) CHECK_EQ(coro_yield(), 0);
    }
    coro_set_accounting(false);
    int entered = first_enters;
    CHECK_EQ(entered, 8);
    go(do_nothing, NULL);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(first_enters, entered + 1); /* they still hold */
    unset_hooks();
    coro_set_accounting(true); /* which still counts */
    coro_t co = start_now(park, NULL);
    CHECK(info_of(co).run_time > 0);
}

/* -- failing -- */

TEST(L5_hooks_that_are_wrong_are_refused) {
    static const size_t sizes[] = {0, 1, sizeof(coro_switch_hooks) - 1, sizeof(coro_switch_hooks) + 1, SIZE_MAX};
    coro_switch_hooks hooks, constant = CORO_SWITCH_HOOKS_INIT;
    coro_poll_hooks poll, constant_poll = CORO_POLL_HOOKS_INIT;
    memset(&hooks, 0x5a, sizeof hooks), memset(&poll, 0x5a, sizeof poll);
    coro_switch_hooks_init(&hooks), coro_poll_hooks_init(&poll);
    CHECK(memcmp(&hooks, &constant, sizeof hooks) == 0);
    CHECK(memcmp(&poll, &constant_poll, sizeof poll) == 0);
    set_traced_hooks();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        hooks.struct_size = sizes[i];
        CHECK_EQ(coro_set_switch_hooks(&hooks), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "CORO_SWITCH_HOOKS_INIT");
        if (sizes[i] == sizeof poll) continue;
        poll.struct_size = sizes[i];
        CHECK_EQ(coro_set_poll_hooks(&poll), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "CORO_POLL_HOOKS_INIT");
    }
    go_named("a", do_nothing);
    run_until_idle();
    CHECK_STR(traced(), "leave:main enter:a end:a enter:main "); /* those before are still in force */
}

/* Functions that are NULL are not called. */
TEST(L5_hooks_need_no_functions) {
    coro_switch_hooks hooks = CORO_SWITCH_HOOKS_INIT;
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
    go(yield_often, AS_POINTER(3));
    run_until_idle();
    CHECK(coro_switch_state() != NULL);
}

TEST(L5_without_memory_for_the_states_no_hooks_are_set) {
    enum { COUNT = 5 };
    coro_t all[COUNT];
    int result = -ENOMEM, failures = 0;
    coro_switch_hooks hooks = {sizeof hooks, NULL, save, restore, drop};
    if (is_watched()) test_skip("AddressSanitizer has needed that memory before");
    for (int i = 0; i < COUNT; i++) all[i] = start_now(park, NULL);
    for (int n = 1; result != 0; n++) {
        coro_test_fail_call("calloc", n, ENOMEM);
        result = coro_set_switch_hooks(&hooks);
        coro_test_fail_call("calloc", 0, 0);
        if (result == 0) continue;
        CHECK_EQ(result, -ENOMEM);
        CHECK(coro_switch_state() == NULL);
        CHECK_EQ(coro_schedule(all[0], NULL), 0);
        CHECK_EQ(coro_yield(), 0);
        CHECK_EQ(coro_join(all[0], NULL, 0), 0);
        all[0] = start_now(park, NULL);
        failures++;
    }
    CHECK(failures > 1);
    CHECK_EQ(first_enters, 0);
    /* Who is created under hooks needs that memory too, and is refused without it. */
    coro_test_fail_call("calloc", 1, ENOMEM);
    CHECK_EQ(coro_spawn(do_nothing, NULL), -ENOMEM);
    coro_test_fail_call("calloc", 0, 0);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(coro_schedule(all[i], NULL), 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(first_enters, COUNT);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(coro_join(all[i], NULL, 0), 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* -- threads and processes -- */

static void *have_no_hooks(void *unused) {
    go(do_nothing, NULL);
    run_until_idle();
    CHECK(coro_switch_state() == NULL);
    CHECK_EQ(first_enters, 0);
    set_saving_hooks();
    CHECK(start_now(park, NULL) > 0); /* is still suspended when the thread ends: not ended, and not entered any more */
    CHECK_EQ(first_enters, 1);
    return unused;
}

TEST(L5_hooks_are_each_threads_own) {
    pthread_t thread;
    set_traced_hooks();
    CHECK_EQ(pthread_create(&thread, NULL, have_no_hooks, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_STR(traced(), "");
    CHECK_EQ(live_states, 2);
}

static void *fork_with_hooks(void *unused) {
    int status;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0) {
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
        return unused;
    }
    CHECK_EQ(coro_yield(), 0);
    CHECK_STR(traced(), "leave:main enter:a leave:a enter:b runs:b leave:b enter:a ");
    _exit(0);
}

TEST(L5_the_child_of_a_fork_has_the_hooks_too) {
    set_traced_hooks();
    go_named("a", fork_with_hooks);
    go_named("b", run_and_end);
    run_until_idle();
    CHECK_STR(traced(), "leave:main enter:a end:a enter:b runs:b ends:b end:b enter:main ");
}
