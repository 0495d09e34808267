/* Row H7: vectors, read and written; known bugs 16, 17 and 18. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

#include <fcntl.h>
#include <limits.h>

/* A vector of `count` elements over a buffer of its own, which holds the pattern if it is to be written. */
typedef struct vector {
    struct iovec *elements;
    char *bytes;
    int count;
    size_t total;
} vector;

static vector make_vector(const size_t *sizes, int count, bool filled) {
    vector made = {.elements = calloc((size_t)count + 1, sizeof *made.elements), .count = count};
    for (int i = 0; i < count; i++) made.total += sizes[i];
    made.bytes = calloc(1, made.total + 1);
    if (filled) pattern_fill(made.bytes, made.total, 0);
    size_t offset = 0;
    for (int i = 0; i < count; offset += sizes[i++]) made.elements[i] = (struct iovec){made.bytes + offset, sizes[i]};
    return made;
}

static void free_vector(vector *vector) {
    free(vector->elements);
    free(vector->bytes);
}

/* Elements of 0 to 4095 bytes in no order. */
static vector make_big_vector(int count, size_t most, bool filled) {
    size_t *sizes = malloc((size_t)count * sizeof *sizes);
    for (int i = 0; i < count; i++) sizes[i] = (size_t)i * 7919 % (most + 1);
    vector made = make_vector(sizes, count, filled);
    free(sizes);
    return made;
}


static const int pair_families[] = {AF_INET, AF_INET6, AF_UNIX, 0};
enum { PAIRS = 4 };

/* fds[0] to read, fds[1] to write. */
static void make_pair(int family, int fds[2]) {
    address at;
    if (family == 0) {
        CHECK_EQ(coro_pipe(fds, O_CLOEXEC), 0);
    } else if (family == AF_UNIX) {
        unix_pair(fds);
    } else {
        int listener = make_listener(family, SOCK_STREAM, 1, &at);
        fds[1] = coro_socket(family, SOCK_STREAM, 0);
        CHECK_EQ(coro_connect(fds[1], (struct sockaddr *)&at.storage, at.length), 0);
        fds[0] = coro_accept(listener, NULL, NULL);
        CHECK(fds[0] >= 0);
        CHECK_EQ(coro_close(listener), 0);
    }
}

/* -- reading: what Shrapnel's test_readv asserts -- */

enum { MOST_SIZES = 6 };

typedef struct read_case {
    size_t sent;             /* bytes, and then the end */
    int count;
    size_t sizes[MOST_SIZES];
} read_case;

static const read_case read_cases[] = {
    {0, 0, {0}},          {0, 1, {1}},           {0, 3, {0, 0, 5}},        {1, 1, {1}},           {1, 1, {2}},
    {1, 2, {1, 1}},       {5, 1, {5}},           {5, 2, {2, 3}},           {5, 3, {2, 0, 3}},     {5, 4, {0, 0, 5, 0}},
    {5, 3, {1, 1, 1}},    {6, 2, {5, 5}},        {10, 2, {5, 5}},          {9, 2, {5, 5}},        {11, 2, {5, 5}},
    {100000, 3, {50000, 1, 49999}},              {100000, 4, {1, 99998, 10, 3}}, {70001, 6, {70000, 0, 1, 0, 0, 0}},
};

typedef struct delayed_send {
    int fd;
    size_t total;
    bool delayed;
} delayed_send;

/* In three pieces, with passes of the loop between if delayed; then the end. */
static void *send_and_close(void *of_delayed_send) {
    delayed_send *send = of_delayed_send;
    char *bytes = malloc(send->total + 1);
    pattern_fill(bytes, send->total, 0);
    size_t pieces[] = {send->total / 3, send->total / 2, send->total};
    for (size_t i = 0, done = 0; i < 3; done = pieces[i++]) {
        if (send->delayed) let_others_run();
        CHECK_EQ(coro_write(send->fd, bytes + done, pieces[i] - done), pieces[i] - done);
    }
    free(bytes);
    CHECK_EQ(coro_close(send->fd), 0);
    return NULL;
}

static void read_in_one_case(const read_case *of, int family, int selfishness, bool delayed) {
    int fds[2];
    make_pair(family, fds);
    vector into = make_vector(of->sizes, of->count, false);
    struct iovec *copy = calloc((size_t)of->count + 1, sizeof *copy);
    memcpy(copy, into.elements, (size_t)of->count * sizeof *copy);
    CHECK(coro_set_selfishness(selfishness) > 0);
    delayed_send send = {fds[1], of->sent, delayed};
    coro_t sender = spawn_one(send_and_close, &send);
    size_t expected = of->sent < into.total ? of->sent : into.total;
    ssize_t got = coro_readv_exact(fds[0], into.elements, of->count);
    if (of->sent < into.total) {
        CHECK_EQ(got, CORO_EEOF);
        CHECK_EQ(coro_error_progress(), expected);
    } else {
        CHECK_EQ(got, expected);
    }
    pattern_check(into.bytes, expected, 0);
    for (size_t i = expected; i < into.total; i++) CHECK_EQ(into.bytes[i], 0);
    CHECK(memcmp(copy, into.elements, (size_t)of->count * sizeof *copy) == 0);
    /* What was not asked for is still there. */
    char *rest = malloc(of->sent - expected + 1);
    CHECK_EQ(coro_recv_exact(fds[0], rest, of->sent - expected), of->sent - expected);
    pattern_check(rest, of->sent - expected, expected);
    if (of->sent - expected == 0 && into.total > 0) CHECK_EQ(coro_readv(fds[0], into.elements, of->count), 0);
    join_soon(sender);
    CHECK_EQ(coro_close(fds[0]), 0);
    free(rest);
    free(copy);
    free_vector(&into);
}

CORO_TEST(H7_readv_exact_fills_all_or_says_how_much_came) {
    static const int selfishness[] = {1024, 1};
    for (int family = 0; family < PAIRS; family++)
        for (size_t i = 0; i < sizeof read_cases / sizeof *read_cases; i++)
            for (int variant = 0; variant < 4; variant++)
                read_in_one_case(&read_cases[i], pair_families[family], selfishness[variant & 1], variant & 2);
}

static void *readv_two(void *fd) {
    char bytes[8];
    struct iovec two[] = {{bytes, 3}, {bytes + 3, 5}};
    return AS_POINTER(coro_readv(AS_INT(fd), two, 2));
}

TEST(H7_readv_returns_what_there_is) {
    for (int family = 0; family < PAIRS; family++) {
        int fds[2];
        make_pair(pair_families[family], fds);
        coro_t reader = spawn_one(readv_two, AS_POINTER(fds[0]));
        let_others_run();
        CHECK_EQ(coro_write(fds[1], "abcd", 4), 4);
        CHECK_EQ(join_soon(reader), 4);
        /* More than its room: the rest stays. */
        CHECK_EQ(coro_write(fds[1], "abcdefghij", 10), 10);
        CHECK_EQ(join_soon(spawn_one(readv_two, AS_POINTER(fds[0]))), 8);
        CHECK_EQ(join_soon(spawn_one(readv_two, AS_POINTER(fds[0]))), 2);
        CHECK_EQ(coro_close(fds[1]), 0);
        CHECK_EQ(join_soon(spawn_one(readv_two, AS_POINTER(fds[0]))), 0);
    }
}

/* -- writing -- */

static void write_and_check(int family, const vector *from, int buffer_size) {
    int fds[2];
    make_pair(family, fds);
    if (buffer_size > 0 && family != 0)
        CHECK_EQ(coro_setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof buffer_size), 0);
    struct iovec *copy = calloc((size_t)from->count + 1, sizeof *copy);
    memcpy(copy, from->elements, (size_t)from->count * sizeof *copy);
    transfer out = {fds[0], from->total, 30011, true};
    coro_t reader = spawn_one(receive_pattern, &out);
    CHECK_EQ(coro_writev(fds[1], from->elements, from->count), from->total);
    CHECK(memcmp(copy, from->elements, (size_t)from->count * sizeof *copy) == 0);
    CHECK_EQ(coro_close(fds[1]), 0);
    join_soon(reader);
    CHECK_EQ(coro_close(fds[0]), 0);
    free(copy);
}

static void write_everywhere(vector *from) {
    static const int sizes[] = {0, 1, 32768}, selfishness[] = {1024, 1};
    for (int variant = 0; variant < 6; variant++) {
        CHECK(coro_set_selfishness(selfishness[variant & 1]) > 0);
        for (int family = 0; family < PAIRS; family++) write_and_check(pair_families[family], from, sizes[variant / 2]);
    }
    free_vector(from);
}

CORO_TEST(H7_writev_of_nothing) {
    static const size_t empty[] = {0, 0, 0};
    vector none = make_vector(empty, 0, true), three = make_vector(empty, 3, true);
    write_everywhere(&none);
    write_everywhere(&three);
}

CORO_TEST(H7_writev_of_four_blocks) {
    static const size_t sizes[] = {1, 0, 70000, 13};
    vector four = make_vector(sizes, 4, true);
    write_everywhere(&four);
}

CORO_TEST(H7_writev_of_half_a_megabyte) {
    static const size_t sizes[] = {131072, 131072, 131072, 131072};
    vector big = make_vector(sizes, 4, true);
    write_everywhere(&big);
}

/* Known bug 17: 777 elements, through a buffer that takes them in small parts. */
CORO_TEST(H7_writev_goes_on_inside_an_element) {
    vector many = make_big_vector(777, 2700, true);
    CHECK(many.total > 1 << 20);
    write_everywhere(&many);
}

/* Known bug 18: more elements than one system call takes; and bug 16: with nothing but empty ones at the beginning. */
CORO_TEST(H7_vectors_have_no_limit_at_iov_max) {
    static const int counts[] = {IOV_MAX, IOV_MAX + 1, 2 * IOV_MAX + 1, 5000};
    for (int i = 0; i < 4; i++)
        for (int empty = 0; empty < 2; empty++) {
            size_t *sizes = calloc((size_t)counts[i], sizeof *sizes);
            for (int k = empty ? IOV_MAX : 0; k < counts[i]; k++) sizes[k] = (size_t)(k % 5);
            vector from = make_vector(sizes, counts[i], true), into = make_vector(sizes, counts[i], false);
            for (int family = 0; family < PAIRS; family++) {
                int fds[2];
                make_pair(pair_families[family], fds);
                CHECK_EQ(coro_writev(fds[1], from.elements, from.count), from.total);
                memset(into.bytes, 0, into.total);
                CHECK_EQ(coro_readv_exact(fds[0], into.elements, into.count), into.total);
                pattern_check(into.bytes, into.total, 0);
                CHECK_EQ(coro_close(fds[0]) + coro_close(fds[1]), 0);
            }
            free(sizes);
            free_vector(&from);
            free_vector(&into);
        }
}

CORO_TEST(H7_vectors_move_to_and_from_files) {
    char path[] = "/tmp/libcoro-vectors-XXXXXX";
    vector from = make_big_vector(3000, 300, true), into = make_big_vector(3000, 300, false);
    int fd = mkostemp(path, O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(unlink(path) == 0);
    CHECK_EQ(coro_writev(fd, from.elements, from.count), from.total);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK_EQ(coro_readv_exact(fd, into.elements, into.count), into.total);
    pattern_check(into.bytes, into.total, 0);
    CHECK_EQ(coro_readv(fd, into.elements, into.count), 0);
    free_vector(&from);
    free_vector(&into);
    CHECK_EQ(coro_close(fd), 0);
}

/* What other programs hand over is in blocking mode; and older kernels have no vectored call that would not block. */
CORO_TEST(H7_vectors_never_block_the_thread) {
    static const size_t sizes[] = {0, 40000, 7, 60000};
    for (int old = 0; old < 2; old++) {
        int ends[2];
        vector from = make_vector(sizes, 4, true), into = make_vector(sizes, 4, false);
        blocking_pipe(ends);
        if (old) {
            CHECK_EQ(coro_test_fail_call("writev", 1, EOPNOTSUPP), 0);
            CHECK_EQ(coro_test_fail_call("readv", 2, EOPNOTSUPP), 0);
        }
        transfer out = {ends[0], from.total, 9999, false};
        coro_t reader = spawn_one(receive_pattern, &out);
        CHECK_EQ(coro_writev(ends[1], from.elements, from.count), from.total);
        join_soon(reader);
        transfer in = {ends[1], from.total, 20000, true};
        coro_t writer = spawn_one(send_pattern, &in);
        CHECK_EQ(coro_readv_exact(ends[0], into.elements, into.count), into.total);
        pattern_check(into.bytes, into.total, 0);
        join_soon(writer);
        free_vector(&from);
        free_vector(&into);
    }
}

static void *write_a_megabyte(void *fd) {
    static char bytes[1 << 20];
    struct iovec three[] = {{bytes, 1}, {bytes, sizeof bytes - 3}, {bytes, 2}};
    ssize_t result = coro_writev(AS_INT(fd), three, 3);
    trace("%d", (int)coro_error_progress());
    return AS_POINTER(result);
}

TEST(H7_progress_tells_what_an_interrupted_writev_had_sent) {
    for (int family = 2; family < PAIRS; family++) { /* of TCP a part is on its way */
        char expected[32];
        int fds[2];
        make_pair(pair_families[family], fds);
        coro_t writer = spawn_one(write_a_megabyte, AS_POINTER(fds[1]));
        let_others_run();
        CHECK_EQ(coro_shutdown(writer), 0);
        CHECK_EQ(join_soon(writer), CORO_ESHUTDOWN);
        snprintf(expected, sizeof expected, "%zu ", drain(fds[0]));
        CHECK_CONTAINS(traced(), expected);
        CHECK(atoi(expected) > 0);
    }
}

/* Known bug 23. */
TEST(H7_writev_raises_no_sigpipe) {
    struct iovec one[] = {{"x", 1}};
    signal(SIGPIPE, SIG_DFL);
    for (int family = 0; family < PAIRS; family++)
        for (int old = 0; old < 2; old++) {
            int fds[2], result = 0;
            make_pair(pair_families[family], fds);
            CHECK_EQ(coro_close(fds[0]), 0);
            if (old && pair_families[family] == 0) CHECK_EQ(coro_test_fail_call("writev", 1, EOPNOTSUPP), 0);
            for (int i = 0; i < 1000 && result != -EPIPE; i++) { /* TCP has to hear of it first */
                result = (int)coro_writev(fds[1], one, 1);
                CHECK(result == 1 || result == -EPIPE || result == -ECONNRESET);
                CHECK_EQ(coro_yield_slice(), 0);
            }
            CHECK_EQ(result, -EPIPE);
        }
}

/* Messages stay whole: a vector is one, and one with too many elements none. */
TEST(H7_a_vector_is_one_message) {
    static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET};
    for (int i = 0; i < 2; i++) {
        int fds[2];
        char buffer[16] = "", more[8] = "";
        struct iovec out[] = {{"ab", 2}, {NULL, 0}, {"cde", 3}}, in[] = {{NULL, 0}, {buffer, 4}, {more, 4}};
        CHECK_EQ(coro_socketpair(AF_UNIX, types[i], 0, fds), 0);
        CHECK_EQ(coro_writev(fds[0], out, 3), 5);
        CHECK_EQ(coro_writev(fds[0], out, 1), 2);
        CHECK_EQ(coro_readv(fds[1], in, 3), 5);
        CHECK_STR(buffer, "abcd");
        CHECK_EQ(more[0], 'e');
        CHECK_EQ(coro_readv(fds[1], in, 3), 2);
        vector many = make_big_vector(IOV_MAX + 2, 1, true);
        CHECK_EQ(coro_writev(fds[0], many.elements, many.count), -EMSGSIZE);
        CHECK_EQ(coro_error_progress(), 0);
        free_vector(&many);
    }
}

TEST(H7_vectors_are_checked) {
    int fds[2];
    struct iovec one[] = {{fds, 1}}, endless[] = {{fds, (size_t)SSIZE_MAX}, {fds, 1}}, negative[] = {{fds, SIZE_MAX}};
    ssize_t (*calls[])(int, const struct iovec *, int) = {coro_readv, coro_readv_exact, coro_writev};
    unix_pair(fds);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(calls[i](fds[0], one, -1), -EINVAL);
        CHECK_EQ(calls[i](fds[0], NULL, 1), -EINVAL);
        CHECK_EQ(calls[i](fds[0], endless, 2), -EINVAL);
        CHECK_EQ(calls[i](fds[0], negative, 1), -EINVAL);
        CHECK_EQ(calls[i](-1, one, 1), -EBADF);
        CHECK_EQ(calls[i](-1, NULL, 0), -EBADF);
        CHECK_EQ(calls[i](fds[0], NULL, 0), 0);
        one->iov_len = 0;
        CHECK_EQ(calls[i](fds[0], one, 1), 0);
        one->iov_len = 1;
    }
    CHECK_EQ(coro_close(fds[0]), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(calls[i](fds[0], one, 1), CORO_ECLOSED);
}
