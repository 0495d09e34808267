/* Row K6: calling through a trampoline as if the target had been called itself: callbacks of C libraries, what interrupts them,
   and where they can't run (known bug 94). */
#include "trampolines.h"


/* -- callbacks of the C library -- */

struct order { int64_t nap; int calls; };

static int compare(struct order *order, const int *left, const int *right) {
    order->calls++;
    if (order->nap > 0) CHECK_EQ(coro_sleep(order->nap), 0);
    return (*left > *right) - (*left < *right);
}

typedef int comparison(const void *, const void *);

static comparison *comparison_with(struct order *order) {
    return FUNCTION(comparison *, trampoline_with_context(
        "int compare(struct order *, const int *left, const int *right)", (coro_function)compare, CORO_TRAMPOLINE_CALL, order));
}

static void check_sorting(struct order *order) {
    enum { N = 100 };
    int numbers[N], wanted = 42;
    comparison *by_number = comparison_with(order);
    for (int i = 0; i < N; i++) numbers[i] = i * 37 % N;
    qsort(numbers, N, sizeof *numbers, by_number);
    for (int i = 0; i < N; i++) CHECK_EQ(numbers[i], i);
    CHECK(bsearch(&wanted, numbers, N, sizeof *numbers, by_number) == &numbers[42]);
    CHECK(order->calls > N);
}

CORO_TEST(K6_qsort_and_bsearch_with_a_comparison_that_waits) {
    coro_test_set_virtual_time(true);
    struct order order = {CORO_MS(1), 0};
    int64_t before = coro_get_now();
    check_sorting(&order);
    CHECK_EQ(coro_get_now() - before, CORO_MS(order.calls));
}

TEST(K6_qsort_on_the_threads_own_stack) {
    struct order order = {0, 0};
    check_sorting(&order);
    order = (struct order){1, 0};
    check_sorting(&order);
    CHECK_EQ(coro_get_live_coros(), 0);
}

static void *sort_alone(void *argument) {
    check_sorting(argument);
    return argument;
}

CORO_TEST(K6_many_sort_at_once) {
    enum { SORTERS = 10 };
    struct order orders[SORTERS];
    coro_t sorters[SORTERS];
    coro_test_set_virtual_time(true);
    for (int i = 0; i < SORTERS; i++) {
        orders[i] = (struct order){i + 1, 0};
        sorters[i] = coro_spawn(sort_alone, &orders[i]);
    }
    for (int i = 0; i < SORTERS; i++) CHECK_EQ(coro_join(sorters[i], NULL, CORO_FOREVER), 0);
}

/* Calls through trampolines inside calls through trampolines. */
static int (*nested)(int);

static int factorial(int n) {
    coro_yield();
    return n <= 1 ? 1 : n * nested(n - 1);
}

CORO_TEST(K6_calls_in_calls) {
    nested = FUNCTION(int (*)(int), trampoline_to("int factorial(int n)", (coro_function)factorial, CORO_TRAMPOLINE_CALL));
    CHECK_EQ(nested(10), 3628800);
    CHECK_EQ(coro_get_live_coros(), 1);
}

/* Others go on, however short the calls are. */
static void *finish_soon(void *done) {
    for (int i = 0; i < 3; i++) coro_yield();
    *(volatile bool *)done = true;
    return NULL;
}

static int one(void) { return 1; }

CORO_TEST(K6_calls_keep_nobody_waiting) {
    volatile bool done = false;
    int (*function)(void) = FUNCTION(int (*)(void), trampoline_to("int (void)", (coro_function)one, CORO_TRAMPOLINE_CALL));
    go(finish_soon, (void *)&done);
    while (!done) CHECK_EQ(function(), 1); /* else the harness ends this */
}

/* errno is part of what many functions return. */
static int fail_with_errno(int nap) {
    if (nap > 0) CHECK_EQ(coro_sleep(CORO_MS(nap)), 0);
    errno = nap + 1;
    return -1;
}

CORO_TEST(K6_a_call_sets_errno_as_its_target_does) {
    int (*function)(int) =
        FUNCTION(int (*)(int), trampoline_to("int (int nap)", (coro_function)fail_with_errno, CORO_TRAMPOLINE_CALL));
    for (int nap = 0; nap <= 5; nap += 5) {
        errno = 0;
        CHECK_EQ(function(nap), -1);
        CHECK_EQ(errno, nap + 1);
    }
}

static coro_t named;

static void note_self(const char *text) {
    char name[50];
    CHECK(coro_get_name(coro_current(), name, sizeof name) > 0);
    trace("%s:%s", name, text);
    named = coro_current();
}

CORO_TEST(K6_the_coroutine_has_the_targets_name) {
    for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_POST; mode++) {
        coro_t before = named;
        FUNCTION(void (*)(const char *), trampoline_to("void note_self(const char *)", (coro_function)note_self, mode))("x");
        run_what_is_queued();
        CHECK(named != before && named != coro_current());
    }
    CHECK_STR(traced(), "note_self:x note_self:x note_self:x ");
}

/* -- interruptions -- */

static int wait_once(int *code) {
    trace("waits");
    *code = coro_sleep(CORO_SECONDS(100));
    trace("%s", coro_error_name(*code));
    if (*code == CORO_EINTERRUPTED && coro_interrupt_value() != NULL) trace("value:%s", (char *)coro_interrupt_value());
    CHECK_EQ(coro_sleep(CORO_MS(10)), 0); /* its caller waits all the same */
    trace("cleaned-up");
    return *code;
}

static int (*wait_through)(int *);

static void *call_waiter(void *argument) {
    int code = 1, result = wait_through(&code);
    trace("returned %s", coro_error_name(result));
    CHECK_EQ(code, result);
    CHECK_EQ(coro_yield(), 0); /* it was seen: nothing is left of it */
    return argument;
}

static coro_t caller_that_waits(void) {
    coro_test_set_virtual_time(true);
    wait_through =
        FUNCTION(int (*)(int *), trampoline_to("int wait_once(int *)", (coro_function)wait_once, CORO_TRAMPOLINE_CALL));
    return start_now(call_waiter, NULL);
}

CORO_TEST(K6_a_shutdown_of_the_caller_reaches_the_target) {
    coro_t caller = caller_that_waits();
    CHECK_EQ(coro_shutdown(caller), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "waits CORO_ESHUTDOWN cleaned-up returned CORO_ESHUTDOWN ");
}

CORO_TEST(K6_a_raise_in_the_caller_reaches_the_target) {
    coro_t caller = caller_that_waits();
    CHECK_EQ(coro_raise(caller, -EPERM, 0), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "waits EPERM cleaned-up returned EPERM ");
}

CORO_TEST(K6_an_interrupt_of_the_caller_reaches_the_target_with_its_value) {
    coro_t caller = caller_that_waits();
    CHECK_EQ(coro_interrupt(caller, "v"), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "waits CORO_EINTERRUPTED value:v cleaned-up returned CORO_EINTERRUPTED ");
}

CORO_TEST(K6_interruptions_go_through_calls_in_calls) {
    coro_t caller = caller_that_waits();
    int (*inner)(int *) = wait_through;
    wait_through = FUNCTION(int (*)(int *), trampoline_to("int (int *)", (coro_function)inner, CORO_TRAMPOLINE_CALL));
    coro_t outer = start_now(call_waiter, NULL);
    CHECK_EQ(coro_shutdown(outer), 0);
    CHECK_EQ(coro_join(outer, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "waits waits CORO_ESHUTDOWN cleaned-up returned CORO_ESHUTDOWN ");
    CHECK_EQ(coro_shutdown(caller), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
}

static void *call_with_timeout(void *argument) {
    int code = 1;
    int64_t before = coro_get_now();
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(50));
    CHECK(scope > 0);
    CHECK_EQ(wait_through(&code), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, CORO_EINTERRUPTED), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - before, CORO_MS(60));
    return argument;
}

CORO_TEST(K6_a_timeout_scope_of_the_caller_reaches_the_target) {
    CHECK_EQ(coro_shutdown(caller_that_waits()), 0);
    CHECK_EQ(coro_join(coro_spawn(call_with_timeout, NULL), NULL, CORO_FOREVER), 0);
}

TEST(K6_a_timeout_scope_on_the_threads_own_stack_reaches_the_target) {
    CHECK_EQ(coro_shutdown(caller_that_waits()), 0);
    call_with_timeout(NULL);
}

/* The time of the scope is up as the target ends, which the target does not see. */
static int sleep_twice(int first, int second) {
    CHECK_EQ(coro_sleep(CORO_MS(first)), 0);
    if (second > 0) CHECK_EQ(coro_sleep(CORO_MS(second)), 0);
    return 1;
}

static int yield_for_ever(void) {
    int code;
    while ((code = coro_yield()) == 0) CHECK_EQ(coro_test_step_time(CORO_MS(1)), 0);
    CHECK_EQ(coro_sleep(CORO_MS(10)), 0); /* it is told once */
    return code;
}

CORO_TEST(K6_a_timeout_that_the_target_does_not_see_is_not_lost_nor_told_twice) {
    coro_test_set_virtual_time(true);
    int (*nap)(int, int) =
        FUNCTION(int (*)(int, int), trampoline_to("int (int, int)", (coro_function)sleep_twice, CORO_TRAMPOLINE_CALL));
    int (*yields)(void) =
        FUNCTION(int (*)(void), trampoline_to("int (void)", (coro_function)yield_for_ever, CORO_TRAMPOLINE_CALL));
    for (int first = 10; first <= 50; first += 40) {
        /* Nothing waits in the scope any more, and nothing after it is interrupted; */
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(50));
        CHECK_EQ(nap(first, 50 - first), 1);
        CHECK_EQ(coro_timeout_end(scope, 0), 0);
        CHECK_EQ(coro_yield(), 0);
        /* but what waits in it is. */
        scope = coro_timeout_begin(CORO_MS(50));
        CHECK_EQ(nap(first, 50 - first), 1);
        CHECK_EQ(coro_sleep(CORO_SECONDS(100)), CORO_EINTERRUPTED);
        CHECK_EQ(coro_timeout_end(scope, CORO_EINTERRUPTED), CORO_ETIMEOUT);
        CHECK_EQ(coro_yield(), 0);
    }
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(50));
    CHECK_EQ(yields(), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, CORO_EINTERRUPTED), CORO_ETIMEOUT);
    CHECK_EQ(coro_yield(), 0);
}

static void *sleep_for_years(void *argument) {
    coro_sleep(CORO_FOREVER / 2);
    return argument;
}

CORO_TEST(K6_a_timeout_reaches_the_target_without_memory_for_a_timer) {
    CHECK_EQ(coro_shutdown(caller_that_waits()), 0);
    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    /* Each round has one timer more, so that in some it is the caller's that there is no memory for. */
    for (int i = 0; i < 100; i++) {
        int code = 1, n = 1 + i % 4;
        if (n == 1) start_now(sleep_for_years, NULL);
        coro_timeout_t scope = coro_timeout_begin(CORO_MS(50));
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        int result = wait_through(&code);
        CHECK(result == code ? code < 0 : result == 0); /* interrupted, or not run */
        CHECK_EQ(coro_test_fail_call("calloc", 0, 0), 0);
        coro_timeout_end(scope, 0);
    }
}

/* What came before the call, and what the target did not see. */
static void return_at_once(void) {}

static void *call_when_told(void *argument) {
    void (*function)(void) = function_of(trampoline_to("void (void)", return_at_once, CORO_TRAMPOLINE_CALL));
    int code = 1;
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    function();
    CHECK_EQ(coro_yield(), CORO_ESHUTDOWN);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    CHECK_EQ(wait_through(&code), CORO_ESHUTDOWN);
    CHECK_EQ(coro_yield(), 0);
    return argument;
}

CORO_TEST(K6_an_interruption_is_seen_once) {
    CHECK_EQ(coro_shutdown(caller_that_waits()), 0);
    CHECK_EQ(coro_join(coro_spawn(call_when_told, NULL), NULL, CORO_FOREVER), 0);
}

/* The target is runnable, or ends, as its caller is interrupted. */
static int park_through(int yields) {
    int code = coro_park(NULL);
    CHECK_EQ(code, 0);
    for (int i = 0; i < yields; i++) {
        int answer = coro_yield();
        if (answer < 0) code = answer;
    }
    return code;
}

static int (*park_function)(int);
static int park_yields;

static void *call_parked(void *argument) {
    int code = park_function(park_yields);
    trace("%s", coro_error_name(code));
    trace("%s", coro_error_name(coro_yield()));
    return argument;
}

CORO_TEST(K6_what_woke_the_target_counts_when_the_caller_is_interrupted) {
    park_function =
        FUNCTION(int (*)(int), trampoline_to("int park_through(int)", (coro_function)park_through, CORO_TRAMPOLINE_CALL));
    for (park_yields = 0; park_yields <= 2; park_yields += 2) {
        coro_t all[10], target = 0, caller = start_now(call_parked, NULL);
        int n = coro_all(all, 10);
        for (int i = 0; i < n; i++)
            if (all[i] > target) target = all[i];
        CHECK(target > caller);
        CHECK_EQ(coro_schedule(target, NULL), 0);
        CHECK_EQ(coro_shutdown(caller), 0);
        CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    }
    /* The first has ended before it could see it. */
    CHECK_STR(traced(), "0 CORO_ESHUTDOWN CORO_ESHUTDOWN 0 ");
}

CORO_TEST(K6_a_target_may_be_interrupted_by_its_own_id) {
    coro_t all[10], target = 0, caller = caller_that_waits();
    int n = coro_all(all, 10);
    for (int i = 0; i < n; i++)
        if (all[i] > target) target = all[i];
    CHECK(target > caller);
    CHECK_EQ(coro_detach(target), target); /* its record stays for the caller */
    CHECK_EQ(coro_raise(target, -EXDEV, 0), 0);
    CHECK_EQ(coro_join(caller, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "waits EXDEV cleaned-up returned EXDEV ");
}

/* -- where nothing can be waited for -- */

static int deadlocked(int *code) {
    *code = coro_park(NULL);
    return 5;
}

TEST(K6_a_deadlock_on_the_threads_own_stack_reaches_the_target) {
    int code = 1;
    int (*function)(int *) =
        FUNCTION(int (*)(int *), trampoline_to("int (int *)", (coro_function)deadlocked, CORO_TRAMPOLINE_CALL));
    CHECK_EQ(function(&code), 5);
    CHECK_EQ(code, -EDEADLK);
    CHECK_EQ(coro_get_live_coros(), 0);
}

static int (*one_through)(void);
static coro_trampoline_t one_trampoline;

static void call_in_release(void *argument) {
    *(int *)argument = one_through();
}

static void call_in_callback(void) {
    coro_options options = CORO_OPTIONS_INIT;
    int seven = 7, result = 0;
    options.release = call_in_release;
    one_trampoline = trampoline_otherwise("int (void)", (coro_function)one, CORO_TRAMPOLINE_CALL, &seven);
    one_through = FUNCTION(int (*)(void), one_trampoline);
    CHECK_EQ(coro_join(coro_spawn_with(do_nothing, &result, &options), NULL, CORO_FOREVER), 0);
    CHECK_EQ(result, 7);
    CHECK_EQ(coro_trampoline_error(one_trampoline), CORO_EYIELDFROMMAIN);
}

TEST(K6_call_in_a_callback_that_must_not_suspend) {
    char output[1000];
    CHECK_EQ(run_in_child(call_in_callback, output, sizeof output), 0);
    CHECK_CONTAINS(output, "trampoline of int (void): nothing was run: CORO_EYIELDFROMMAIN (");
    CHECK_CONTAINS(output, "must not suspend\n");
}

static int pool_mode;

static void *call_on_pool(void *argument) {
    return AS_POINTER(((int (*)(void))argument)());
}

static void call_in_pool(void) {
    coro_trampoline_t trampoline = trampoline_to("int (void)", (coro_function)one, pool_mode);
    void *result;
    CHECK_EQ(coro_blocking(call_on_pool, (void *)function_of(trampoline), &result), 0);
    run_what_is_queued();
    CHECK_EQ(coro_trampoline_error(trampoline), pool_mode <= CORO_TRAMPOLINE_CALL ? CORO_EYIELDFROMMAIN : 0);
    CHECK_EQ(AS_INT(result), pool_mode == CORO_TRAMPOLINE_DIRECT);
}

TEST(K6_on_threads_of_the_pool) {
    char output[1000];
    for (pool_mode = CORO_TRAMPOLINE_SPAWN; pool_mode <= CORO_TRAMPOLINE_DIRECT; pool_mode++) {
        CHECK_EQ(run_in_child(call_in_pool, output, sizeof output), 0);
        if (pool_mode <= CORO_TRAMPOLINE_CALL) {
            CHECK_CONTAINS(output, "CORO_EYIELDFROMMAIN");
            CHECK_CONTAINS(output, "a thread of the pool does not run coroutines");
        } else {
            CHECK_STR(output, "");
        }
    }
}

static int try_to_suspend(void) {
    return coro_yield();
}

static void handle_try(void *context, void *result, void *const *arguments) {
    (void)context;
    (void)arguments;
    *(int *)result = try_to_suspend();
}

CORO_TEST(K6_a_target_that_must_not_suspend_does_not_in_any_mode) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.handler = handle_try;
    options.flags = CORO_TARGET_NO_SUSPEND;
    coro_target_t target = coro_target_register_with("int (void)", NULL, &options);
    for (int mode = CORO_TRAMPOLINE_CALL; mode <= CORO_TRAMPOLINE_DIRECT; mode += 2) {
        CHECK_EQ(FUNCTION(int (*)(void), coro_trampoline_new(target, mode, NULL))(), CORO_EYIELDFROMMAIN);
        CHECK_EQ(coro_yield(), 0);
    }
}

/* Known bug 94: a loop inside a coroutine. */
static int run_loop_inside(void) {
    return coro_event_loop();
}

TEST(K6_a_loop_inside_a_call_is_refused) {
    int (*function)(void) =
        FUNCTION(int (*)(void), trampoline_to("int (void)", (coro_function)run_loop_inside, CORO_TRAMPOLINE_CALL));
    CHECK_EQ(function(), CORO_ELOOPRUNNING);
}

TEST(K6_without_memory_a_call_is_not_made) {
    coro_trampoline_t trampoline = trampoline_to("int (void)", (coro_function)one, CORO_TRAMPOLINE_CALL);
    int (*function)(void) = FUNCTION(int (*)(void), trampoline), failures = 0;
    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    for (int n = 1; n < 10; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        if (function() == 0) {
            failures++;
            CHECK_EQ(coro_trampoline_error(trampoline), -ENOMEM);
        }
    }
    CHECK_EQ(coro_test_fail_call("calloc", 0, 0), 0);
    CHECK(failures >= 1);
    CHECK_EQ(function(), 1);
    CHECK_EQ(coro_get_live_coros(), 0);
}
