/* Row I13: groups. Members, the limit, failures, waiting; leaving is in group_leave.c. */
#include "groups.h"

CORO_TEST(I13_a_group_without_members_is_done) {
    coro_group *group = coro_group_new(NULL);
    go(note, "ran");
    CHECK_EQ(coro_group_wait(group), 0);
    CHECK_EQ(coro_group_unfinished(group), 0);
    CHECK_EQ(coro_group_first_failure(group, NULL), 0);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), ""); /* without suspending */
}

CORO_TEST(I13_waiting_is_until_all_members_have_ended) {
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    coro_group *group = coro_group_new(NULL);
    for (int i = 5; i > 0; i--) CHECK(coro_group_spawn(group, sleep_ms, AS_POINTER(i)) > 0);
    CHECK_EQ(coro_group_running(group), 5);
    CHECK_EQ(coro_group_unfinished(group), 5);
    CHECK_EQ(coro_group_wait(group), 0);
    CHECK_EQ(coro_get_now() - start, CORO_MS(5));
    CHECK_STR(traced(), "1 2 3 4 5 ");
    CHECK_EQ(coro_group_wait(group), 0);
    CHECK_EQ(coro_get_live_coros(), 1); /* nothing is left of them */
    CHECK_EQ(coro_group_leave(group), 0);
}

static void *spawn_note(void *group) {
    CHECK(coro_group_spawn(group, note, "grandchild") > 0);
    trace("child");
    return NULL;
}

CORO_TEST(I13_members_may_make_members) {
    coro_group *group = coro_group_new(NULL);
    CHECK(coro_group_spawn(group, spawn_note, group) > 0);
    CHECK_EQ(coro_group_wait(group), 0);
    CHECK_STR(traced(), "child grandchild ");
    CHECK(coro_group_spawn(group, spawn_note, group) > 0); /* again, and while it is left */
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), "child grandchild child grandchild ");
}

CORO_TEST(I13_members_have_ids_names_options_and_results) {
    coro_group *group = coro_group_new(NULL);
    coro_options options = CORO_OPTIONS_INIT;
    void *result = NULL;
    options.name = "worker";
    options.stack_size = 1 << 20;
    coro_t co = coro_group_spawn_with(group, do_nothing, "result", &options);
    coro_info info = info_of(co);
    CHECK_STR(info.name, "worker");
    CHECK_EQ(info.stack_size, 1 << 20);
    CHECK(info.detached && info.scheduled);
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0); /* while it lives */
    CHECK_STR(result, "result");
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), CORO_EDEAD);
    CHECK_EQ(coro_group_leave(group), 0);
}

CORO_TEST(I13_a_member_may_be_started_at_once) {
    coro_group *group = new_group(1, 0);
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_START_NOW;
    CHECK(coro_group_spawn_with(group, note, "ended", &options) > 0);
    CHECK_STR(traced(), "ended ");
    CHECK_EQ(coro_group_unfinished(group), 0);
    CHECK(coro_group_spawn_with(group, yield_and_note, "waiting", &options) > 0);
    CHECK(coro_group_spawn_with(group, note, "queued", &options) > 0); /* the limit is reached */
    CHECK(coro_group_spawn_with(group, note, "last", &options) > 0);
    CHECK_STR(traced(), "ended ");
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), "ended waiting queued last ");
}

/* -- the limit -- */

static int running, most, ran;

static void *count_running(void *unused) {
    ran++;
    if (++running > most) most = running;
    coro_sleep(CORO_MS(1 + ran % 7));
    running--;
    return unused;
}

CORO_TEST(I13_ten_thousand_members_ten_at_a_time) {
    coro_test_set_virtual_time(true);
    coro_group *group = new_group(10, 0);
    for (int i = 0; i < 10000; i++) CHECK(coro_group_spawn(group, count_running, NULL) > 0);
    CHECK_EQ(coro_group_running(group), 10);
    CHECK_EQ(coro_group_unfinished(group), 10000);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_EQ(most, 10);
    CHECK_EQ(ran, 10000);
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(I13_ten_thousand_members_at_once) {
    coro_test_set_virtual_time(true);
    coro_group *group = coro_group_new(NULL);
    for (int i = 0; i < 10000; i++) CHECK(coro_group_spawn(group, count_running, NULL) > 0);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_EQ(most, 10000);
    CHECK_EQ(coro_get_live_coros(), 1);
}

CORO_TEST(I13_beyond_the_limit_they_start_in_order_when_others_end) {
    coro_group *group = new_group(1, 0);
    coro_t ids[4];
    const char *names[4] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) ids[i] = coro_group_spawn(group, yield_and_note, (void *)names[i]);
    CHECK_EQ(info_of(ids[0]).state, CORO_STATE_READY);
    CHECK_EQ(info_of(ids[1]).state, CORO_STATE_NEW);
    CHECK_EQ(coro_join(ids[1], NULL, CORO_FOREVER), CORO_ENOTSTARTED);
    CHECK_EQ(coro_shutdown(ids[2]), 0); /* cancelled before its turn */
    CHECK_EQ(coro_group_unfinished(group), 3);
    CHECK_EQ(coro_group_wait(group), 0);
    CHECK_STR(traced(), "a b d ");
    CHECK_EQ(coro_group_leave(group), 0);
}

/* Also if the memory of the one that was next is another's now. */
CORO_TEST(I13_the_next_to_start_may_be_cancelled) {
    coro_group *group = new_group(1, 0);
    CHECK(coro_group_spawn(group, yield_and_note, "a") > 0);
    coro_t next = coro_group_spawn(group, note, "b");
    CHECK(coro_group_spawn(group, note, "c") > 0);
    CHECK_EQ(coro_shutdown(next), 0);
    CHECK(coro_group_spawn(group, note, "d") > 0);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), "a c d ");
}

CORO_TEST(I13_one_that_is_queued_to_run_and_cancelled_makes_room) {
    coro_group *group = new_group(2, 0);
    coro_t first = coro_group_spawn(group, note, "first");
    CHECK(coro_group_spawn(group, note, "second") > 0);
    CHECK(coro_group_spawn(group, note, "third") > 0);
    CHECK_EQ(coro_shutdown(first), 0);
    CHECK_EQ(coro_group_running(group), 2);
    CHECK_EQ(coro_group_unfinished(group), 2);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), "second third ");
}

/* Whoever starts one by its id takes it past the limit, and the others keep their turns. */
CORO_TEST(I13_one_that_is_started_by_hand_does_not_wait_for_its_turn) {
    coro_group *group = new_group(1, 0);
    coro_t ids[4];
    const char *names[4] = {"a", "b", "c", "d"};
    for (int i = 0; i < 4; i++) ids[i] = coro_group_spawn(group, yield_and_note, (void *)names[i]);
    CHECK_EQ(coro_start(ids[2]), 0);
    CHECK_EQ(coro_group_running(group), 1); /* it has not run yet */
    coro_yield();
    CHECK_EQ(coro_group_running(group), 2);
    CHECK_EQ(coro_start_now(ids[1]), 0);
    CHECK_EQ(coro_group_running(group), 3);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), "a c b d ");
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* -- failures -- */

CORO_TEST(I13_the_first_failure_is_told_and_stops_nobody) {
    coro_set_exception_notifier(trace_failure);
    coro_group *group = coro_group_new(NULL);
    CHECK(coro_group_spawn(group, do_nothing, NULL) > 0);
    coro_t first = coro_group_spawn(group, fail_with, AS_POINTER(EIO));
    CHECK(coro_group_spawn(group, fail_with, AS_POINTER(ENOSPC)) > 0);
    CHECK(coro_group_spawn(group, yield_and_note, "other") > 0);
    CHECK_EQ(coro_group_wait(group), CORO_EINPARALLEL);
    CHECK_EQ(coro_error_other(), first);
    char expected[100];
    snprintf(expected, sizeof expected, "2 of 4 failed, first #%lld: EIO (Input/output error): it failed", (long long)first);
    CHECK_STR(coro_error_detail(), expected);
    int code = 0;
    CHECK_EQ(coro_group_first_failure(group, &code), first);
    CHECK_EQ(code, -EIO);
    CHECK_STR(traced(), "-5 -28 other ");
    CHECK_EQ(coro_group_wait(group), CORO_EINPARALLEL); /* every time */
    CHECK_EQ(coro_group_leave(group), CORO_EINPARALLEL);
    CHECK_EQ(coro_error_other(), first);
    CHECK_STR(coro_error_detail(), expected);
}

CORO_TEST(I13_the_first_failure_ends_the_others_if_that_is_asked_for) {
    coro_set_exception_notifier(trace_failure);
    coro_group *group = new_group(3, CORO_GROUP_CANCEL_ON_FAILURE);
    CHECK(coro_group_spawn(group, sleep_for_ever, NULL) > 0);
    coro_t first = coro_group_spawn(group, fail_with, AS_POINTER(EIO));
    CHECK(coro_group_spawn(group, sleep_for_ever, NULL) > 0);
    CHECK(coro_group_spawn(group, note, "never started") > 0);
    CHECK_EQ(coro_group_wait(group), CORO_EINPARALLEL);
    CHECK_EQ(coro_error_other(), first);
    CHECK_CONTAINS(coro_error_detail(), "1 of 4 failed");
    CHECK_STR(traced(), "-5 ");
    CHECK_EQ(coro_group_spawn(group, note, "too late"), CORO_ESHUTDOWN);
    CHECK_CONTAINS(coro_error_detail(), "cancelled");
    CHECK_EQ(coro_group_leave(group), CORO_EINPARALLEL);
}

/* Who was told to end and says so has not failed; whatever comes of it otherwise is a failure. */
CORO_TEST(I13_ending_as_told_is_no_failure) {
    coro_group *group = new_group(0, CORO_GROUP_CANCEL_ON_FAILURE);
    coro_t ids[2];
    for (int i = 0; i < 2; i++) ids[i] = coro_group_spawn(group, sleep_for_ever, NULL);
    coro_yield();
    CHECK_EQ(coro_shutdown(ids[0]), 0);
    coro_yield();
    CHECK_EQ(coro_group_unfinished(group), 1);
    CHECK(coro_group_spawn(group, do_nothing, NULL) > 0); /* not cancelled by that */
    CHECK_EQ(coro_shutdown(ids[1]), 0);
    CHECK_EQ(coro_group_leave(group), 0);
}

static int failures;
static int count_failure(coro_t co, int code, const char *message) {
    (void)co, (void)code, (void)message;
    failures++;
    return 0;
}

CORO_TEST(I13_a_storm_of_failures) {
    coro_set_exception_notifier(count_failure);
    for (int cancels = 0; cancels < 2; cancels++) {
        failures = 0;
        coro_group *group = new_group(0, cancels ? CORO_GROUP_CANCEL_ON_FAILURE : 0);
        coro_t first = coro_group_spawn(group, fail_with, AS_POINTER(EIO));
        for (int i = 1; i < 5000; i++) CHECK(coro_group_spawn(group, fail_with, AS_POINTER(ENOSPC)) > 0);
        CHECK_EQ(coro_group_leave(group), CORO_EINPARALLEL);
        CHECK_EQ(coro_error_other(), first);
        CHECK_EQ(failures, cancels ? 1 : 5000); /* the others were cancelled before they ran */
        CHECK_EQ(coro_get_live_coros(), 1);
    }
}

/* -- waiting -- */

static void *wait_and_trace(void *group) {
    trace("%s", coro_error_name(coro_group_wait(group)));
    return NULL;
}

CORO_TEST(I13_any_number_may_wait_and_an_interruption_cancels_nothing) {
    coro_group *group = coro_group_new(NULL);
    coro_t member = coro_group_spawn(group, sleep_for_ever, NULL), waiters[3];
    for (int i = 0; i < 3; i++) waiters[i] = start_now(wait_and_trace, group);
    coro_yield();
    CHECK_EQ(coro_raise(waiters[1], CORO_EWAKEUP, 0), 0);
    coro_yield();
    CHECK_STR(traced(), "CORO_EWAKEUP ");
    CHECK_EQ(coro_group_unfinished(group), 1);
    CHECK_EQ(coro_shutdown(member), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_join(waiters[i], NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "CORO_EWAKEUP 0 0 ");
    CHECK_EQ(coro_group_leave(group), 0);
}

static coro_group *waited_for;

static void wait_in_vain(void *unused) {
    (void)unused;
    wait_and_trace(waited_for);
}

static int wait_as_notifier(coro_t co, int code, const char *message) {
    (void)co, (void)code, (void)message;
    wait_in_vain(NULL);
    return 0;
}

/* What is kept of a member is gone when its notifier is called. */
CORO_TEST(I13_what_has_ended_is_no_member) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = wait_in_vain;
    waited_for = coro_group_new(NULL);
    coro_t other = coro_group_spawn(waited_for, park, NULL);
    coro_set_exception_notifier(wait_as_notifier);
    CHECK(coro_group_spawn_with(waited_for, fail_with, AS_POINTER(EIO), &options) > 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK_STR(traced(), "EDEADLK CORO_EYIELDFROMMAIN ");
    CHECK_EQ(coro_schedule(other, NULL), 0);
    CHECK_EQ(coro_group_leave(waited_for), CORO_EINPARALLEL);
}

CORO_TEST(I13_who_waits_for_a_group_says_so) {
    coro_group *group = coro_group_new(NULL);
    for (int i = 0; i < 3; i++) CHECK(coro_group_spawn(group, sleep_for_ever, NULL) > 0);
    coro_t waiter = start_now(wait_and_trace, group);
    char expected[80];
    coro_info info = info_of(waiter);
    CHECK_EQ(info.wait_kind, CORO_WAIT_GROUP);
    CHECK_EQ(info.wait_object, (intptr_t)group);
    snprintf(expected, sizeof expected, "waiting for group 0x%llx, 3 to end", (unsigned long long)(uintptr_t)group);
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(coro_group_cancel(group), 0);
    CHECK_EQ(coro_group_leave(group), 0);
}

TEST(I13_a_groups_scope_on_a_threads_own_stack) {
    coro_group *group = new_group(2, 0);
    for (int i = 0; i < 5; i++) CHECK(coro_group_spawn(group, sleep_ms, AS_POINTER(1)) > 0);
    CHECK_EQ(coro_group_wait(group), 0);
    CHECK(coro_group_spawn(group, sleep_ms, AS_POINTER(2)) > 0);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), "1 1 1 1 1 2 ");
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* -- misuse -- */

CORO_TEST(I13_misuse_of_groups_is_an_error) {
    coro_group_options options = CORO_GROUP_OPTIONS_INIT;
    options.struct_size = 3;
    CHECK(coro_group_new(&options) == NULL);
    CHECK_CONTAINS(coro_error_detail(), "struct_size");
    coro_group_options_init(&options);
    options.flags = 0x80;
    CHECK(coro_group_new(&options) == NULL);
    CHECK_CONTAINS(coro_error_detail(), "flags");
    options.flags = 0;
    options.limit = SIZE_MAX;
    coro_group *group = coro_group_new(&options);
    CHECK_EQ(coro_group_spawn(group, NULL, NULL), -EINVAL);
    coro_options bad = CORO_OPTIONS_INIT;
    bad.stack_size = 1;
    CHECK_EQ(coro_group_spawn_with(group, note, "", &bad), -EINVAL);
    CHECK_EQ(coro_group_spawn(NULL, note, ""), -EINVAL);
    CHECK_EQ(coro_group_wait(NULL), -EINVAL);
    CHECK_EQ(coro_group_cancel(NULL), -EINVAL);
    CHECK_EQ(coro_group_leave(NULL), 0);
    CHECK_EQ(coro_group_running(NULL) + coro_group_unfinished(NULL), 0);
    int code = 1;
    CHECK_EQ(coro_group_first_failure(NULL, &code), 0);
    CHECK_EQ(code, 0);
    CHECK_EQ(coro_group_unfinished(group), 0);
    CHECK_EQ(coro_group_leave(group), 0);
}

static void *wait_for_own(void *group) {
    CHECK_EQ(coro_group_wait(group), -EDEADLK);
    CHECK_CONTAINS(coro_error_detail(), "member");
    CHECK_EQ(coro_group_leave(group), -EDEADLK);
    trace("refused");
    return NULL;
}

CORO_TEST(I13_a_member_cannot_wait_for_its_group) {
    coro_group *group = coro_group_new(NULL);
    CHECK(coro_group_spawn(group, wait_for_own, group) > 0);
    CHECK_EQ(coro_group_leave(group), 0);
    CHECK_STR(traced(), "refused ");
}

/* -- arguments are given back -- */

static int released;
static void count_release(void *group) {
    released++;
    int refusal = coro_group_wait(group);
    CHECK(refusal == CORO_EYIELDFROMMAIN || refusal == -EDEADLK); /* of one that never ran, or of a member */
    CHECK_EQ(coro_group_leave(group), refusal);
    CHECK_EQ(coro_group_cancel(group), 0); /* from inside it, perhaps */
}

CORO_TEST(I13_every_argument_is_given_back_once) {
    enum { MEMBERS = 20 };
    coro_options options = CORO_OPTIONS_INIT;
    options.release = count_release;
    for (int how = 0; how < 3; how++) { /* cancelled before they run, while they run, and by the first that ends */
        released = 0;
        coro_group *group = new_group(5, 0);
        coro_t first = 0;
        for (int i = 0; i < MEMBERS; i++) {
            coro_t co = coro_group_spawn_with(group, sleep_for_ever, group, &options);
            if (i == 0) first = co;
        }
        if (how > 0) coro_yield();
        CHECK_EQ(how == 2 ? coro_shutdown(first) : coro_group_cancel(group), 0);
        CHECK_EQ(coro_group_leave(group), 0);
        CHECK_EQ(released, MEMBERS);
        CHECK_EQ(coro_get_live_coros(), 1);
    }
}

enum { ENDING = 10 };
static coro_t ending[ENDING];

/* Ends the next one: which is the one that would be told to end next. */
static void end_next(void *number) {
    released++;
    if (AS_INT(number) + 1 < ENDING) coro_shutdown(ending[AS_INT(number) + 1]);
}

CORO_TEST(I13_a_member_that_is_cancelled_may_end_others) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = end_next;
    for (size_t limit = 0; limit < 3; limit++) {
        released = 0;
        coro_group *group = new_group(limit, 0);
        for (int i = 0; i < ENDING; i++) ending[i] = coro_group_spawn_with(group, note, AS_POINTER(i), &options);
        CHECK_EQ(coro_group_cancel(group), 0);
        CHECK_EQ(released, ENDING);
        CHECK_EQ(coro_group_unfinished(group), 0);
        CHECK_EQ(coro_group_leave(group), 0);
    }
}

/* -- memory -- */

/* Whichever allocation fails, the call says so, and what was made ends as it should. */
CORO_TEST(I13_groups_survive_a_lack_of_memory) {
    if (is_watched()) test_skip("the allocator is another");
    int refused = 0;
    for (int n = 1; n < 12; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        coro_group *group = coro_group_new(NULL);
        int made = 0;
        for (int i = 0; i < 3 && group != NULL; i++) {
            coro_t co = coro_group_spawn(group, yield_and_note, "m");
            CHECK(co > 0 || co == -ENOMEM);
            made += co > 0;
            refused += co < 0;
        }
        coro_test_fail_call("calloc", 0, 0);
        if (group == NULL) continue;
        CHECK_EQ(coro_group_unfinished(group), made);
        CHECK_EQ(coro_group_leave(group), 0);
        CHECK_EQ(coro_get_live_coros(), 1);
    }
    CHECK(refused > 2);
}
