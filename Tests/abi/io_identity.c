/* What is known of a descriptor must not outlive, or go beyond, what is true of it. */
#define _GNU_SOURCE
#include "coroutines.h"

#include <fcntl.h>
#include <pthread.h>

static void *close_both(void *argument) {
    int *fds = argument;
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_close(fds[1]), 0);
    return NULL;
}

/* This thread's loop knows the numbers as sockets; it learns that they are none any more. */
TEST(H4_numbers_closed_by_another_thread_and_reused_are_found_out_again) {
    int sockets[2], ends[2];
    char byte = 'x';
    pthread_t thread;
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    CHECK_EQ(coro_write(sockets[1], &byte, 1), 1);
    CHECK_EQ(coro_read(sockets[0], &byte, 1), 1);
    CHECK_EQ(pthread_create(&thread, NULL, close_both, sockets), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(ends[0], sockets[0]);
    CHECK_EQ(ends[1], sockets[1]);
    CHECK_EQ(coro_write(ends[1], &byte, 1), 1);
    CHECK_EQ(coro_read(ends[0], &byte, 1), 1);
}

static void *read_three(void *end) {
    char buffer[16];
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_read(AS_INT(end), buffer, sizeof buffer), 3);
    return end;
}

/* A short read of a pipe with packets leaves the next one in it, of which no event will tell. (A wait for one would be mended
   after a while: hence the limit on how often the loop may look.) */
TEST(H6_packets_in_a_pipe_are_read_one_after_the_other) {
    int ends[2];
    CHECK_EQ(pipe2(ends, O_NONBLOCK), 0);
    CHECK_EQ(fcntl(ends[1], F_SETFL, O_DIRECT | O_NONBLOCK), 0);
    coro_t reader = start_now(read_three, AS_POINTER(ends[0]));
    for (int i = 0; i < 3; i++) CHECK_EQ(write(ends[1], "abc", 3), 3);
    CHECK_EQ(coro_test_fail_call("epoll_pwait2", 3, EIO), 0);
    CHECK_EQ(coro_join(reader, NULL, CORO_FOREVER), 0);
}
