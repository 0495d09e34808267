/* Row H18: readers over descriptors and producers: interrupted, freed, closed and misused. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"
#include "source.h"

#include <fcntl.h>
#include <pthread.h>

static void *send_numbers(void *fd) {
    char line[32];
    for (int i = 0; i < 5000; i++) {
        int length = sprintf(line, "%d\n", i * 7);
        CHECK_EQ(coro_write(AS_INT(fd), line, (size_t)length), length);
    }
    CHECK_EQ(coro_close(AS_INT(fd)), 0);
    return NULL;
}

static void read_numbers(int fd, size_t buffer_size) {
    const char *line;
    coro_reader *reader = coro_reader_new(fd, buffer_size);
    CHECK(reader != NULL);
    for (int i = 0; i < 5000; i++) {
        CHECK(coro_reader_read_line(reader, 0, &line) > 0);
        CHECK_EQ(atoi(line), i * 7);
    }
    CHECK_EQ(coro_reader_read_line(reader, 0, &line), 0);
    CHECK_EQ(coro_reader_free(reader), 0);
    CHECK(fcntl(fd, F_GETFD) >= 0); /* it is not the reader's */
    CHECK_EQ(coro_close(fd), 0);
}

TEST(H18_lines_of_sockets_and_pipes) {
    int before = open_descriptors(), fds[2];
    for (int round = 0; round < 3; round++) {
        if (round == 0) tcp_pair(fds);
        else if (round == 1) unix_pair(fds);
        else CHECK_EQ(coro_pipe(fds, O_CLOEXEC), 0);
        coro_t sender = spawn_one(send_numbers, AS_POINTER(fds[1]));
        read_numbers(fds[0], round == 1 ? 3 : 0);
        join_soon(sender);
    }
    int now = open_descriptors();
    CHECK(now <= before + 3); /* the poller's own */
}

TEST(H18_lines_of_a_file) {
    char path[] = "/tmp/coro_reader_XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    CHECK_EQ(unlink(path), 0);
    int copy = dup(fd);
    send_numbers(AS_POINTER(copy));
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    read_numbers(fd, 100);
}

static coro_reader *shared;

static void *read_shared_line(void *unused) {
    (void)unused;
    const char *line;
    ssize_t got = coro_reader_read_line(shared, 0, &line);
    if (got > 0) trace("%s", line);
    return AS_POINTER(got);
}

/* Between refills: what has come before stays in the reader, and the next one reads it. */
TEST(H18_an_interrupted_call_loses_nothing) {
    int fds[2];
    unix_pair(fds);
    shared = coro_reader_new(fds[0], 4);
    for (int round = 0; round < 10; round++) {
        coro_t reader = spawn_one(read_shared_line, NULL);
        CHECK_EQ(coro_write(fds[1], "part.", 5), 5);
        let_others_run();
        CHECK_EQ(coro_reader_buffered(shared), 5 * (round + 1));
        CHECK_EQ(coro_raise(reader, -ENOLINK, 0), 0);
        CHECK_EQ(join_soon(reader), -ENOLINK);
    }
    CHECK_EQ(coro_write(fds[1], "end\n", 4), 4);
    CHECK_EQ(join_soon(spawn_one(read_shared_line, NULL)), 54);
    CHECK_STR(traced(), "part.part.part.part.part.part.part.part.part.part.end\n ");
    CHECK_EQ(coro_reader_free(shared), 0);
}

CORO_TEST(H18_the_time_of_a_scope_ends_a_read_and_loses_nothing) {
    int fds[2];
    const char *line;
    coro_test_set_virtual_time(true);
    unix_pair(fds);
    coro_reader *reader = coro_reader_new(fds[0], 0);
    CHECK_EQ(coro_write(fds[1], "ab", 2), 2);
    coro_timeout_t scope = coro_timeout_begin(CORO_SECONDS(5));
    int code = (int)coro_reader_read_line(reader, 0, &line);
    CHECK_EQ(code, CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(scope, code), CORO_ETIMEOUT);
    CHECK_EQ(coro_write(fds[1], "c\n", 2), 2);
    check_line(reader, "abc\n");
    CHECK_EQ(coro_reader_free(reader), 0);
}

TEST(H18_a_producers_error_is_returned_and_loses_nothing) {
    char buffer[8] = "";
    source from = text_source("abcdefgh", 2);
    coro_reader *reader = reader_of(&from, 16);
    CHECK_EQ(coro_reader_peek(reader, 4, NULL), 4);
    from.error = -EIO;
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 6), -EIO);
    CHECK_EQ(coro_error_progress(), 4);
    CHECK_EQ(coro_reader_read_exact(reader, buffer + 4, 2), 2);
    from.error = CORO_ETIMEOUT;
    CHECK_EQ(coro_reader_read_line(reader, 0, NULL), CORO_ETIMEOUT);
    from.error = 1000; /* it can't have delivered that */
    CHECK_EQ(coro_reader_read_line(reader, 0, NULL), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "returned 1000");
    CHECK_EQ(coro_reader_read_line(reader, 0, NULL), 2);
    CHECK(memcmp(buffer, "abcdef", 6) == 0);
    coro_reader_free(reader);
}

TEST(H18_without_memory_nothing_is_lost) {
    source from = text_source("a line that is longer than the buffer\nnext\n", 100);
    coro_reader *reader = reader_of(&from, 8);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK_EQ(coro_reader_read_line(reader, 0, NULL), -ENOMEM);
    check_line(reader, "a line that is longer than the buffer\n");
    check_line(reader, "next\n");
    coro_reader_free(reader);
    for (int n = 1; n < 3; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        CHECK(coro_reader_new_with(produce, &from, 0) == NULL);
    }
}

/* -- one at a time -- */

TEST(H18_a_second_user_is_refused) {
    int fds[2];
    unix_pair(fds);
    shared = coro_reader_new(fds[0], 0);
    coro_t first = spawn_one(read_shared_line, NULL);
    let_others_run();
    CHECK_EQ(coro_reader_read_line(shared, 0, NULL), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_error_other(), first);
    CHECK_EQ(coro_reader_consume(shared, 0), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_write(fds[1], "x\n", 2), 2);
    CHECK_EQ(join_soon(first), 2);
    CHECK_EQ(coro_reader_free(shared), 0);
}

static ssize_t read_own_reader(void *unused, void *buffer, size_t n) {
    (void)unused;
    return coro_reader_read(shared, buffer, n);
}

TEST(H18_a_producer_that_uses_its_reader_is_refused) {
    shared = coro_reader_new_with(read_own_reader, NULL, 0);
    CHECK_EQ(coro_reader_read_line(shared, 0, NULL), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_reader_free(shared), 0);
}

TEST(H18_freed_while_somebody_reads) {
    int fds[2];
    unix_pair(fds);
    shared = coro_reader_new(fds[0], 0);
    coro_t reader = spawn_one(read_shared_line, NULL);
    let_others_run();
    CHECK_EQ(coro_reader_free(shared), 0);
    CHECK_EQ(join_soon(reader), CORO_ECLOSED);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(read_one(AS_POINTER(fds[0])) == AS_POINTER(1), 1); /* the descriptor is as it was */

    source from = text_source("text\n", 1); /* in a producer, which is left alone */
    from.suspends = true;
    shared = reader_of(&from, 0);
    reader = start_now(read_shared_line, NULL);
    CHECK_EQ(coro_reader_free(shared), 0);
    CHECK_EQ(join_soon(reader), CORO_ECLOSED);
    CHECK_EQ(from.given, 1);
}

TEST(H18_a_closed_descriptor_and_its_number) {
    int fds[2], others[2];
    const char *line;
    unix_pair(fds);
    shared = coro_reader_new(fds[0], 0);
    CHECK_EQ(coro_write(fds[1], "one\ntwo", 7), 7);
    check_line(shared, "one\n");
    coro_t reader = spawn_one(read_shared_line, NULL);
    let_others_run();
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(join_soon(reader), CORO_ECLOSED);
    unix_pair(others);
    CHECK(others[0] == fds[0] || others[1] == fds[0]); /* the number means another socket */
    CHECK_EQ(coro_reader_read_line(shared, 0, &line), CORO_ECLOSED);
    CHECK_EQ(coro_reader_buffered(shared), 3); /* and still has what has come */
    CHECK_EQ(coro_reader_free(shared), 0);
    CHECK_EQ(coro_close(others[1]), 0);
    CHECK(coro_reader_new(others[1], 0) == NULL);
}

/* -- misuse -- */

static void *use_anothers_reader(void *unused) {
    char byte;
    CHECK_EQ(coro_reader_read(shared, &byte, 1), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_reader_free(shared), CORO_EWRONGTHREAD);
    return unused;
}

TEST(H18_bad_arguments_of_readers_are_refused) {
    pthread_t thread;
    char byte;
    const char *data = &byte;
    source from = text_source("x", 1);
    CHECK(coro_reader_new(-1, 0) == NULL);
    CHECK(coro_reader_new(999, 0) == NULL);
    CHECK_CONTAINS(coro_error_detail(), "999");
    CHECK(coro_reader_new_with(NULL, NULL, 0) == NULL);
    CHECK(coro_reader_new_with(produce, &from, SIZE_MAX) == NULL);
    shared = reader_of(&from, 0);
    CHECK_EQ(coro_reader_read(NULL, &byte, 1), -EINVAL);
    CHECK_EQ(coro_reader_read(shared, NULL, 1), -EINVAL);
    CHECK_EQ(coro_reader_read(shared, &byte, SIZE_MAX), -EINVAL);
    CHECK_EQ(coro_reader_read_exact(shared, NULL, 1), -EINVAL);
    CHECK_EQ(coro_reader_read_until(shared, NULL, 1, 0, NULL), -EINVAL);
    CHECK_EQ(coro_reader_read_until(shared, "x", 0, 0, &data), -EINVAL);
    CHECK(data == NULL);
    CHECK_EQ(coro_reader_read_until(shared, "xyz", 3, 2, NULL), -EINVAL);
    CHECK_EQ(coro_reader_peek(shared, SIZE_MAX, NULL), -EINVAL);
    CHECK_EQ(coro_reader_consume(shared, 1), -EINVAL);
    CHECK_EQ(coro_reader_buffered(NULL), 0);
    CHECK_EQ(coro_reader_free(NULL), 0);
    CHECK_EQ(pthread_create(&thread, NULL, use_anothers_reader, NULL), 0);
    pthread_join(thread, NULL);
    check_line(shared, "x");
    CHECK_EQ(coro_reader_free(shared), 0);
}
