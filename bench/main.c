/* Runs the benchmarks in turn, several rounds, so that a machine whose speed drifts slows all of them alike; prints the
   median, least and most of the rounds. Each run is in a process of its own: what one leaves behind (a hundred thousand stacks,
   say) is not the next one's matter. */
#include "bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 9, QUICK_ROUNDS = 5 };

static const struct work *const all_works[] = {&switch_floor, &yield_2,        &yield_1000,    &spawn_join,  &sleep_100k,
                                               &pipe_roundtrip, &timeout_scope, &park_wake, &timeout_park};
enum { ALL_WORKS = sizeof all_works / sizeof all_works[0] };

/* Those that were asked for. */
static const struct work *works[ALL_WORKS];
static int work_count;

static double clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double wall_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

double cpu_ns(void) {
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void must(int64_t result, const char *what) {
    if (result >= 0) return;
    fprintf(stderr, "coro_bench: %s: %s %s\n", what, coro_strerror((int)result), coro_error_detail());
    exit(1);
}

static bool choose(const char *name) {
    for (int i = 0; i < ALL_WORKS && work_count < ALL_WORKS; i++)
        if (strcmp(all_works[i]->name, name) == 0) return works[work_count++] = all_works[i], true;
    return false;
}

/* What an operation takes, measured in a child process, after a tenth of the work to warm up. */
static double run_apart(const struct work *work, long count) {
    int ends[2], status;
    double each = 0;
    fflush(NULL);
    if (pipe(ends) != 0) return perror("pipe"), exit(1), 0;
    pid_t child = fork();
    if (child == 0) {
        work->run(count / 10);
        each = work->run(count) / (double)count;
        _exit(write(ends[1], &each, sizeof each) == sizeof each ? 0 : 1);
    }
    close(ends[1]);
    bool got = read(ends[0], &each, sizeof each) == sizeof each;
    close(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0 || !got) {
        fprintf(stderr, "coro_bench: %s failed\n", work->name);
        exit(1);
    }
    return each;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_json(FILE *file, double results[][MAX_ROUNDS], int rounds) {
    fprintf(file, "[\n");
    for (int i = 0; i < work_count; i++)
        fprintf(file,
                "  {\"work\": \"%s\", \"peer\": \"libcoro\", \"median\": %.2f, \"min\": %.2f, \"max\": %.2f, "
                "\"unit\": \"%s\", \"rounds\": %d}%s\n",
                works[i]->name, results[i][rounds / 2], results[i][0], results[i][rounds - 1], works[i]->unit, rounds,
                i + 1 < work_count ? "," : "");
    fprintf(file, "]\n");
}

static void print_table(double results[][MAX_ROUNDS], int rounds) {
    printf("%-16s %10s %10s %10s  %s\n", "work", "median", "min", "max", "unit");
    for (int i = 0; i < work_count; i++)
        printf("%-16s %10.2f %10.2f %10.2f  %s\n", works[i]->name, results[i][rounds / 2], results[i][0],
               results[i][rounds - 1], works[i]->unit);
}

int main(int count, char **arguments) {
    static double results[ALL_WORKS][MAX_ROUNDS];
    const char *json = NULL;
    bool quick = false, chosen = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--quick") == 0) quick = true;
        else if (strcmp(arguments[i], "--json") == 0 && i + 1 < count) json = arguments[++i];
        else if (choose(arguments[i])) chosen = true;
        else return fprintf(stderr, "usage: coro_bench [--quick] [--json FILE] [WORK...]\n"), 2;
    }
    for (int i = 0; i < ALL_WORKS && !chosen; i++) works[work_count++] = all_works[i];
    int rounds = quick ? QUICK_ROUNDS : MAX_ROUNDS;
    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < work_count; i++)
            results[i][round] = run_apart(works[i], quick ? works[i]->count / 5 : works[i]->count);
    for (int i = 0; i < work_count; i++) qsort(results[i], (size_t)rounds, sizeof(double), ascending);
    print_table(results, rounds);
    if (json == NULL) return 0;
    FILE *file = fopen(json, "w");
    if (file == NULL) return perror(json), 1;
    print_json(file, results, rounds);
    return fclose(file) != 0;
}
