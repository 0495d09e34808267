/* The thread behind row B20: when there is one, what it shares, when it sleeps, and that nothing depends on it. */
#define _GNU_SOURCE
#include "latency.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void run_one(coro_fn fn) {
    CHECK_EQ(coro_join(coro_spawn(fn, NULL), NULL, CORO_FOREVER), 0);
}

TEST(B20_a_process_that_runs_no_coroutine_has_one_thread) {
    CHECK(coro_loop_current() > 0);
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(coro_yield(), 0);
    CHECK(coro_new(do_nothing, NULL, NULL) > 0);
    CHECK_EQ(count_threads(), 1);
}

static void *sleep_shortly(void *unused) {
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    return unused;
}

TEST(B20_turned_off_it_starts_no_thread) {
    CHECK_EQ(coro_set_latency_warning(0), 1);
    run_one(sleep_shortly);
    CHECK_EQ(count_threads(), 1);
    CHECK_EQ(coro_set_latency_warning(1), 0);
    run_one(sleep_shortly);
    CHECK_EQ(count_threads(), 2);
}

TEST(B20_without_a_thread_all_else_goes_on) {
    CHECK_EQ(coro_test_fail_call("pthread_create", 1, EAGAIN), 0);
    run_one(sleep_shortly);
    run_one(sleep_shortly);
    CHECK_EQ(count_threads(), 1);
}

/* The thread, when it has begun. */
static int await_watchdog(void) {
    int thread;
    while ((thread = find_thread("coro-watchdog")) == 0) usleep(1000);
    return thread;
}

TEST(B20_the_thread_handles_none_of_the_programs_signals) {
    char status[4096];
    run_one(do_nothing);
    read_thread_file(await_watchdog(), "status", status, sizeof status);
    const char *blocked = strstr(status, "SigBlk:\t");
    CHECK(blocked != NULL);
    /* All but SIGKILL, SIGSTOP, and the two of the C library's own. */
    CHECK_EQ(~strtoull(blocked + 8, NULL, 16), 1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1) | 3ull << (32 - 1));
}

/* That the thread sleeps without a limit: with one it makes another system call. */
static void await_sleep_of_watchdog(void) {
    char number[16], text[256];
    int thread = await_watchdog();
    snprintf(number, sizeof number, "%d ", SYS_futex);
    do {
        usleep(1000);
        read_thread_file(thread, "syscall", text, sizeof text);
    } while (strncmp(text, number, strlen(number)) != 0);
}

/* A copy of the program's descriptors would keep the other end of a pipe open. */
TEST(B20_the_thread_keeps_no_descriptors_open) {
    int ends[2], before = open_descriptors();
    char byte;
    CHECK_EQ(pipe(ends), 0);
    begin_report();
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0);
    run_one(hog);
    end_report();
    CHECK_EQ(close(ends[1]), 0);
    CHECK_EQ(read(ends[0], &byte, 1), 0);
    CHECK_EQ(close(ends[0]), 0);
    CHECK_EQ(open_descriptors(), before + 1); /* the report's */
}

static coro_loop_t sleeper;

static void *await_sleep_and_post(void *unused) {
    await_sleep_of_watchdog();
    CHECK_EQ(coro_post(sleeper, hog, NULL), 0);
    while (!is_reported("ran for more than")) usleep(1000);
    await_sleep_of_watchdog();
    CHECK_EQ(coro_post(sleeper, exit_with, AS_POINTER(3)), 0);
    return unused;
}

TEST(B20_an_idle_process_has_an_idle_thread_that_wakes_with_the_loop) {
    pthread_t poster;
    sleeper = coro_loop_current();
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0);
    go(do_nothing, NULL);
    coro_set_print_exit_string(false);
    begin_report();
    CHECK_EQ(pthread_create(&poster, NULL, await_sleep_and_post, NULL), 0);
    int code = coro_event_loop();
    end_report();
    CHECK_EQ(code, 3);
    CHECK_EQ(pthread_join(poster, NULL), 0);
}

static void *await_sleep(void *unused) {
    CHECK_EQ(coro_set_latency_warning(0), 1);
    await_sleep_of_watchdog();
    return unused;
}

TEST(B20_a_loop_that_is_not_watched_keeps_the_thread_from_nothing) {
    run_one(await_sleep);
}

static void *hog_in_a_thread(void *unused) {
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0);
    run_one(hog);
    return unused;
}

TEST(B20_the_loops_of_all_threads_are_watched_by_one) {
    pthread_t others[2];
    run_one(do_nothing);
    begin_report();
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0);
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_create(&others[i], NULL, hog_in_a_thread, NULL), 0);
    run_one(hog);
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_join(others[i], NULL), 0);
    end_report();
    CHECK_EQ(count_threads(), 2);
}

static void *run_and_leave(void *unused) {
    run_one(do_nothing);
    return unused;
}

static void *run_and_leave_it_asleep(void *unused) {
    run_one(do_nothing);
    await_sleep_of_watchdog();
    return unused;
}

/* The last loop ends with its thread: there is nothing left to watch. */
TEST(B20_the_thread_ends_after_the_last_loop_and_comes_again) {
    pthread_t other;
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(pthread_create(&other, NULL, i % 5 < 4 ? run_and_leave : run_and_leave_it_asleep, NULL), 0);
        CHECK_EQ(pthread_join(other, NULL), 0);
        if (i % 5 >= 3) while (count_threads() > 1) usleep(1000);
    }
    run_one(sleep_shortly);
    CHECK_EQ(count_threads(), 2);
}

static void leave_by_pthread_exit(void) {
    run_one(sleep_shortly);
    pthread_exit(NULL);
}

/* A process lives for as long as one of its threads. */
TEST(B20_a_process_whose_threads_have_ended_ends) {
    char output[256];
    CHECK_EQ(run_in_child(leave_by_pthread_exit, output, sizeof output), 0);
}

static void *hog_alone(void *unused) {
    char status[4096];
    do {
        usleep(1000);
        read_thread_file(getpid(), "status", status, sizeof status);
    } while (strstr(status, "\nState:\tZ") == NULL); /* until the first thread has ended */
    begin_report();
    hog_in_a_thread(unused);
    end_report();
    _exit(42);
}

static void leave_a_hog_behind(void) {
    pthread_t other;
    CHECK_EQ(pthread_create(&other, NULL, hog_alone, NULL), 0);
    pthread_exit(NULL);
}

/* The system takes the first thread's descriptors for the process's, and it has none any more. */
TEST(B20_a_report_is_written_after_the_first_thread_has_ended) {
    char output[256];
    int status = run_in_child(leave_a_hog_behind, output, sizeof output);
    CHECK_STR(output, "");
    CHECK_EQ(status, 42 << 8);
}

static void hog_in_child(void) {
    CHECK_EQ(count_threads(), 1);
    begin_report();
    run_one(hog);
    end_report();
    CHECK_EQ(count_threads(), 2);
}

TEST(B20_the_child_of_a_fork_has_a_thread_of_its_own) {
    char output[256];
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0);
    run_one(do_nothing);
    CHECK_EQ(run_in_child(hog_in_child, output, sizeof output), 0);
    begin_report();
    run_one(hog);
    end_report();
}

static void *fork_and_hog(void *unused) {
    pid_t child = fork();
    if (child == 0) {
        begin_report();
        for (int i = 0; i < 1000; i++) CHECK_EQ(coro_yield(), 0); /* no pass of the loop need come, but a batch ends */
        hog(NULL);
        end_report();
        _exit(42);
    }
    int status;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 42 << 8);
    return unused;
}

TEST(B20_a_coroutine_that_forks_is_watched_in_the_child) {
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0);
    begin_report();
    run_one(fork_and_hog);
    end_report();
}

/* Nothing may be left locked in a child, whatever the watchdog was doing. */
static void *fork_again_and_again(void *unused) {
    for (int i = 0; i < 100; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            alarm(30);
            run_one(sleep_shortly);
            time_t now = time(NULL);
            _exit(localtime(&now) == NULL);
        }
        CHECK_EQ(waitpid(child, &status, 0), child);
        CHECK_EQ(status, 0);
    }
    return unused;
}

TEST(B20_a_fork_meets_no_report_half_made) {
    pthread_t forker;
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(1)), 0);
    begin_report();
    run_one(hog); /* what Swift initialises when it is first used must not be half initialised in a child, either */
    CHECK_EQ(pthread_create(&forker, NULL, fork_again_and_again, NULL), 0);
    while (pthread_tryjoin_np(forker, NULL) == EBUSY) {
        CHECK_EQ(ftruncate(2, 0), 0);
        run_one(hog);
    }
    end_report();
}

static int to_child[2], to_parent[2];

static void *block_until_fed(void *unused) {
    char byte;
    CHECK_EQ(write(to_parent[1], "b", 1), 1);
    CHECK_EQ(read(to_child[0], &byte, 1), 1);
    return unused;
}

/* For all of the threshold and more the process is stopped, as by a debugger: nobody ran, so nobody ran for long. */
TEST(B20_the_time_in_which_the_process_was_stopped_does_not_count) {
    char byte;
    int status;
    CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(coro_test_set_latency_unit(CORO_SECONDS(1)), 0);
        begin_report();
        run_one(block_until_fed);
        end_report();
        CHECK_STR(report(), "");
        _exit(0);
    }
    CHECK_EQ(read(to_parent[0], &byte, 1), 1);
    CHECK_EQ(kill(child, SIGSTOP), 0);
    CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
    usleep(1500000);
    CHECK_EQ(kill(child, SIGCONT), 0);
    usleep(300000);
    CHECK_EQ(write(to_child[1], "f", 1), 1);
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
}
