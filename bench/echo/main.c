/* Measures echo servers side by side: TCP on loopback, 64 bytes, one request at a time on each of 50 and of 1000 connections.
   The server runs on the last core, the load on the first, or with --one-core on the last too: there the server always finds
   many requests at once, and what it takes for them depends on nothing but itself. The servers take turns, each round begins with another, and each
   turn has a process of its own. What counts is the server's processor time per request, kernel included; its ratio to that of
   the bare loop is taken within each round, for a machine's speed drifts. */
#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <libgen.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ROUNDS = 99, LOADS = 2 };

static const int connection_counts[LOADS] = {50, 1000};

struct server {
    const char *name;
    const char *program;
    /* Put into its environment. */
    const char *setting;
    const char *missing;
    /* What it says it waits by, or its version. */
    char by[32];
    bool runs;
};

/* The first is the floor. */
static struct server servers[] = {
    {"bare epoll", "epoll_echo", NULL, NULL, "", true},
    {"libcoro", "coro_echo", "CORO_BACKEND=epoll", NULL, "", true},
    {"libcoro", "coro_echo", "CORO_BACKEND=io_uring", NULL, "", true},
    {"libuv", "uv_echo", NULL, "libuv: not installed (libuv1-dev)", "", true},
    {"Go", "go_echo", "GOMAXPROCS=1", "Go: not installed (golang-go)", "", true},
};
enum { SERVERS = sizeof servers / sizeof servers[0] };

static struct load_result results[SERVERS][LOADS][MAX_ROUNDS];
static const char *folder;
static int rounds = 7;
static double seconds = 1;
static int load_core, server_core;

static void run_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) perror("sched_setaffinity");
}

/* Its process, with the port and what it is in *port and by; ends the program if it does not start. */
static pid_t start(const struct server *server, int *port, char by[32]) {
    char path[4096];
    int ends[2];
    snprintf(path, sizeof path, "%s/%s", folder, server->program);
    if (pipe(ends) != 0) return perror("pipe"), exit(1), 0;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_on(server_core);
        dup2(ends[1], STDOUT_FILENO);
        if (server->setting != NULL) putenv((char *)server->setting);
        execl(path, server->program, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *said = fdopen(ends[0], "r");
    if (child < 0 || said == NULL || fscanf(said, "%d %31[^\n]", port, by) != 2) {
        fprintf(stderr, "echo_bench: %s does not start\n", path);
        exit(1);
    }
    fclose(said);
    return child;
}

static void stop(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void run(struct server *server, int connections, struct load_result *result) {
    clockid_t clock;
    char by[32];
    int port;
    pid_t child = start(server, &port, by);
    bool done = clock_getcpuclockid(child, &clock) == 0 && load(port, connections, seconds, clock, result);
    stop(child);
    if (done) return;
    fprintf(stderr, "echo_bench: %s failed with %d connections\n", server->name, connections);
    exit(1);
}

/* Finds out who is there. A backend that libcoro does not have is one that it has shown already. */
static void choose(void) {
    char path[4096];
    for (int i = 0; i < SERVERS; i++) {
        struct server *server = &servers[i];
        int port;
        snprintf(path, sizeof path, "%s/%s", folder, server->program);
        if (server->missing != NULL && access(path, X_OK) != 0) {
            puts(server->missing);
            server->runs = false;
            continue;
        }
        stop(start(server, &port, server->by));
        for (int j = 0; j < i; j++)
            if (strcmp(servers[j].name, server->name) == 0 && strcmp(servers[j].by, server->by) == 0) server->runs = false;
    }
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The smallest, the median and the largest of what `value` says of each round. */
struct summary {
    double min, median, max;
};

static struct summary summarize(int server, int load, double (*value)(int server, int load, int round)) {
    double values[MAX_ROUNDS];
    for (int round = 0; round < rounds; round++) values[round] = value(server, load, round);
    qsort(values, (size_t)rounds, sizeof values[0], ascending);
    return (struct summary){values[0], values[rounds / 2], values[rounds - 1]};
}

static double cpu(int server, int load, int round) { return results[server][load][round].server_ns; }
static double ratio(int server, int load, int round) { return cpu(server, load, round) / cpu(0, load, round); }
static double rate(int server, int load, int round) { return results[server][load][round].requests_per_second; }
static double busy(int server, int load, int round) { return results[server][load][round].server_busy; }
static double p50(int server, int load, int round) { return results[server][load][round].p50_us; }
static double p99(int server, int load, int round) { return results[server][load][round].p99_us; }

static void print_table(int load) {
    printf("\nTCP echo, %d bytes, %d connections: medians of %d rounds of %g s\n", REQUEST_SIZE, connection_counts[load], rounds,
           seconds);
    printf("%-22s %12s %8s %9s %11s %6s %8s %8s\n", "server", "CPU ns/req", "min", "of bare", "requests/s", "busy", "p50 us",
           "p99 us");
    for (int i = 0; i < SERVERS; i++) {
        if (!servers[i].runs) continue;
        char name[64];
        snprintf(name, sizeof name, "%s, %s", servers[i].name, servers[i].by);
        struct summary ns = summarize(i, load, cpu);
        printf("%-22s %12.0f %8.0f %9.3f %11.0f %6.2f %8.0f %8.0f\n", i == 0 ? servers[i].name : name, ns.median, ns.min,
               summarize(i, load, ratio).median, summarize(i, load, rate).median, summarize(i, load, busy).median,
               summarize(i, load, p50).median, summarize(i, load, p99).median);
    }
}

static void print_json(FILE *file) {
    const char *separator = "[\n";
    for (int load = 0; load < LOADS; load++)
        for (int i = 0; i < SERVERS; i++) {
            if (!servers[i].runs) continue;
            struct summary ns = summarize(i, load, cpu);
            fprintf(file,
                    "%s  {\"work\": \"tcp_echo_%d\", \"peer\": \"%s\", \"by\": \"%s\", \"median\": %.1f, \"min\": %.1f, "
                    "\"max\": %.1f, \"unit\": \"server CPU ns/request\", \"of_bare\": %.4f, \"requests_per_second\": %.0f, "
                    "\"busy\": %.3f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"rounds\": %d}",
                    separator, connection_counts[load], servers[i].name, servers[i].by, ns.median, ns.min, ns.max,
                    summarize(i, load, ratio).median, summarize(i, load, rate).median, summarize(i, load, busy).median,
                    summarize(i, load, p50).median, summarize(i, load, p99).median, rounds);
            separator = ",\n";
        }
    fprintf(file, "\n]\n");
}

int main(int count, char **arguments) {
    const char *json = NULL;
    struct rlimit files;
    server_core = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
    for (int i = 1; i < count; i++) {
        if (strcmp(arguments[i], "--quick") == 0) rounds = 3, seconds = 0.3;
        else if (strcmp(arguments[i], "--json") == 0 && i + 1 < count) json = arguments[++i];
        else if (strcmp(arguments[i], "--one-core") == 0) load_core = server_core;
        else if (strcmp(arguments[i], "--rounds") == 0 && i + 1 < count) rounds = atoi(arguments[++i]);
        else rounds = 0;
    }
    if (rounds < 1 || rounds > MAX_ROUNDS)
        return fprintf(stderr, "usage: echo_bench [--quick] [--one-core] [--rounds 1-%d] [--json FILE]\n", MAX_ROUNDS), 2;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
    folder = dirname(strdup(arguments[0]));
    run_on(load_core);
    choose();
    for (int load = 0; load < LOADS; load++) {
        for (int round = 0; round < rounds; round++)
            for (int i = 0; i < SERVERS; i++) {
                int turn = (round + i) % SERVERS;
                if (servers[turn].runs) run(&servers[turn], connection_counts[load], &results[turn][load][round]);
            }
        print_table(load);
    }
    if (json == NULL) return 0;
    FILE *file = fopen(json, "w");
    if (file == NULL) return perror(json), 1;
    print_json(file);
    return fclose(file) != 0;
}
