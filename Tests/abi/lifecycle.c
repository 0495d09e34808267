/* Rows A1-A4 and A7-A10: the life of a coroutine, from coro_new to the last that is known of it. How it ends: ending.c. */
#define _GNU_SOURCE
#include "coroutines.h"

#include <dlfcn.h>
#include <pthread.h>

static void *trace_letters(void *argument) {
    trace("%s1", (char *)argument);
    coro_sleep(CORO_MS(1));
    trace("%s2", (char *)argument);
    return argument;
}

static const char *name_of(coro_t co) {
    static char text[sizeof(((coro_info *)0)->name)];
    return strcpy(text, info_of(co).name);
}

/* The flags as letters: d(ead) s(tarted) q(ueued). */
static const char *flags_of(coro_t co) {
    static char text[4];
    coro_info info = info_of(co);
    snprintf(text, sizeof text, "%s%s%s", info.dead ? "d" : "", info.started ? "s" : "", info.scheduled ? "q" : "");
    return text;
}

TEST(A1_new_has_an_id_and_a_name_and_is_listed_but_not_queued) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "first";
    coro_t co = coro_new(note, "a", &options), listed = 0;
    CHECK(co > 0);
    CHECK_EQ(coro_all(&listed, 1), 1);
    CHECK_EQ(listed, co);
    CHECK_STR(name_of(co), "first");
    CHECK_EQ(info_of(co).id, co);
    CHECK_EQ(info_of(co).state, CORO_STATE_NEW);
    CHECK_STR(flags_of(co), "");
    run_until_idle();
    CHECK_STR(traced(), "");
    CHECK_STR(flags_of(co), "");
    CHECK_EQ(coro_ident(co), co);
}

TEST(A1_new_refuses_what_is_not_an_option) {
    coro_options options = CORO_OPTIONS_INIT;
    CHECK_EQ(coro_new(NULL, NULL, NULL), -EINVAL);
    CHECK_EQ(coro_spawn(NULL, NULL), -EINVAL);
    CHECK_EQ(coro_spawn_with(NULL, NULL, &options), -EINVAL);
    options.flags = CORO_START_NOW;
    CHECK_EQ(coro_new(note, "a", &options), -EINVAL);
    options.flags = 0x8;
    CHECK_EQ(coro_new(note, "a", &options), -EINVAL);
    CHECK_EQ(coro_spawn_with(note, "a", &options), -EINVAL);
    coro_options_init(&options);
    options.reserved = 1;
    CHECK_EQ(coro_spawn_with(note, "a", &options), -EINVAL);
    const size_t bad_sizes[] = {1, 16 * 1024 - 1, ((size_t)1 << 30) + 1, SIZE_MAX, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof bad_sizes / sizeof *bad_sizes; i++) {
        coro_options_init(&options);
        options.stack_size = bad_sizes[i];
        CHECK_EQ(coro_spawn_with(note, "a", &options), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "stack_size");
    }
    coro_options_init(&options);
    options.struct_size = sizeof options - 1;
    CHECK_EQ(coro_new(note, "a", &options), -EINVAL);
    CHECK_EQ(coro_get_live_coros(), 0);
    run_until_idle();
    CHECK_STR(traced(), "");
}

TEST(A1_options_init_gives_the_defaults) {
    coro_options options, constant = CORO_OPTIONS_INIT;
    memset(&options, 0xff, sizeof options);
    coro_options_init(&options);
    CHECK_EQ(options.struct_size, sizeof options);
    CHECK(options.name == NULL && options.release == NULL);
    CHECK_EQ(options.stack_size, 0);
    CHECK_EQ(options.flags, 0);
    CHECK_EQ(options.reserved, 0);
    CHECK(memcmp(&options, &constant, sizeof options) == 0);
    CHECK_EQ(info_of(coro_new(note, NULL, NULL)).stack_size, 256 * 1024);
    const size_t sizes[][2] = {{16 * 1024, 16 * 1024}, {16 * 1024 + 1, 32 * 1024}, {1 << 20, 1 << 20}, {1 << 30, 1 << 30}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        options.stack_size = sizes[i][0];
        CHECK_EQ(info_of(coro_new(note, NULL, &options)).stack_size, sizes[i][1]);
    }
}

TEST(A2_spawn_queues_in_order_and_runs_only_after_the_caller_suspends) {
    coro_t a = coro_spawn(note, "a"), b = coro_spawn(note, "b"), c = coro_spawn(note, "c");
    CHECK(0 < a && a < b && b < c);
    CHECK_STR(flags_of(b), "q");
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_yield(), 0);
    CHECK_STR(traced(), "a b c ");
}

CORO_TEST(A2_spawn_inside_a_coroutine_does_not_run_before_the_caller_yields) {
    coro_spawn(note, "a");
    coro_spawn(note, "b");
    trace("me");
    coro_yield();
    CHECK_STR(traced(), "me a b ");
}

TEST(A2_argument_reaches_the_function_and_its_result_the_joiner) {
    int value;
    void *result = NULL;
    coro_t co = coro_spawn(note, "x");
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
    CHECK_STR(result, "x");
    coro_t other = coro_spawn(park, &value);
    coro_yield();
    CHECK_EQ(coro_schedule(other, NULL), 0);
    CHECK_EQ(coro_join(other, &result, CORO_FOREVER), 0);
    CHECK(result == &value);
}

TEST(A3_start_queues_once_and_says_why_not) {
    coro_t co = coro_new(note, "a", NULL), cancelled = coro_new(note, "b", NULL);
    CHECK_EQ(coro_start(co), 0);
    CHECK_STR(flags_of(co), "q");
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_start(co), CORO_ESCHEDULE);
    coro_yield();
    CHECK_STR(traced(), "a ");
    CHECK_EQ(coro_start(co), CORO_ESCHEDULE);
    CHECK_EQ(coro_shutdown(cancelled), 0);
    CHECK_EQ(coro_start(cancelled), CORO_EDEAD);
    CHECK_EQ(coro_start_now(cancelled), CORO_EDEAD);
    CHECK_EQ(coro_start(cancelled + 1), -ESRCH);
    coro_yield();
    CHECK_STR(traced(), "a ");
}

TEST(A4_start_now_runs_to_the_first_suspension) {
    coro_t co = coro_new(trace_letters, "a", NULL);
    CHECK_EQ(coro_start_now(co), 0);
    trace("main");
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "a1 main a2 ");
}

/* The example of the other origin: "12 56 34". */
CORO_TEST(A4_the_caller_goes_on_ahead_of_the_runnable) {
    coro_spawn(note, "queued");
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_START_NOW;
    coro_t co = coro_spawn_with(trace_letters, "12-", &options);
    trace("56");
    CHECK_EQ(coro_start_now(coro_new(note, "whole", NULL)), 0);
    trace("78");
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "12-1 56 whole 78 queued 12-2 ");
}

static void *start_nested(void *argument) {
    int depth = AS_INT(argument);
    trace("<%d", depth);
    if (depth < 4) CHECK_EQ(coro_start_now(coro_new(start_nested, AS_POINTER(depth + 1), NULL)), 0);
    trace("%d>", depth);
    if (depth % 2 == 1) coro_yield();
    return NULL;
}

TEST(A4_start_now_nests) {
    coro_spawn(note, "queued");
    CHECK_EQ(coro_start_now(coro_new(start_nested, AS_POINTER(1), NULL)), 0);
    trace("main");
    run_until_idle();
    CHECK_STR(traced(), "<1 <2 <3 <4 4> 3> 2> 1> main queued ");
}

/* More in a row than a batch of the loop has switches. */
CORO_TEST(A4_start_now_a_thousand_times_still_comes_first) {
    coro_spawn(note, "queued");
    for (int i = 0; i < 1000; i++) {
        coro_t co = coro_new(park, NULL, NULL);
        CHECK_EQ(coro_start_now(co), 0);
        CHECK_STR(traced(), "");
        CHECK_EQ(info_of(co).wait_kind, CORO_WAIT_PARK);
    }
}

TEST(A7_ids_start_at_1_and_are_never_reused) {
    coro_t last = 0;
    CHECK_EQ(coro_current(), 0);
    for (int i = 1; i <= 1000; i++) {
        coro_t co = i % 3 ? coro_spawn(note, "") : coro_new(note, "", NULL);
        CHECK_EQ(co, i);
        CHECK_EQ(coro_ident(co), co);
        if (i % 3 == 0) CHECK_EQ(coro_shutdown(co), 0);
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), i % 3 ? 0 : CORO_ESHUTDOWN);
        CHECK_EQ(coro_ident(co), CORO_EDEAD);
        last = co;
    }
    CHECK_EQ(coro_ident(1), CORO_EDEAD);
    CHECK_EQ(coro_ident(last + 1), -ESRCH);
}

static void *first_id_of_a_thread(void *argument) {
    coro_t co = coro_new(note, NULL, NULL);
    *(coro_t *)argument = co;
    CHECK(coro_ident(co) == co);
    return NULL;
}

TEST(A7_ids_of_threads_differ_also_after_a_thread_has_ended) {
    coro_t ids[5];
    ids[0] = coro_new(note, NULL, NULL);
    for (int i = 1; i < 5; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, first_id_of_a_thread, &ids[i]);
        pthread_join(thread, NULL);
        CHECK(ids[i] > 0);
        for (int k = 0; k < i; k++) CHECK(ids[i] != ids[k]);
        CHECK_EQ(coro_ident(ids[i]), CORO_EDEAD);
    }
}

void *a_visible_function(void *argument) { return argument; }

TEST(A8_the_default_name_is_the_symbol_or_the_id) {
    /* One that has a symbol in any build: a function of the C library; it is never run. */
    coro_fn functions[] = {(coro_fn)(void (*)(void))getenv, a_visible_function, note};
    for (size_t i = 0; i < 3; i++) {
        char expected[200], name[200];
        Dl_info symbol;
        coro_t co = coro_new(functions[i], NULL, NULL);
        int has = dladdr((void *)(intptr_t)functions[i], &symbol) && symbol.dli_sname &&
                  symbol.dli_saddr == (void *)(intptr_t)functions[i];
        if (i == 0) CHECK(has);
        if (has) snprintf(expected, sizeof expected, "%s", symbol.dli_sname);
        else snprintf(expected, sizeof expected, "coro %lld", (long long)co);
        CHECK_EQ(coro_get_name(co, name, sizeof name), strlen(expected));
        CHECK_STR(name, expected);
    }
}

TEST(A8_set_name_copies_and_returns_the_id) {
    char given[] = "given", name[100];
    coro_options options = CORO_OPTIONS_INIT;
    options.name = given;
    coro_t co = coro_new(note, "", &options);
    given[0] = 'X';
    CHECK_EQ(coro_get_name(co, name, sizeof name), 5);
    CHECK_STR(name, "given");
    char other[] = "a longer name";
    CHECK_EQ(coro_set_name(co, other), co);
    other[0] = 'X';
    CHECK_EQ(coro_get_name(co, NULL, 0), 13);
    CHECK_EQ(coro_get_name(co, name, sizeof name), 13);
    CHECK_STR(name, "a longer name");
    CHECK_EQ(coro_set_name(co, ""), co);
    CHECK_EQ(coro_get_name(co, name, sizeof name), 0);
    CHECK_STR(name, "");
    CHECK_EQ(coro_set_name(co, NULL), -EINVAL);
    CHECK_EQ(coro_get_name(co, name, sizeof name), 0);
    /* It can be renamed as long as its record is there. */
    CHECK_EQ(coro_start_now(co), 0);
    CHECK_EQ(coro_set_name(co, "ended"), co);
    CHECK_STR(name_of(co), "ended");
    CHECK_EQ(coro_join(co, NULL, 0), 0);
    CHECK_EQ(coro_set_name(co, "gone"), CORO_EDEAD);
    CHECK_EQ(coro_get_name(co, name, sizeof name), CORO_EDEAD);
}

TEST(A8_get_name_cuts_to_fit_and_terminates) {
    char name[8];
    coro_t co = coro_new(note, "", NULL);
    coro_set_name(co, "abcdef");
    for (size_t size = 0; size <= sizeof name; size++) {
        memset(name, '#', sizeof name);
        CHECK_EQ(coro_get_name(co, name, size), 6);
        size_t copied = size == 0 ? 0 : size - 1 < 6 ? size - 1 : 6;
        CHECK(memcmp(name, "abcdef", copied) == 0);
        if (size > 0) CHECK_EQ(name[copied], 0);
        for (size_t i = copied + (size > 0); i < sizeof name; i++) CHECK_EQ(name[i], '#');
    }
    /* A size that says "it will fit". */
    memset(name, '#', sizeof name);
    CHECK_EQ(coro_get_name(co, name, SIZE_MAX), 6);
    CHECK(memcmp(name, "abcdef", 7) == 0);
    CHECK_EQ(coro_get_name(co, NULL, 100), 6);
}

static void *check_own_flags(void *argument) {
    (void)argument;
    CHECK_STR(flags_of(coro_current()), "s");
    CHECK_EQ(info_of(coro_current()).state, CORO_STATE_RUNNING);
    coro_park(NULL);
    CHECK_STR(flags_of(coro_current()), "s");
    return NULL;
}

TEST(A9_flags_through_a_life) {
    coro_t co = coro_new(check_own_flags, NULL, NULL);
    CHECK_STR(flags_of(co), "");
    coro_start(co);
    CHECK_STR(flags_of(co), "q");
    CHECK_EQ(info_of(co).state, CORO_STATE_READY);
    coro_yield();
    CHECK_STR(flags_of(co), "s");
    CHECK_EQ(info_of(co).state, CORO_STATE_WAITING);
    coro_schedule(co, NULL);
    CHECK_STR(flags_of(co), "sq");
    coro_yield();
    CHECK_STR(flags_of(co), "ds");
    CHECK_EQ(info_of(co).state, CORO_STATE_ENDED);
    CHECK(!info_of(co).detached);
    coro_t cancelled = coro_spawn(note, "never");
    coro_shutdown(cancelled);
    CHECK_STR(flags_of(cancelled), "d");
    CHECK_EQ(coro_join(co, NULL, 0), 0);
    coro_info info = {.struct_size = sizeof info};
    CHECK_EQ(coro_get_info(co, &info), CORO_EDEAD);
    CHECK(info.dead);
    CHECK_EQ(info.state, CORO_STATE_ENDED);
    CHECK_STR(traced(), "");
}

TEST(A10_is_alive_from_start_to_end_however_it_ended) {
    coro_t co = coro_new(park, NULL, NULL), failing = coro_new(park, NULL, NULL), cancelled = coro_new(park, NULL, NULL);
    CHECK(!coro_is_alive(co));
    coro_start(co);
    CHECK(coro_is_alive(co));
    coro_yield();
    CHECK(coro_is_alive(co));
    coro_schedule(co, NULL);
    CHECK(coro_is_alive(co));
    coro_yield();
    CHECK(!coro_is_alive(co));
    coro_join(co, NULL, 0);
    CHECK(!coro_is_alive(co));
    coro_start_now(failing);
    coro_shutdown(failing);
    CHECK(coro_is_alive(failing));
    coro_yield();
    CHECK(!coro_is_alive(failing));
    coro_start(cancelled);
    coro_shutdown(cancelled);
    CHECK(!coro_is_alive(cancelled));
    CHECK(!coro_is_alive(0));
    CHECK(!coro_is_alive(-1));
    CHECK(!coro_is_alive(cancelled + 1));
}
