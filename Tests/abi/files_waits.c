/* Calls about files that take long: who waits, who is interrupted, who is forked. A FIFO that nobody has open at its other end
   stands for a disk that does not answer. */
#define _GNU_SOURCE
#include "files.h"
#include "net.h"

#include <pthread.h>
#include <sys/wait.h>

static void *open_fifo(void *unused) {
    (void)unused;
    int fd = coro_open("fifo", O_RDONLY, 0);
    if (fd >= 0) CHECK_EQ(coro_close(fd), 0);
    return AS_POINTER(fd < 0 ? fd : 0);
}

static coro_t start_opening(void) {
    CHECK(access("fifo", F_OK) == 0 || mkfifo("fifo", 0600) == 0);
    coro_t co = start_now(open_fifo, NULL);
    for (int i = 0; i < 5; i++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    return co;
}

static int result_of(coro_t co) {
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
    return AS_INT(result);
}

/* Others go on meanwhile, and what it waits for is said. */
static void waiting(void) {
    coro_t co = start_opening();
    coro_info info = info_of(co);
    CHECK_EQ(info.state, CORO_STATE_WAITING);
    CHECK_EQ(info.wait_kind, CORO_WAIT_FILE);
    CHECK_CONTAINS(info.waiting, "waiting for a file operation");
    int writer = open("fifo", O_WRONLY | O_CLOEXEC);
    CHECK(writer >= 0);
    CHECK_EQ(result_of(co), 0);
    CHECK_EQ(close(writer), 0);
}

TEST(H16_slow_call_suspends_the_caller_alone_by_ring) { by_ring(waiting); }
TEST(H16_slow_call_suspends_the_caller_alone_by_threads) { by_threads(waiting); }

/* The kernel's own threads can be told to stop. */
static void broken_off(void) {
    for (int i = 0; i < 10; i++) {
        coro_t co = start_opening();
        CHECK_EQ(coro_shutdown(co), 0);
        CHECK_EQ(result_of(co), CORO_ESHUTDOWN);
    }
}

TEST(H16_interrupted_call_is_broken_off_by_ring) { by_ring(broken_off); }

static void *interrupt_value_of_opening(void *unused) {
    CHECK(AS_INT(open_fifo(unused)) == CORO_EINTERRUPTED);
    return coro_interrupt_value();
}

static void interrupted_with_a_value(void) {
    void *value = NULL;
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    coro_t co = start_now(interrupt_value_of_opening, NULL);
    for (int i = 0; i < 5; i++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(coro_interrupt(co, "value"), 0);
    CHECK_EQ(coro_join(co, &value, CORO_FOREVER), 0);
    CHECK_STR(value, "value");
}

TEST(H16_interrupted_call_has_the_value_it_was_interrupted_with) { by_ring(interrupted_with_a_value); }

static void timed_out(void) {
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    coro_t co = coro_spawn(open_fifo, NULL);
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, CORO_MS(5)), CORO_ETIMEOUT);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(result_of(co), CORO_ESHUTDOWN);
}

TEST(H16_join_of_a_call_that_hangs_can_time_out) { by_ring(timed_out); }

/* Known bug 72: it was interrupted, and was done all the same. Its descriptor is not lost: the caller gets it, and the
   interruption with its next suspending call. */
static int opened, after;
static void *open_then_sleep(void *unused) {
    opened = coro_open("fifo", O_RDONLY, 0);
    after = coro_sleep(0);
    return unused;
}

static void *open_other_end(void *unused) {
    usleep(20000);
    int writer = open("fifo", O_WRONLY | O_CLOEXEC);
    usleep(1000);
    close(writer);
    return unused;
}

/* Until a thread has begun all that there is to do. */
static void await_begun(void) {
    coro_stats stats = {.struct_size = sizeof stats};
    do {
        CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
        CHECK_EQ(coro_get_stats(&stats), 0);
    } while (stats.blocking_queued > 0);
}

static void done_all_the_same(void) {
    pthread_t other;
    CHECK_EQ(mkfifo("fifo", 0600), 0);
    coro_t co = start_now(open_then_sleep, NULL);
    await_begun();
    CHECK_EQ(pthread_create(&other, NULL, open_other_end, NULL), 0);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK(opened >= 0);
    CHECK_EQ(after, CORO_ESHUTDOWN);
    CHECK_EQ(coro_close(opened), 0);
    CHECK_EQ(pthread_join(other, NULL), 0);
}

TEST(H16_what_was_done_in_spite_of_an_interruption_counts) { by_threads(done_all_the_same); }

/* Known bugs 71 and 72, at every moment: nothing is lost, and nothing is written to after the call. */
static int race_fd;
static void *read_and_look(void *unused) {
    char piece[4096];
    memset(piece, 0x55, sizeof piece);
    ssize_t got = coro_pread(race_fd, piece, sizeof piece, 0);
    if (got == sizeof piece) pattern_check(piece, sizeof piece, 0);
    else CHECK_EQ(got, CORO_ESHUTDOWN);
    int copy = coro_open("race", O_RDONLY, 0);
    if (copy >= 0) CHECK_EQ(coro_close(copy), 0);
    else CHECK_EQ(copy, CORO_ESHUTDOWN);
    return unused;
}

static void races(void) {
    race_fd = make_file("race", 4096);
    for (int i = 0; i < 300; i++) {
        if (i % 3 == 0) drop_cache(race_fd);
        coro_t co = start_now(read_and_look, NULL);
        for (int turn = 0; turn < i % 5; turn++) CHECK_EQ(coro_yield_slice(), 0);
        coro_shutdown(co);
        coro_join(co, NULL, CORO_FOREVER);
    }
    CHECK_EQ(coro_close(race_fd), 0);
}

TEST(H16_interruption_at_every_moment_loses_nothing_by_ring) { by_ring(races); }
TEST(H16_interruption_at_every_moment_loses_nothing_by_threads) { by_threads(races); }

/* An interruption that waits already, and a callback that must not suspend: nothing is begun. */
static void *interrupted_before(void *unused) {
    char byte;
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    CHECK_EQ(coro_mkdir("made", 0700), CORO_ESHUTDOWN);
    CHECK_EQ(access("made", F_OK), -1);
    CHECK_EQ(coro_shutdown(coro_current()), 0);
    CHECK_EQ(coro_pread(race_fd, &byte, 1, 0), 1); /* need not wait */
    CHECK_EQ(coro_sleep(1), CORO_ESHUTDOWN);
    return unused;
}

static void obstacles(void) {
    race_fd = make_file("obstacle", 10);
    coro_t co = start_now(interrupted_before, NULL);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_close(race_fd), 0);
}

TEST(H16_interruption_that_waits_is_returned_before_anything_is_begun_by_ring) { by_ring(obstacles); }
TEST(H16_interruption_that_waits_is_returned_before_anything_is_begun_by_threads) { by_threads(obstacles); }

/* The child has no part in what the parent's kernel, or thread, does. */
static void forked(void) {
    coro_t co = start_opening();
    pid_t child = fork();
    if (child == 0) {
        CHECK_EQ(result_of(co), -ECANCELED);
        int fd = make_file("of the child", 5000);
        char piece[5000];
        CHECK_EQ(coro_pread(fd, piece, sizeof piece, 0), sizeof piece);
        pattern_check(piece, sizeof piece, 0);
        CHECK_EQ(coro_close(fd), 0);
        _exit(0);
    }
    int status = -1;
    CHECK_EQ(coro_waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(info_of(co).state, CORO_STATE_WAITING);
    int writer = open("fifo", O_WRONLY | O_CLOEXEC);
    CHECK_EQ(result_of(co), 0);
    CHECK_EQ(close(writer), 0);
}

TEST(H16_child_of_a_fork_does_its_own_by_ring) { by_ring(forked); }
TEST(H16_child_of_a_fork_does_its_own_by_threads) { by_threads(forked); }

/* Virtual time stands still while the kernel works. */
static void at_virtual_time(void) {
    int fd = make_file("virtual", 100000);
    char *content = malloc(100000);
    coro_test_set_virtual_time(true);
    int64_t start = coro_get_now();
    coro_t sleeper = start_now(sleep_for_ever, NULL);
    for (int i = 0; i < 20; i++) {
        drop_cache(fd);
        CHECK_EQ(coro_pread(fd, content, 100000, 0), 100000);
    }
    CHECK_EQ(coro_get_now() - start, 0);
    CHECK_EQ(coro_shutdown(sleeper), 0);
    coro_join(sleeper, NULL, CORO_FOREVER);
    CHECK_EQ(coro_close(fd), 0);
    free(content);
}

TEST(H16_virtual_time_stands_still_meanwhile_by_ring) { by_ring(at_virtual_time); }
TEST(H16_virtual_time_stands_still_meanwhile_by_threads) { by_threads(at_virtual_time); }

/* One who does nothing but read lets others run. */
static bool ran;
static void *run_once(void *unused) {
    ran = true;
    return unused;
}

static void turns(void) {
    char byte;
    int fd = make_file("turns", 10);
    CHECK_EQ(coro_pread(fd, &byte, 1, 0), 1);
    ran = false;
    go(run_once, NULL);
    for (int i = 0; i < 5; i++) CHECK_EQ(coro_pread(fd, &byte, 1, 0), 1);
    CHECK(ran);
    CHECK_EQ(coro_close(fd), 0);
}

TEST(H16_calls_in_a_row_let_others_run_by_ring) { by_ring(turns); }
TEST(H16_calls_in_a_row_let_others_run_by_threads) { by_threads(turns); }

/* The kernel, or the system, refuses: an error, nothing is done, and the next call works. */
static void refuse(const char *call, int error) {
    CHECK_EQ(coro_test_fail_call(call, 1, error), 0);
    CHECK_EQ(coro_mkdir("made", 0700), -error);
    CHECK_EQ(coro_test_fail_call(call, 0, 0), 0);
    CHECK_EQ(coro_mkdir("made", 0700), 0);
    CHECK_EQ(coro_rmdir("made"), 0);
}

static void failures(void) {
    bool threads = strcmp(coro_file_engine_name(), "threads") == 0;
    refuse(threads ? "pthread_create" : "io_uring_enter", EAGAIN);
    refuse("calloc", ENOMEM);
}

TEST(H16_what_can_not_be_begun_is_an_error_by_ring) { by_ring(failures); }
TEST(H16_what_can_not_be_begun_is_an_error_by_threads) { by_threads(failures); }

/* What waits for a thread when its descriptor is closed is not done to what the number means then. */
static void *write_to_victim(void *unused) {
    (void)unused;
    ssize_t result = coro_pwrite(race_fd, "overwritten", 11, 0);
    if (result == CORO_ECLOSED) CHECK_CONTAINS(coro_error_detail(), "was closed by coroutine");
    return AS_POINTER((int)result);
}

static void *truncate_victim(void *unused) {
    (void)unused;
    return AS_POINTER(coro_ftruncate(race_fd, 0));
}

static void *make_directory(void *unused) {
    (void)unused;
    return AS_POINTER(coro_mkdir("made meanwhile", 0700));
}

static void *block(void *unused) {
    return unused;
}

static void *do_on_pool(void *unused) {
    (void)unused;
    return AS_POINTER(coro_blocking(block, NULL, NULL));
}

static void closed_meanwhile(int (*end_life)(int fd)) {
    char piece[100];
    int before = coro_set_max_blocking_threads(1);
    race_fd = make_file("first", 100);
    int other = make_file("second", 100);
    coro_t opening = start_opening(); /* has the only thread */
    coro_t writing = start_now(write_to_victim, NULL), truncating = start_now(truncate_victim, NULL);
    coro_t making = start_now(make_directory, NULL), computing = start_now(do_on_pool, NULL); /* of no descriptor */
    CHECK_EQ(info_of(writing).state, CORO_STATE_WAITING);
    CHECK_EQ(end_life(-1), -EBADF);
    CHECK_EQ(end_life(AT_FDCWD), -EBADF);
    CHECK_EQ(end_life(race_fd), 0);
    CHECK_EQ(dup2(other, race_fd), race_fd); /* the number is another file's */
    int end = open("fifo", O_WRONLY | O_CLOEXEC);
    CHECK_EQ(result_of(opening), 0);
    CHECK_EQ(result_of(writing), CORO_ECLOSED);
    CHECK_EQ(result_of(truncating), CORO_ECLOSED);
    CHECK_EQ(result_of(making), 0);
    CHECK_EQ(result_of(computing), 0);
    CHECK_EQ(pread(other, piece, sizeof piece, 0), sizeof piece);
    pattern_check(piece, sizeof piece, 0);
    CHECK_EQ(close(end), 0);
    CHECK_EQ(coro_close(race_fd), 0);
    CHECK_EQ(coro_close(other), 0);
    CHECK_EQ(coro_set_max_blocking_threads(before), 1);
}

static void closed_while_queued(void) { closed_meanwhile(coro_close); }
static void given_up_while_queued(void) { closed_meanwhile(coro_forget); }

TEST(H16_closed_descriptor_ends_what_waits_for_a_thread) { by_threads(closed_while_queued); }
TEST(H16_descriptor_that_is_given_up_ends_what_waits_for_a_thread) { by_threads(given_up_while_queued); }

/* A thread ends while something is opened for it. */
static void *open_this(void *unused) {
    int fd = coro_open("opened", O_RDONLY, 0);
    CHECK_EQ(coro_close(fd), 0);
    return unused;
}

static void *leave_while_opening(void *is_late) {
    start_now(open_this, NULL);
    if (is_late) usleep(2000); /* it is open, and the loop has not been told yet */
    return NULL;
}

static void left_open(void) {
    CHECK_EQ(coro_close(make_file("opened", 1)), 0);
    int before = open_descriptors();
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        CHECK_EQ(pthread_create(&thread, NULL, leave_while_opening, AS_POINTER(i % 2)), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    }
    CHECK_EQ(open_descriptors(), before);
}

TEST(H16_thread_that_ends_leaves_nothing_open_by_ring) { by_ring(left_open); }
