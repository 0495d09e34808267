/* Row K5: targets that are taken back while they are in use; and who must not suspend. */
#include "latency.h"
#include "targets.h"

#include <pthread.h>

static int released;

/* A handler of `int64_t (int64_t)`: parks if its argument is negative, and doubles it. */
static void handle(void *context, void *result, void *const *arguments) {
    int64_t number = *(int64_t *)arguments[0];
    CHECK(context == &released);
    CHECK_EQ(*(int64_t *)result, 0);
    if (number < 0) {
        int code = coro_park(NULL);
        if (code < 0) coro_fail(code, "parked in vain");
    }
    *(int64_t *)result = 2 * number;
}

static coro_target_options counted(void) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.context = &released;
    options.release = count_release;
    return options;
}

static coro_target_t counted_target(void) {
    return target_with("int64_t doubled(int64_t number = 21)", handle, counted());
}

CORO_TEST(K5_a_target_that_is_unregistered_stays_valid_for_its_coroutines) {
    coro_target_t target = counted_target();
    coro_t running = coro_start_now_target(target, INT64_C(-1));
    coro_t fresh = coro_new_target(target, INT64_C(5));
    coro_t queued = coro_spawn_args(target, NULL, 0);
    coro_t ended = coro_start_now_target(target, INT64_C(7));
    coro_t detached = coro_detach(coro_spawn_target(target, INT64_C(8)));
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(coro_spawn_target(target, INT64_C(1)), -ESRCH);
    CHECK_EQ(coro_spawn_named("doubled", INT64_C(1)), -ENOENT);
    CHECK_EQ(coro_start(fresh), 0);
    CHECK_EQ(RESULT(fresh, int64_t), 10);
    CHECK_EQ(RESULT(queued, int64_t), 42);
    CHECK(!coro_is_alive(detached));
    CHECK_EQ(coro_schedule(running, NULL), 0);
    CHECK_EQ(RESULT(running, int64_t), -2);
    CHECK_EQ(released, 0);
    CHECK_EQ(RESULT(ended, int64_t), 14);
    CHECK_EQ(released, 1);
}

static coro_target_t itself;

static void unregister_itself(void *context, void *result, void *const *arguments) {
    (void)result;
    (void)arguments;
    CHECK_EQ(coro_target_unregister(itself), 0);
    CHECK_EQ(*(int *)context, 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(*(int *)context, 0);
}

TEST(K5_a_target_may_unregister_itself) {
    itself = target_with("void f(void)", unregister_itself, counted());
    coro_detach(coro_spawn_target(itself));
    run_until_idle();
    CHECK_EQ(released, 1);
}

TEST(K5_a_target_that_nothing_was_made_of_is_released_at_once) {
    coro_target_t target = counted_target();
    coro_target_options options = counted();
    options.handler = handle;
    CHECK_EQ(coro_target_register_with("int64_t doubled(int64_t)", NULL, &options), -EEXIST);
    CHECK_EQ(coro_target_register_with("int64_t doubled(", NULL, &options), -EINVAL);
    CHECK_EQ(coro_spawn_args(target, CORO_ARGS("text")), -EINVAL);
    CHECK_EQ(released, 0);
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(released, 1);
}

static coro_target_t registered_in_release;
static int in_release;

static void release_with_calls(void *context) {
    (void)context;
    in_release = coro_yield();
    coro_target_options options = counted();
    registered_in_release = target_with("int64_t doubled(int64_t number)", handle, options);
    coro_detach(coro_spawn_target(registered_in_release, INT64_C(1)));
}

TEST(K5_a_release_function_may_use_the_registry_but_not_suspend) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.context = &released;
    options.release = release_with_calls;
    coro_target_t target = target_with("int64_t doubled(int64_t number)", handle, options);
    coro_t co = coro_spawn_target(target, INT64_C(3));
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(RESULT(co, int64_t), 6);
    CHECK_EQ(in_release, CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_target_unregister(registered_in_release), 0);
    run_until_idle();
    CHECK_EQ(released, 1);
}

static coro_t spawned_last, spawned_in_release;

static void *seven(void *arg) {
    return (char *)arg + 7;
}

static void unregister_and_spawn(void *context, void *result, void *const *arguments) {
    (void)context, (void)result, (void)arguments;
    CHECK_EQ(coro_target_unregister(itself), 0);
    spawned_last = coro_spawn(seven, NULL);
}

static void release_with_spawn(void *counter) {
    ++*(int *)counter;
    spawned_in_release = coro_spawn(seven, NULL);
}

/* What it spawns must not get the control block of the one that still runs. */
TEST(K5_a_release_function_may_spawn_while_the_last_coroutine_ends) {
    coro_target_options options = counted();
    options.release = release_with_spawn;
    itself = target_with("void f(void)", unregister_and_spawn, options);
    coro_detach(coro_spawn_target(itself));
    run_until_idle();
    CHECK_EQ(released, 1);
    void *result;
    CHECK_EQ(coro_join(spawned_last, &result, CORO_FOREVER), 0);
    CHECK(result == (void *)7);
    CHECK_EQ(coro_join(spawned_in_release, &result, CORO_FOREVER), 0);
    CHECK(result == (void *)7);
}

static void release_with_error(void *counter) {
    ++*(int *)counter;
    CHECK_EQ(coro_target_unregister(itself), -ESRCH);
}

static void unregister_and_fail(void *context, void *result, void *const *arguments) {
    (void)context, (void)result, (void)arguments;
    CHECK_EQ(coro_target_unregister(itself), 0);
    coro_fail(-EIO, "the disk is full");
}

TEST(K5_errors_of_a_release_function_are_its_own) {
    coro_target_options options = counted();
    options.release = release_with_error;
    itself = target_with("void f(void)", unregister_and_fail, options);
    coro_t co = coro_spawn_target(itself);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), -EIO);
    CHECK_EQ(released, 1);
    CHECK_STR(coro_error_detail(), "the disk is full");
    CHECK_EQ(coro_error_other(), co);
}

static void *leave_coroutines(void *target) {
    coro_start_now_target(*(coro_target_t *)target, INT64_C(-1));
    coro_new_target(*(coro_target_t *)target, INT64_C(1));
    coro_detach(coro_spawn_target(*(coro_target_t *)target, INT64_C(1)));
    coro_start_now_target(*(coro_target_t *)target, INT64_C(1));
    return NULL;
}

TEST(K5_what_a_thread_leaves_holds_no_target) {
    coro_target_t target = counted_target();
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, leave_coroutines, &target), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(released, 0);
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(released, 1);
}

static void in_child(void) {
    coro_target_t target = coro_target_find("doubled");
    CHECK(target > 0);
    CHECK_EQ(RESULT(coro_spawn_target(target, INT64_C(4)), int64_t), 8);
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(released, 1);
    CHECK(TARGET("int64_t doubled(int64_t)", handle) > 0);
}

TEST(K5_the_child_of_a_fork_has_all_targets) {
    coro_target_t target = counted_target();
    char output[512];
    CHECK_EQ(run_in_child(in_child, output, sizeof output), 0);
    CHECK_STR(output, "");
    CHECK_EQ(coro_target_find("doubled"), target);
    CHECK_EQ(released, 0);
}

TEST(K5_without_memory_nothing_is_registered_and_nothing_lost) {
    coro_target_options options = counted();
    options.handler = handle;
    for (int n = 1, failed = 1; failed; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        coro_target_t target =
            coro_target_register_with("int64_t doubled(int64_t number = 21, const char *why = \"x\")", NULL, &options);
        failed = coro_test_fail_call("calloc", 0, 0) == 0 && target < 0;
        if (failed) CHECK_EQ(target, -ENOMEM);
        else CHECK_EQ(coro_target_unregister(target), 0);
        CHECK_EQ(coro_target_list(NULL, 0), 0);
        CHECK(n < 100);
    }
    CHECK_EQ(released, 1);
}

/* -- CORO_TARGET_NO_SUSPEND -- */

static void try_to_suspend(void *context, void *result, void *const *arguments) {
    (void)context;
    int code = coro_yield();
    CHECK_EQ(code, CORO_EYIELDFROMMAIN);
    CHECK_CONTAINS(coro_error_detail(), "CORO_TARGET_NO_SUSPEND");
    CHECK_EQ(coro_start_now(*(coro_t *)arguments[0]), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_start(*(coro_t *)arguments[0]), 0); /* what does not suspend may be called */
    *(int *)result = code;
    coro_fail(-EIO, "it may fail");
}

CORO_TEST(K5_a_target_that_must_not_suspend) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.flags = CORO_TARGET_NO_SUSPEND;
    coro_target_t target = target_with("int f(int64_t other)", try_to_suspend, options);
    coro_t other = coro_new(do_nothing, NULL, NULL);
    coro_t co = coro_spawn_target(target, other);
    int result = 7;
    CHECK_EQ(coro_join_result(co, &result, sizeof result, CORO_FOREVER), -EIO);
    CHECK_STR(coro_error_detail(), "it may fail");
    CHECK_EQ(result, 0);
    CHECK_EQ(coro_join(other, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_yield(), 0);
}

/* -- who is told of it -- */

static void *keep_all_waiting(void *unused) {
    return hog(unused);
}

TEST(K5_a_target_that_keeps_all_waiting_is_named) {
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0);
    begin_report();
    CHECK_EQ(coro_join(coro_spawn_target(TARGET("void *busy(void *)", keep_all_waiting), NULL), NULL, CORO_FOREVER), 0);
    CHECK_CONTAINS(report(), "for <coro #1 name='busy' dead=0");
    end_report();
}

TEST(K5_a_target_without_a_name_is_called_as_its_function) {
    char plain[64], typed[64];
    coro_t co = coro_new(do_nothing, NULL, NULL), unnamed = coro_new_target(TARGET("void *(void *)", do_nothing), NULL);
    CHECK(coro_get_name(co, plain, sizeof plain) > 0);
    CHECK(coro_get_name(unnamed, typed, sizeof typed) > 0);
    if (strncmp(plain, "coro ", 5) == 0) typed[5] = plain[5] = 0; /* numbers */
    CHECK_STR(typed, plain);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_shutdown(unnamed), 0);
}

/* -- release functions that make coroutines -- */

static int ran;

static void *count_run(void *argument) {
    ran++;
    return argument;
}

static void spawn_others(void *context) {
    (void)context;
    for (int i = 0; i < 3; i++) go(count_run, NULL);
}

static void handle_nothing(void *context, void *result, void *const *arguments) {
    (void)context, (void)result, (void)arguments;
}

/* The last that holds the target is a coroutine that nobody joins. */
static coro_t last_of_its_target(void) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.handler = handle_nothing;
    options.release = spawn_others;
    options.context = &ran;
    coro_target_t target = coro_target_register_with("void (void)", NULL, &options);
    CHECK(target > 0);
    coro_t last = coro_spawn_target(target);
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(coro_detach(last), last);
    return last;
}

TEST(K5_what_release_spawns_as_the_last_coroutine_ends_runs) {
    last_of_its_target();
    go(count_run, NULL);
    run_until_idle();
    CHECK_EQ(ran, 4);
}

TEST(K5_what_release_spawns_as_the_last_coroutine_is_cancelled_runs) {
    go(count_run, NULL); /* it ends, and finds who was cancelled next in the queue */
    CHECK_EQ(coro_shutdown(last_of_its_target()), 0);
    go(count_run, NULL);
    run_until_idle();
    CHECK_EQ(ran, 5);
}

static void trace_end(void *context, coro_t co, void **state) {
    (void)context, (void)co, (void)state;
    trace("end");
}

static void trace_release(void *context) {
    trace("%s", (const char *)context);
}

TEST(K5_a_target_is_released_before_the_hook_of_the_end) {
    coro_switch_hooks hooks = CORO_SWITCH_HOOKS_INIT;
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    hooks.end = trace_end;
    options.handler = handle_nothing;
    options.release = trace_release;
    options.context = "released";
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
    coro_target_t target = coro_target_register_with("void (void)", NULL, &options);
    coro_t last = coro_spawn_target(target);
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(coro_detach(last), last);
    run_until_idle();
    CHECK_STR(traced(), "released end ");
}

/* -- stack_size -- */

static void tell_stack_size(void *context, void *result, void *const *arguments) {
    (void)context, (void)arguments;
    coro_info info = {.struct_size = sizeof info};
    CHECK_EQ(coro_get_info(coro_current(), &info), 0);
    *(int64_t *)result = (int64_t)info.stack_size;
}

static int64_t spawned_with(coro_target_t target, size_t stack_size) {
    coro_options options = CORO_OPTIONS_INIT;
    options.stack_size = stack_size;
    return RESULT(coro_spawn_kwargs_with(target, NULL, NULL, 0, &options), int64_t);
}

CORO_TEST(K5_how_large_a_targets_stacks_are) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    coro_target_t usual = target_with("int64_t usual(void)", tell_stack_size, options);
    options.stack_size = 1 << 20;
    coro_target_t target = target_with("int64_t large(void)", tell_stack_size, options);
    CHECK_EQ(RESULT(coro_spawn_target(usual), int64_t), 256 << 10);
    CHECK_EQ(RESULT(coro_spawn_target(target), int64_t), 1 << 20);
    CHECK_EQ(RESULT(coro_spawn_named("large"), int64_t), 1 << 20);
    CHECK_EQ(spawned_with(usual, 32 << 10), 32 << 10);
    CHECK_EQ(spawned_with(target, 32 << 10), 1 << 20);
    CHECK_EQ(spawned_with(target, 2 << 20), 2 << 20);
    coro_trampoline_t trampoline = coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, NULL);
    CHECK_EQ(((int64_t (*)(void))coro_trampoline_function(trampoline))(), 1 << 20);
    CHECK_EQ(coro_trampoline_free(trampoline), 0);
    options.stack_size = 100;
    options.handler = tell_stack_size;
    CHECK_EQ(coro_target_register_with("int64_t small(void)", NULL, &options), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "stack_size must be");
}
