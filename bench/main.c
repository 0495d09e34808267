/* Runs the benchmarks in turn, several rounds, so that a machine whose speed drifts slows all of them alike; prints the
   median, least and most of the rounds. Each run is in a process of its own: what one leaves behind (a hundred thousand stacks,
   say) is not the next one's matter. Peers are programs that do the same works; they take their turns in the same rounds.
   What is measured is processor time, the kernel's for the process too: what else runs on the machine is not in it. */
#include "bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 9, QUICK_ROUNDS = 5, MAX_PEERS = 8 };

static const struct work *const all_works[] = {
    &switch_floor,      &yield_2,           &yield_1000,          &yield_2_hooked,      &spawn_join,
    &typed_spawn,       &typed_spawn_text,  &spawn_detached,      &trampoline_spawn,    &trampoline_call,
    &trampoline_direct, &sleep_100k,        &pipe_roundtrip,      &timeout_scope,       &park_wake,
    &timeout_park,      &channel_roundtrip, &channel_buffered,    &select_2,            &mutex_alone,
    &mutex_2,           &mutex_100,         &semaphore_roundtrip, &condition_roundtrip,
};
enum { ALL_WORKS = sizeof all_works / sizeof all_works[0] };

/* Those that were asked for. */
static const struct work *works[ALL_WORKS];
static int work_count;

/* Who does them: libcoro, in this program, and others. `PROGRAM WORK COUNT` prints what an operation took in the work's unit,
   or nothing if it does not know the work. */
struct peer {
    const char *name, *program;
};
static struct peer peers[MAX_PEERS] = {{"libcoro", NULL}};
static int peer_count = 1;

struct result {
    double rounds[MAX_ROUNDS];
    int count;
};

double cpu_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
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

/* NAME=PROGRAM */
static bool add_peer(char *argument) {
    char *equals = strchr(argument, '=');
    if (equals == NULL || peer_count == MAX_PEERS) return false;
    *equals = '\0';
    peers[peer_count++] = (struct peer){argument, equals + 1};
    return true;
}

/* The same done by another program; false: it does not know the work. */
static bool run_peer(const struct peer *peer, const struct work *work, long count, double *each) {
    char command[4096];
    snprintf(command, sizeof command, "%s %s %ld", peer->program, work->name, count);
    FILE *said = popen(command, "r");
    bool got = said != NULL && fscanf(said, "%lf", each) == 1;
    if (said != NULL && pclose(said) == 0) return got;
    fprintf(stderr, "coro_bench: %s failed\n", command);
    exit(1);
}

static void run_once(int peer, const struct work *work, long count, struct result *result) {
    double each = 0;
    if (peer == 0) each = run_apart(work, count);
    else if (!run_peer(&peers[peer], work, count, &each)) return;
    result->rounds[result->count++] = each;
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Calls print for each work and peer that did it. */
static void for_each(struct result results[][MAX_PEERS], void (*print)(FILE *, int, const char *, const struct result *),
                     FILE *file) {
    for (int i = 0; i < work_count; i++)
        for (int peer = 0; peer < peer_count; peer++)
            if (results[i][peer].count > 0) print(file, i, peers[peer].name, &results[i][peer]);
}

static void print_line(FILE *file, int work, const char *peer, const struct result *result) {
    static double own; /* libcoro's, which comes first */
    double median = result->rounds[result->count / 2];
    fprintf(file, "%-20s %10.2f %10.2f %10.2f  %s%s%s", works[work]->name, median, result->rounds[0],
            result->rounds[result->count - 1], works[work]->unit, peer_count > 1 ? "  " : "", peer_count > 1 ? peer : "");
    if (peer == peers[0].name) own = median;
    else fprintf(file, ", %.2f x libcoro's", median / own);
    fputc('\n', file);
}

static void print_json(FILE *file, int work, const char *peer, const struct result *result) {
    static const char *separator = "";
    fprintf(file,
            "%s  {\"work\": \"%s\", \"peer\": \"%s\", \"median\": %.2f, \"min\": %.2f, \"max\": %.2f, "
            "\"unit\": \"%s\", \"rounds\": %d}",
            separator, works[work]->name, peer, result->rounds[result->count / 2], result->rounds[0],
            result->rounds[result->count - 1], works[work]->unit, result->count);
    separator = ",\n";
}

int main(int count, char **arguments) {
    static struct result results[ALL_WORKS][MAX_PEERS];
    const char *json = NULL;
    bool quick = false, chosen = false;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--quick") == 0) quick = true;
        else if (strcmp(arguments[i], "--json") == 0 && i + 1 < count) json = arguments[++i];
        else if (strcmp(arguments[i], "--peer") == 0 && i + 1 < count && add_peer(arguments[i + 1])) i++;
        else if (choose(arguments[i])) chosen = true;
        else return fprintf(stderr, "usage: coro_bench [--quick] [--json FILE] [--peer NAME=PROGRAM]... [WORK...]\n"), 2;
    }
    for (int i = 0; i < ALL_WORKS && !chosen; i++) works[work_count++] = all_works[i];
    for (int round = 0; round < (quick ? QUICK_ROUNDS : MAX_ROUNDS); round++)
        for (int i = 0; i < work_count; i++)
            for (int peer = 0; peer < peer_count; peer++)
                run_once(peer, works[i], quick ? works[i]->count / 5 : works[i]->count, &results[i][peer]);
    for (int i = 0; i < work_count; i++)
        for (int peer = 0; peer < peer_count; peer++)
            qsort(results[i][peer].rounds, (size_t)results[i][peer].count, sizeof(double), ascending);
    printf("%-20s %10s %10s %10s  unit\n", "work", "median", "min", "max");
    for_each(results, print_line, stdout);
    if (json == NULL) return 0;
    FILE *file = fopen(json, "w");
    if (file == NULL) return perror(json), 1;
    fputs("[\n", file);
    for_each(results, print_json, file);
    fputs("\n]\n", file);
    return fclose(file) != 0;
}
