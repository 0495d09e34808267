/* Row G9: programs that can't be started: what is said, that nothing is left behind, and what is tried again. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"
#include "processes.h"

#include <fcntl.h>
#include <pthread.h>

static void expect_refusal(const coro_process_options *options, int error, const char *detail) {
    int before = open_descriptors();
    CHECK_EQ(coro_process_start(options), error);
    CHECK_CONTAINS(coro_error_detail(), detail);
    CHECK_EQ(open_descriptors(), before);
    CHECK_EQ(count_children(), 0);
}

CORO_TEST(G9_what_can_not_be_started_is_named) {
    const char *argv[] = {"no-such-program-anywhere", NULL}, *path = temporary_path();
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    options.argv = argv;
    options.in.mode = options.out.mode = options.err.mode = CORO_STDIO_PIPE;
    expect_refusal(&options, -ENOENT, "'no-such-program-anywhere' is in no directory of PATH");
    options.program = "/no/such/program";
    expect_refusal(&options, -ENOENT, "'/no/such/program'");
    options.program = "/tmp";
    expect_refusal(&options, -EACCES, "'/tmp': it may not be executed");
    write_file(path, "echo hello\n", 0600);
    options.program = path;
    expect_refusal(&options, -EACCES, path);
    write_file(path, "echo hello\n", 0700);
    expect_refusal(&options, -ENOEXEC, "must begin with #!");
    write_file(path, "#!/no/such/interpreter\n", 0700);
    expect_refusal(&options, -ENOENT, "interpreter");
    int writer = open(path, O_WRONLY | O_CLOEXEC);
    expect_refusal(&options, -ETXTBSY, "open for writing");
    CHECK_EQ(close(writer), 0);
    options.program = "/bin/true";
    options.cwd = "/no/such/directory";
    expect_refusal(&options, -ENOENT, "directory to run in, '/no/such/directory'");
    options.cwd = path;
    expect_refusal(&options, -ENOTDIR, "directory to run in");
    options.cwd = NULL;
    options.in = (coro_stdio){.mode = CORO_STDIO_FILE, .path = "/no/such/file"};
    expect_refusal(&options, -ENOENT, "standard input, '/no/such/file'");
    options.in.mode = CORO_STDIO_INHERIT;
    options.out = (coro_stdio){.mode = CORO_STDIO_FILE, .path = "/tmp"};
    expect_refusal(&options, -EISDIR, "standard output, '/tmp'");
    options.out.mode = CORO_STDIO_INHERIT;
    options.err = (coro_stdio){.mode = CORO_STDIO_FD, .fd = 999};
    expect_refusal(&options, -EBADF, "standard error: descriptor 999");
    CHECK_EQ(unlink(path), 0);
}

CORO_TEST(G9_too_many_arguments_are_refused) {
    size_t size = 300 * 1024; /* one argument may have 128 KiB */
    char *large = malloc(size);
    memset(large, 'x', size);
    large[size - 1] = 0;
    const char *argv[] = {"true", large, NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    options.argv = argv;
    expect_refusal(&options, -E2BIG, "too long");
    free(large);
}

CORO_TEST(G9_options_that_mean_nothing_are_refused) {
    const char *empty[] = {NULL};
    coro_process_options good = shell("exit 0"), options = good;
    expect_refusal(NULL, -EINVAL, "options is NULL");
    options.struct_size = 0;
    expect_refusal(&options, -EINVAL, "struct_size");
    options = good;
    options.argv = NULL;
    expect_refusal(&options, -EINVAL, "argv is NULL");
    options.argv = empty;
    expect_refusal(&options, -EINVAL, "argv is empty");
    options = good;
    options.flags = 0x80;
    expect_refusal(&options, -EINVAL, "mean nothing");
    options = good;
    options.reserved = 1;
    expect_refusal(&options, -EINVAL, "mean nothing");
    options = good;
    options.grace = -1;
    expect_refusal(&options, -EINVAL, "mean nothing");
    options = good;
    options.in.mode = 7;
    expect_refusal(&options, -EINVAL, "mode");
    options.in.mode = -1;
    expect_refusal(&options, -EINVAL, "mode");
    options.in.mode = CORO_STDIO_APPEND;
    expect_refusal(&options, -EINVAL, "CORO_STDIO_APPEND");
    options.in.mode = CORO_STDIO_FILE;
    expect_refusal(&options, -EINVAL, "need a path");
    options = good;
    options.out.mode = CORO_STDIO_STDOUT;
    expect_refusal(&options, -EINVAL, "err alone");
}

/* Known bug 27: whatever fails on the way, nothing runs, no zombie and no descriptor is left. */
CORO_TEST(G9_every_failure_while_starting_is_undone) {
    static const struct { const char *call; int error, count; } failures[] = {
        {"calloc", ENOMEM, 2}, {"pipe2", EMFILE, 2}, {"open", EMFILE, 2}, {"fcntl", EMFILE, 4}, {"eventfd", EMFILE, 1},
        {"posix_spawn", EAGAIN, 1}, {"posix_spawn", ENOMEM, 1}, {"pidfd_open", ENOSYS, 1}, {"pidfd_open", EMFILE, 1},
    };
    coro_process_options options = shell("exit 0");
    options.in.mode = CORO_STDIO_NULL;
    options.out.mode = options.err.mode = CORO_STDIO_PIPE;
    options.cwd = "/";
    CHECK(coro_loop_current() > 0); /* opens the poller */
    coro_process_t warm = coro_process_start(&options);
    CHECK_EQ(finish(warm), 0);
    CHECK_EQ(coro_process_close(warm), 0);
    int before = open_descriptors();
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        for (int n = 1; n <= failures[i].count; n++) {
            CHECK_EQ(coro_test_fail_call(failures[i].call, n, failures[i].error), 0);
            coro_process_t process = coro_process_start(&options);
            CHECK_EQ(coro_test_fail_call(failures[i].call, 0, 0), 0);
            if (process > 0 && strcmp(failures[i].call, "calloc") == 0) { /* there was room without */
                CHECK_EQ(finish(process), 0);
                CHECK_EQ(coro_process_close(process), 0);
            } else {
                CHECK_EQ(process, -failures[i].error);
                if (failures[i].error == EMFILE) CHECK_CONTAINS(coro_error_detail(), "ulimit -n");
            }
            CHECK_EQ(open_descriptors(), before);
            CHECK_EQ(count_children(), 0);
        }
    }
}

/* Known bug 27 as it was reported. */
CORO_TEST(G9_failed_starts_leave_no_zombies) {
    const char *argv[] = {"/no/such/program", NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    options.argv = argv;
    int before = open_descriptors();
    for (int i = 0; i < 100; i++) CHECK_EQ(coro_process_start(&options), -ENOENT);
    CHECK_EQ(count_children(), 0);
    CHECK_EQ(open_descriptors(), before);
}

static void *write_and_start(void *number) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/libcoro-test-%d-%d", (int)getpid(), AS_INT(number));
    const char *argv[] = {path, NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    options.argv = argv;
    for (int i = 0; i < 25; i++) {
        write_file(path, "#!/bin/sh\nexit 5\n", 0700);
        coro_process_t process = coro_process_start(&options);
        if (process < 0) test_fail(__FILE__, __LINE__, "%s", coro_strerror((int)process));
        CHECK_EQ(finish(process), 5 << 8);
        CHECK_EQ(coro_process_close(process), 0);
    }
    CHECK_EQ(unlink(path), 0);
    return number;
}

/* Known bug 38: a child that another thread has just made has a copy of the descriptor that this one has written by. */
TEST(G9_programs_that_were_just_written_can_be_started) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) CHECK_EQ(pthread_create(&threads[i], NULL, write_and_start, AS_POINTER(i)), 0);
    for (int i = 0; i < 8; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(count_children(), 0);
}

static void *close_a_little_later(void *fd) {
    usleep(3000);
    CHECK_EQ(close(AS_INT(fd)), 0);
    return NULL;
}

/* The same for sure: busy at first, and then not. */
TEST(G9_a_program_that_is_busy_is_tried_again) {
    const char *argv[] = {temporary_path(), NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    pthread_t closer;
    options.argv = argv;
    write_file(argv[0], "#!/bin/sh\nexit 5\n", 0700);
    for (int times = 1; times <= 3; times++) {
        CHECK_EQ(coro_test_fail_call("posix_spawn", 1, ETXTBSY), 0);
        CHECK_EQ(finish(coro_process_start(&options)), 5 << 8);
    }
    int writer = open(argv[0], O_WRONLY | O_CLOEXEC);
    CHECK_EQ(pthread_create(&closer, NULL, close_a_little_later, AS_POINTER(writer)), 0);
    coro_process_t process;
    do process = coro_process_start(&options); /* on a machine that is very busy more than once */
    while (process == -ETXTBSY);
    CHECK_EQ(finish(process), 5 << 8);
    CHECK_EQ(pthread_join(closer, NULL), 0);
    CHECK_EQ(unlink(argv[0]), 0);
}
