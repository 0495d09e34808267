/* Row B19: how many I/O calls in a row may be done at once before others have their turn, and that a turn is all it costs. */
#include "coroutines.h"
#include "net.h"

#include <fcntl.h>
#include <pthread.h>

/* How often somebody else has had his turn: once whenever the caller lets others run. */
static long turns;
static bool stop;

static void *count_turns(void *unused) {
    while (!stop) {
        turns++;
        CHECK_EQ(coro_yield(), 0);
    }
    return unused;
}

static void start_counting(void) {
    stop = false;
    go(count_turns, NULL);
    coro_yield();
    turns = 0;
}

static void stop_counting(void) {
    stop = true;
    coro_yield();
}

static int pair[2];

/* `count` sends of a byte; before the k-th, a turn for every `n` that went before. */
static void send_and_count(int count, int n) {
    for (int k = 1; k <= count; k++) {
        CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
        CHECK_EQ(turns, (k - 1) / n);
    }
}

static void *send_as_a_new_one(void *of_n) {
    start_counting();
    send_and_count(3 * *(int *)of_n + 1, *(int *)of_n);
    stop_counting();
    return NULL;
}

static void check_new_one(int n) {
    CHECK_EQ(coro_join(coro_spawn(send_as_a_new_one, &n), NULL, CORO_FOREVER), 0);
    drain(pair[1]);
}

TEST(B19_the_fifth_call_in_a_row_lets_others_run) {
    unix_pair(pair);
    check_new_one(4);
    for (int n = 1; n < 20; n += 3) {
        CHECK(coro_set_selfishness(n) > 0);
        check_new_one(n);
    }
}

TEST(B19_the_number_has_a_range_and_the_one_before_is_returned) {
    const int wrong[] = {0, -1, 32769, 65536 + 5, INT32_MAX, INT32_MIN};
    coro_t co = coro_new(do_nothing, NULL, NULL), other = coro_new(do_nothing, NULL, NULL);
    CHECK_EQ(coro_set_selfishness(32768), 4);
    CHECK_EQ(coro_set_selfishness(1), 32768);
    CHECK_EQ(coro_set_max_selfish_acts(co, 32768), 1);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(coro_set_selfishness(wrong[i]), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "1 to 32768");
        CHECK_EQ(coro_set_max_selfish_acts(co, wrong[i]), -EINVAL);
    }
    CHECK_EQ(coro_set_selfishness(7), 1);
    CHECK_EQ(coro_set_max_selfish_acts(co, 2), 32768);
    CHECK_EQ(coro_set_max_selfish_acts(co, 3), 2);
    CHECK_EQ(coro_set_max_selfish_acts(other, 7), 7);
    CHECK_EQ(coro_set_max_selfish_acts(0, 5), -EINVAL);
    CHECK_EQ(coro_set_max_selfish_acts(other + 1, 5), -ESRCH);
    CHECK_EQ(coro_set_max_selfish_acts(-1, 5), -ESRCH);
    coro_shutdown(other);
    CHECK_EQ(coro_join(other, NULL, 0), CORO_ESHUTDOWN);
    CHECK_EQ(coro_set_max_selfish_acts(other, 5), CORO_EDEAD);
    other = coro_new(do_nothing, NULL, NULL);
    CHECK_EQ(coro_set_max_selfish_acts(other, 5), 7); /* it had not been set */
}

static void *try_another_threads(void *of_co) {
    CHECK_EQ(coro_set_max_selfish_acts(*(coro_t *)of_co, 5), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_set_selfishness(9), 4); /* each thread has its own */
    return NULL;
}

TEST(B19_the_number_is_the_threads) {
    pthread_t thread;
    coro_t co = coro_new(do_nothing, NULL, NULL);
    CHECK_EQ(coro_set_selfishness(5), 4);
    CHECK_EQ(pthread_create(&thread, NULL, try_another_threads, &co), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(coro_set_selfishness(5), 5);
    CHECK_EQ(coro_set_max_selfish_acts(co, 6), 5);
}

CORO_TEST(B19_a_coroutines_own_number_goes_before_the_threads) {
    unix_pair(pair);
    start_counting();
    CHECK_EQ(coro_set_max_selfish_acts(coro_current(), 7), 4);
    CHECK_EQ(coro_set_selfishness(2), 4);
    send_and_count(30, 7);
    CHECK_EQ(coro_set_max_selfish_acts(coro_current(), 3), 7);
    turns = 0;
    send_and_count(10, 3); /* its count began anew */
    CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
    CHECK_EQ(coro_set_max_selfish_acts(coro_current(), 32768), 3);
    turns = 0;
    drain(pair[1]);
    for (int i = 0; i < 32768; i++) {
        char byte;
        if (i % 200 == 0) fill(pair[1]);
        CHECK_EQ(coro_recv(pair[0], &byte, 1, 0), 1);
    }
    CHECK_EQ(turns, 0);
    stop_counting();
}

static void *answer(void *unused) {
    CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK_EQ(write(pair[1], "y", 1), 1);
    return unused;
}

CORO_TEST(B19_a_call_that_had_to_wait_begins_a_new_row) {
    char byte;
    unix_pair(pair);
    for (int already = 0; already < 4; already++) {
        go(answer, NULL);
        for (int i = 0; i < already; i++) CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
        CHECK_EQ(coro_read(pair[0], &byte, 1), 1);
        start_counting();
        for (int i = 0; i < 4; i++) CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
        CHECK_EQ(turns, 0);
        CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
        CHECK_EQ(turns, 1);
        stop_counting();
        go(answer, NULL);
        CHECK_EQ(coro_read(pair[0], &byte, 1), 1);
    }
}

TEST(B19_on_the_threads_own_stack_nothing_counts) {
    unix_pair(pair);
    CHECK_EQ(coro_set_selfishness(1), 4);
    coro_t co = coro_spawn(count_turns, NULL);
    for (int i = 0; i < 100; i++) CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
    CHECK_EQ(turns, 0);
    coro_set_strict_main(true);
    for (int i = 0; i < 100; i++) CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
    CHECK_EQ(turns, 0);
    coro_shutdown(co);
}

/* -- every call counts -- */

static address listening;
static int listener, zero;

static int do_read(void) { char byte; return (int)coro_read(zero, &byte, 1); }
static int do_recv_exact(void) { char byte; return (int)coro_recv_exact(zero, &byte, 1); }
static int do_recv(void) { char byte; return (int)coro_recv(pair[1], &byte, 1, 0); }
static int do_recvfrom(void) { char byte; return (int)coro_recvfrom(pair[1], &byte, 1, 0, NULL, NULL); }
static int do_write(void) { return (int)coro_write(pair[0], "x", 1); }
static int do_send(void) { return (int)coro_send(pair[0], "x", 1, 0); }
static int do_sendto(void) { return (int)coro_sendto(pair[0], "x", 1, 0, NULL, 0); }
static int do_wait_to_read(void) { return 1 + coro_wait_for(pair[1], CORO_READ); }
static int do_wait_to_write(void) { return 1 + coro_wait_for(pair[0], CORO_WRITE); }

static int connect_one(void) {
    int fd = coro_socket(AF_UNIX, SOCK_STREAM, 0);
    int result = coro_connect(fd, (struct sockaddr *)&listening.storage, listening.length);
    return result < 0 ? result : fd;
}

static int do_connect(void) { return connect_one() >= 0; }
static int do_accept(void) { return coro_accept(listener, NULL, NULL) >= 0; }
static int do_accept_many(void) { int fd; return coro_accept_many(listener, &fd, 1); }

static int (*const calls[])(void) = {do_read,   do_recv_exact,   do_recv,          do_recvfrom, do_write,  do_send,
                                     do_sendto, do_wait_to_read, do_wait_to_write, do_connect,  do_accept, do_accept_many};
enum { CALLS = sizeof calls / sizeof *calls };

CORO_TEST(B19_every_call_that_could_wait_counts) {
    unix_pair(pair);
    zero = open("/dev/zero", O_RDONLY);
    listener = make_listener(AF_UNIX, SOCK_STREAM, 50, &listening);
    for (int i = 0; i < 12; i++) CHECK(connect_one() >= 0);
    for (int i = 0; i < 20; i++) CHECK_EQ(write(pair[0], "x", 1), 1);
    start_counting();
    CHECK_EQ(coro_set_selfishness(1), 4);
    for (int i = 0; i < CALLS; i++) {
        CHECK_EQ(coro_set_max_selfish_acts(coro_current(), 1), 1);
        turns = 0;
        for (int k = 0; k < 4; k++) {
            CHECK_EQ(calls[i](), 1);
            if (turns != k) test_fail(__FILE__, __LINE__, "call %d: %ld turns after %d", i, turns, k + 1);
        }
    }
    stop_counting();
}

/* -- a turn is no wait -- */

static void *send_bytes(void *of_count) {
    for (long left = *(long *)of_count; left > 0; left--) CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
    return NULL;
}

/* Defect 5 of the original: after some 75 sends of a byte whose peer does not read, the socket is no longer called writable,
   although it has room; who waited for that waited for ever. Nothing here may wait for a descriptor. */
TEST(B19_a_turn_does_not_wait_for_the_descriptor) {
    const int numbers[] = {1, 4, 50};
    for (int i = 0; i < 3; i++) {
        long room = 0;
        unix_pair(pair);
        while (send(pair[0], "x", 1, MSG_DONTWAIT) == 1) room++;
        CHECK(room > 75);
        CHECK_EQ(drain(pair[1]), room);
        CHECK(coro_set_selfishness(numbers[i]) > 0);
        CHECK_EQ(coro_test_fail_call("epoll_ctl", 1, EIO), 0);
        CHECK_EQ(coro_join(coro_spawn(send_bytes, &room), NULL, CORO_SECONDS(30)), 0); /* alone with the loop */
        CHECK_EQ(drain(pair[1]), room);
        coro_close(pair[0]);
        coro_close(pair[1]);
    }
}

/* -- whose data never run out -- */

static bool ended;

static void *read_for_ever(void *unused) {
    char block[64];
    while (!ended) CHECK_EQ(coro_read(zero, block, sizeof block), sizeof block);
    return unused;
}

static void *read_behind_our_back(void *unused) {
    char byte;
    while (!ended) {
        CHECK_EQ(coro_wait_for(pair[1], CORO_READ), 0);
        CHECK_EQ(read(pair[1], &byte, 1), 1);
        CHECK_EQ(write(pair[0], "x", 1), 1);
    }
    return unused;
}

static void *connect_for_ever(void *unused) {
    while (!ended) {
        int fd = connect_one();
        CHECK(fd >= 0);
        CHECK_EQ(coro_close(fd), 0);
        int taken = accept(listener, NULL, NULL);
        CHECK(taken >= 0);
        CHECK_EQ(close(taken), 0);
    }
    return unused;
}

static void *wait_for_byte_and_time(void *fd) {
    char byte;
    CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    CHECK_EQ(coro_read(AS_INT(fd), &byte, 1), 1);
    ended = true;
    return fd;
}

static void *send_byte_later(void *fd) {
    CHECK_EQ(coro_sleep(CORO_MS(10)), 0);
    CHECK_EQ(write(AS_INT(fd), "z", 1), 1);
    return fd;
}

/* Each starves neither a timer nor another reader: if it did, it would go on for ever. */
TEST(B19_who_has_always_something_to_do_does_not_starve_the_others) {
    coro_fn const busy[] = {read_for_ever, read_behind_our_back, connect_for_ever};
    int ends[2];
    unix_pair(pair);
    unix_pair(ends);
    CHECK_EQ(write(pair[0], "x", 1), 1);
    zero = open("/dev/zero", O_RDONLY);
    listener = make_listener(AF_UNIX, SOCK_STREAM, 50, &listening);
    for (int i = 0; i < 3; i++) {
        ended = false;
        coro_t reader = spawn_one(wait_for_byte_and_time, AS_POINTER(ends[0]));
        go(send_byte_later, AS_POINTER(ends[1]));
        go(busy[i], NULL);
        join_soon(reader);
        run_until_idle();
    }
}
