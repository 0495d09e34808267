/* Threads: a loop for each, coro_post() between them, and threads that end (known bugs 67, 68, 90). */
#include "coroutines.h"
#include "net.h"

#include <pthread.h>

/* -- a thread with a loop that runs until it is told to stop -- */

typedef struct looper {
    pthread_t thread;
    pthread_barrier_t ready;
    coro_loop_t loop;
    int code;
} looper;

static void *run_loop(void *of_looper) {
    looper *me = of_looper;
    me->loop = coro_loop_current();
    CHECK(me->loop > 0);
    coro_set_print_exit_string(false);
    pthread_barrier_wait(&me->ready);
    me->code = coro_event_loop();
    return NULL;
}

static void start_looper(looper *one) {
    pthread_barrier_init(&one->ready, NULL, 2);
    CHECK_EQ(pthread_create(&one->thread, NULL, run_loop, one), 0);
    pthread_barrier_wait(&one->ready);
}

static void *stop_loop(void *code) {
    coro_set_exit(AS_INT(code));
    return NULL;
}

static void stop_looper(looper *one, int code) {
    CHECK_EQ(coro_post(one->loop, stop_loop, AS_POINTER(code)), 0);
    CHECK_EQ(pthread_join(one->thread, NULL), 0);
    CHECK_EQ(one->code, code);
}

/* -- posting -- */

static int order[1000], arrived;

static void *note_order(void *number) {
    CHECK(coro_current() > 0); /* it runs in a coroutine */
    order[arrived++] = AS_INT(number);
    return NULL;
}

TEST(post_runs_in_the_order_of_posting) {
    looper one;
    start_looper(&one);
    for (int i = 0; i < 1000; i++) CHECK_EQ(coro_post(one.loop, note_order, AS_POINTER(i)), 0);
    stop_looper(&one, 5);
    CHECK_EQ(arrived, 1000);
    for (int i = 0; i < 1000; i++) CHECK_EQ(order[i], i);
}

static void *suspend_and_note(void *number) {
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(coro_fail(-EIO, "") == NULL, 1); /* detached: nobody can join it, so its failure is told */
    return note_order(number);
}

static int told_code;

static int tell(coro_t co, int code, const char *message) {
    (void)co, (void)message;
    told_code = code;
    return 0;
}

TEST(post_to_the_own_loop_makes_a_detached_coroutine) {
    coro_set_exception_notifier(tell);
    coro_loop_t mine = coro_loop_current();
    CHECK(mine > 0);
    CHECK_EQ(coro_loop_current(), mine);
    CHECK_EQ(coro_post(mine, suspend_and_note, AS_POINTER(3)), 0);
    CHECK_EQ(arrived, 0);
    run_until_idle();
    CHECK_EQ(arrived, 1);
    CHECK_EQ(told_code, -EIO);
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_EQ(coro_post(mine, NULL, NULL), -EINVAL);
}

static pthread_barrier_t asleep;

static void *say_asleep(void *unused) {
    pthread_barrier_wait(&asleep);
    return unused;
}

/* The loop has nothing at all to wait for but the post: if the wakeup is lost it sleeps for 30 s. */
TEST(post_wakes_a_sleeping_loop) {
    looper one;
    start_looper(&one);
    pthread_barrier_init(&asleep, NULL, 2);
    int64_t began = coro_get_now();
    for (int i = 0; i < 200; i++) {
        CHECK_EQ(coro_post(one.loop, say_asleep, NULL), 0);
        pthread_barrier_wait(&asleep); /* it runs, and goes to sleep next, or has not yet when the next post comes */
        if (i % 20 == 0) usleep(1000);
    }
    stop_looper(&one, 0);
    CHECK(coro_get_now() - began < CORO_SECONDS(10));
}

enum { POSTERS = 4, POSTS = 10000 };
static int next_of[POSTERS];
static coro_loop_t target_loop;

static void *take_post(void *poster_and_number) {
    int poster = AS_INT(poster_and_number) / POSTS, number = AS_INT(poster_and_number) % POSTS;
    CHECK_EQ(number, next_of[poster]++); /* the posts of one thread stay in order, whatever the others do */
    if (number % 100 == 0) CHECK_EQ(coro_yield(), 0);
    return NULL;
}

static void *post_many(void *poster) {
    for (int i = 0; i < POSTS; i++)
        CHECK_EQ(coro_post(target_loop, take_post, AS_POINTER(AS_INT(poster) * POSTS + i)), 0);
    return NULL;
}

TEST(post_from_four_threads_loses_nothing) {
    looper one;
    pthread_t posters[POSTERS];
    start_looper(&one);
    target_loop = one.loop;
    for (int i = 0; i < POSTERS; i++) CHECK_EQ(pthread_create(&posters[i], NULL, post_many, AS_POINTER(i)), 0);
    for (int i = 0; i < POSTERS; i++) pthread_join(posters[i], NULL);
    stop_looper(&one, 0);
    for (int i = 0; i < POSTERS; i++) CHECK_EQ(next_of[i], POSTS);
}

static void *own_loop(void *of_id) {
    *(coro_loop_t *)of_id = coro_loop_current();
    return NULL;
}

TEST(post_to_what_is_no_loop_is_no_such_loop) {
    coro_loop_t mine = coro_loop_current(), ended = 0;
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, own_loop, &ended), 0);
    pthread_join(thread, NULL);
    CHECK(ended > 0 && ended != mine);
    coro_loop_t wrong[] = {0, -1, 1, -mine, mine + 1, INT64_MAX, INT64_MIN, ended, CORO_EDEAD};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_EQ(coro_post(wrong[i], note_order, NULL), -ESRCH);
    /* The next thread has a name of its own, and the old one stays dead. */
    coro_loop_t next = 0;
    CHECK_EQ(pthread_create(&thread, NULL, own_loop, &next), 0);
    pthread_join(thread, NULL);
    CHECK(next != ended);
    CHECK_EQ(coro_post(ended, note_order, NULL), -ESRCH);
    run_until_idle();
    CHECK_EQ(arrived, 0);
}

/* Without memory for the coroutine a post waits until there is some; none is lost, and the order stays. */
TEST(post_survives_a_lack_of_memory) {
    coro_loop_t mine = coro_loop_current();
    for (int i = 0; i < 10; i++) CHECK_EQ(coro_post(mine, note_order, AS_POINTER(i)), 0);
    CHECK_EQ(coro_test_fail_call("mmap", 1, ENOMEM), 0);
    run_until_idle();
    CHECK_EQ(arrived, 10);
    for (int i = 0; i < 10; i++) CHECK_EQ(order[i], i);
}

/* So it does in virtual time, which stands still meanwhile. */
static void post_without_memory(void) {
    coro_test_set_virtual_time(true);
    CHECK_EQ(coro_post(coro_loop_current(), note_order, NULL), 0);
    CHECK_EQ(coro_test_fail_call("mmap", 1, ENOMEM), 0);
}

TEST(post_survives_a_lack_of_memory_in_virtual_time) {
    post_without_memory();
    run_until_idle();
    CHECK_EQ(arrived, 1);
}

TEST(post_survives_a_lack_of_memory_in_virtual_time_with_a_sleeper) {
    post_without_memory();
    CHECK_EQ(coro_sleep(CORO_SECONDS(1)), 0);
    CHECK_EQ(arrived, 1);
}

/* -- one runtime for each thread -- */

static coro_t others[2];

static void *touch_everything(void *unused) {
    coro_info info = {.struct_size = sizeof info};
    char text[8];
    for (int i = 0; i < 2; i++) {
        coro_t co = others[i];
        CHECK_EQ(coro_start(co), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_start_now(co), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_join(co, NULL, 0), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_detach(co), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_shutdown(co), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_schedule(co, NULL), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_ident(co), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_set_name(co, "x"), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_get_name(co, text, sizeof text), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_get_info(co, &info), CORO_EWRONGTHREAD);
        CHECK_EQ(coro_repr(co, text, sizeof text), CORO_EWRONGTHREAD);
        CHECK(!coro_is_alive(co));
        CHECK_CONTAINS(coro_error_detail(), "coro_post");
    }
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK(!coro_is_running());
    return unused;
}

TEST(a_coroutine_is_out_of_reach_of_other_threads) {
    pthread_t thread;
    others[0] = coro_new(do_nothing, NULL, NULL);
    others[1] = spawn_one(sleep_for_ever, NULL);
    let_others_run();
    CHECK_EQ(pthread_create(&thread, NULL, touch_everything, NULL), 0);
    pthread_join(thread, NULL);
    CHECK(coro_is_alive(others[1]));
    CHECK_EQ(coro_start(others[0]), 0);
    join_soon(others[0]);
}

enum { THREADS = 8, PER_THREAD = 2000 };
static coro_t made[THREADS][PER_THREAD];
static pthread_barrier_t together;

static void *count_own_switches(void *counter) {
    for (int i = 0; i < 20; i++) CHECK_EQ(coro_yield(), 0);
    ++*(int *)counter;
    return NULL;
}

static void *make_coroutines(void *number) {
    int count = 0;
    pthread_barrier_wait(&together);
    for (int i = 0; i < PER_THREAD; i++) made[AS_INT(number)][i] = spawn_one(count_own_switches, &count);
    for (int i = 0; i < PER_THREAD; i++) join_soon(made[AS_INT(number)][i]);
    CHECK_EQ(count, PER_THREAD);
    return NULL;
}

static int compare_ids(const void *a, const void *b) {
    coro_t x = *(const coro_t *)a, y = *(const coro_t *)b;
    return (x > y) - (x < y);
}

/* All at once, and a second set of threads that takes the places of the first: no id twice. */
TEST(ids_of_all_threads_are_different) {
    static coro_t all[2 * THREADS * PER_THREAD];
    pthread_t threads[THREADS];
    for (int round = 0; round < 2; round++) {
        pthread_barrier_init(&together, NULL, THREADS);
        for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, make_coroutines, AS_POINTER(i)), 0);
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
        memcpy(all + round * THREADS * PER_THREAD, made, sizeof made);
    }
    qsort(all, 2 * THREADS * PER_THREAD, sizeof *all, compare_ids);
    CHECK(all[0] > 0);
    for (int i = 1; i < 2 * THREADS * PER_THREAD; i++) CHECK(all[i - 1] < all[i]);
}

/* -- threads that end -- */

static int released;

static void note_release(void *unused) {
    (void)unused;
    released++;
}

static int pipe_ends[2];

static void *end_with_everything(void *unused) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = note_release;
    CHECK(coro_new(do_nothing, NULL, &options) > 0);        /* unstarted: is cancelled, so its argument is released */
    CHECK(coro_spawn_with(do_nothing, NULL, &options) > 0); /* queued */
    for (int i = 0; i < 20; i++) spawn_one(do_nothing, NULL); /* ended, not joined */
    spawn_one(sleep_for_ever, NULL);                          /* suspended */
    spawn_one(read_one, AS_POINTER(pipe_ends[0]));
    let_others_run();
    CHECK(coro_spawn_with(do_nothing, NULL, &options) > 0);
    options.name = "queued, and of interest to nobody";
    options.flags = CORO_DETACHED;
    CHECK(coro_spawn_with(do_nothing, NULL, &options) > 0);
    CHECK(coro_loop_current() > 0);
    CHECK_EQ(coro_post(coro_loop_current(), do_nothing, NULL), 0);
    return unused;
}

TEST(a_thread_may_end_whatever_its_coroutines_do) {
    pthread_t thread;
    CHECK_EQ(pipe(pipe_ends), 0);
    CHECK(coro_loop_current() > 0);
    int before = open_descriptors();
    for (int i = 0; i < 50; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, end_with_everything, NULL), 0);
        pthread_join(thread, NULL);
    }
    CHECK_EQ(released, 200);
    CHECK_EQ(open_descriptors(), before);
}

static void *exit_the_thread(void *unused) {
    pthread_exit(unused);
}

static void *end_inside_a_coroutine(void *unused) {
    spawn_one(exit_the_thread, NULL);
    coro_event_loop();
    return unused;
}

TEST(a_thread_may_end_inside_a_coroutine) {
    if (is_watched()) test_skip("a tool watches memory");
    pthread_t thread;
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(pthread_create(&thread, NULL, end_inside_a_coroutine, NULL), 0);
        pthread_join(thread, NULL);
    }
    join_soon(spawn_one(do_nothing, NULL));
}

static void *leave_the_process(void *unused) {
    (void)unused;
    exit(7);
}

static void exit_in_a_coroutine(void) {
    spawn_one(sleep_for_ever, NULL);
    spawn_one(leave_the_process, NULL);
    coro_event_loop();
}

static void exit_in_another_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, leave_the_process, NULL);
    spawn_one(sleep_for_ever, NULL);
    coro_event_loop();
}

/* Known bug 91. */
TEST(the_process_may_exit_from_anywhere) {
    char output[512];
    CHECK_EQ(run_in_child(exit_in_a_coroutine, output, sizeof output), 7 << 8);
    CHECK_STR(output, "");
    CHECK_EQ(run_in_child(exit_in_another_thread, output, sizeof output), 7 << 8);
    CHECK_STR(output, "");
}
