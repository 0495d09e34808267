/* Blocking work and fork(): the child has none of the pool's threads, and starts its own (known bugs 35, 37). */
#include "coroutines.h"
#include "forks.h"
#include "gate.h"
#include "net.h"

#include <pthread.h>

static gate gate_of_parent;

static void *expect_cancelled(void *of_gate) {
    int error = coro_blocking(pass_gate, of_gate, NULL);
    if (error != 0) CHECK_CONTAINS(coro_error_detail(), "forked");
    return AS_POINTER(error);
}

static void *fork_with_work_under_way(void *unused) {
    gate_of_parent = new_gate();
    coro_set_max_blocking_threads(1);
    coro_t runs = spawn_one(expect_cancelled, &gate_of_parent), waits = spawn_one(expect_cancelled, &gate_of_parent);
    await_runs(&gate_of_parent, 1);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(40);
        coro_set_latency_warning(0);
        CHECK_EQ(join_soon(runs), -ECANCELED);
        CHECK_EQ(join_soon(waits), -ECANCELED);
        coro_stats stats = {.struct_size = sizeof stats};
        CHECK_EQ(coro_get_stats(&stats), 0);
        CHECK_EQ(stats.blocking_threads, 0);
        CHECK_EQ(stats.blocking_queued, 0);
        gate own = new_gate(); /* there is a pool again */
        open_gate(&own, 2);
        for (int i = 1; i <= 2; i++) CHECK_EQ(join_soon(spawn_one(call_gate, &own)), i);
        finish_child();
    }
    expect_child(child);
    open_gate(&gate_of_parent, 2);
    CHECK_EQ(join_soon(runs), 0);
    CHECK_EQ(join_soon(waits), 0);
    CHECK_EQ(gate_runs(&gate_of_parent), 2);
    return unused;
}

TEST(blocking_work_is_cancelled_in_the_child_of_a_fork) {
    fork_with_work_under_way(NULL);                          /* on the thread's own stack, */
    join_soon(spawn_one(fork_with_work_under_way, NULL)); /* and in a coroutine */
}

static void *fork_in_the_pool(void *unused) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0) return (void *)(intptr_t)child;
    alarm(40);
    if (is_watched()) _exit(0); /* what the other threads had counts as leaked */
    return unused; /* the child's only thread ends, and the process with it */
}

CORO_TEST(blocking_work_may_fork) {
    void *child = NULL;
    int status = -1;
    CHECK_EQ(coro_blocking(fork_in_the_pool, NULL, &child), 0);
    CHECK_EQ(coro_waitpid((pid_t)(intptr_t)child, &status, 0), (intptr_t)child);
    CHECK_EQ(status, 0);
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
}

static bool stop;

static void *count_on(void *count) {
    return ++*(int *)count, count;
}

static void *keep_pool_busy(void *unused) {
    int count = 0;
    while (!stop) CHECK_EQ(coro_blocking(count_on, &count, NULL), 0);
    return unused;
}

static void *keep_another_loop_busy(void *unused) {
    return keep_pool_busy(unused);
}

/* Known bug 37: a fork while other threads use the pool finds it in order. */
TEST(blocking_the_pool_is_whole_in_the_child_of_a_fork) {
    pthread_t others[3];
    int first = 0;
    if (is_watched()) test_skip("a tool watches memory"); /* and locks what it knows of it, for the child for ever */
    /* What Swift's own runtime (if there is one) makes at the first use is locked while it does. */
    CHECK_EQ(coro_blocking(count_on, &first, NULL), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_create(&others[i], NULL, keep_another_loop_busy, NULL), 0);
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            int count = 0;
            alarm(40);
            coro_set_latency_warning(0);
            for (int k = 0; k < 3; k++) CHECK_EQ(coro_blocking(count_on, &count, NULL), 0);
            CHECK_EQ(count, 3);
            finish_child();
        }
        expect_child(child);
    }
    __atomic_store_n(&stop, true, __ATOMIC_SEQ_CST);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(others[i], NULL), 0);
}
