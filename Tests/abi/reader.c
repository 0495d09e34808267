/* Row H18: buffered reading: by lines, delimiters, lengths and to the end, over descriptors and producers. */
#define _GNU_SOURCE
#include "net.h"
#include "coroutines.h"

#include <fcntl.h>
#include <pthread.h>

/* A producer that delivers a text in pieces of at most `most` bytes, and lets others run before each. */
typedef struct source {
    const char *bytes;
    size_t size, given, most;
    int error; /* what the next call returns, once */
    bool suspends;
} source;

static ssize_t produce(void *of_source, void *buffer, size_t n) {
    source *from = of_source;
    if (from->suspends) {
        int code = coro_yield();
        if (code < 0) return code;
    }
    if (from->error) {
        int error = from->error;
        from->error = 0;
        return error;
    }
    size_t left = from->size - from->given;
    if (n > left) n = left;
    if (n > from->most) n = from->most;
    memcpy(buffer, from->bytes + from->given, n);
    from->given += n;
    return (ssize_t)n;
}

static source text_source(const char *text, size_t most) {
    return (source){.bytes = text, .size = strlen(text), .most = most};
}

static coro_reader *reader_of(source *from, size_t buffer_size) {
    coro_reader *reader = coro_reader_new_with(produce, from, buffer_size);
    CHECK(reader != NULL);
    return reader;
}

static void check_line(coro_reader *reader, const char *expected) {
    const char *line;
    CHECK_EQ(coro_reader_read_line(reader, 0, &line), strlen(expected));
    CHECK_STR(line, expected);
}

TEST(H18_lines_come_whole_however_their_bytes_come) {
    for (size_t most = 1; most < 40; most++) {
        for (size_t size = 1; size < 40; size += 3) {
            source from = text_source("first\n\nthird line, which is longer\r\nlast", most);
            coro_reader *reader = reader_of(&from, size);
            check_line(reader, "first\n");
            check_line(reader, "\n");
            check_line(reader, "third line, which is longer\r\n");
            check_line(reader, "last");
            check_line(reader, "");
            check_line(reader, "");
            CHECK_EQ(coro_reader_free(reader), 0);
        }
    }
}

TEST(H18_a_delimiter_of_several_bytes_is_found_across_refills) {
    static const char text[] = "aab\nab\naabb\nababc--aababc-aababcX";
    for (size_t most = 1; most < sizeof text; most++) {
        const char *data;
        source from = text_source(text, most);
        coro_reader *reader = reader_of(&from, 4);
        CHECK_EQ(coro_reader_read_until(reader, "aababc", 6, 0, &data), strlen("aab\nab\naabb\nababc--aababc"));
        CHECK_STR(data, "aab\nab\naabb\nababc--aababc");
        CHECK_EQ(coro_reader_read_until(reader, "aababc", 6, 0, &data), 7);
        CHECK_STR(data, "-aababc");
        CHECK_EQ(coro_reader_read_until(reader, "aababc", 6, 0, &data), 1);
        CHECK_STR(data, "X");
        CHECK_EQ(coro_reader_read_until(reader, "aababc", 6, 0, &data), 0);
        CHECK_STR(data, "");
        coro_reader_free(reader);
    }
}

/* The limit is of the length with its delimiter, whatever happens to be in the buffer. */
TEST(H18_without_a_delimiter_within_the_limit_nothing_is_lost) {
    for (size_t most = 1; most < 12; most++) {
        const char *data;
        char all[16] = "";
        source from = text_source("123456\n89", most);
        coro_reader *reader = reader_of(&from, most % 2 ? 2 : 64);
        for (size_t limit = 1; limit < 7; limit++) {
            CHECK_EQ(coro_reader_read_line(reader, limit, &data), -EOVERFLOW);
            CHECK(data == NULL);
            CHECK_CONTAINS(coro_error_detail(), "nothing was taken");
        }
        CHECK(coro_reader_buffered(reader) >= 6);
        CHECK_EQ(coro_reader_read_line(reader, 7, &data), 7);
        CHECK_STR(data, "123456\n");
        CHECK_EQ(coro_reader_read_all(reader, 1, &data), -EOVERFLOW);
        CHECK_EQ(coro_reader_read_exact(reader, all, 2), 2);
        CHECK_STR(all, "89");
        coro_reader_free(reader);
    }
}

TEST(H18_exact_reading_says_how_much_came_before_the_end) {
    char buffer[32] = "";
    source from = text_source("0123456789", 3);
    coro_reader *reader = reader_of(&from, 4);
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 7), 7);
    CHECK_STR(buffer, "0123456");
    memset(buffer, 0, sizeof buffer);
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 7), CORO_EEOF);
    CHECK_EQ(coro_error_progress(), 3);
    CHECK_CONTAINS(coro_error_detail(), "3 of 7");
    CHECK_STR(buffer, "789");
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 1), CORO_EEOF);
    CHECK_EQ(coro_error_progress(), 0);
    CHECK_EQ(coro_reader_read_exact(reader, buffer, 0), 0);
    CHECK_EQ(coro_reader_read(reader, buffer, 5), 0);
    coro_reader_free(reader);
}

TEST(H18_a_peek_takes_nothing_and_what_is_consumed_is_gone) {
    const char *data;
    source from = text_source("GET / HTTP/1.1\r\n", 3);
    coro_reader *reader = reader_of(&from, 4);
    CHECK_EQ(coro_reader_peek(reader, 0, &data), 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_reader_peek(reader, 5, &data), coro_reader_buffered(reader));
        CHECK(coro_reader_buffered(reader) >= 5);
        CHECK(memcmp(data, "GET /", 5) == 0);
    }
    CHECK_EQ(coro_reader_consume(reader, 4), 4);
    CHECK_EQ(coro_reader_consume(reader, 30), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "has but ");
    CHECK_EQ(coro_reader_peek(reader, 100, &data), 12); /* all up to the end */
    check_line(reader, "/ HTTP/1.1\r\n");
    coro_reader_free(reader);
}

/* The byte behind a text, where the NUL is, belongs to what comes next. */
TEST(H18_the_NUL_behind_a_text_takes_no_byte) {
    const char *data;
    char byte;
    source from = text_source("a\nb\nc\nd\ne\n", 100);
    coro_reader *reader = reader_of(&from, 16);
    check_line(reader, "a\n");
    CHECK_EQ(coro_reader_peek(reader, 0, &data), 8);
    CHECK(data[0] == 'b');
    check_line(reader, "b\n");
    CHECK_EQ(coro_reader_read(reader, &byte, 1), 1);
    CHECK(byte == 'c');
    CHECK_EQ(coro_reader_consume(reader, 1), 1);
    check_line(reader, "d\n");
    CHECK_EQ(coro_reader_read_all(reader, 0, &data), 2);
    CHECK_STR(data, "e\n");
    coro_reader_free(reader);
}

/* A search that began anew with each byte would take minutes here. */
TEST(H18_a_long_line_byte_by_byte_takes_time_in_proportion) {
    enum { LENGTH = 3 << 20 };
    char *text = malloc(LENGTH + 1);
    memset(text, 'a', LENGTH);
    memcpy(text + LENGTH - 4, "\r\n\r\n", 5);
    source from = text_source(text, 1);
    coro_reader *reader = reader_of(&from, 1);
    CHECK_EQ(coro_reader_read_until(reader, "\r\n\r\n", 4, LENGTH, NULL), LENGTH);
    CHECK_EQ(coro_reader_free(reader), 0);
    free(text);
}

/* -- against a model: a position in an array -- */

static uint64_t random_state;
static size_t random_below(size_t n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % n;
}

enum { MODEL_SIZE = 3000 };
static char model[MODEL_SIZE];

static size_t model_until(size_t at, const char *delimiter, size_t n, size_t limit, bool *found) {
    size_t most = MODEL_SIZE - at < limit ? MODEL_SIZE - at : limit;
    char *place = memmem(model + at, most, delimiter, n);
    *found = place != NULL;
    return place ? (size_t)(place - (model + at)) + n : most;
}

static size_t step_of_model(coro_reader *reader, size_t at) {
    char buffer[256];
    const char *data = NULL;
    size_t left = MODEL_SIZE - at, n = random_below(200);
    ssize_t got;
    bool found;
    switch (random_below(6)) {
    case 0:
        got = coro_reader_read(reader, buffer, n);
        CHECK(got >= 0 && (size_t)got <= n && (got > 0 || n == 0 || left == 0));
        CHECK(memcmp(buffer, model + at, (size_t)got) == 0);
        return at + (size_t)got;
    case 1:
        got = coro_reader_read_exact(reader, buffer, n);
        if (n > left) {
            CHECK_EQ(got, CORO_EEOF);
            CHECK_EQ(coro_error_progress(), left);
            n = left;
        } else CHECK_EQ(got, n);
        CHECK(memcmp(buffer, model + at, n) == 0);
        return at + n;
    case 2:
    case 3: {
        const char *delimiter = random_below(2) ? "ab" : "aba";
        size_t length = strlen(delimiter), limit = length + random_below(60);
        size_t expected = model_until(at, delimiter, length, limit, &found);
        got = coro_reader_read_until(reader, delimiter, length, limit, &data);
        if (!found && expected == limit) {
            CHECK_EQ(got, -EOVERFLOW);
            return at;
        }
        CHECK_EQ(got, expected);
        CHECK(memcmp(data, model + at, expected) == 0 && data[expected] == 0);
        return at + expected;
    }
    case 4:
        got = coro_reader_peek(reader, n, &data);
        CHECK(got >= 0 && (size_t)got <= left && ((size_t)got >= n || (size_t)got == left));
        CHECK(memcmp(data, model + at, (size_t)got) == 0);
        return at;
    default:
        n = random_below(coro_reader_buffered(reader) + 1);
        CHECK_EQ(coro_reader_consume(reader, n), n);
        return at + n;
    }
}

TEST(H18_agrees_with_a_model) {
    for (uint64_t seed = 1; seed < 300; seed++) {
        random_state = seed * 0x9e3779b97f4a7c15u;
        for (int i = 0; i < MODEL_SIZE; i++) model[i] = "abc\n"[random_below(4)];
        source from = {.bytes = model, .size = MODEL_SIZE, .most = 1 + random_below(1 + random_below(300))};
        coro_reader *reader = reader_of(&from, 1 + random_below(100));
        size_t at = 0;
        for (int end = 0; end < 10;) {
            at = step_of_model(reader, at);
            CHECK_EQ(from.given - coro_reader_buffered(reader), at);
            end += at == MODEL_SIZE;
        }
        coro_reader_free(reader);
    }
}

/* -- over descriptors -- */

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
