/* Rows K6 and K7: a target as a C function, in its four modes; every type as argument and as result. */
#include "trampolines.h"

#include <stdbool.h>
#include <sys/types.h>

struct point { double x, y; };
struct rgb { unsigned char r, g, b; };
struct real { float x; };
struct mixed { long n; double x; };
struct wide { long a[5]; };

static void register_structs(void) {
    CHECK_EQ(coro_struct_register("point", "double x, y;"), 0);
    CHECK_EQ(coro_struct_register("rgb", "unsigned char r, g, b;"), 0);
    CHECK_EQ(coro_struct_register("real", "float x;"), 0);
    CHECK_EQ(coro_struct_register("mixed", "long n; double x;"), 0);
    CHECK_EQ(coro_struct_register("wide", "long a[5];"), 0);
}

/* A type's name here, as C writes it, and a value. */
#define TYPES(X) \
    X(boolean, bool, true) \
    X(character, char, 'x') \
    X(int8, int8_t, -100) \
    X(uint8, uint8_t, 200) \
    X(int16, int16_t, -30000) \
    X(uint16, unsigned short, 60000) \
    X(int32, int, -2000000000) \
    X(uint32, uint32_t, 4000000000u) \
    X(int64, long long, -9000000000000000000) \
    X(uint64, unsigned long, 18000000000000000000u) \
    X(size, size_t, 1u << 31) \
    X(single, float, -1.5f) \
    X(real, double, 1e300) \
    X(extended, long double, 1e4000L) \
    X(address, void *, &released) \
    X(point, struct point, ((struct point){1.5, -2.5})) \
    X(rgb, struct rgb, ((struct rgb){1, 200, 3})) \
    X(one_float, struct real, ((struct real){0.25f})) \
    X(mixed, struct mixed, ((struct mixed){-7, 0.5})) \
    X(wide, struct wide, ((struct wide){{1, -2, 3, -4, 5}}))

static int released;
static int64_t naps; /* how long a target sleeps */

/* The bytes of a long double that count. */
#define SIZE_OF(type) (_Generic(*(type *)NULL, long double: (size_t)10, default: sizeof(type)))

#define DEFINE(name, type, value) \
    static type seen_##name; \
    static int calls_##name; \
    static type echo_##name(int before, type given, double after) { \
        calls_##name++; \
        seen_##name = given; \
        CHECK_EQ(before, 12345); \
        CHECK(after == 0.125); \
        if (naps > 0) CHECK_EQ(coro_sleep(naps), 0); \
        return given; \
    } \
    static void check_##name(int mode) { \
        typedef type function(int, type, double); \
        type given = value; \
        type zero; \
        type result; \
        memset(&zero, 0, sizeof zero); \
        memset(&result, 0x5a, sizeof result); \
        memset(&seen_##name, 0x5a, sizeof seen_##name); \
        calls_##name = 0; \
        coro_trampoline_t trampoline = \
            trampoline_to(#type " echo(int, " #type " given, double)", (coro_function)echo_##name, mode); \
        result = FUNCTION(function *, trampoline)(12345, given, 0.125); \
        bool returns = mode == CORO_TRAMPOLINE_CALL || mode == CORO_TRAMPOLINE_DIRECT; \
        if (memcmp(&result, returns ? &given : &zero, SIZE_OF(type)) != 0) test_fail(__FILE__, __LINE__, "result: " #type); \
        run_what_is_queued(); \
        CHECK_EQ(calls_##name, 1); \
        if (memcmp(&seen_##name, &given, SIZE_OF(type)) != 0) test_fail(__FILE__, __LINE__, "argument: " #type); \
        CHECK_EQ(coro_trampoline_error(trampoline), 0); \
        CHECK_EQ(coro_trampoline_free(trampoline), 0); \
    }
TYPES(DEFINE)

static void check_all(int mode) {
    register_structs();
#define RUN(name, type, value) check_##name(mode);
    TYPES(RUN)
}

CORO_TEST(K6_spawn_passes_every_type) { check_all(CORO_TRAMPOLINE_SPAWN); }
CORO_TEST(K6_call_passes_and_returns_every_type) { check_all(CORO_TRAMPOLINE_CALL); }
CORO_TEST(K6_post_passes_every_type) { check_all(CORO_TRAMPOLINE_POST); }
CORO_TEST(K6_direct_passes_and_returns_every_type) { check_all(CORO_TRAMPOLINE_DIRECT); }

CORO_TEST(K6_call_returns_every_type_of_one_that_waits) {
    coro_test_set_virtual_time(true);
    naps = CORO_MS(5);
    check_all(CORO_TRAMPOLINE_CALL);
}

TEST(K6_call_on_the_threads_own_stack_runs_the_loop) {
    coro_test_set_virtual_time(true);
    naps = CORO_MS(5);
    check_all(CORO_TRAMPOLINE_CALL);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(K6_direct_needs_no_loop) {
    check_all(CORO_TRAMPOLINE_DIRECT);
}

/* The callers of small results may look at the whole register. */
static long register_of(coro_function function) {
    return ((long (*)(void))function)();
}

static int8_t minus_one(void) { return -1; }
static uint16_t large(void) { return 65535; }
static bool yes(void) { return true; }

TEST(K6_small_results_fill_the_register) {
    int modes[] = {CORO_TRAMPOLINE_CALL, CORO_TRAMPOLINE_DIRECT};
    for (int i = 0; i < 2; i++) {
        CHECK_EQ((int)register_of(function_of(trampoline_to("int8_t (void)", (coro_function)minus_one, modes[i]))), -1);
        CHECK_EQ((int)register_of(function_of(trampoline_to("uint16_t (void)", (coro_function)large, modes[i]))), 65535);
        CHECK_EQ((int)register_of(function_of(trampoline_to("bool (void)", (coro_function)yes, modes[i]))) & 0xff, 1);
    }
}

/* More arguments than registers of either kind. */
static double many(int a, double b, short c, float d, long e, double f, char g, double h, struct point i, int j, double k,
                   int l, float m, struct wide n, double o, int p) {
    return a + b * 2 + c * 3 + d * 4 + (double)e * 5 + f * 6 + g * 7 + h * 8 + i.x * 9 + i.y * 10 + j * 11 + k * 12 + l * 13
        + m * 14 + (double)n.a[4] * 15 + o * 16 + p * 17;
}

CORO_TEST(K6_many_arguments) {
    typedef double function(int, double, short, float, long, double, char, double, struct point, int, double, int, float,
                            struct wide, double, int);
    struct point i = {9, 10};
    struct wide n = {{0, 0, 0, 0, 15}};
    double expected = many(1, 2, 3, 4, 5, 6, 7, 8, i, 11, 12, 13, 14, n, 16, 17);
    register_structs();
    for (int mode = CORO_TRAMPOLINE_CALL; mode <= CORO_TRAMPOLINE_DIRECT; mode += 2) {
        coro_trampoline_t trampoline = trampoline_to(
            "double many(int, double, short, float, long, double, char, double, point, int, double, int, float, wide,"
            "double, int)",
            (coro_function)many, mode);
        CHECK(FUNCTION(function *, trampoline)(1, 2, 3, 4, 5, 6, 7, 8, i, 11, 12, 13, 14, n, 16, 17) == expected);
    }
}

static int nothing_calls;

static void nothing(void) {
    nothing_calls++;
}

CORO_TEST(K6_no_arguments_and_no_result) {
    for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_DIRECT; mode++) {
        int before = nothing_calls;
        coro_trampoline_t trampoline = trampoline_to("void nothing(void)", nothing, mode);
        function_of(trampoline)();
        run_what_is_queued();
        CHECK_EQ(nothing_calls, before + 1);
        CHECK_EQ(coro_trampoline_error(trampoline), 0);
    }
}

/* -- texts, and what is owned -- */

static char seen_text[20];

static void keep_text(const char *given, const char *other) {
    CHECK(other == NULL);
    coro_yield();
    strcpy(seen_text, given);
}

CORO_TEST(K6_spawn_and_post_copy_texts) {
    for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_POST; mode += 2) {
        char here[20] = "first";
        coro_trampoline_t trampoline =
            trampoline_to("void keep_text(const char *, const char *)", (coro_function)keep_text, mode);
        FUNCTION(void (*)(const char *, const char *), trampoline)(here, NULL);
        memset(here, 'x', sizeof here);
        run_what_is_queued();
        CHECK_STR(seen_text, "first");
        seen_text[0] = 0;
    }
}

static int taken;

static int take(char *given, int code) {
    taken += given == NULL ? 0 : (int)strlen(given);
    if (code < 0) coro_fail(code, "as told");
    return taken;
}

/* That it is freed is for AddressSanitizer and Valgrind to see. */
CORO_TEST(K6_what_is_owned_is_freed_in_every_mode) {
    for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_DIRECT; mode++) {
        coro_trampoline_t trampoline = trampoline_to("int take(owned char *given, int code)", (coro_function)take, mode);
        taken = 0;
        FUNCTION(int (*)(char *, int), trampoline)(strdup("12345"), 0);
        FUNCTION(int (*)(char *, int), trampoline)(NULL, 0);
        run_what_is_queued();
        CHECK_EQ(taken, 5);
    }
}

static int never(char *given) {
    test_fail(__FILE__, __LINE__, "run with %s", given);
}

static void call_where_it_cannot_run(void) {
    coro_trampoline_t call = trampoline_to("int never(owned char *)", (coro_function)never, CORO_TRAMPOLINE_CALL);
    coro_set_strict_main(true);
    CHECK_EQ(FUNCTION(int (*)(char *), call)(strdup("abc")), 0);
    CHECK_EQ(coro_trampoline_error(call), CORO_EYIELDFROMMAIN);
}

TEST(K6_what_is_owned_is_freed_when_the_call_cannot_be_made) {
    char output[1000];
    CHECK_EQ(run_in_child(call_where_it_cannot_run, output, sizeof output), 0);
    CHECK_CONTAINS(output, "trampoline of int never(owned char *): nothing was run: CORO_EYIELDFROMMAIN");
    CHECK_CONTAINS(output, "strict mode");
}

/* -- K7: context -- */

struct counter { int count, step; };

static int add(struct counter *counter, int factor) {
    return counter->count += counter->step * factor;
}

TEST(K7_a_context_makes_a_function_of_one_argument_less) {
    struct counter ones = {0, 1}, tens = {0, 10};
    for (int mode = CORO_TRAMPOLINE_CALL; mode <= CORO_TRAMPOLINE_DIRECT; mode += 2) {
        ones.count = tens.count = 0;
        coro_trampoline_t one = trampoline_with_context("int add(struct counter *, int)", (coro_function)add, mode, &ones);
        coro_trampoline_t ten = trampoline_with_context("int add(struct counter *, int)", (coro_function)add, mode, &tens);
        CHECK_EQ(FUNCTION(int (*)(int), one)(2), 2);
        CHECK_EQ(FUNCTION(int (*)(int), ten)(3), 30);
        CHECK_EQ(FUNCTION(int (*)(int), one)(1), 3);
        CHECK_EQ(ones.count, 3);
        CHECK_EQ(tens.count, 30);
    }
}

TEST(K7_a_context_goes_along_with_what_is_spawned_and_posted) {
    struct counter ones = {0, 1};
    for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_POST; mode += 2) {
        coro_trampoline_t one = trampoline_with_context("int add(struct counter *, int)", (coro_function)add, mode, &ones);
        ones.count = 0;
        CHECK_EQ(FUNCTION(int (*)(int), one)(4), 0);
        CHECK_EQ(coro_trampoline_free(one), 0);
        CHECK_EQ(ones.count, 0);
        run_until_idle();
        CHECK_EQ(ones.count, 4);
    }
}

static int is_null(void *context) {
    return context == NULL;
}

TEST(K7_a_context_may_be_null_and_the_only_parameter) {
    coro_trampoline_t trampoline =
        trampoline_with_context("int f(void *)", (coro_function)is_null, CORO_TRAMPOLINE_DIRECT, NULL);
    CHECK_EQ(FUNCTION(int (*)(void), trampoline)(), 1);
}

static void handle_sum(void *context, void *result, void *const *arguments) {
    CHECK(context == &released);
    CHECK_EQ(*(int *)result, 0);
    *(int *)result = *(int *)arguments[0] + *(short *)arguments[1];
}

CORO_TEST(K7_a_handler_is_called_through_a_function) {
    coro_target_t target = handler_target("int sum(int, short)", handle_sum, &released);
    for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_DIRECT; mode++) {
        coro_trampoline_t trampoline = coro_trampoline_new(target, mode, NULL);
        int result = FUNCTION(int (*)(int, short), trampoline)(40000, -5);
        CHECK_EQ(result, mode == CORO_TRAMPOLINE_CALL || mode == CORO_TRAMPOLINE_DIRECT ? 39995 : 0);
        CHECK_EQ(coro_trampoline_free(trampoline), 0);
        run_what_is_queued();
        CHECK_EQ(released, 0);
    }
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(released, 1);
}

/* -- what calls return that have no result -- */

static struct point fail_point(void) {
    coro_fail(-EIO, "no point");
    return (struct point){1, 2};
}

static int quietly(coro_t co, int code, const char *message) {
    trace("%d %s", code, message);
    return co < 0;
}

CORO_TEST(K6_otherwise_is_what_a_call_returns_without_a_result) {
    struct point fallback = {-1, -2};
    register_structs();
    coro_set_exception_notifier(quietly);
    for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_POST; mode++) {
        coro_trampoline_t trampoline = trampoline_otherwise("point f(void)", (coro_function)fail_point, mode, &fallback);
        struct point result = FUNCTION(struct point (*)(void), trampoline)();
        CHECK(result.x == -1 && result.y == -2);
        run_what_is_queued();
        CHECK_EQ(coro_trampoline_error(trampoline), -EIO);
        CHECK_EQ(coro_trampoline_free(trampoline), 0);
    }
    CHECK_STR(traced(), "-5 no point -5 no point -5 no point ");
}

static int fail_if_negative(int code) {
    if (code < 0) coro_fail(code, NULL);
    return 7;
}

static void *call_and_fail(void *argument) {
    (void)argument;
    coro_trampoline_t trampoline = trampoline_to("int f(int)", (coro_function)fail_if_negative, CORO_TRAMPOLINE_DIRECT);
    CHECK_EQ(FUNCTION(int (*)(int), trampoline)(-EIO), 7);
    CHECK_EQ(coro_trampoline_error(trampoline), 0);
    return NULL;
}

CORO_TEST(K6_what_fails_in_direct_mode_is_the_caller) {
    coro_set_exception_notifier(quietly);
    CHECK_EQ(coro_join(coro_spawn(call_and_fail, NULL), NULL, CORO_FOREVER), -EIO);
}

CORO_TEST(K6_the_last_error_stays) {
    coro_set_exception_notifier(quietly);
    coro_trampoline_t trampoline = trampoline_to("int f(int)", (coro_function)fail_if_negative, CORO_TRAMPOLINE_CALL);
    CHECK_EQ(FUNCTION(int (*)(int), trampoline)(0), 7);
    CHECK_EQ(coro_trampoline_error(trampoline), 0);
    CHECK_EQ(FUNCTION(int (*)(int), trampoline)(-EPERM), 0);
    CHECK_EQ(FUNCTION(int (*)(int), trampoline)(-EIO), 0);
    CHECK_EQ(FUNCTION(int (*)(int), trampoline)(0), 7);
    CHECK_EQ(coro_trampoline_error(trampoline), -EIO);
}

/* -- what is refused -- */

TEST(K6_what_cannot_be_made_is_refused) {
    coro_trampoline_options options = CORO_TRAMPOLINE_OPTIONS_INIT, zeroed;
    coro_target_t target = coro_target_register("int f(int)", (coro_function)fail_if_negative);
    memset(&zeroed, 0x5a, sizeof zeroed);
    coro_trampoline_options_init(&zeroed);
    CHECK(memcmp(&options, &zeroed, sizeof options) == 0);
    CHECK_EQ(coro_trampoline_new(target, 0, NULL), -EINVAL);
    CHECK_EQ(coro_trampoline_new(target, 5, NULL), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "CORO_TRAMPOLINE_SPAWN");
    CHECK_EQ(coro_trampoline_new(target + 1000, CORO_TRAMPOLINE_CALL, NULL), -ESRCH);
    CHECK_EQ(coro_trampoline_new(0, CORO_TRAMPOLINE_CALL, NULL), -ESRCH);
    CHECK_EQ(coro_trampoline_new(-1, CORO_TRAMPOLINE_CALL, NULL), -ESRCH);
    options.struct_size--;
    CHECK_EQ(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "CORO_TRAMPOLINE_OPTIONS_INIT");
    options.struct_size++;
    options.flags = 2;
    CHECK_EQ(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options), -EINVAL);
    options.flags = 0;
    options.reserved = 1;
    CHECK_EQ(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options), -EINVAL);
    options.reserved = 0;
    options.context = &options;
    CHECK_EQ(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "CORO_TRAMPOLINE_CONTEXT");
    options.flags = CORO_TRAMPOLINE_CONTEXT;
    CHECK_EQ(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "no pointer");
    target = coro_target_register("int (owned char *)", (coro_function)never);
    CHECK_EQ(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "owned");
    target = coro_target_register("void (void)", nothing);
    CHECK_EQ(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options), -EINVAL);
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, NULL), -ESRCH);
}

TEST(K6_ids_that_are_none) {
    const coro_trampoline_t none[] = {0, -1, 1, 12345, INT64_MAX, INT64_MIN};
    for (int i = 0; i < 6; i++) {
        CHECK(coro_trampoline_function(none[i]) == NULL);
        CHECK_EQ(coro_trampoline_error(none[i]), -ESRCH);
        CHECK_EQ(coro_trampoline_free(none[i]), -ESRCH);
        CHECK_CONTAINS(coro_error_detail(), "there is no trampoline");
    }
}

TEST(K6_without_memory_nothing_is_made) {
    coro_target_t target = coro_target_register("int f(int)", (coro_function)fail_if_negative);
    int fallback = 3, failures = 0;
    coro_trampoline_options options = CORO_TRAMPOLINE_OPTIONS_INIT;
    options.otherwise = &fallback;
    for (int n = 1; n < 20; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        coro_trampoline_t trampoline = coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options);
        CHECK_EQ(coro_test_fail_call("calloc", 0, 0), 0);
        if (trampoline < 0) {
            CHECK_EQ(trampoline, -ENOMEM);
            failures++;
            continue;
        }
        CHECK_EQ(FUNCTION(int (*)(int), trampoline)(0), 7);
        CHECK_EQ(coro_trampoline_free(trampoline), 0);
    }
    CHECK(failures >= 3);
}
