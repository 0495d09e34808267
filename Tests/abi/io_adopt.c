/* Row H12: descriptors that were made elsewhere, and are shared: their flags stay as they are, and nothing blocks the loop.
   And H11's stdio streams. */
#define _GNU_SOURCE
#include "net.h"

#include <fcntl.h>

static bool stop;
static int ticks;

static void *tick(void *unused) {
    while (!stop) {
        CHECK_EQ(coro_yield_slice(), 0);
        ticks++;
    }
    return unused;
}

/* Both directions; flags are compared at every stage. Known bug 13. */
TEST(H12_a_blocking_pipe_is_used_as_it_is) {
    int ends[2];
    blocking_pipe(ends);
    int before = fcntl(ends[0], F_GETFL), before_write = fcntl(ends[1], F_GETFL);
    coro_t ticker = spawn_one(tick, NULL), reader = spawn_one(read_one, AS_POINTER(ends[0]));
    let_others_run();
    CHECK(ticks > 0); /* the reader did not hold up the thread */
    CHECK_EQ(fcntl(ends[0], F_GETFL), before);
    CHECK_EQ(coro_write(ends[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
    transfer in = {ends[1], 3 << 20, 1 << 20, true}, out = {ends[0], 3 << 20, 5001, true};
    coro_t writer = spawn_one(send_pattern, &in);
    let_others_run();
    CHECK(coro_is_alive(writer)); /* full: and here we are */
    CHECK_EQ(fcntl(ends[1], F_GETFL), before_write);
    coro_t all = spawn_one(receive_pattern, &out);
    join_soon(writer);
    join_soon(all);
    CHECK_EQ(fcntl(ends[0], F_GETFL), before);
    CHECK(!(before & O_NONBLOCK) && !(before_write & O_NONBLOCK));
    stop = true;
    join_soon(ticker);
}

static void *write_eight_bytes(void *fd) {
    return AS_POINTER(coro_write(AS_INT(fd), "12345678", 8));
}

/* Room for less than is written: whatever the kernel offers, the thread must not wait for the rest. */
TEST(H12_writing_to_a_blocking_pipe_that_is_almost_full_does_not_block) {
    static char zeroes[65536];
    int ends[2];
    blocking_pipe(ends);
    CHECK_EQ(write(ends[1], zeroes, 4096 * 15 + 4090), 4096 * 15 + 4090);
    coro_t writer = spawn_one(write_eight_bytes, AS_POINTER(ends[1]));
    let_others_run();
    drain(ends[0]);
    CHECK_EQ(join_soon(writer), 8);
}

TEST(H12_stdin_and_stdout_that_are_pipes_keep_their_flags) {
    int in[2], out[2];
    char byte;
    blocking_pipe(in);
    blocking_pipe(out);
    CHECK(dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1);
    coro_t reader = spawn_one(read_one, AS_POINTER(0));
    let_others_run();
    CHECK_EQ(write(in[1], "i", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
    CHECK_EQ(coro_write(1, "o", 1), 1);
    CHECK_EQ(read(out[0], &byte, 1), 1);
    CHECK_EQ(fcntl(0, F_GETFL) & O_NONBLOCK, 0);
    CHECK_EQ(fcntl(1, F_GETFL) & O_NONBLOCK, 0);
}

TEST(H12_a_terminal_is_read_without_blocking_and_keeps_its_flags) {
    int terminal[2];
    open_terminal(terminal);
    int before = fcntl(terminal[1], F_GETFL), before_master = fcntl(terminal[0], F_GETFL);
    coro_t ticker = spawn_one(tick, NULL), reader = spawn_one(read_one, AS_POINTER(terminal[1]));
    coro_t master = spawn_one(read_one, AS_POINTER(terminal[0]));
    let_others_run();
    CHECK(ticks > 0);
    CHECK_EQ(coro_write(terminal[0], "k", 1), 1); /* a key is pressed */
    CHECK_EQ(join_soon(reader), 1);
    CHECK_EQ(coro_write(terminal[1], "s", 1), 1); /* and shown */
    CHECK_EQ(join_soon(master), 1);
    CHECK_EQ(fcntl(terminal[1], F_GETFL), before);
    CHECK_EQ(fcntl(terminal[0], F_GETFL), before_master);
    stop = true;
    join_soon(ticker);
}

/* A terminal takes what it has room for, which may be less than is offered: nobody reads its other end but this thread, so
   a write that blocks blocks for ever. Known bug 10, too: nothing of it is lost. */
TEST(H12_writing_to_a_terminal_that_is_full_does_not_block) {
    static const size_t chunks[] = {1, 37, 1000, 4095, 4096, 5000, 100000};
    alarm(20);
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        int terminal[2];
        open_terminal(terminal);
        transfer in = {terminal[1], 200000, chunks[i], false}, out = {terminal[0], 200000, 333, false};
        coro_t writer = spawn_one(send_pattern, &in);
        for (int pass = 0; pass < 50; pass++) let_others_run();
        coro_t reader = spawn_one(receive_pattern, &out);
        join_soon(writer);
        join_soon(reader);
        CHECK_EQ(coro_close(terminal[0]), 0);
        CHECK_EQ(coro_close(terminal[1]), 0);
    }
}

TEST(H12_a_hung_up_terminal_wakes_its_reader) {
    int terminal[2];
    open_terminal(terminal);
    coro_t reader = spawn_one(read_one, AS_POINTER(terminal[1]));
    let_others_run();
    CHECK_EQ(coro_close(terminal[0]), 0);
    int code = join_soon(reader);
    CHECK(code == 0 || code == -EIO);
}

TEST(H12_a_blocking_socket_is_used_as_it_is) {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    transfer in = {fds[0], 2 << 20, 1 << 20, true}, out = {fds[1], 2 << 20, 5001, true};
    coro_t reader = spawn_one(receive_pattern, &out), writer = spawn_one(send_pattern, &in);
    let_others_run();
    CHECK_EQ(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
    join_soon(writer);
    join_soon(reader);
}

TEST(H12_set_nonblocking_does_so_for_all_who_share_it) {
    int ends[2], socket_pair[2];
    char byte;
    blocking_pipe(ends);
    int copy = dup(ends[0]);
    CHECK_EQ(coro_write(ends[1], "ab", 2), 2);
    CHECK_EQ(coro_read(ends[0], &byte, 1), 1);
    CHECK_EQ(coro_set_nonblocking(ends[0]), 0);
    CHECK(fcntl(copy, F_GETFL) & O_NONBLOCK);
    CHECK_EQ(coro_read(ends[0], &byte, 1), 1);
    coro_t reader = spawn_one(read_one, AS_POINTER(ends[0]));
    let_others_run();
    CHECK_EQ(coro_write(ends[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, socket_pair) == 0);
    CHECK_EQ(coro_set_nonblocking(socket_pair[0]), 0);
    CHECK_EQ(coro_set_nonblocking(socket_pair[0]), 0);
    CHECK_EQ(coro_set_nonblocking(600), -EBADF);
}

/* -- stdio -- */

static void *copy_lines(void *of_fds) {
    int *fds = of_fds;
    FILE *from = coro_fdopen(fds[0], "r"), *to = coro_fdopen(fds[1], "w");
    CHECK(from != NULL && to != NULL);
    char *line = NULL;
    size_t room = 0;
    int count = 0;
    while (getline(&line, &room, from) > 0) CHECK(fprintf(to, "%d: %s", ++count, line) > 0);
    CHECK(feof(from) && !ferror(from));
    free(line);
    CHECK_EQ(fclose(from), 0);
    CHECK_EQ(fclose(to), 0); /* flushes, and closes: the other side sees the end */
    return AS_POINTER(count);
}

TEST(H11_stdio_streams_suspend) {
    int in[2], out[2], fds[2];
    char text[64], expected[64];
    CHECK_EQ(coro_pipe(in, 0), 0);
    unix_pair(out);
    fds[0] = in[0];
    fds[1] = out[0];
    coro_t copier = spawn_one(copy_lines, fds);
    FILE *to = coro_fdopen(in[1], "w"), *from = coro_fdopen(out[1], "r");
    CHECK(to != NULL && from != NULL);
    setvbuf(to, NULL, _IOLBF, 0);
    for (int i = 1; i <= 3000; i++) {
        CHECK(fprintf(to, "line %d\n", i) > 0);
        if (i % 1000 == 0) let_others_run();
    }
    CHECK_EQ(fclose(to), 0);
    for (int i = 1; i <= 3000; i++) {
        snprintf(expected, sizeof expected, "%d: line %d\n", i, i);
        CHECK(fgets(text, sizeof text, from) != NULL);
        CHECK_STR(text, expected);
    }
    CHECK(fgets(text, sizeof text, from) == NULL && feof(from));
    CHECK_EQ(join_soon(copier), 3000);
    CHECK_EQ(coro_read(in[1], text, 1), CORO_ECLOSED); /* fclose is a coro_close */
}

static void *read_a_line(void *of_fd) {
    FILE *from = coro_fdopen(AS_INT(of_fd), "r");
    char text[8];
    CHECK(fgets(text, sizeof text, from) == NULL);
    int error = errno;
    CHECK(ferror(from) && !feof(from));
    return AS_POINTER(error);
}

TEST(H11_errors_of_stdio_streams_are_in_errno) {
    int fds[2];
    signal(SIGPIPE, SIG_DFL);
    unix_pair(fds);
    coro_t reader = spawn_one(read_a_line, AS_POINTER(fds[0]));
    let_others_run();
    coro_shutdown(reader);
    CHECK_EQ(join_soon(reader), EIO); /* our own codes have none of their own */
    CHECK_EQ(coro_close(fds[1]), 0);
    FILE *to = coro_fdopen(fds[0], "w");
    CHECK(fprintf(to, "x") == 1);
    errno = 0;
    CHECK_EQ(fflush(to), EOF);
    CHECK_EQ(errno, EPIPE);
    fclose(to);
    CHECK(coro_fdopen(-1, "r") == NULL);
    CHECK_CONTAINS(coro_error_detail(), "-1");
    unix_pair(fds);
    CHECK(coro_fdopen(fds[0], NULL) == NULL);
    CHECK_CONTAINS(coro_error_detail(), "mode");
    CHECK(coro_fdopen(fds[0], "nonsense") == NULL);
}
