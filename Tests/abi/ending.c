/* Rows A11-A13, A27, A28: how a coroutine ends, who is told, and that nothing is left of it. */
#include "coroutines.h"

static void *fail(void *argument) { return coro_fail(AS_INT(argument), "short header"); }

static void *park_and_fail(void *argument) {
    coro_park(NULL);
    return fail(argument);
}

static void release_note(void *argument) { trace("release-%s", (char *)argument); }

static int notified_code;
static coro_t notified_id;
static char notified_message[100];

static int remember(coro_t co, int code, const char *message) {
    CHECK_EQ(coro_current(), co);
    notified_id = co;
    notified_code = code;
    snprintf(notified_message, sizeof notified_message, "%s", message);
    trace("notified");
    return 0;
}

struct joiner {
    coro_t target;
    const char *name;
};

static void *join_and_note(void *argument) {
    struct joiner *joiner = argument;
    int code = coro_join(joiner->target, NULL, CORO_FOREVER);
    trace("%s:%d", joiner->name, code);
    return NULL;
}

static coro_t spawn_releasing(coro_fn function, void *argument, uint32_t flags) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = release_note;
    options.flags = flags;
    return coro_spawn_with(function, argument, &options);
}

TEST(A11_the_end_releases_the_argument_and_wakes_the_joiners_in_order) {
    coro_t co = spawn_releasing(park, "x", CORO_START_NOW), listed[4];
    struct joiner joiners[] = {{co, "j1"}, {co, "j2"}, {co, "j3"}};
    for (int i = 0; i < 3; i++) coro_detach(coro_spawn(join_and_note, &joiners[i]));
    coro_yield();
    coro_schedule(co, NULL);
    trace("main");
    CHECK_EQ(coro_all(listed, 4), 4);
    run_until_idle();
    CHECK_STR(traced(), "main release-x j1:0 j2:0 j3:0 ");
    CHECK_EQ(coro_all(NULL, 0), 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(A11_an_ended_coroutine_is_not_listed_but_its_result_is_kept) {
    coro_t co = coro_spawn(note, "a");
    coro_yield();
    CHECK_EQ(coro_all(NULL, 0), 0);
    CHECK_EQ(coro_get_by_id(co), -ESRCH);
    CHECK_EQ(coro_ident(co), co);
    CHECK_EQ(coro_get_live_coros(), 1);
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, 0), 0);
    CHECK_STR(result, "a");
    CHECK_EQ(coro_get_live_coros(), 0);
    result = &co;
    CHECK_EQ(coro_join(co, &result, 0), CORO_EDEAD);
    CHECK(result == NULL);
}

TEST(A12_a_failure_ends_only_its_coroutine_and_is_notified) {
    CHECK(coro_set_exception_notifier(remember) == NULL);
    coro_t co = coro_spawn(fail, AS_POINTER(-EIO));
    coro_detach(coro_spawn(note, "next"));
    run_until_idle();
    CHECK_STR(traced(), "notified next ");
    CHECK_EQ(notified_id, co);
    CHECK_EQ(notified_code, -EIO);
    CHECK_STR(notified_message, "short header");
    void *result = &co;
    CHECK_EQ(coro_join(co, &result, 0), -EIO);
    CHECK(result == NULL);
    CHECK_STR(coro_error_detail(), "short header");
    CHECK(coro_set_exception_notifier(NULL) == remember);
    CHECK(coro_set_exception_notifier(NULL) == NULL);
}

TEST(A12_a_failure_is_notified_and_wakes_all_joiners_with_its_code) {
    coro_set_exception_notifier(remember);
    coro_t keeper = coro_spawn(park, NULL), co = coro_spawn(park_and_fail, AS_POINTER(-EIO));
    struct joiner joiners[] = {{co, "j1"}, {co, "j2"}};
    for (int i = 0; i < 2; i++) coro_detach(coro_spawn(join_and_note, &joiners[i]));
    coro_yield();
    coro_shutdown(keeper);
    coro_schedule(co, NULL);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), -EIO);
    CHECK_STR(coro_error_detail(), "short header");
    run_until_idle();
    CHECK_STR(traced(), "notified j1:-5 j2:-5 ");
}

static void *fail_twice(void *argument) {
    coro_fail(-EIO, "first");
    coro_fail(AS_INT(argument), NULL);
    return &notified_code;
}

TEST(A12_the_last_failure_counts_and_the_result_is_null) {
    coro_set_exception_notifier(remember);
    const struct { int given, recorded; } cases[] = {
        {-ENOENT, -ENOENT}, {-1, -1}, {0, -EINVAL}, {5, -EINVAL}, {CORO_EDEAD, CORO_EDEAD}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        coro_t co = coro_spawn(fail_twice, AS_POINTER(cases[i].given));
        run_until_idle();
        CHECK_EQ(notified_code, cases[i].recorded);
        CHECK_STR(notified_message, "");
        void *result = &co;
        CHECK_EQ(coro_join(co, &result, 0), cases[i].recorded);
        CHECK(result == NULL);
        CHECK_STR(coro_error_detail(), "");
    }
}

TEST(A12_fail_outside_a_coroutine_does_nothing) {
    CHECK(coro_fail(-EIO, "nobody") == NULL);
    coro_t co = coro_spawn(note, "a");
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

static void fail_unwatched(void) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "worker";
    options.flags = CORO_DETACHED;
    coro_spawn_with(fail, AS_POINTER(-EIO), &options);
    run_until_idle();
}

TEST(A12_the_default_notifier_writes_one_line) {
    char output[500];
    CHECK_EQ(run_in_child(fail_unwatched, output, sizeof output), 0);
    CHECK_CONTAINS(output, "#1");
    CHECK_CONTAINS(output, "worker");
    CHECK_CONTAINS(output, "EIO");
    CHECK_CONTAINS(output, "short header");
    CHECK(strchr(output, '\n') == output + strlen(output) - 1);
}

static int cannot(coro_t co, int code, const char *message) {
    (void)co, (void)message;
    coro_fail(code - 1, "the notifier's own");
    return -1;
}

static void fail_with_a_broken_notifier(void) {
    coro_set_exception_notifier(cannot);
    coro_t co = coro_spawn(fail, AS_POINTER(-EIO));
    run_until_idle();
    CHECK_EQ(coro_join(co, NULL, 0), -EIO);
}

TEST(A12_a_notifier_that_fails_falls_back_to_the_default) {
    char output[500];
    CHECK_EQ(run_in_child(fail_with_a_broken_notifier, output, sizeof output), 0);
    CHECK_CONTAINS(output, "EIO");
}

static void end_silently(void) {
    coro_t parked = coro_spawn(park, NULL), queued = coro_new(park, NULL, NULL);
    coro_detach(coro_spawn(fail, AS_POINTER(CORO_ESHUTDOWN)));
    coro_yield();
    coro_shutdown(parked);
    coro_start(queued);
    coro_shutdown(queued);
    coro_set_exception_notifier(remember);
    run_until_idle();
    CHECK_STR(traced(), "");
    coro_set_exception_notifier(NULL);
    run_until_idle();
}

TEST(A13_shutdown_ends_silently) {
    char output[500];
    CHECK_EQ(run_in_child(end_silently, output, sizeof output), 0);
    CHECK_STR(output, "");
}

TEST(A27_live_coros_counts_what_is_unstarted_alive_or_unjoined) {
    CHECK_EQ(coro_get_live_coros(), 0);
    coro_t unstarted = coro_new(note, "", NULL), parked = coro_spawn(park, NULL), ended = coro_spawn(note, "");
    CHECK_EQ(coro_get_live_coros(), 3);
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 3);
    CHECK_EQ(coro_join(ended, NULL, 0), 0);
    CHECK_EQ(coro_get_live_coros(), 2);
    CHECK_EQ(coro_shutdown(unstarted), 0);
    CHECK_EQ(coro_get_live_coros(), 2);
    CHECK_EQ(coro_detach(unstarted), unstarted);
    CHECK_EQ(coro_get_live_coros(), 1);
    CHECK_EQ(coro_detach(parked), parked);
    CHECK_EQ(coro_get_live_coros(), 1);
    CHECK_EQ(coro_shutdown(parked), 0);
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* One that was cancelled in the queue is as gone as any other. */
TEST(A27_one_cancelled_in_the_queue_is_dropped_when_taken_or_detached) {
    coro_t joined = coro_spawn(note, "a"), detached = coro_spawn(note, "b");
    coro_shutdown(joined);
    coro_shutdown(detached);
    CHECK_EQ(coro_get_live_coros(), 2);
    CHECK_EQ(coro_join(joined, NULL, 0), CORO_ESHUTDOWN);
    CHECK_EQ(coro_detach(detached), detached);
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_EQ(coro_join(joined, NULL, 0), CORO_EDEAD);
    CHECK_EQ(coro_join(detached, NULL, 0), CORO_EDEAD);
    CHECK_EQ(coro_detach(detached), CORO_EDEAD);
    CHECK_EQ(coro_ident(joined), CORO_EDEAD);
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_STR(traced(), "");
}

static int runs[40];
static void *count_run(void *argument) {
    runs[AS_INT(argument)]++;
    coro_yield();
    runs[AS_INT(argument)]++;
    return NULL;
}

/* Its place in the queue is not that of a coroutine made after it, whatever memory that one gets. */
TEST(A27_one_dropped_while_it_is_queued_does_not_disturb_the_next) {
    for (int i = 0; i < 40; i += 2) {
        coro_t dropped = coro_spawn(note, "never");
        coro_shutdown(dropped);
        if (i % 4 == 0) coro_detach(dropped);
        else CHECK_EQ(coro_join(dropped, NULL, 0), CORO_ESHUTDOWN);
        coro_detach(coro_spawn(count_run, AS_POINTER(i)));
        CHECK(coro_new(count_run, AS_POINTER(i + 1), NULL) > 0);
    }
    run_until_idle();
    for (int i = 0; i < 40; i++) CHECK_EQ(runs[i], i % 2 ? 0 : 2);
    CHECK_EQ(coro_get_live_coros(), 20);
    CHECK_STR(traced(), "");
}

TEST(A27_one_dropped_while_it_is_queued_gives_its_place_to_nobody) {
    coro_t dropped = coro_spawn(note, "never");
    coro_detach(coro_spawn(note, "first"));
    coro_shutdown(dropped);
    coro_detach(dropped);
    coro_detach(coro_spawn(note, "second"));
    run_until_idle();
    CHECK_STR(traced(), "first second ");
}

/* Many more than the queue has places for those that are left. */
TEST(A27_a_queue_of_dropped_ones_does_not_overflow) {
    coro_detach(coro_spawn(note, "first"));
    for (int i = 0; i < 10000; i++) {
        coro_t dropped = coro_spawn(note, "never");
        CHECK(dropped > 0);
        coro_shutdown(dropped);
        coro_detach(dropped);
        CHECK_EQ(coro_get_live_coros(), 1);
    }
    coro_detach(coro_spawn(note, "last"));
    run_until_idle();
    CHECK_STR(traced(), "first last ");
    CHECK_EQ(coro_get_live_coros(), 0);
}

static int released;
static void count_release(void *argument) {
    CHECK(argument == &released);
    released++;
}

static char long_name[300];

static void *park_and_fail_at_length(void *argument) {
    coro_park(NULL);
    coro_fail(-EIO, long_name);
    coro_fail(CORO_ESHUTDOWN, long_name);
    return argument;
}

static void make_and_end(int i) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = count_release;
    options.name = i % 2 ? long_name : NULL;
    options.flags = i % 3 ? 0 : CORO_DETACHED;
    coro_t co = i % 5 ? coro_spawn_with(park_and_fail_at_length, &released, &options) : coro_new(park, &released, &options);
    CHECK(co > 0);
    if (i % 4 != 0 && i % 5 != 0) {
        coro_yield();
        if (i % 7 == 0) coro_schedule(co, NULL);
    }
    coro_shutdown(co);
    int code = coro_join(co, NULL, CORO_FOREVER);
    CHECK(code == 0 || code == CORO_ESHUTDOWN || code == CORO_EDEAD);
}

static long resident_kilobytes(void) {
    long pages = 0, all;
    FILE *file = fopen("/proc/self/statm", "r");
    CHECK(file != NULL);
    CHECK_EQ(fscanf(file, "%ld %ld", &all, &pages), 2);
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* However they end: started, parked, never started, cancelled in the queue. A name that leaked would be 15 MB. */
TEST(A28_nothing_is_left_of_100000_coroutines) {
    if (is_watched()) test_skip("a tool watches memory");
    memset(long_name, 'n', sizeof long_name - 1);
    for (int i = 0; i < 5000; i++) make_and_end(i);
    run_until_idle();
    long before = resident_kilobytes();
    for (int i = 0; i < 100000; i++) make_and_end(i);
    run_until_idle();
    CHECK_EQ(released, 105000);
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK(resident_kilobytes() - before < 4096);
}

TEST(A28_release_is_called_once_whatever_the_end) {
    coro_t ended = spawn_releasing(note, "a", 0), failed = spawn_releasing(fail, "b", 0), cancelled;
    coro_set_exception_notifier(remember);
    coro_yield();
    CHECK_STR(traced(), "a release-a release-b notified ");
    cancelled = spawn_releasing(note, "c", 0);
    CHECK_EQ(coro_shutdown(cancelled), 0);
    CHECK_STR(traced(), "a release-a release-b notified release-c ");
    CHECK_EQ(coro_shutdown(cancelled), 0);
    coro_join(ended, NULL, 0);
    coro_detach(failed);
    coro_join(cancelled, NULL, 0);
    run_until_idle();
    CHECK_STR(traced(), "a release-a release-b notified release-c ");
}

TEST(A28_release_is_not_called_when_creating_fails) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = release_note;
    options.stack_size = 1;
    CHECK_EQ(coro_new(note, "a", &options), -EINVAL);
    options.stack_size = 1 << 20;
    CHECK_EQ(coro_test_fail_call("mmap", 1, ENOMEM), 0);
    CHECK_EQ(coro_new(note, "a", &options), -ENOMEM);
    CHECK(strlen(coro_error_detail()) > 0);
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK(coro_new(note, "a", &options) > 0);
}

static coro_t being_released;
static void try_everything(void *argument) {
    coro_t co = being_released;
    trace("%s", (char *)argument);
    CHECK_EQ(coro_shutdown(co), 0);
    coro_start(co);
    CHECK(coro_start_now(co) < 0);
    CHECK(coro_schedule(co, NULL) < 0);
    CHECK(coro_join(co, NULL, CORO_FOREVER) <= 0);
    CHECK_EQ(coro_sleep(CORO_MS(1)), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_park(NULL), CORO_EYIELDFROMMAIN);
    coro_detach(co);
    coro_set_name(co, "released");
}

/* The release function may do as it likes with the coroutine that it is called for, but not suspend. */
TEST(A28_release_may_use_its_coroutine_but_not_suspend) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = try_everything;
    being_released = coro_new(note, "new", &options);
    CHECK_EQ(coro_shutdown(being_released), 0);
    CHECK_STR(traced(), "new ");
    being_released = coro_spawn_with(note, "queued", &options);
    CHECK_EQ(coro_shutdown(being_released), 0);
    CHECK_STR(traced(), "new queued ");
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_STR(traced(), "new queued ");
}

static void run_the_loop(void *argument) {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_UNTIL_IDLE;
    trace("%s:%d", (char *)argument, coro_event_loop_with(&options) < 0);
}

TEST(A28_release_may_not_run_the_loop) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = run_the_loop;
    coro_detach(coro_spawn(note, "other"));
    CHECK_EQ(coro_shutdown(coro_new(note, "refused", &options)), 0);
    CHECK_STR(traced(), "refused:1 ");
}
