/*
 * 14: stdio streams.
 *
 * coro_fdopen() makes a FILE of a descriptor, so that fprintf(), fgets() and code that was written for them work, and
 * suspend the coroutine instead of the thread. One coroutine at a time may use a stream.
 *
 *     $ ./14_stdio
 *     question 1: 6 * 7 ?
 *     answer 1: 42
 *     question 2: 12 * 12 ?
 *     answer 2: 144
 *     the oracle has gone
 */
#include "must.h"

static FILE *open_stream(int fd, const char *mode) {
    FILE *stream = coro_fdopen(fd, mode);
    if (stream == NULL) {
        fprintf(stderr, "coro_fdopen: %s\n", coro_error_detail());
        exit(EXIT_FAILURE);
    }
    return stream;
}

/* Reads "a * b ?" lines and writes the products. */
static void *oracle(void *arg) {
    int fd = *(int *)arg, a, b;
    char line[80];
    FILE *in = open_stream(fd, "r"), *out = open_stream((int)MUST(coro_dup(fd)), "w");
    while (fgets(line, sizeof line, in) != NULL && sscanf(line, "%d * %d ?", &a, &b) == 2) {
        fprintf(out, "%d\n", a * b);
        if (fflush(out) != 0) break;
    }
    fclose(in);
    fclose(out);
    puts("the oracle has gone");
    return NULL;
}

int main(void) {
    static const int questions[2][2] = {{6, 7}, {12, 12}};
    int fds[2];
    char line[80];
    MUST(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    coro_t co = MUST(coro_spawn(oracle, &fds[1]));

    FILE *to_oracle = open_stream((int)MUST(coro_dup(fds[0])), "w"), *from_oracle = open_stream(fds[0], "r");
    for (int i = 0; i < 2; i++) {
        printf("question %d: %d * %d ?\n", i + 1, questions[i][0], questions[i][1]);
        fprintf(to_oracle, "%d * %d ?\n", questions[i][0], questions[i][1]);
        if (fflush(to_oracle) != 0 || fgets(line, sizeof line, from_oracle) == NULL) return 1;
        printf("answer %d: %s", i + 1, line);
    }
    fclose(to_oracle);
    fclose(from_oracle); /* now both ends are closed, and the oracle reads the end */
    MUST(coro_join(co, NULL, CORO_FOREVER));
    return 0;
}
