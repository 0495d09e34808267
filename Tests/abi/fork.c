/* Row B22: fork(). The child has a loop of its own, and the parent's is not touched (known bugs 33 to 37). */
#define _GNU_SOURCE
#include "coroutines.h"
#include "forks.h"
#include "net.h"

#include <pthread.h>
#include <sys/wait.h>

/* In a child that runs coroutines: nothing here is about the watchdog's thread, and qemu-user can't make one after a fork. */
static void begin_child(void) {
    alarm(40);
    coro_set_latency_warning(0);
}

static int woken;

static void *sleep_a_little(void *unused) {
    CHECK_EQ(coro_sleep(CORO_MS(30)), 0);
    woken++;
    return unused;
}

static int to_child[2], to_parent[2];

/* Two readers and a sleeper are parked at the fork. They go on in both processes, each with its own events. */
static void *use_loop_on_both_sides(void *unused) {
    coro_t child_reader = spawn_one(read_one, AS_POINTER(to_child[0]));
    coro_t parent_reader = spawn_one(read_one, AS_POINTER(to_parent[0])), sleeper = spawn_one(sleep_a_little, NULL);
    let_others_run();
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        int fds[2];
        begin_child();
        CHECK_EQ(coro_shutdown(parent_reader), 0);
        CHECK_EQ(join_soon(parent_reader), CORO_ESHUTDOWN);
        join_soon(sleeper);
        CHECK_EQ(join_soon(child_reader), 1); /* a wait from before the fork */
        unix_pair(fds);
        coro_t fresh = spawn_one(read_one, AS_POINTER(fds[0])); /* and one from after it */
        let_others_run();
        CHECK_EQ(coro_write(fds[1], "x", 1), 1);
        CHECK_EQ(join_soon(fresh), 1);
        CHECK_EQ(coro_write(to_parent[1], "p", 1), 1);
        finish_child();
    }
    CHECK_EQ(coro_shutdown(child_reader), 0);
    CHECK_EQ(join_soon(child_reader), CORO_ESHUTDOWN);
    join_soon(sleeper);
    CHECK_EQ(coro_write(to_child[1], "c", 1), 1);
    CHECK_EQ(join_soon(parent_reader), 1);
    CHECK_EQ(woken, 1);
    expect_child(child);
    return unused;
}

TEST(B22_parent_and_child_both_use_their_loops) {
    unix_pair(to_child);
    unix_pair(to_parent);
    join_soon(spawn_one(use_loop_on_both_sides, NULL)); /* in a coroutine, */
    unix_pair(to_child);
    unix_pair(to_parent);
    woken = 0;
    use_loop_on_both_sides(NULL); /* and on the thread's own stack */
}

static void *wait_to_read(void *fd) {
    return AS_POINTER(coro_wait_for(AS_INT(fd), CORO_READ));
}

/* Known bug 36: with one epoll for both, the child's descriptor of the same number would wake the parent's waiter. */
TEST(B22_the_childs_descriptors_are_not_reported_to_the_parent) {
    int fds[2], go[2], done[2];
    char byte;
    CHECK(pipe(go) == 0 && pipe(done) == 0);
    CHECK(coro_loop_current() > 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        unix_pair(fds);
        coro_t waiter = spawn_one(wait_to_read, AS_POINTER(fds[0])); /* registered, and ready while the parent looks */
        let_others_run();
        CHECK_EQ(read(go[0], &byte, 1), 1);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(write(done[1], "d", 1), 1);
        CHECK_EQ(read(go[0], &byte, 1), 1);
        CHECK_EQ(join_soon(waiter), 0);
        finish_child();
    }
    unix_pair(fds); /* the same numbers, another file */
    coro_t waiter = spawn_one(wait_to_read, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(write(go[1], "g", 1), 1);
    CHECK_EQ(read(done[0], &byte, 1), 1);
    let_others_run();
    CHECK(coro_is_alive(waiter));
    CHECK_EQ(write(go[1], "g", 1), 1);
    expect_child(child);
    CHECK_EQ(coro_write(fds[1], "y", 1), 1);
    CHECK_EQ(join_soon(waiter), 0);
}

/* With one epoll for both, the child's close would end the parent's registration, and the parent's reader would hang. */
TEST(B22_the_child_closing_a_descriptor_leaves_the_parents_waiting) {
    int fds[2];
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    pid_t child = fork();
    if (child == 0) {
        begin_child();
        CHECK_EQ(coro_close(fds[0]), 0);
        CHECK_EQ(join_soon(reader), CORO_ECLOSED);
        finish_child();
    }
    expect_child(child);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 2, EIO), 0); /* by the first event, not by looking again later */
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
}

/* -- posts -- */

static int posted;

static coro_t sleeping;

static void *sleep_for_a_minute(void *unused) {
    CHECK_EQ(coro_sleep(CORO_SECONDS(60)), 0);
    return unused;
}

static void *note_post(void *unused) {
    if (++posted == 20 && sleeping > 0) CHECK_EQ(coro_schedule(sleeping, NULL), 0);
    return unused;
}

static void *post_now_and_then(void *of_loop) {
    for (int i = 0; i < 20; i++) {
        usleep(5000);
        CHECK_EQ(coro_post(*(coro_loop_t *)of_loop, note_post, NULL), 0);
    }
    return NULL;
}

/* Known bug 35: posts wake the child's loop, which sleeps, and the parent's, which sleeps meanwhile, has a wakeup of its own:
   its sixth look at the descriptors would fail. */
TEST(B22_posts_reach_the_childs_loop_and_not_the_parents) {
    coro_loop_t mine = coro_loop_current();
    pthread_t poster;
    let_others_run();
    pid_t child = fork();
    if (child == 0) {
        alarm(40);
        CHECK_EQ(coro_loop_current(), mine);
        CHECK_EQ(pthread_create(&poster, NULL, post_now_and_then, &mine), 0);
        sleeping = spawn_one(sleep_for_a_minute, NULL); /* who posts last wakes it */
        join_soon(sleeping);
        CHECK_EQ(posted, 20);
        pthread_join(poster, NULL);
        finish_child();
    }
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 6, EIO), 0);
    CHECK_EQ(coro_sleep(CORO_MS(200)), 0);
    CHECK_EQ(coro_test_fail_call(call_that_waits(), 0, 0), 0);
    expect_child(child);
    CHECK_EQ(posted, 0);
    CHECK_EQ(pthread_create(&poster, NULL, post_now_and_then, &mine), 0);
    while (posted < 20) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    pthread_join(poster, NULL);
}

static pthread_barrier_t step;
static coro_loop_t of_thread;
static coro_t in_thread;

static void *hold_a_loop(void *unused) {
    of_thread = coro_loop_current();
    in_thread = coro_new(do_nothing, NULL, NULL);
    pthread_barrier_wait(&step);
    pthread_barrier_wait(&step);
    return unused;
}

/* Only the thread that forks is in the child: the others' loops are gone there, and live on in the parent. */
TEST(B22_loops_of_other_threads_are_gone_in_the_child) {
    pthread_t holder;
    pthread_barrier_init(&step, NULL, 2);
    CHECK_EQ(pthread_create(&holder, NULL, hold_a_loop, NULL), 0);
    pthread_barrier_wait(&step);
    for (int with_loop = 0; with_loop < 2; with_loop++) { /* whether the thread that forks has one */
        if (with_loop) CHECK(coro_loop_current() > 0);
        pid_t child = fork();
        if (child == 0) {
            begin_child();
            CHECK_EQ(coro_post(of_thread, note_post, NULL), -ESRCH);
            join_soon(spawn_one(do_nothing, NULL));
            CHECK_EQ(coro_post(of_thread, note_post, NULL), -ESRCH);
            finish_child();
        }
        expect_child(child);
        CHECK_EQ(coro_post(of_thread, note_post, NULL), 0);
    }
    pthread_barrier_wait(&step);
    pthread_join(holder, NULL);
}

static void *look_at_ids(void *unused) {
    for (int i = 0; i < 100; i++) {
        coro_t co = coro_new(do_nothing, unused, NULL);
        CHECK(co > 0 && co != in_thread);
        CHECK(coro_get_by_id(in_thread) < 0);
    }
    return unused;
}

/* Ids are never reused: a thread that the child starts takes no id of a thread that is left behind in the parent. */
TEST(B22_ids_of_other_threads_are_not_given_out_again_in_the_child) {
    pthread_t holder;
    pthread_barrier_init(&step, NULL, 2);
    CHECK(coro_loop_current() > 0);
    CHECK_EQ(pthread_create(&holder, NULL, hold_a_loop, NULL), 0);
    pthread_barrier_wait(&step);
    pid_t child = fork();
    if (child == 0) {
        pthread_t fresh;
        CHECK_EQ(pthread_create(&fresh, NULL, look_at_ids, NULL), 0);
        pthread_join(fresh, NULL);
        finish_child();
    }
    expect_child(child);
    pthread_barrier_wait(&step);
    pthread_join(holder, NULL);
}

/* -- locks -- */

static volatile int stop;

/* Takes the process lock as often as it can: variables, loops and posts are under it. */
static void *keep_locking(void *unused) {
    coro_loop_t loop = coro_loop_current();
    while (!stop) {
        CHECK_EQ(coro_local_free(coro_local_new(NULL)), 0);
        CHECK_EQ(coro_post(loop, do_nothing, NULL), 0);
        CHECK_EQ(coro_yield_slice(), 0);
    }
    return unused;
}

/* Known bug 37: the child inherits a lock that is held by a thread it has not got. */
TEST(B22_fork_while_other_threads_hold_the_lock) {
    if (is_watched()) test_skip("a tool watches memory");
    pthread_t lockers[2];
    /* Once before there are threads: what ordinary Swift sets up when it is first used, it sets up behind a lock of its own,
       for which a fork does not wait. */
    CHECK_EQ(coro_local_free(coro_local_new(NULL)), 0);
    CHECK_EQ(coro_post(coro_loop_current(), do_nothing, NULL), 0);
    join_soon(spawn_one(do_nothing, NULL));
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&lockers[i], NULL, keep_locking, NULL), 0);
    for (int round = 0; round < 300; round++) {
        pid_t child = fork();
        if (child == 0) {
            begin_child();
            CHECK_EQ(coro_local_free(coro_local_new(NULL)), 0);
            CHECK_EQ(coro_post(coro_loop_current(), do_nothing, NULL), 0);
            join_soon(spawn_one(do_nothing, NULL));
            finish_child();
        }
        expect_child(child);
    }
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(lockers[i], NULL);
}

TEST(B22_a_child_of_a_child_has_its_own_too) {
    pid_t child = fork();
    CHECK(coro_loop_current() > 0);
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            join_soon(spawn_one(sleep_a_little, NULL));
            finish_child();
        }
        expect_child(grandchild);
        join_soon(spawn_one(sleep_a_little, NULL));
        finish_child();
    }
    expect_child(child);
    join_soon(spawn_one(sleep_a_little, NULL));
}

/* What the loop has open in the child replaces what it had: nothing leaks from one fork to the next. */
TEST(B22_forking_leaks_no_descriptors) {
    CHECK(coro_loop_current() > 0);
    int before = open_descriptors();
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        if (child > 0) {
            expect_child(child);
            if (i == 0) return;
            finish_child();
        }
        CHECK_EQ(open_descriptors(), before);
    }
    finish_child();
}
