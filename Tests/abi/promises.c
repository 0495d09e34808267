/* Promises: what something outside the loop delivers, once, to those who wait for it. */
#include "coroutines.h"
#include "forks.h"
#include "net.h"

#include <pthread.h>

static int released;
static void *last_released;

static void count_release(void *value) {
    last_released = value;
    __atomic_add_fetch(&released, 1, __ATOMIC_SEQ_CST);
}

static void try_to_suspend(void *value) {
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    count_release(value);
}

/* A waiter: traces "<code>:<value> " */
static void *wait_for(void *promise) {
    void *value = AS_POINTER(99);
    int code = coro_promise_wait(promise, &value);
    trace("%d:%d", code, AS_INT(value));
    return AS_POINTER(code);
}

/* -- another thread that keeps one -- */

typedef struct keeper {
    pthread_t thread;
    coro_promise *promise;
    int64_t after;
    int code;
} keeper;

static void *keep(void *of_keeper) {
    keeper *me = of_keeper;
    if (me->after > 0) usleep((useconds_t)(me->after / 1000));
    CHECK_EQ(coro_promise_keep(me->promise, me->code, AS_POINTER(7)), 0);
    return NULL;
}

static void keep_by_thread(keeper *one, coro_promise *promise, int64_t after, int code) {
    *one = (keeper){.promise = promise, .after = after, .code = code};
    CHECK_EQ(pthread_create(&one->thread, NULL, keep, one), 0);
}

static void join_thread(pthread_t thread) { CHECK_EQ(pthread_join(thread, NULL), 0); }

static coro_promise *kept_by_thread_before_news(void (*release)(void *)) {
    keeper one;
    coro_promise *promise = coro_promise_new(release);
    CHECK(promise != NULL);
    keep_by_thread(&one, promise, 0, 0);
    join_thread(one.thread);
    CHECK(!coro_promise_is_kept(promise)); /* no pass of the loop has been since */
    return promise;
}

/* -- on one thread -- */

CORO_TEST(promise_all_who_wait_go_on_in_their_order) {
    coro_promise *promise = coro_promise_new(try_to_suspend);
    coro_t waiters[3];
    void *value = NULL;
    for (int i = 0; i < 3; i++) waiters[i] = spawn_one(wait_for, promise);
    let_others_run();
    CHECK(!coro_promise_is_kept(promise));
    CHECK_EQ(coro_promise_keep(promise, 0, AS_POINTER(5)), 0);
    CHECK(coro_promise_is_kept(promise));
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_join(waiters[i], NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "0:5 0:5 0:5 ");
    CHECK_EQ(coro_promise_wait(promise, &value), 0); /* as does everybody later */
    CHECK_EQ(AS_INT(value), 5);
    CHECK_EQ(coro_promise_wait(promise, NULL), 0);
    CHECK_EQ(released, 0);
    CHECK_EQ(coro_promise_free(promise), 0);
    CHECK_EQ(released, 1);
    CHECK_EQ(AS_INT(last_released), 5);
}

CORO_TEST(promise_may_be_kept_with_a_code_and_a_value) {
    coro_promise *promise = coro_promise_new(NULL);
    coro_t waiter = spawn_one(wait_for, promise);
    void *value = NULL;
    let_others_run();
    CHECK_EQ(coro_promise_keep(promise, -EIO, AS_POINTER(5)), 0);
    CHECK_EQ(coro_promise_wait(promise, &value), -EIO);
    CHECK_EQ(AS_INT(value), 5);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "-5:5 ");
    CHECK_EQ(coro_promise_free(promise), 0);
}

CORO_TEST(promise_kept_before_anybody_waits) {
    coro_promise *promise = coro_promise_new(NULL);
    CHECK_EQ(coro_promise_keep(promise, 0, AS_POINTER(5)), 0);
    CHECK_EQ(AS_INT(wait_for(promise)), 0);
    CHECK_STR(traced(), "0:5 ");
    CHECK_EQ(coro_promise_free(promise), 0);
}

CORO_TEST(promise_misuse_is_refused) {
    coro_promise *promise = coro_promise_new(NULL);
    void *value = AS_POINTER(1);
    CHECK_EQ(coro_promise_wait(NULL, &value), -EINVAL);
    CHECK(value == NULL);
    CHECK_EQ(coro_promise_keep(NULL, 0, NULL), -EINVAL);
    CHECK_EQ(coro_promise_keep(promise, 1, NULL), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "code is positive");
    CHECK(!coro_promise_is_kept(promise) && !coro_promise_is_kept(NULL));
    CHECK_EQ(coro_promise_free(NULL), 0);
    CHECK_EQ(coro_promise_keep(promise, 0, NULL), 0);
    CHECK_EQ(coro_promise_keep(promise, 0, NULL), -EALREADY);
    CHECK_EQ(coro_promise_free(promise), 0);
}

/* -- interruptions -- */

CORO_TEST(promise_an_interrupted_wait_leaves_it_as_it_is) {
    coro_promise *promise = coro_promise_new(NULL);
    coro_t first = spawn_one(wait_for, promise), second = spawn_one(wait_for, promise), third = spawn_one(wait_for, promise);
    let_others_run();
    CHECK_EQ(coro_shutdown(first), 0);
    CHECK_EQ(coro_interrupt(second, AS_POINTER(3)), 0); /* whose value is not the promise's */
    let_others_run();
    CHECK_STR(traced(), "-5007:0 -5009:0 ");
    CHECK_EQ(coro_promise_keep(promise, 0, AS_POINTER(5)), 0);
    CHECK_EQ(coro_shutdown(third), 0); /* after it was kept, and before it runs */
    let_others_run();
    CHECK_STR(traced(), "-5007:0 -5009:0 -5007:0 ");
    CHECK_EQ(AS_INT(wait_for(promise)), 0);
    CHECK_EQ(coro_promise_free(promise), 0);
}

static void wait_with_timeout(coro_promise *promise) {
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(20));
    int code = coro_promise_wait(promise, NULL);
    CHECK_EQ(code, CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
    CHECK_EQ(coro_promise_free(promise), 0);
}

CORO_TEST(promise_a_timeout_ends_the_wait) { wait_with_timeout(coro_promise_new(NULL)); }

TEST(promise_a_timeout_ends_the_wait_of_the_threads_own_stack) { wait_with_timeout(coro_promise_new(NULL)); }

CORO_TEST(promise_time_that_is_up_ends_the_next_wait) {
    coro_promise *promise = coro_promise_new(NULL);
    coro_timeout_t scope = coro_timeout_begin(0);
    CHECK_EQ(coro_timeout_end(scope, coro_promise_wait(promise, NULL)), CORO_ETIMEOUT);
    CHECK_EQ(coro_promise_free(promise), 0);
}

CORO_TEST(promise_freed_while_some_wait) {
    coro_promise *promise = coro_promise_new(try_to_suspend);
    coro_t waiter = spawn_one(wait_for, promise);
    let_others_run();
    CHECK_EQ(coro_promise_free(promise), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "-5003:0 ");
    CHECK_EQ(released, 0);
    CHECK_EQ(coro_promise_keep(promise, 0, AS_POINTER(5)), 0); /* the other side is done with it last */
    CHECK_EQ(released, 1);
}

/* -- kept by another thread -- */

static void wait_for_thread(void) {
    for (int i = 0; i < 2; i++) {
        keeper one;
        coro_promise *promise = coro_promise_new(count_release);
        void *value = NULL;
        keep_by_thread(&one, promise, i * CORO_MS(20), i == 0 ? 0 : -EIO);
        CHECK_EQ(coro_promise_wait(promise, &value), i == 0 ? 0 : -EIO);
        CHECK_EQ(AS_INT(value), 7);
        join_thread(one.thread);
        CHECK_EQ(coro_promise_free(promise), 0);
        CHECK_EQ(released, i + 1);
    }
}

CORO_TEST(promise_kept_by_another_thread) { wait_for_thread(); }

/* With nothing else that could wake it: it is no deadlock. */
TEST(promise_is_waited_for_on_the_threads_own_stack) { wait_for_thread(); }

static void *misuse(void *promise) {
    CHECK_EQ(coro_promise_wait(promise, NULL), CORO_EWRONGTHREAD);
    CHECK_CONTAINS(coro_error_detail(), "the promise belongs to another thread");
    CHECK_EQ(coro_promise_free(promise), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_promise_keep(promise, 0, AS_POINTER(7)), 0); /* that may be anybody */
    return NULL;
}

TEST(promise_of_another_thread_may_only_be_kept) {
    pthread_t other;
    coro_promise *promise = coro_promise_new(NULL);
    CHECK_EQ(pthread_create(&other, NULL, misuse, promise), 0);
    CHECK_EQ(coro_promise_wait(promise, NULL), 0);
    join_thread(other);
    CHECK_EQ(coro_promise_free(promise), 0);
}

TEST(promise_freed_when_kept_but_before_the_news) {
    coro_promise *promise = kept_by_thread_before_news(count_release), *other = kept_by_thread_before_news(count_release);
    CHECK_EQ(coro_promise_free(promise), 0);
    CHECK_EQ(released, 1);
    CHECK(coro_promise_is_kept(other)); /* that brought all news */
    CHECK_EQ(coro_promise_free(other), 0);
    CHECK_EQ(released, 2);
}

TEST(promise_kept_by_another_thread_after_it_was_freed) {
    keeper one;
    coro_promise *promise = coro_promise_new(count_release);
    CHECK_EQ(coro_promise_free(promise), 0);
    keep_by_thread(&one, promise, 0, 0);
    join_thread(one.thread);
    CHECK_EQ(released, 1);
}

enum { PROMISES = 500 };

static void *keep_many(void *promises) {
    for (int i = 0; i < PROMISES; i++) CHECK_EQ(coro_promise_keep(((coro_promise **)promises)[i], 0, AS_POINTER(i + 1)), 0);
    return NULL;
}

/* Both sides at once: some are kept before they are freed, some after. Each is released once. */
TEST(promise_kept_and_freed_at_the_same_time) {
    static coro_promise *promises[PROMISES];
    for (int round = 1; round <= 20; round++) {
        pthread_t other;
        for (int i = 0; i < PROMISES; i++) promises[i] = coro_promise_new(count_release);
        CHECK_EQ(pthread_create(&other, NULL, keep_many, promises), 0);
        for (int i = 0; i < PROMISES; i++) CHECK_EQ(coro_promise_free(promises[i]), 0);
        join_thread(other);
        run_until_idle();
        CHECK_EQ(released, round * PROMISES);
    }
}

static void *make_and_wait(void *shared) {
    coro_promise *volatile *place = shared;
    for (int i = 0; i < 2000; i++) {
        void *value;
        coro_promise *promise = coro_promise_new(NULL);
        __atomic_store_n(place, promise, __ATOMIC_RELEASE);
        CHECK_EQ(coro_promise_wait(promise, &value), 0);
        CHECK_EQ(AS_INT(value), i);
        CHECK_EQ(coro_promise_free(promise), 0);
    }
    return NULL;
}

static void *keep_what_comes(void *shared) {
    for (int i = 0; i < 2000; i++) {
        coro_promise *promise;
        while ((promise = __atomic_exchange_n((coro_promise **)shared, NULL, __ATOMIC_ACQUIRE)) == NULL) sched_yield();
        CHECK_EQ(coro_promise_keep(promise, 0, AS_POINTER(i)), 0);
    }
    return NULL;
}

/* A wakeup that is lost hangs here. */
CORO_TEST(promise_no_news_are_lost) {
    pthread_t other;
    static coro_promise *place;
    CHECK_EQ(pthread_create(&other, NULL, keep_what_comes, &place), 0);
    CHECK_EQ(coro_join(spawn_one(make_and_wait, &place), NULL, CORO_FOREVER), 0);
    join_thread(other);
}

/* -- the loop -- */

TEST(promise_that_is_waited_for_keeps_the_loop_from_being_idle) {
    keeper one;
    for (int i = 0; i < 2; i++) {
        coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
        options.flags = i == 0 ? CORO_LOOP_UNTIL_IDLE : CORO_LOOP_DETECT_DEADLOCK;
        coro_promise *promise = coro_promise_new(NULL);
        go(wait_for, promise);
        keep_by_thread(&one, promise, CORO_MS(20), 0);
        CHECK_EQ(coro_event_loop_with(&options), 0);
        CHECK_EQ(coro_get_live_coros(), 0);
        join_thread(one.thread);
        CHECK_EQ(coro_promise_free(promise), 0);
    }
    CHECK_STR(traced(), "0:7 0:7 ");
}

CORO_TEST(promise_is_shown_by_who_waits) {
    coro_promise *promise = coro_promise_new(NULL);
    coro_t waiter = spawn_one(wait_for, promise);
    char expected[64];
    let_others_run();
    coro_info info = info_of(waiter);
    CHECK_EQ(info.wait_kind, CORO_WAIT_PROMISE);
    CHECK_EQ(info.wait_object, (intptr_t)promise);
    snprintf(expected, sizeof expected, "waiting for promise %p", (void *)promise);
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(coro_promise_free(promise), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
}

static void *sleep_and_keep(void *promise) {
    CHECK_EQ(coro_sleep(CORO_MS(50)), 0);
    CHECK_EQ(coro_promise_keep(promise, 0, AS_POINTER(1)), 0);
    return NULL;
}

/* Virtual time: what the loop itself is needed for comes, and what comes from outside is not overtaken by a jump. */
CORO_TEST(promise_in_virtual_time) {
    keeper one;
    coro_promise *promise = coro_promise_new(NULL);
    CHECK_EQ(coro_test_set_virtual_time(true), 0);
    int64_t began = coro_get_now();
    go(sleep_and_keep, promise);
    CHECK_EQ(coro_promise_wait(promise, NULL), 0);
    CHECK_EQ(coro_get_now() - began, CORO_MS(50));
    CHECK_EQ(coro_promise_free(promise), 0);

    promise = coro_promise_new(NULL);
    keep_by_thread(&one, promise, CORO_MS(20), 0);
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(60));
    CHECK_EQ(coro_timeout_end(scope, coro_promise_wait(promise, NULL)), 0);
    join_thread(one.thread);
    CHECK_EQ(coro_promise_free(promise), 0);
}

TEST(promise_wait_is_refused_where_nothing_may_suspend) {
    coro_promise *promise = coro_promise_new(NULL);
    coro_set_strict_main(true);
    CHECK_EQ(coro_promise_wait(promise, NULL), CORO_EYIELDFROMMAIN);
    CHECK_EQ(coro_promise_keep(promise, 0, NULL), 0);
    CHECK_EQ(coro_promise_wait(promise, NULL), 0); /* which need not wait */
    CHECK_EQ(coro_promise_free(promise), 0);
}

/* -- the end of a thread, and fork -- */

static coro_promise *left[2];

static void *leave_promises(void *unused) {
    left[0] = coro_promise_new(count_release);
    left[1] = coro_promise_new(count_release);
    CHECK_EQ(coro_promise_free(left[1]), 0);
    return unused;
}

TEST(promise_kept_after_its_thread_has_ended) {
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, leave_promises, NULL), 0);
    join_thread(other);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(coro_promise_keep(left[i], 0, AS_POINTER(i + 1)), 0);
        CHECK_EQ(released, i + 1);
    }
}

static void *have_one_kept(void *unused) {
    kept_by_thread_before_news(count_release);
    return unused;
}

TEST(promise_kept_and_not_freed_when_its_thread_ends) {
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, have_one_kept, NULL), 0);
    join_thread(other);
    CHECK_EQ(released, 1);
}

static void free_promise(void *promise) { CHECK_EQ(coro_promise_free(promise), 0); }

static void *have_one_freed_by_coroutine(void *unused) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = free_promise;
    coro_spawn_with(do_nothing, kept_by_thread_before_news(count_release), &options);
    return unused;
}

static void *have_one_freed_by_callback(void *unused) {
    coro_promise *promise = kept_by_thread_before_news(count_release);
    CHECK_EQ(coro_post_callback(coro_loop_current(), free_promise, promise), 0);
    return unused;
}

/* Kept, and not yet told of: its maker's side is still who frees it, in what is called as the thread ends. */
TEST(promise_kept_and_freed_as_its_thread_ends) {
    pthread_t other;
    coro_fn ways[] = {have_one_freed_by_coroutine, have_one_freed_by_callback};
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(pthread_create(&other, NULL, ways[i], NULL), 0);
        join_thread(other);
        CHECK_EQ(released, i + 1);
    }
}

CORO_TEST(promise_in_the_child_of_a_fork) {
    coro_promise *promise = coro_promise_new(count_release), *told = kept_by_thread_before_news(NULL);
    coro_t waiter = spawn_one(wait_for, promise);
    let_others_run();
    pid_t child = fork();
    CHECK(child >= 0);
    CHECK_EQ(coro_promise_wait(told, NULL), 0);
    CHECK_EQ(coro_promise_keep(promise, 0, AS_POINTER(5)), 0); /* each its own */
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_promise_free(promise), 0);
    CHECK_EQ(coro_promise_free(told), 0);
    CHECK_EQ(released, 1);
    if (child == 0) finish_child();
    expect_child(child);
}
