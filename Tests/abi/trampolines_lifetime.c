/* Row K8: what becomes of a trampoline that is freed, in its own call, twice, with calls under way; and of its target (known
   bug 84). */
#define _GNU_SOURCE
#include "trampolines.h"

#include <pthread.h>

enum { KEPT = 256, PLACES = CORO_TRAMPOLINES_IN_TEXT + KEPT };

static int releases;
static coro_trampoline_t self;

static coro_trampoline_t handled(const char *prototype, coro_handler handler, int mode) {
    coro_target_t target = handler_target(prototype, handler, &releases);
    coro_trampoline_t trampoline = coro_trampoline_new(target, mode, NULL);
    CHECK(trampoline > 0);
    CHECK_EQ(coro_target_unregister(target), 0);
    return trampoline;
}

static void double_it(void *context, void *result, void *const *arguments) {
    (void)context;
    *(int *)result = 2 * *(int *)arguments[0];
}

TEST(K8_it_keeps_a_target_that_was_unregistered) {
    coro_trampoline_t trampoline = handled("int f(int)", double_it, CORO_TRAMPOLINE_CALL);
    CHECK_EQ(FUNCTION(int (*)(int), trampoline)(21), 42);
    CHECK_EQ(releases, 0);
    CHECK_EQ(coro_trampoline_free(trampoline), 0);
    CHECK_EQ(releases, 1);
}

TEST(K8_freed_twice) {
    coro_trampoline_t trampoline = handled("int f(int)", double_it, CORO_TRAMPOLINE_CALL);
    CHECK_EQ(coro_trampoline_free(trampoline), 0);
    CHECK_EQ(coro_trampoline_free(trampoline), -ESRCH);
    CHECK_EQ(coro_trampoline_error(trampoline), -ESRCH);
    CHECK(coro_trampoline_function(trampoline) == NULL);
    CHECK_EQ(releases, 1);
}

static void free_itself(void *context, void *result, void *const *arguments) {
    int nap = *(int *)arguments[0];
    CHECK_EQ(coro_trampoline_free(self), 0);
    CHECK_EQ(coro_trampoline_free(self), -ESRCH);
    if (nap > 0) CHECK_EQ(coro_sleep(CORO_MS(nap)), 0);
    CHECK_EQ(*(int *)context, 0);
    *(int *)result = 7;
}

CORO_TEST(K8_freed_in_its_own_call) {
    coro_test_set_virtual_time(true);
    for (int nap = 0; nap <= 5; nap += 5) {
        for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_DIRECT; mode++) {
            bool returns = mode == CORO_TRAMPOLINE_CALL || mode == CORO_TRAMPOLINE_DIRECT;
            releases = 0;
            self = handled("int f(int)", free_itself, mode);
            CHECK_EQ(FUNCTION(int (*)(int), self)(nap), returns ? 7 : 0);
            CHECK_EQ(releases, returns);
            CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
            CHECK_EQ(releases, 1);
        }
    }
}

static int runs;

static void count_run(void *context, void *result, void *const *arguments) {
    (void)result;
    (void)arguments;
    CHECK_EQ(*(int *)context, 0);
    runs++;
}

CORO_TEST(K8_freed_while_calls_are_queued) {
    for (int mode = CORO_TRAMPOLINE_SPAWN; mode <= CORO_TRAMPOLINE_POST; mode += 2) {
        runs = releases = 0;
        coro_trampoline_t trampoline = handled("void f(const char *)", count_run, mode);
        for (int i = 0; i < 10; i++) FUNCTION(void (*)(const char *), trampoline)("a text");
        CHECK_EQ(coro_trampoline_free(trampoline), 0);
        CHECK_EQ(releases, 0);
        run_what_is_queued();
        CHECK_EQ(runs, 10);
        CHECK_EQ(releases, 1);
    }
}

CORO_TEST(K8_spawned_calls_that_are_cancelled_let_go) {
    coro_trampoline_t trampoline = handled("void f(const char *)", count_run, CORO_TRAMPOLINE_SPAWN);
    FUNCTION(void (*)(const char *), trampoline)("a text");
    CHECK_EQ(coro_trampoline_free(trampoline), 0);
    coro_t all[10];
    int n = coro_all(all, 10);
    for (int i = 0; i < n; i++)
        if (all[i] != coro_current()) CHECK_EQ(coro_shutdown(all[i]), 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK_EQ(runs, 0);
    CHECK_EQ(releases, 1);
}

/* -- calls that come too late -- */

struct point { double x, y; };

static struct point some_point(void) {
    return (struct point){1, 2};
}

static void call_freed(void) {
    CHECK_EQ(coro_struct_register("point", "double x, y;"), 0);
    struct point otherwise = {8, 9};
    coro_trampoline_t number = handled("int f(int)", double_it, CORO_TRAMPOLINE_CALL);
    coro_trampoline_t point =
        trampoline_otherwise("point g(void)", (coro_function)some_point, CORO_TRAMPOLINE_DIRECT, &otherwise);
    int (*number_function)(int) = FUNCTION(int (*)(int), number);
    struct point (*point_function)(void) = FUNCTION(struct point (*)(void), point);
    CHECK_EQ(coro_trampoline_free(number), 0);
    CHECK_EQ(coro_trampoline_free(point), 0);
    for (int i = 0; i < 2; i++) {
        struct point result = point_function();
        CHECK_EQ(number_function(21), 0);
        CHECK(result.x == 0 && result.y == 0);
    }
    CHECK_EQ(releases, 1);
}

TEST(K8_a_call_of_a_freed_one_says_so) {
    char output[2000];
    CHECK_EQ(run_in_child(call_freed, output, sizeof output), 0);
    CHECK_CONTAINS(output, "trampoline of int f(int): a call of it after it was freed: nothing was run\n");
    CHECK_CONTAINS(output, "trampoline of point g(void): a call of it after it was freed: nothing was run\n");
}

/* The functions of the 256 that were freed last are nobody's, also when as many others as have thunks are in use. */
static void call_the_oldest_of_those_kept(void) {
    int (*functions[KEPT])(int);
    for (int i = 0; i < CORO_TRAMPOLINES_IN_TEXT; i++) handled("int f(int)", double_it, CORO_TRAMPOLINE_DIRECT);
    for (int i = 0; i < 3000; i++) {
        coro_trampoline_t trampoline = handled("int f(int)", double_it, CORO_TRAMPOLINE_DIRECT);
        int (*function)(int) = FUNCTION(int (*)(int), trampoline);
        for (int j = 0; j < (i < KEPT ? i : KEPT); j++) CHECK(functions[j] != function);
        if (i > 2 * PLACES) CHECK_EQ(functions[i % KEPT](1), 0); /* of 256 ago: it was the next to go */
        CHECK_EQ(function(2), 4);
        CHECK_EQ(coro_trampoline_free(trampoline), 0);
        functions[i % KEPT] = function;
    }
    CHECK_EQ(releases, 3000);
}

TEST(K8_the_256_that_were_freed_last_are_kept) {
    char output[100];
    CHECK_EQ(run_in_child(call_the_oldest_of_those_kept, output, sizeof output), 0);
    CHECK_CONTAINS(output, "after it was freed");
}

TEST(K8_places_are_taken_again_and_ids_never) {
    coro_trampoline_t last = 0;
    for (int i = 0; i < 20000; i++) {
        coro_trampoline_t trampoline = trampoline_to("int f(int)", (coro_function)abs, CORO_TRAMPOLINE_DIRECT);
        CHECK(trampoline > last);
        CHECK_EQ(coro_trampoline_free(last), -ESRCH);
        CHECK_EQ(FUNCTION(int (*)(int), trampoline)(-i), i);
        CHECK_EQ(coro_trampoline_free(trampoline), 0);
        last = trampoline;
    }
    CHECK_EQ(count_mappings("rwx"), 0);
}

/* A call that is under way keeps its place, however many come and go. */
static void stay(void *context, void *result, void *const *arguments) {
    (void)arguments;
    CHECK_EQ(coro_park(NULL), 0);
    CHECK_EQ(*(int *)context, 0);
    *(int *)result = 5;
}

static void *call_stay(void *function) {
    return AS_POINTER(((int (*)(int))function)(0));
}

CORO_TEST(K8_a_place_in_use_is_not_taken) {
    void *result;
    int stay_releases = 0;
    coro_target_t target = handler_target("int f(int)", stay, &stay_releases);
    coro_trampoline_t staying = coro_trampoline_new(target, CORO_TRAMPOLINE_DIRECT, NULL);
    coro_function function = function_of(staying);
    coro_t caller = start_now(call_stay, (void *)function);
    CHECK_EQ(coro_target_unregister(target), 0);
    CHECK_EQ(coro_trampoline_free(staying), 0);
    for (int i = 0; i < 2 * PLACES; i++) {
        coro_trampoline_t other = trampoline_to("int f(int)", (coro_function)abs, CORO_TRAMPOLINE_DIRECT);
        CHECK(function_of(other) != function);
        CHECK_EQ(coro_trampoline_free(other), 0);
    }
    CHECK_EQ(stay_releases, 0);
    CHECK_EQ(coro_schedule(caller, NULL), 0);
    CHECK_EQ(coro_join(caller, &result, CORO_FOREVER), 0);
    CHECK_EQ(AS_INT(result), 5);
    CHECK_EQ(stay_releases, 1);
}

/* -- threads -- */

enum { THREADS = 8, ROUNDS = 300 };

static void (*volatile shared_function)(int);
static int posters_left = THREADS;

static void *post_now_and_then(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        shared_function(1);
        usleep(200);
    }
    __atomic_fetch_sub(&posters_left, 1, __ATOMIC_SEQ_CST);
    return argument;
}

static int sum;

static void add_up(int n) {
    sum += n;
}

/* Some of the calls come too late, which they say. No place is taken again, for a thread may be slow. */
static void free_under_posts(void) {
    pthread_t threads[THREADS];
    coro_trampoline_t trampoline = trampoline_to("void add_up(int)", (coro_function)add_up, CORO_TRAMPOLINE_POST);
    shared_function = FUNCTION(void (*)(int), trampoline);
    CHECK(freopen("/dev/null", "w", stderr) != NULL);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, post_now_and_then, NULL) == 0);
    for (int i = 0; __atomic_load_n(&posters_left, __ATOMIC_SEQ_CST) > 0; i++) {
        if (i < CORO_TRAMPOLINES_IN_TEXT) {
            coro_trampoline_t next = trampoline_to("void add_up(int)", (coro_function)add_up, CORO_TRAMPOLINE_POST);
            shared_function = FUNCTION(void (*)(int), next);
            CHECK_EQ(coro_trampoline_free(trampoline), 0);
            trampoline = next;
        }
        CHECK_EQ(coro_sleep(20000), 0);
    }
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_EQ(coro_trampoline_free(trampoline), 0);
    run_until_idle();
    CHECK(sum > 0);
}

TEST(K8_freed_while_threads_post) {
    char output[100];
    CHECK_EQ(run_in_child(free_under_posts, output, sizeof output), 0);
}

static void *make_call_free(void *argument) {
    for (int i = 0; i < ROUNDS; i++) {
        coro_trampoline_t trampoline = trampoline_to("int (int)", (coro_function)abs, CORO_TRAMPOLINE_CALL);
        CHECK_EQ(FUNCTION(int (*)(int), trampoline)(-i), i);
        CHECK_EQ(coro_trampoline_free(trampoline), 0);
    }
    return argument;
}

TEST(K8_many_threads_make_call_and_free) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, make_call_free, NULL) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}
