/* Row K6: functions that may be called on any thread, whose calls run on the loop of the thread that made them. */
#define _GNU_SOURCE
#include "trampolines.h"

#include <pthread.h>
#include <sys/wait.h>

enum { THREADS = 8, POSTS = 2000 };

static pthread_t home;
static int last_of[THREADS], arrived;

static void note_post(int thread, int number, const char *text) {
    char expected[30];
    CHECK(pthread_equal(pthread_self(), home));
    snprintf(expected, sizeof expected, "%d of %d", number, thread);
    CHECK_STR(text, expected);
    CHECK_EQ(number, last_of[thread] + 1); /* in their order */
    last_of[thread] = number;
    arrived++;
}

typedef void poster(int, int, const char *);

static struct { poster *post; int number; } threads[THREADS];

static void *post_many(void *argument) {
    int thread = AS_INT(argument);
    for (int i = 1; i <= POSTS; i++) {
        char text[30];
        snprintf(text, sizeof text, "%d of %d", i, thread);
        threads[thread].post(thread, i, text);
        memset(text, 'x', sizeof text - 1);
    }
    return NULL;
}

CORO_TEST(K6_posts_of_many_threads_arrive_in_their_order) {
    pthread_t posters[THREADS];
    coro_trampoline_t trampoline =
        trampoline_to("void note_post(int, int, const char *text)", (coro_function)note_post, CORO_TRAMPOLINE_POST);
    home = pthread_self();
    for (int i = 0; i < THREADS; i++) {
        threads[i].post = FUNCTION(poster *, trampoline);
        CHECK(pthread_create(&posters[i], NULL, post_many, AS_POINTER(i)) == 0);
    }
    while (arrived < THREADS * POSTS) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(posters[i], NULL) == 0);
    CHECK_EQ(coro_trampoline_error(trampoline), 0);
    CHECK_EQ(coro_trampoline_free(trampoline), 0);
}

/* A thread that has no loop of its own gets none by posting. */
static void *post_one(void *function) {
    ((poster *)function)(0, 1, "1 of 0");
    CHECK_EQ(coro_current(), 0);
    return NULL;
}

CORO_TEST(K6_a_posting_thread_needs_no_loop) {
    pthread_t thread;
    coro_trampoline_t trampoline =
        trampoline_to("void note_post(int, int, const char *text)", (coro_function)note_post, CORO_TRAMPOLINE_POST);
    home = pthread_self();
    CHECK(pthread_create(&thread, NULL, post_one, (void *)function_of(trampoline)) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQ(arrived, 0);
    while (arrived == 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
}

static coro_t waiter;

static void wake_waiter(void) {
    CHECK_EQ(coro_schedule(waiter, NULL), 0);
}

static void *post_when_asleep(void *function) {
    usleep(20000);
    ((coro_function)function)();
    return NULL;
}

CORO_TEST(K6_the_loop_is_woken_by_a_post) {
    pthread_t thread;
    coro_trampoline_t trampoline = trampoline_to("void (void)", wake_waiter, CORO_TRAMPOLINE_POST);
    waiter = coro_current();
    CHECK(pthread_create(&thread, NULL, post_when_asleep, (void *)function_of(trampoline)) == 0);
    CHECK_EQ(coro_park(NULL), 0); /* else the harness ends this */
    CHECK(pthread_join(thread, NULL) == 0);
}

/* -- loops that end -- */

static int never_run(char *owned) {
    test_fail(__FILE__, __LINE__, "run with %s", owned);
}

static coro_trampoline_t made_there;
static int releases;

static void handle_never(void *context, void *result, void *const *arguments) {
    (void)context;
    (void)result;
    never_run(*(char **)arguments[0]);
}

static void *make_and_end(void *posts) {
    coro_target_t target = handler_target("int f(owned char *)", handle_never, &releases);
    made_there = coro_trampoline_new(target, CORO_TRAMPOLINE_POST, NULL);
    CHECK(made_there > 0);
    CHECK_EQ(coro_target_unregister(target), 0);
    for (int i = 0; i < AS_INT(posts); i++) FUNCTION(int (*)(char *), made_there)(strdup("owned"));
    return NULL;
}

static void run_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, function, argument) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void post_to_ended_loop(void) {
    run_thread(make_and_end, AS_POINTER(0));
    CHECK_EQ(FUNCTION(int (*)(char *), made_there)(strdup("owned")), 0);
    CHECK_EQ(coro_trampoline_error(made_there), -ESRCH);
    CHECK_EQ(releases, 0);
    CHECK_EQ(coro_trampoline_free(made_there), 0);
    CHECK_EQ(releases, 1);
}

TEST(K6_a_post_to_a_loop_that_has_ended) {
    char output[1000];
    CHECK_EQ(run_in_child(post_to_ended_loop, output, sizeof output), 0);
    CHECK_CONTAINS(output, "trampoline of int f(owned char *): nothing was run: ESRCH (");
    CHECK_CONTAINS(output, "the thread that made it has ended\n");
}

/* What is said of a call that fails for want of memory is not what an earlier error was about. */
static void post_without_memory(void) {
    coro_trampoline_t trampoline = trampoline_to("void (int)", (coro_function)never_run, CORO_TRAMPOLINE_POST);
    void (*function)(int) = FUNCTION(void (*)(int), trampoline);
    CHECK_EQ(coro_join(123456, NULL, 0), -ESRCH);
    CHECK_CONTAINS(coro_error_detail(), "123456");
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    function(1);
    CHECK_EQ(coro_trampoline_error(trampoline), -ENOMEM);
}

TEST(K6_a_post_without_memory_says_nothing_of_earlier_errors) {
    char output[1000];
    CHECK_EQ(run_in_child(post_without_memory, output, sizeof output), 0);
    CHECK_CONTAINS(output, "trampoline of void (int): nothing was run: ENOMEM (");
    CHECK(strstr(output, "123456") == NULL);
}

/* What was posted and never run is given back, with the target. */
TEST(K8_posts_that_a_thread_leaves_behind_are_given_back) {
    run_thread(make_and_end, AS_POINTER(5));
    CHECK_EQ(coro_trampoline_free(made_there), 0);
    CHECK_EQ(releases, 1);
}

/* Also by a release that makes others. */
static void count_release(void *count) {
    ++*(int *)count;
}

static void spawn_released(void *count) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = count_release;
    CHECK(coro_spawn_with(do_nothing, count, &options) > 0);
}

static void *post_and_end(void *count) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.handler = handle_never;
    options.context = count;
    options.release = spawn_released;
    coro_target_t target = coro_target_register_with("void (char *)", NULL, &options);
    coro_trampoline_t trampoline = coro_trampoline_new(target, CORO_TRAMPOLINE_POST, NULL);
    CHECK(target > 0 && trampoline > 0);
    FUNCTION(void (*)(char *), trampoline)("posted");
    CHECK_EQ(coro_trampoline_free(trampoline), 0);
    CHECK_EQ(coro_target_unregister(target), 0);
    return NULL;
}

TEST(K8_what_posts_release_as_their_thread_ends_is_given_back) {
    run_thread(post_and_end, &releases);
    CHECK_EQ(releases, 1);
}

/* -- what the coroutines of posts are -- */

static void tell_stack_size(void *size, void *result, void *const *arguments) {
    (void)result, (void)arguments;
    *(size_t *)size = info_of(coro_current()).stack_size;
}

CORO_TEST(K6_the_coroutine_of_a_post_has_the_targets_stack) {
    size_t size = 0;
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.handler = tell_stack_size;
    options.context = &size;
    options.stack_size = 1 << 20;
    coro_target_t target = coro_target_register_with("void (void)", NULL, &options);
    CHECK(target > 0);
    FUNCTION(void (*)(void), coro_trampoline_new(target, CORO_TRAMPOLINE_POST, NULL))();
    run_what_is_queued();
    CHECK_EQ(size, 1 << 20);
}

/* -- fork -- */

static int seen_in_child;

static void note_in_child(int number) {
    seen_in_child += number;
}

CORO_TEST(K6_after_a_fork_the_child_has_posts_of_its_own) {
    int status;
    void (*post)(int) =
        FUNCTION(void (*)(int), trampoline_to("void note_in_child(int)", (coro_function)note_in_child, CORO_TRAMPOLINE_POST));
    pid_t child = fork();
    if (child == 0) {
        post(3);
        run_what_is_queued();
        _exit(seen_in_child);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    run_what_is_queued();
    CHECK_EQ(seen_in_child, 0);
}

/* In the child nobody but its own thread knows of the loop, until it is asked for. */
static int wait_for_post_of_child(coro_function post) {
    pthread_t thread;
    waiter = start_now(park, NULL);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), -EDEADLK);
    CHECK(coro_loop_current() > 0);
    CHECK(pthread_create(&thread, NULL, post_when_asleep, (void *)post) == 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    return pthread_join(thread, NULL);
}

TEST(K6_after_a_fork_threads_of_the_child_may_post) {
    int status;
    coro_function post = function_of(trampoline_to("void (void)", wake_waiter, CORO_TRAMPOLINE_POST));
    pid_t child = fork();
    if (child == 0) _exit(wait_for_post_of_child(post));
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
