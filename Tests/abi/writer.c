/* Row H18: buffered writing. */
#define _GNU_SOURCE
#include "net.h"
#include "coroutines.h"

#include <fcntl.h>

/* A consumer that takes at most `most` bytes at once. */
typedef struct sink {
    char bytes[4096];
    size_t size, most;
    int error, calls;
} sink;

static ssize_t consume(void *of_sink, const void *buffer, size_t n) {
    sink *to = of_sink;
    to->calls++;
    if (to->error) {
        int error = to->error;
        to->error = 0;
        return error;
    }
    if (n > to->most) n = to->most;
    CHECK(to->size + n < sizeof to->bytes);
    memcpy(to->bytes + to->size, buffer, n);
    to->size += n;
    return (ssize_t)n;
}

static coro_writer *writer_to(sink *to, size_t buffer_size) {
    coro_writer *writer = coro_writer_new_with(consume, to, buffer_size);
    CHECK(writer != NULL);
    return writer;
}

TEST(H18_small_writes_become_large_ones) {
    sink to = {.most = 4096};
    coro_writer *writer = writer_to(&to, 100);
    for (int i = 0; i < 99; i++) CHECK_EQ(coro_writer_write(writer, "x", 1), 1);
    CHECK_EQ(coro_writer_print(writer, "%c", 'y'), 1);
    CHECK_EQ(to.calls, 0);
    CHECK_EQ(coro_writer_buffered(writer), 100);
    CHECK_EQ(coro_writer_write(writer, "z", 1), 1);
    CHECK_EQ(to.calls, 1);
    CHECK_EQ(to.size, 100);
    CHECK_EQ(coro_writer_flush(writer), 0);
    CHECK_EQ(coro_writer_flush(writer), 0);
    CHECK_EQ(to.calls, 2);
    CHECK_EQ(coro_writer_close(writer), 0);
    CHECK_EQ(to.calls, 2);
    CHECK_STR(to.bytes + 98, "xyz");
}

TEST(H18_all_is_written_in_order_whatever_the_sizes) {
    static char all[3000];
    for (size_t most = 1; most < 300; most += 7) {
        for (size_t size = 1; size < 64; size += 3) {
            sink to = {.most = most};
            coro_writer *writer = writer_to(&to, size);
            size_t done = 0;
            pattern_fill(all, sizeof all, 0);
            for (size_t n = 0; done + n < sizeof all; n = (n * 5 + 3) % 131) {
                CHECK_EQ(coro_writer_write(writer, all + done, n), n);
                done += n;
                CHECK_EQ(to.size + coro_writer_buffered(writer), done);
            }
            CHECK_EQ(coro_writer_close(writer), 0);
            CHECK_EQ(to.size, done);
            pattern_check(to.bytes, done, 0);
        }
    }
}

TEST(H18_texts_of_any_length_are_printed) {
    sink to = {.most = 4096};
    coro_writer *writer = writer_to(&to, 64);
    errno = ENOENT;
    CHECK_EQ(coro_writer_print(writer, "%d %s %m\n", 42, "things"), strlen("42 things No such file or directory\n"));
    CHECK_EQ(coro_writer_print(writer, "%s", ""), 0);
    CHECK_EQ(coro_writer_print(writer, "%0*d", 3000, 7), 3000);
    CHECK_EQ(coro_writer_print(writer, NULL), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "format");
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK_EQ(coro_writer_print(writer, "%0*d", 1000, 7), -ENOMEM);
    CHECK_EQ(coro_writer_print(NULL, "x"), -EINVAL);
    CHECK_EQ(coro_writer_close(writer), 0);
    CHECK_EQ(to.size, 36 + 3000);
    CHECK(memcmp(to.bytes, "42 things No such file or directory\n000", 39) == 0);
    CHECK(to.bytes[to.size - 1] == '7');
}

TEST(H18_an_error_of_a_consumer_loses_nothing) {
    sink to = {.most = 3};
    coro_writer *writer = writer_to(&to, 8);
    CHECK_EQ(coro_writer_write(writer, "0123", 4), 4);
    CHECK_EQ(coro_writer_write(writer, "4567", 4), 4);
    to.error = -EIO; /* nothing was sent */
    CHECK_EQ(coro_writer_write(writer, "89", 2), -EIO);
    CHECK_EQ(coro_error_progress(), 0);
    CHECK_EQ(coro_writer_buffered(writer), 8);
    CHECK_EQ(coro_writer_write(writer, "89", 2), 2);
    to.error = -ENOLINK;
    CHECK_EQ(coro_writer_close(writer), -ENOLINK);
    CHECK_EQ(coro_writer_buffered(writer), 2); /* still there */
    to.most = 0;
    CHECK_EQ(coro_writer_flush(writer), -EINVAL); /* a consumer that takes nothing is not asked for ever */
    to.most = 100;
    CHECK_EQ(coro_writer_close(writer), 0);
    CHECK_STR(to.bytes, "0123456789");
}

TEST(H18_freed_without_a_flush_says_what_is_lost) {
    sink to = {.most = 100};
    coro_writer *writer = writer_to(&to, 8);
    CHECK_EQ(coro_writer_write(writer, "lost", 4), 4);
    CHECK_EQ(coro_writer_free(writer), -ECANCELED);
    CHECK_EQ(coro_error_progress(), 4);
    CHECK_EQ(to.size, 0);
    CHECK_EQ(coro_writer_free(writer_to(&to, 8)), 0);
    CHECK_EQ(coro_writer_free(NULL), 0);
    CHECK_EQ(coro_writer_close(NULL), 0);
}

/* -- over descriptors -- */

static coro_writer *shared;
static size_t accepted;

/* Writes the pattern until something ends it. */
static void *write_for_ever(void *chunk) {
    static char buffer[70000];
    size_t n = (size_t)AS_INT(chunk);
    for (;;) {
        pattern_fill(buffer, n, accepted);
        ssize_t result = coro_writer_write(shared, buffer, n);
        accepted += result < 0 ? (size_t)coro_error_progress() : n;
        if (result < 0) return AS_POINTER(result);
    }
}

static size_t received;

static void receive_some(int fd) {
    char buffer[65536];
    ssize_t n;
    while ((n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
        pattern_check(buffer, (size_t)n, received);
        received += (size_t)n;
    }
}

/* Interrupted wherever it is, it knows what it has taken, and all of that arrives, once. */
TEST(H18_an_interrupted_write_loses_and_doubles_nothing) {
    static const int chunks[] = {1, 1000, 16384, 65536};
    int fds[2];
    unix_pair(fds);
    shared = coro_writer_new(fds[0], 1000);
    for (int round = 0; round < 40; round++) {
        coro_t writer = spawn_one(write_for_ever, AS_POINTER(chunks[round % 4]));
        let_others_run();
        if (round % 3 == 0) receive_some(fds[1]);
        let_others_run();
        while (chunks[round % 4] == 1 && coro_yield_slice() == 0) { /* until it has to wait */
            coro_info info = info_of(writer);
            if (info.wait_kind == CORO_WAIT_WRITE) break;
        }
        CHECK_EQ(coro_raise(writer, -ENOLINK, 0), 0);
        CHECK_EQ(join_soon(writer), -ENOLINK);
    }
    receive_some(fds[1]);
    CHECK_EQ(coro_writer_close(shared), 0);
    receive_some(fds[1]);
    CHECK_EQ(received, accepted);
    CHECK(received > 100000);
}

TEST(H18_a_writers_errors) {
    int fds[2];
    char zeroes[5000] = "";
    unix_pair(fds);
    shared = coro_writer_new(fds[0], 1000);
    fill(fds[0]);
    accepted = 0;
    coro_t writer = spawn_one(write_for_ever, AS_POINTER(5000));
    let_others_run();
    CHECK_EQ(coro_writer_flush(shared), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_error_other(), writer);
    CHECK_EQ(coro_writer_free(shared), 0);
    CHECK_EQ(join_soon(writer), CORO_ECLOSED);

    shared = coro_writer_new(fds[0], 1000);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_writer_write(shared, zeroes, 10), 10); /* into the buffer */
    CHECK_EQ(coro_writer_flush(shared), -EPIPE);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_writer_flush(shared), CORO_ECLOSED);
    unix_pair(fds);
    CHECK_EQ(coro_writer_flush(shared), CORO_ECLOSED); /* the number may mean another socket now */
    CHECK_EQ(coro_writer_free(shared), -ECANCELED);
    CHECK(coro_writer_new(999, 0) == NULL);
    CHECK(coro_writer_new_with(NULL, NULL, 0) == NULL);
    shared = coro_writer_new(fds[0], 0);
    CHECK_EQ(coro_writer_write(shared, NULL, 1), -EINVAL);
    CHECK_EQ(coro_writer_write(shared, NULL, 0), 0);
    CHECK_EQ(coro_writer_write(shared, zeroes, SIZE_MAX), -EINVAL);
    CHECK_EQ(coro_writer_write(NULL, zeroes, 1), -EINVAL);
    CHECK_EQ(coro_writer_flush(NULL), -EINVAL);
    CHECK_EQ(coro_writer_buffered(NULL), 0);
    CHECK_EQ(coro_writer_close(shared), 0);
}
