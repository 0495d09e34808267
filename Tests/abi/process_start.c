/* Row G9: starting programs: what they are given. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"
#include "processes.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char *read_file(const char *path) {
    static char text[256];
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t got = read(fd, text, sizeof text - 1);
    CHECK(got >= 0);
    text[got] = 0;
    CHECK_EQ(close(fd), 0);
    return text;
}

/* What the program prints to its standard output; it has to exit with 0. */
static const char *output_of(coro_process_options *options) {
    options->out.mode = CORO_STDIO_PIPE;
    coro_process_t process = coro_process_start(options);
    if (process < 0) test_fail(__FILE__, __LINE__, "%s (%s)", coro_strerror((int)process), coro_error_detail());
    const char *text = read_all(coro_process_fd(process, 1));
    CHECK_EQ(finish(process), 0);
    CHECK_EQ(coro_process_close(process), 0);
    return text;
}

/* -- what it is given -- */

CORO_TEST(G9_arguments_program_and_environment) {
    const char *argv[] = {"not the program", "-c", "printf '%s,' \"$0\" \"$@\" \"$A\"; env -i /bin/true; echo ${HOME-no home}",
                          "zero", "one", "", "t w o", NULL};
    const char *env[] = {"A=b c", "PATH=/bin:/usr/bin", NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT, zeroes;
    options.argv = argv;
    options.program = "/bin/sh";
    options.env = env;
    CHECK_STR(output_of(&options), "zero,one,,t w o,b c,no home\n");
    CHECK_EQ(setenv("LIBCORO_TEST", "inherited", 1), 0);
    options = shell("echo $LIBCORO_TEST"); /* sh is looked for in PATH */
    CHECK_STR(output_of(&options), "inherited\n");
    memset(&zeroes, 0x5a, sizeof zeroes);
    coro_process_options_init(&zeroes);
    CHECK_EQ(zeroes.struct_size, sizeof zeroes);
    CHECK(zeroes.argv == NULL && zeroes.cwd == NULL && zeroes.in.mode == CORO_STDIO_INHERIT && zeroes.grace == 0);
}

CORO_TEST(G9_the_directory_it_runs_in) {
    coro_process_options options = shell("pwd");
    options.cwd = "/proc";
    CHECK_STR(output_of(&options), "/proc\n");
    options.program = "./sh"; /* relative to that directory */
    options.cwd = "/bin";
    CHECK_CONTAINS(output_of(&options), "bin\n");
}

CORO_TEST(G9_a_pipe_to_each_stream) {
    char buffer[64];
    coro_process_options options = shell("read line; echo \"out $line\"; echo \"err $line\" >&2; read more || echo end");
    options.in.mode = options.out.mode = options.err.mode = CORO_STDIO_PIPE;
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    int in = coro_process_fd(process, 0);
    CHECK_EQ(coro_write(in, "hello\n", 6), 6);
    CHECK_EQ(coro_recv_exact(coro_process_fd(process, 1), buffer, 10), 10);
    CHECK(memcmp(buffer, "out hello\n", 10) == 0);
    CHECK_EQ(coro_process_close_fd(process, 0), 0); /* the end of its input */
    CHECK_EQ(coro_process_close_fd(process, 0), 0);
    CHECK_EQ(coro_process_fd(process, 0), -EBADF);
    CHECK_STR(read_all(coro_process_fd(process, 1)), "end\n");
    CHECK_STR(read_all(coro_process_fd(process, 2)), "err hello\n");
    CHECK_EQ(finish(process), 0);
    CHECK_EQ(coro_process_fd(process, 3), -EINVAL);
    CHECK_EQ(coro_process_fd(process, -1), -EINVAL);
    CHECK_EQ(coro_process_close_fd(process, 3), -EINVAL);
    CHECK_EQ(coro_process_close(process), 0);
}

CORO_TEST(G9_streams_are_files_null_and_each_other) {
    const char *path = temporary_path();
    coro_process_options options = shell("cat; echo error >&2");
    write_file(path, "from a file\n", 0600);
    options.in = (coro_stdio){.mode = CORO_STDIO_FILE, .path = path};
    options.err.mode = CORO_STDIO_STDOUT;
    CHECK_STR(output_of(&options), "from a file\nerror\n");
    options = shell("echo $1; echo error >&2");
    options.in.mode = options.err.mode = CORO_STDIO_NULL;
    options.out = (coro_stdio){.mode = CORO_STDIO_FILE, .path = path};
    CHECK_EQ(finish(coro_process_start(&options)), 0);
    CHECK_STR(read_file(path), "\n"); /* emptied before */
    options = shell("cat; echo more; echo error >&2");
    options.in.mode = CORO_STDIO_NULL;
    options.out = (coro_stdio){.mode = CORO_STDIO_APPEND, .path = path};
    options.err.mode = CORO_STDIO_STDOUT;
    CHECK_EQ(finish(coro_process_start(&options)), 0);
    CHECK_STR(read_file(path), "\nmore\nerror\n");
    CHECK_EQ(unlink(path), 0);
}

/* The numbers may be those of standard streams, crosswise, and those may be closed here. */
static void swap_streams(void) {
    int out[2], err[2];
    char byte = 0;
    CHECK(pipe(out) == 0 && pipe(err) == 0);
    CHECK(dup2(out[1], 1) == 1 && dup2(err[1], 2) == 2);
    coro_process_options options = shell("printf o; printf e >&2");
    options.out = (coro_stdio){.mode = CORO_STDIO_FD, .fd = 2};
    options.err = (coro_stdio){.mode = CORO_STDIO_FD, .fd = 1};
    CHECK_EQ(finish(coro_process_start(&options)), 0);
    CHECK(read(err[0], &byte, 1) == 1 && byte == 'o');
    CHECK(read(out[0], &byte, 1) == 1 && byte == 'e');
    CHECK(fcntl(1, F_GETFD) == 0 && fcntl(2, F_GETFD) == 0); /* still open here */
}

CORO_TEST(G9_streams_may_be_exchanged) {
    char output[4096];
    CHECK_EQ(run_in_child(swap_streams, output, sizeof output), 0);
}

static void start_without_streams(void) {
    char buffer[8];
    coro_process_options options = shell("read line; echo $line; [ -e /proc/self/fd/2 ] && exit 7; exit 9");
    close(0);
    close(1);
    close(2);
    options.in.mode = options.out.mode = CORO_STDIO_PIPE;
    coro_process_t process = coro_process_start(&options);
    if (process < 0 || coro_process_fd(process, 0) < 3 || coro_process_fd(process, 1) < 3) _exit(1);
    if (coro_write(coro_process_fd(process, 0), "abc\n", 4) != 4) _exit(2);
    if (coro_recv_exact(coro_process_fd(process, 1), buffer, 4) != 4 || memcmp(buffer, "abc\n", 4) != 0) _exit(3);
    if (finish(process) != 9 << 8) _exit(4); /* its standard error is closed, as ours */
}

CORO_TEST(G9_standard_streams_may_be_closed_here) {
    char output[4096];
    CHECK_EQ(run_in_child(start_without_streams, output, sizeof output), 0);
}

/* Inherited although it is close-on-exec here: a standard stream is meant for programs. */
CORO_TEST(G9_an_inherited_stream_may_be_close_on_exec) {
    int before = fcntl(0, F_GETFD);
    if (before < 0) CHECK_EQ(open("/dev/null", O_RDONLY), 0);
    CHECK_EQ(fcntl(0, F_SETFD, FD_CLOEXEC), 0);
    coro_process_options options = shell("[ -e /proc/self/fd/0 ] && echo open");
    CHECK_STR(output_of(&options), "open\n");
    CHECK_EQ(fcntl(0, F_GETFD), FD_CLOEXEC);
}

/* Known bug 12: any kind of descriptor will do as a stream. */
CORO_TEST(G9_every_kind_of_descriptor_can_be_a_stream) {
    int pipe_ends[2], socket_ends[2], terminal_ends[2];
    CHECK_EQ(pipe(pipe_ends), 0);
    unix_pair(socket_ends);
    open_terminal(terminal_ends);
    const int kinds[] = {
        open(temporary_path(), O_RDWR | O_CREAT, 0600), open("/dev/null", O_RDWR), open("/dev/zero", O_RDWR),
        open("/", O_RDONLY), pipe_ends[0], socket_ends[0], terminal_ends[1], eventfd(0, 0), memfd_create("memory", 0),
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        coro_process_options options = shell("[ -e /proc/self/fd/0 ] && echo open");
        CHECK(kinds[i] >= 0);
        options.in = (coro_stdio){.mode = CORO_STDIO_FD, .fd = kinds[i]};
        CHECK_STR(output_of(&options), "open\n");
        CHECK(fcntl(kinds[i], F_GETFD) >= 0);
    }
    CHECK_EQ(unlink(temporary_path()), 0);
}

/* Its ends of pipes block, as programs expect; ours do not. (Octal 4000 is O_NONBLOCK.) */
CORO_TEST(G9_the_childs_ends_of_pipes_block) {
    coro_process_options options = shell(
        "for fd in 0 1 2; do while read name flags; do [ $name = flags: ] && echo $flags; done < /proc/self/fdinfo/$fd; done;"
        "exit 0");
    unsigned flags[3];
    options.in.mode = options.out.mode = options.err.mode = CORO_STDIO_PIPE;
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    for (int stream = 0; stream < 3; stream++) {
        int fd = coro_process_fd(process, stream);
        CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
        CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    }
    CHECK_EQ(sscanf(read_all(coro_process_fd(process, 1)), "%o %o %o", &flags[0], &flags[1], &flags[2]), 3);
    /* While sh reads from a file its descriptor 0 is that; it says the same of it. */
    for (int stream = 0; stream < 3; stream++) CHECK_EQ(flags[stream] & O_NONBLOCK, 0);
    CHECK_EQ(finish(process), 0);
}

static const char list_open[] = "for fd in 0 1 2 3 4 5 6 7 8 9 50; do [ -e /proc/self/fd/$fd ] && printf \"$fd \"; done; echo";

/* Known bug 39. */
CORO_TEST(G9_nothing_but_the_streams_is_passed_on) {
    int fds[2];
    CHECK_EQ(pipe(fds), 0); /* not close-on-exec */
    CHECK_EQ(dup2(fds[0], 50), 50);
    coro_process_options options = shell(list_open);
    options.in.mode = CORO_STDIO_PIPE;
    CHECK_STR(output_of(&options), "0 1 2 \n");
    options = shell("[ -e /proc/self/fd/50 ] && echo passed on");
    options.flags = CORO_PROCESS_KEEP_FDS;
    CHECK_STR(output_of(&options), "passed on\n");
}

/* A stream that is closed here is closed there: nothing of libcoro's own takes its number, here or there. */
TEST(G9_a_stream_that_is_closed_here_is_closed_there) {
    CHECK_EQ(close(0), 0);
    coro_process_options options = shell(list_open);
    for (int i = 0; i < 2; i++) {
        CHECK_STR(output_of(&options), "1 2 \n");
        CHECK_EQ(fcntl(0, F_GETFD), -1);
    }
    coro_process_t process = start_shell("exit 0");
    CHECK_EQ(fcntl(0, F_GETFD), -1);
    CHECK_EQ(finish(process), 0);
}

/* Known bug 32: what the caller's thread blocks and ignores, and nothing more. */
static const char *line_of(const char *text, const char *name) {
    static char lines[2][128];
    static int turn;
    const char *line = strstr(text, name);
    CHECK(line != NULL);
    turn = !turn;
    snprintf(lines[turn], sizeof lines[turn], "%.*s", (int)strcspn(line, "\n"), line);
    return lines[turn];
}

CORO_TEST(G7_the_signal_mask_is_the_callers) {
    char own[8192] = "";
    sigset_t some;
    sigemptyset(&some);
    for (int round = 0; round < 2; round++) {
        int fd = open("/proc/thread-self/status", O_RDONLY);
        CHECK(read(fd, own, sizeof own - 1) > 0);
        CHECK_EQ(close(fd), 0);
        coro_process_options options = shell("while read line; do echo \"$line\"; done < /proc/self/status");
        const char *theirs = output_of(&options);
        CHECK_STR(line_of(theirs, "SigBlk"), line_of(own, "SigBlk"));
        CHECK_STR(line_of(theirs, "SigIgn"), line_of(own, "SigIgn"));
        sigaddset(&some, SIGUSR1);
        CHECK_EQ(pthread_sigmask(SIG_BLOCK, &some, NULL), 0);
        CHECK(signal(SIGUSR2, SIG_IGN) != SIG_ERR);
    }
}

CORO_TEST(G9_groups_and_sessions) {
    coro_process_options options = shell("read line");
    options.in.mode = CORO_STDIO_PIPE;
    for (uint32_t flags = 0; flags <= (CORO_PROCESS_GROUP | CORO_PROCESS_SESSION); flags++) {
        options.flags = flags;
        coro_process_t process = coro_process_start(&options);
        CHECK(process > 0);
        pid_t pid = coro_process_pid(process);
        CHECK_EQ(getpgid(pid), flags != 0 ? pid : getpgrp());
        CHECK_EQ(getsid(pid), (flags & CORO_PROCESS_SESSION) != 0 ? pid : getsid(0));
        CHECK_EQ(coro_process_close_fd(process, 0), 0);
        CHECK_EQ(finish(process), 1 << 8);
    }
}
