/*
 * 19: Running programs.
 *
 * coro_process_run() runs a program to its end: it is given its input, what it writes is captured, and it is ended with
 * all that it has started when it takes too long. coro_process_start() gives a handle instead, and pipes to talk through
 * while it runs. Other coroutines go on meanwhile.
 *
 *     $ ./19_processes
 *     sorted: c b a
 *     it wrote 3 bytes and complained: "no more", exited with 3
 *     a program that takes too long: CORO_ETIMEOUT, killed by SIGTERM, after it wrote "working"
 *     a program that there is not: ENOENT, program 'no-such-program' is in no directory of PATH
 *     counting: 1
 *     counting: 2
 *     counting: 3
 *     the counter exited with 0; the clock ticked meanwhile: yes
 */
#include "must.h"

#include <string.h>

static const char *describe(int status) {
    static char text[64];
    coro_process_describe_status(status, text, sizeof text);
    return text;
}

/* Input and output. */
static void sort(void) {
    const char *argv[] = {"sort", "-r", NULL}, *input = "b\nc\na\n";
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    options.argv = argv;
    MUST(coro_process_run(&options, input, strlen(input), CORO_SECONDS(10), &result));
    for (char *c = result.out; *c != 0; c++) if (*c == '\n') *c = ' ';
    printf("sorted: %s\n", result.out);
    coro_process_result_free(&result);
}

/* Output, errors and status, each for itself. */
static void complain(void) {
    const char *argv[] = {"sh", "-c", "printf abc; printf 'no more' >&2; exit 3", NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    options.argv = argv;
    MUST(coro_process_run(&options, NULL, 0, CORO_FOREVER, &result));
    printf("it wrote %zu bytes and complained: \"%s\", %s\n", result.out_size, result.err, describe(result.status));
    coro_process_result_free(&result);
}

static void take_too_long(void) {
    const char *argv[] = {"sh", "-c", "printf working; sleep 1000", NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    options.argv = argv;
    int error = coro_process_run(&options, NULL, 0, CORO_SECONDS(1), &result);
    printf("a program that takes too long: %s, %s, after it wrote \"%s\"\n", coro_error_name(error),
           describe(result.status), result.out);
    coro_process_result_free(&result);
}

static void miss(void) {
    const char *argv[] = {"no-such-program", NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    options.argv = argv;
    coro_process_t process = coro_process_start(&options);
    printf("a program that there is not: %s, %s\n", coro_error_name((int)process), coro_error_detail());
}

static int ticks;

static void *tick(void *arg) {
    while (coro_sleep(CORO_MS(20)) == 0) ticks++;
    return coro_fail(CORO_ESHUTDOWN, NULL);
}

/* What it writes is read as it comes, by a stream of stdio. */
static void follow(void) {
    const char *argv[] = {"sh", "-c", "for i in 1 2 3; do sleep 0.1; echo $i; done", NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    char line[80];
    int status;
    options.argv = argv;
    options.out.mode = CORO_STDIO_PIPE;
    coro_t ticker = MUST(coro_spawn(tick, NULL));
    coro_process_t process = MUST(coro_process_start(&options));
    FILE *out = coro_fdopen((int)MUST(coro_process_fd(process, 1)), "r");
    while (out != NULL && fgets(line, sizeof line, out) != NULL) printf("counting: %s", line);
    if (out != NULL) fclose(out);
    MUST(coro_process_wait(process, &status));
    MUST(coro_process_close(process));
    MUST(coro_shutdown(ticker));
    printf("the counter %s; the clock ticked meanwhile: %s\n", describe(status), ticks >= 2 ? "yes" : "no");
}

int main(void) {
    sort();
    complain();
    take_too_long();
    miss();
    follow();
    return 0;
}
