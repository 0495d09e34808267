/* Row G9: coro_process_run(). Feeding, capturing, and ending what takes too long. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"
#include "processes.h"


static coro_process_result run(const char *script) {
    return run_with(shell(script), NULL, 0, CORO_FOREVER, 0);
}

CORO_TEST(G9_output_and_errors_are_captured_apart) {
    coro_process_result result = run("printf 'to %s' out; echo to err >&2; exit 3");
    CHECK_EQ(result.status, 3 << 8);
    CHECK_STR(result.out, "to out");
    CHECK_EQ(result.out_size, 6);
    CHECK_STR(result.err, "to err\n");
    CHECK_EQ(result.err_size, 7);
    coro_process_result_free(&result);
    CHECK(result.out == NULL && result.err == NULL && result.out_size == 0 && result.status == -1);
    coro_process_result_free(&result);
    coro_process_result_free(NULL);
    result = run("exit 0"); /* nothing is an empty text */
    CHECK_STR(result.out, "");
    CHECK_STR(result.err, "");
    CHECK_EQ(result.status, 0);
    coro_process_result_free(&result);
}

CORO_TEST(G9_output_and_errors_are_captured_together) {
    coro_process_options options = shell("echo 1; echo 2 >&2; echo 3");
    options.err.mode = CORO_STDIO_STDOUT;
    coro_process_result result = run_with(options, NULL, 0, CORO_FOREVER, 0);
    CHECK_STR(result.out, "1\n2\n3\n");
    CHECK(result.err == NULL && result.err_size == 0);
    coro_process_result_free(&result);
}

CORO_TEST(G9_bytes_are_captured_as_they_are) {
    static const char bytes[] = "a\0b\0\377\n";
    coro_process_result result = run_with(shell("cat"), bytes, sizeof bytes, CORO_FOREVER, 0);
    CHECK_EQ(result.out_size, sizeof bytes);
    CHECK(memcmp(result.out, bytes, sizeof bytes) == 0);
    CHECK_EQ(result.out[sizeof bytes], 0);
    coro_process_result_free(&result);
}

/* Without input there is none, whatever our own standard input is. */
CORO_TEST(G9_input_is_given_or_empty) {
    coro_process_result result = run("cat; echo end");
    CHECK_STR(result.out, "end\n");
    coro_process_result_free(&result);
    result = run_with(shell("cat; echo end"), "", 0, CORO_FOREVER, 0);
    CHECK_STR(result.out, "end\n");
    coro_process_result_free(&result);
    result = run_with(shell("cat; echo end"), "line\n", 5, CORO_FOREVER, 0);
    CHECK_STR(result.out, "line\nend\n");
    coro_process_result_free(&result);
}

/* Far more than pipes hold, in both directions and on both streams: whoever wrote or read one thing after the other would
   wait for ever. And no other coroutine is kept waiting. */
static int ticks;

static void *tick(void *unused) {
    while (coro_yield_slice() == 0) ticks++;
    return unused;
}

CORO_TEST(G9_megabytes_both_ways_at_once) {
    enum { SIZE = 8 << 20 };
    char *input = malloc(SIZE);
    coro_t ticker = spawn_one(tick, NULL);
    int live = (int)coro_get_live_coros();
    pattern_fill(input, SIZE, 0);
    coro_process_result result = run_with(shell("cat"), input, SIZE, CORO_FOREVER, 0);
    CHECK_EQ(result.out_size, SIZE);
    CHECK(memcmp(result.out, input, SIZE) == 0);
    coro_process_result_free(&result);
    CHECK(ticks > 10);
    result = run_with(shell("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero"), input, SIZE, CORO_FOREVER, 0);
    CHECK_EQ(result.out_size, 3000000); /* and the input was not read */
    CHECK_EQ(result.err_size, 3000000);
    coro_process_result_free(&result);
    CHECK_EQ(coro_get_live_coros(), live);
    CHECK_EQ(coro_shutdown(ticker), 0);
    join_soon(ticker);
    free(input);
}

/* Known bug 23: a program that ends without reading is no error, and no SIGPIPE. */
CORO_TEST(G9_input_that_is_not_read_is_no_error) {
    size_t size = 1 << 20;
    char *input = calloc(1, size);
    for (int i = 0; i < 20; i++) {
        coro_process_result result = run_with(shell("exit 4"), input, size, CORO_FOREVER, 0);
        CHECK_EQ(result.status, 4 << 8);
        coro_process_result_free(&result);
        result = run_with(shell("exec <&-; echo closed"), input, size, CORO_FOREVER, 0);
        CHECK_STR(result.out, "closed\n");
        coro_process_result_free(&result);
    }
    free(input);
}

TEST(G9_run_on_main) {
    coro_process_result result = run("echo main");
    CHECK_STR(result.out, "main\n");
    coro_process_result_free(&result);
    (void)coro_set_strict_main(true);
    result = run_with(shell("exit 0"), NULL, 0, CORO_FOREVER, CORO_EYIELDFROMMAIN);
    CHECK(result.out == NULL && result.status == -1);
    CHECK_EQ(count_children(), 0);
}

/* -- streams that are not captured -- */

CORO_TEST(G9_streams_that_go_elsewhere) {
    coro_process_options options = shell("cat; echo out; echo err >&2");
    options.out.mode = CORO_STDIO_NULL;
    options.err.mode = CORO_STDIO_PIPE;
    coro_process_result result = run_with(options, "x", 1, CORO_FOREVER, 0);
    CHECK(result.out == NULL);
    CHECK_STR(result.err, "err\n");
    coro_process_result_free(&result);
    options = shell("cat");
    options.in.mode = CORO_STDIO_NULL;
    result = run_with(options, NULL, 0, CORO_FOREVER, 0);
    CHECK_STR(result.out, "");
    coro_process_result_free(&result);
    result = run_with(options, "x", 1, CORO_FOREVER, -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "there is input");
}

/* -- limits and failures -- */

CORO_TEST(G9_output_is_limited) {
    int before = descriptors_at_rest();
    coro_process_options options = shell("head -c 100000 /dev/zero");
    options.capture_limit = 100000;
    coro_process_result result = run_with(options, NULL, 0, CORO_FOREVER, 0);
    CHECK_EQ(result.out_size, 100000);
    coro_process_result_free(&result);
    options.capture_limit = 99999;
    result = run_with(options, NULL, 0, CORO_FOREVER, -EOVERFLOW);
    CHECK_EQ(result.out_size, 99999);
    CHECK_EQ(result.out[99999], 0);
    CHECK_CONTAINS(coro_error_detail(), "more than coro_process_options.capture_limit, 99999 bytes");
    coro_process_result_free(&result);
    options = shell("while :; do echo endless; done");
    options.capture_limit = 1;
    result = run_with(options, NULL, 0, CORO_FOREVER, -EOVERFLOW);
    CHECK_STR(result.out, "e");
    CHECK_EQ(result.status, SIGTERM);
    coro_process_result_free(&result);
    options = shell("trap '' TERM; while :; do echo endless; echo endless >&2; done");
    options.capture_limit = 5000;
    options.grace = CORO_MS(50);
    result = run_with(options, NULL, 0, CORO_FOREVER, -EOVERFLOW);
    CHECK_EQ(result.out_size <= 5000 && result.err_size <= 5000, true);
    CHECK_EQ(result.status, SIGKILL);
    coro_process_result_free(&result);
    options = shell("echo unlimited");
    options.capture_limit = SIZE_MAX;
    result = run_with(options, NULL, 0, CORO_FOREVER, 0);
    CHECK_STR(result.out, "unlimited\n");
    coro_process_result_free(&result);
    expect_nothing_left(before);
}

CORO_TEST(G9_arguments_of_run_that_mean_nothing_are_refused) {
    coro_process_options options = shell("exit 0");
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    CHECK_EQ(coro_process_run(NULL, NULL, 0, CORO_FOREVER, &result), -EINVAL);
    CHECK_EQ(coro_process_run(&options, NULL, 0, CORO_FOREVER, NULL), -EINVAL);
    CHECK_EQ(coro_process_run(&options, NULL, 1, CORO_FOREVER, &result), -EINVAL);
    CHECK_EQ(coro_process_run(&options, NULL, 0, -1, &result), -EINVAL);
    CHECK_EQ(coro_process_run(&options, "x", SIZE_MAX, CORO_FOREVER, &result), -EINVAL);
    result.struct_size = 1;
    CHECK_EQ(coro_process_run(&options, NULL, 0, CORO_FOREVER, &result), -EINVAL);
    options.argv = NULL;
    result = run_with(options, NULL, 0, CORO_FOREVER, -EINVAL);
    CHECK(result.out == NULL && result.err == NULL);
}

/* Whatever fails, and whenever: an error, or it was not needed; and nothing is left. */
CORO_TEST(G9_every_failure_of_a_run_is_undone) {
    static const struct { const char *call; int error, count; } failures[] = {
        {"calloc", ENOMEM, 8}, {"epoll_create1", EMFILE, 1}, {"epoll_ctl", ENOSPC, 5}, {"read", EIO, 4}, {"write", EIO, 1},
        {"pipe2", ENFILE, 3}, {"posix_spawn", EAGAIN, 1}, {"pidfd_open", EMFILE, 1},
    };
    char *input = calloc(1, 200000);
    int before = descriptors_at_rest();
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        for (int n = 1; n <= failures[i].count; n++) {
            coro_process_options options = shell("cat; head -c 100000 /dev/zero >&2");
            coro_process_result result = CORO_PROCESS_RESULT_INIT;
            CHECK_EQ(coro_test_fail_call(failures[i].call, n, failures[i].error), 0);
            int code = coro_process_run(&options, input, 200000, CORO_FOREVER, &result);
            CHECK_EQ(coro_test_fail_call(failures[i].call, 0, 0), 0);
            if (code != -failures[i].error) CHECK_EQ(code, 0);
            if (code == 0) CHECK(result.out_size == 200000 && result.err_size == 100000);
            coro_process_result_free(&result);
            expect_nothing_left(before);
        }
    }
    free(input);
}

CORO_TEST(G9_a_run_whose_status_was_taken_is_an_error) {
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR); /* the system takes it */
    coro_process_result result = run_with(shell("read line; echo $line"), "lost\n", 5, CORO_FOREVER, -ECHILD);
    CHECK_STR(result.out, "lost\n");
    CHECK_EQ(result.status, -1);
    CHECK_CONTAINS(coro_error_detail(), "SIGCHLD is ignored");
    coro_process_result_free(&result);
}

static void *run_once(void *number) {
    char script[64];
    int echoed;
    snprintf(script, sizeof script, "read number; echo $number; exit %d", AS_INT(number));
    const char *argv[] = {"sh", "-c", script, NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    options.argv = argv;
    char input[16];
    snprintf(input, sizeof input, "%d\n", AS_INT(number));
    coro_process_result result = run_with(options, input, strlen(input), CORO_FOREVER, 0);
    CHECK_EQ(result.status, AS_INT(number) << 8);
    CHECK_EQ(sscanf(result.out, "%d", &echoed), 1);
    CHECK_EQ(echoed, AS_INT(number));
    coro_process_result_free(&result);
    return number;
}

/* SIGCHLD is ignored, and the program has ended before anything could be known of it: what it wrote is there all the same. */
CORO_TEST(G9_a_run_that_is_over_at_once_loses_no_output) {
    int before = descriptors_at_rest();
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    CHECK_EQ(coro_test_fail_call("pidfd_open", 1, ESRCH), 0);
    coro_process_result result = run_with(shell("echo over; echo at once >&2"), NULL, 0, CORO_FOREVER, -ECHILD);
    CHECK_STR(result.out, "over\n");
    CHECK_STR(result.err, "at once\n");
    CHECK_EQ(result.status, -1);
    coro_process_result_free(&result);
    for (int i = 0; i < 20; i++) { /* in earnest */
        result = run_with(shell("echo over"), NULL, 0, CORO_FOREVER, -ECHILD);
        CHECK_STR(result.out, "over\n");
        coro_process_result_free(&result);
    }
    coro_process_options options = shell("sleep 1000");
    options.grace = CORO_MS(1);
    result = run_with(options, NULL, 0, 0, CORO_ETIMEOUT);
    CHECK_EQ(result.status, -1);
    CHECK_CONTAINS(coro_error_detail(), "its status is lost");
    coro_process_result_free(&result);
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    expect_nothing_left(before);
}

/* The same by a handle. */
CORO_TEST(G9_a_process_that_is_over_at_once_has_a_handle) {
    int before = descriptors_at_rest(), status = 7;
    coro_process_options options = shell("echo over");
    options.out.mode = CORO_STDIO_PIPE;
    CHECK(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
    CHECK_EQ(coro_test_fail_call("pidfd_open", 1, ESRCH), 0);
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    CHECK_EQ(coro_process_wait(process, &status), -ECHILD);
    CHECK_EQ(status, 7);
    CHECK(!coro_process_is_alive(process));
    CHECK_EQ(coro_process_kill(process, SIGKILL), -ESRCH);
    CHECK_STR(read_all(coro_process_fd(process, 1)), "over\n");
    CHECK_EQ(coro_process_close(process), 0);
    while (count_children() > 0) CHECK_EQ(coro_sleep(CORO_MS(1)), 0); /* the system takes it when it is quite over */
    expect_nothing_left(before);
}

CORO_TEST(G9_many_runs_at_once) {
    coro_t runners[50];
    for (int i = 0; i < 50; i++) runners[i] = spawn_one(run_once, AS_POINTER(i));
    for (int i = 0; i < 50; i++) CHECK_EQ(join_soon(runners[i]), i);
    CHECK_EQ(count_children(), 0);
}
