/* Row G5: signals and threads that handle them, end, or are in the middle of a handler. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

#include <fcntl.h>
#include <pthread.h>

static int handled;

static void count(int signum, void *arg) {
    (void)signum, (void)arg;
    handled++;
}

/* Without sleeping. */
static void spin_for(int64_t ns) {
    for (int64_t until = coro_get_now() + ns; coro_get_now() < until;) {}
}

/* -- handlers in progress -- */

static volatile int errno_kept = 1;

static void *be_interrupted(void *unused) {
    for (int i = 0; i < 1000; i++) {
        if (i % 100 == 0) usleep(3000); /* the loop sleeps, and is rung for */
        errno = 4711;
        raise(SIGUSR1);
        if (errno != 4711) errno_kept = 0;
    }
    return unused;
}

/* Has the loop's eventfd be something else; and Dispatch's, where that is in the process: the loop is not to look at it. */
static void replace_wakeup(int by) {
    char path[64], what[64];
    int replaced = 0;
    CHECK(by >= 0);
    for (int fd = 0; fd < 100; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(path, what, sizeof what - 1);
        if (length < 0) continue;
        what[length] = 0;
        if (strcmp(what, "anon_inode:[eventfd]") != 0) continue;
        CHECK_EQ(dup2(by, fd), fd);
        replaced++;
    }
    CHECK(replaced == 1 || replaced == 2);
}

/* A call that fails in the handler, on a thread that is about to look at its own errno. */
TEST(G5_the_handler_leaves_errno_alone) {
    coro_set_serve_main_queue(false);
    pthread_t other;
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    be_interrupted(NULL);
    CHECK(coro_loop_current() > 0);
    replace_wakeup(open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK_EQ(pthread_create(&other, NULL, be_interrupted, NULL), 0);
    for (int pass = 0; handled < 2000 && pass < 30000; pass++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    pthread_join(other, NULL);
    CHECK_EQ(handled, 2000);
    CHECK(errno_kept);
}

/* -- many threads -- */

enum { THREADS = 8, SIGNALS_EACH = 500 };
static pthread_barrier_t all_ready;
static int counts[THREADS];

static void count_own(int signum, void *of_count) {
    ++*(int *)of_count;
    if (signum % 2 == 0) CHECK_EQ(coro_yield(), 0);
}

/* Each has a real-time signal, of which the system delivers every one, and sends every other thread's. */
static void *signal_all(void *number) {
    int me = AS_INT(number);
    CHECK_EQ(coro_signal(SIGRTMIN + me, count_own, &counts[me], me % 3 == 0 ? CORO_SIGNAL_SERIAL : 0), 0);
    pthread_barrier_wait(&all_ready);
    for (int i = 0; i < SIGNALS_EACH; i++) {
        for (int other = 0; other < THREADS; other++) raise(SIGRTMIN + other);
        if (i % 50 == 0) CHECK_EQ(coro_sleep(CORO_US(100)), 0);
    }
    while (counts[me] < THREADS * SIGNALS_EACH) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    pthread_barrier_wait(&all_ready);
    return NULL;
}

TEST(G5_many_signals_to_many_threads_all_arrive) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&all_ready, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, signal_all, AS_POINTER(i)), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) CHECK_EQ(counts[i], THREADS * SIGNALS_EACH);
}

static volatile int stop;

static void *send_until_stopped(void *unused) {
    while (!stop) raise(SIGUSR1);
    return unused;
}

static void suspend(int signum, void *arg) {
    (void)signum, (void)arg;
    coro_sleep(CORO_FOREVER);
}

static void *register_and_end(void *number) {
    if (AS_INT(number) % 2) CHECK_EQ(coro_signal(SIGUSR1, suspend, NULL, CORO_SIGNAL_SERIAL), 0);
    else CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    CHECK_EQ(coro_sleep(CORO_US(50)), 0);
    if (AS_INT(number) % 4 == 0) CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
    return NULL;
}

/* Handlers on other threads are in the middle of ringing while the loop goes away with its thread. */
TEST(G5_a_thread_may_end_while_handlers_run_on_others) {
    pthread_t sender, thread;
    int rounds = is_watched() ? 20 : 300;
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK_EQ(pthread_create(&sender, NULL, send_until_stopped, NULL), 0);
    int before = open_descriptors();
    for (int i = 0; i < rounds; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, register_and_end, AS_POINTER(i)), 0);
        pthread_join(thread, NULL);
        CHECK(signal(SIGUSR1, SIG_IGN) == SIG_IGN); /* it is put back */
    }
    stop = 1;
    pthread_join(sender, NULL);
    CHECK_EQ(open_descriptors(), before);
}

static void register_late(void *unused) {
    (void)unused;
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
}

static void *end_with_a_late_registration(void *unused) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = register_late;
    CHECK(coro_new(do_nothing, NULL, &options) > 0);
    return unused;
}

/* The last code of the program that runs on the thread is what is called for coroutines that never ran. */
TEST(G5_a_registration_made_while_a_thread_ends_ends_with_it) {
    pthread_t thread;
    CHECK(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
    CHECK_EQ(pthread_create(&thread, NULL, end_with_a_late_registration, NULL), 0);
    pthread_join(thread, NULL);
    CHECK(signal(SIGUSR1, SIG_IGN) == SIG_IGN);
}

static int clogged[2];
static volatile int is_free;
static volatile pid_t raiser_id;

static void *raise_until_free(void *unused) {
    raiser_id = gettid();
    while (!is_free) {
        raise(SIGUSR1); /* when the loop sleeps, the handler rings, and that blocks */
        spin_for(CORO_US(200)); /* the loop must have time to fall asleep */
    }
    return unused;
}

/* Whether a thread, which never sleeps by itself, is blocked in a call. */
static bool is_blocked(pid_t id) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)id);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && fgets(line, sizeof line, file) != NULL);
    fclose(file);
    return strrchr(line, ')')[2] == 'S';
}

static void *free_in_a_moment(void *unused) {
    usleep(200000);
    is_free = 1;
    drain(clogged[0]);
    return unused;
}

/* A handler on another thread is just ringing: its loop, and the descriptor it writes to, must last until it has. */
TEST(G5_unregistering_waits_for_handlers_in_progress) {
    coro_set_serve_main_queue(false);
    pthread_t raiser, freer;
    CHECK_EQ(coro_signal(SIGUSR1, count, NULL, 0), 0);
    CHECK(coro_loop_current() > 0);
    blocking_pipe(clogged);
    fill(clogged[1]);
    replace_wakeup(clogged[1]);
    CHECK_EQ(pthread_create(&raiser, NULL, raise_until_free, NULL), 0);
    while (raiser_id == 0 || !is_blocked(raiser_id)) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(pthread_create(&freer, NULL, free_in_a_moment, NULL), 0);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
    CHECK(is_free);
    pthread_join(raiser, NULL);
    pthread_join(freer, NULL);
}
