/* What release functions, notifiers and destructors may do: they run at the end of a coroutine, and may use the library. */
#include "coroutines.h"

static coro_local_t variable;
static int destroyed;

static void count_destroyed(void *value) {
    (void)value;
    destroyed++;
}

static void set_variable(void *unused) {
    (void)unused;
    CHECK_EQ(coro_local_set(variable, &variable), 0);
}

static int notify_and_set(coro_t co, int code, const char *message) {
    (void)co, (void)code, (void)message;
    set_variable(NULL);
    return 0;
}

static void *fail_shortly(void *argument) {
    return coro_fail(-EIO, argument);
}

TEST(F4_values_set_at_the_very_end_are_destroyed_too) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = set_variable;
    variable = coro_local_new(count_destroyed);
    CHECK_EQ(coro_join(coro_spawn_with(do_nothing, NULL, &options), NULL, CORO_FOREVER), 0);
    CHECK_EQ(destroyed, 1);
    coro_set_exception_notifier(notify_and_set);
    CHECK_EQ(coro_join(coro_spawn(fail_shortly, "no"), NULL, CORO_FOREVER), -EIO);
    CHECK_EQ(destroyed, 2);
}

static void fail_in_release(void *unused) {
    (void)unused;
    coro_fail(-EPERM, "from a release function");
}

static void *cancel_another(void *argument) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = fail_in_release;
    coro_t co = coro_new(do_nothing, NULL, &options);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), CORO_ESHUTDOWN);
    return argument;
}

TEST(A28_a_release_function_fails_nobody) {
    CHECK_EQ(coro_join(coro_spawn(cancel_another, NULL), NULL, CORO_FOREVER), 0);
}

static int notify_and_fail(coro_t co, int code, const char *message) {
    CHECK_EQ(code, -EIO);
    CHECK(co == coro_current());
    coro_fail(-EPERM, "something else");
    coro_fail(-EPERM, message); /* may be its own message, too */
    CHECK_STR(message, "short header");
    return 0;
}

TEST(A12_what_a_notifier_fails_with_is_not_the_coroutines_failure) {
    coro_set_exception_notifier(notify_and_fail);
    CHECK_EQ(coro_join(coro_spawn(fail_shortly, "short header"), NULL, CORO_FOREVER), -EIO);
    CHECK_STR(coro_error_detail(), "short header");
}

static volatile int stop;

static void *start_now_for_ever(void *unused) {
    while (!stop) coro_detach(start_now(do_nothing, NULL));
    return unused;
}

static void *stop_after_1_ms(void *unused) {
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    stop = 1;
    return unused;
}

TEST(B18_starting_at_once_for_ever_does_not_starve_a_timer) {
    go(stop_after_1_ms, NULL);
    go(start_now_for_ever, NULL);
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 0);
}
