/* coro_sendfile: files to sockets, pipes and files. */
#define _GNU_SOURCE
#include "net.h"

#include <fcntl.h>

enum { SIZE = 3 << 20 };

static int make_file(void) {
    char path[] = "/tmp/libcoro-sendfile-XXXXXX";
    char *content = malloc(SIZE);
    int fd = mkostemp(path, O_CLOEXEC);
    CHECK(fd >= 0);
    CHECK(unlink(path) == 0);
    pattern_fill(content, SIZE, 0);
    CHECK_EQ(coro_write(fd, content, SIZE), SIZE);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    free(content);
    return fd;
}

CORO_TEST(H5_sendfile_sends_all_of_a_file) {
    int file = make_file(), fds[2];
    for (int i = 0; i < 3; i++) {
        off_t offset = 0;
        if (i == 0) tcp_pair(fds);
        else if (i == 1) unix_pair(fds);
        else CHECK_EQ(coro_pipe(fds, 0), 0);
        int out = i < 2 ? fds[0] : fds[1], in = i < 2 ? fds[1] : fds[0];
        transfer arrives = {in, SIZE, 70001, true};
        coro_t receiver = spawn_one(receive_pattern, &arrives);
        CHECK_EQ(coro_sendfile(out, file, &offset, 1000), 1000);
        CHECK_EQ(offset, 1000);
        CHECK_EQ(coro_sendfile(out, file, &offset, SIZE), SIZE - 1000); /* up to the end */
        CHECK_EQ(offset, SIZE);
        CHECK_EQ(coro_sendfile(out, file, &offset, 5), 0);
        CHECK(lseek(file, 0, SEEK_CUR) == 0);
        CHECK_EQ(coro_close(out), 0);
        join_soon(receiver);
    }
}

CORO_TEST(H5_sendfile_copies_a_file_from_its_position) {
    int file = make_file(), copy = make_file();
    CHECK(ftruncate(copy, 0) == 0);
    CHECK_EQ(coro_sendfile(copy, file, NULL, SIZE), SIZE);
    CHECK(lseek(file, 0, SEEK_CUR) == SIZE && lseek(copy, 0, SEEK_SET) == 0);
    transfer arrives = {copy, SIZE, 100000, true};
    receive_pattern(&arrives);
}

static int source;

static void *send_the_file(void *fd) {
    off_t offset = 0;
    ssize_t result = coro_sendfile(AS_INT(fd), source, &offset, SIZE);
    CHECK_EQ(coro_error_progress(), offset);
    trace("%d", (int)offset);
    return AS_POINTER(result);
}

TEST(H5_sendfile_says_how_much_an_interrupted_one_had_sent) {
    int fds[2];
    char expected[32];
    source = make_file();
    unix_pair(fds);
    coro_t sender = spawn_one(send_the_file, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_shutdown(sender), 0);
    CHECK_EQ(join_soon(sender), CORO_ESHUTDOWN);
    snprintf(expected, sizeof expected, "%zu ", drain(fds[1]));
    CHECK_STR(traced(), expected);
}

TEST(H5_sendfile_raises_no_sigpipe) {
    int fds[2], file = make_file();
    off_t offset = 0;
    signal(SIGPIPE, SIG_DFL);
    unix_pair(fds);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_sendfile(fds[0], file, &offset, 100), -EPIPE);
    CHECK_EQ(offset, 0);
    CHECK_EQ(coro_pipe(fds, 0), 0);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_sendfile(fds[1], file, &offset, 100), -EPIPE);
    sigset_t pending, blocked;
    sigpending(&pending);
    CHECK_EQ(sigismember(&pending, SIGPIPE), 0);
    CHECK_EQ(pthread_sigmask(SIG_SETMASK, NULL, &blocked), 0);
    CHECK_EQ(sigismember(&blocked, SIGPIPE), 0);
}

TEST(H5_sendfile_checks_its_arguments) {
    int fds[2], ends[2], file = make_file();
    off_t offset = 0, negative = -1;
    unix_pair(fds);
    blocking_pipe(ends);
    CHECK_EQ(coro_sendfile(fds[0], fds[1], &offset, 1), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "is no file");
    CHECK_EQ(coro_sendfile(fds[0], -1, &offset, 1), -EBADF);
    CHECK_EQ(coro_sendfile(-1, file, &offset, 1), -EBADF);
    CHECK_EQ(coro_sendfile(ends[1], file, &offset, 1), CORO_EBLOCKING);
    CHECK_EQ(coro_sendfile(fds[0], file, &offset, SIZE_MAX), -EINVAL);
    CHECK_EQ(coro_sendfile(fds[0], file, &negative, 1), -EINVAL);
    CHECK_EQ(coro_sendfile(fds[0], file, &offset, 0), 0);
}
