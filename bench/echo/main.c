/* Measures echo servers side by side: TCP on loopback, 64 bytes, one request at a time on each of 50 and of 1000 connections.
   What counts is the server's processor time per request, kernel included.

   The server runs on the last core, the load on the first; or with --one-core on the last too: there the server always finds
   many requests at once, and what it takes for them depends on nothing but itself. All servers are up, and take turns of a
   tenth of a second; each round of turns begins with another. A server's ratio to the bare loop is taken within a round, for a
   machine's speed changes from second to second. After some rounds all are started anew: where memory happens to lie counts. */
#define _GNU_SOURCE
#include "load.h"

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

enum { MAX_ROUNDS = 1000, ROUNDS_PER_START = 5, MAX_CONNECTIONS = 10000, LOADS = 2 };

static int connection_counts[LOADS] = {50, 1000};
static int loads = LOADS;

struct server {
    const char *name, *program;
    /* Put into its environment. */
    const char *setting;
    /* What to say if it was not built. */
    const char *missing;
    /* What it says it waits by, or its version. */
    char by[32];
    bool runs;
    /* While it is up: */
    pid_t process;
    clockid_t clock;
    int port;
    struct load *load;
    /* What was measured: */
    struct load_count counts[LOADS][MAX_ROUNDS];
    long latencies[LOADS][LATENCY_BUCKETS];
};

/* The first is the floor; the last is for another build of libcoro's. */
static struct server servers[] = {
    {.name = "bare epoll", .program = "epoll_echo"},
    {.name = "libcoro", .program = "coro_echo", .setting = "CORO_BACKEND=epoll"},
    {.name = "libcoro", .program = "coro_echo", .setting = "CORO_BACKEND=io_uring"},
    {.name = "libuv", .program = "uv_echo", .missing = "libuv: not installed (see scripts/bench --install-peers)"},
    {.name = "Go",
     .program = "go_echo",
     .setting = "GOMAXPROCS=1",
     .missing = "Go: not installed (see scripts/bench --install-peers)"},
    {.name = "the other"},
};
enum { SERVERS = sizeof servers / sizeof servers[0], FLOOR = 0, OTHER = SERVERS - 1 };

static const char *folder;
static int rounds = 50;
static double turn_seconds = 0.1;
static int load_core, server_core;

static void die(const char *what, const char *of) {
    fprintf(stderr, "echo_bench: %s %s\n", what, of);
    exit(1);
}

static void run_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) perror("sched_setaffinity");
}

static void path_of(const struct server *server, char path[4096]) {
    bool elsewhere = strchr(server->program, '/') != NULL;
    snprintf(path, 4096, "%s%s%s", elsewhere ? "" : folder, elsewhere ? "" : "/", server->program);
}

static void start(struct server *server) {
    char path[4096];
    int ends[2];
    path_of(server, path);
    if (pipe(ends) != 0) die("no pipe for", path);
    server->process = fork();
    if (server->process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_on(server_core);
        dup2(ends[1], STDOUT_FILENO);
        if (server->setting != NULL) putenv((char *)server->setting);
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    FILE *said = fdopen(ends[0], "r");
    if (server->process < 0 || said == NULL || fscanf(said, "%d %31[^\n]", &server->port, server->by) != 2)
        die("can't start", path);
    fclose(said);
    if (clock_getcpuclockid(server->process, &server->clock) != 0) die("no clock of", path);
}

static void stop(struct server *server) {
    kill(server->process, SIGKILL);
    waitpid(server->process, NULL, 0);
}

/* Whether one before is the same: where libcoro can't have the backend it was told, it says what it has instead, and why. */
static bool is_measured_already(const struct server *server) {
    for (const struct server *earlier = servers; earlier < server; earlier++) {
        if (strcmp(earlier->name, server->name) != 0 || strncmp(earlier->by, server->by, strlen(earlier->by)) != 0) continue;
        if (strcmp(earlier->by, server->by) != 0) printf("%s: %s\n", server->name, server->by);
        return true;
    }
    return false;
}

static bool is_there(struct server *server) {
    char path[4096];
    if (server->program == NULL) return false;
    path_of(server, path);
    if (server->missing != NULL && access(path, X_OK) != 0) return puts(server->missing), false;
    start(server);
    stop(server);
    return !is_measured_already(server);
}

static void take_turn(struct server *server, struct load_count *count) {
    if (!load_run(server->load, turn_seconds, server->clock, count)) die("failed:", server->name);
}

static void run_rounds(int which, int first, int end) {
    struct load_count warm_up;
    for (int i = 0; i < SERVERS; i++) {
        struct server *server = &servers[i];
        if (!server->runs) continue;
        start(server);
        server->load = load_open(server->port, connection_counts[which]);
        if (server->load == NULL) die("no load for", server->name);
        take_turn(server, &warm_up);
    }
    for (int round = first; round < end; round++)
        for (int i = 0; i < SERVERS; i++) {
            struct server *server = &servers[(round + i) % SERVERS];
            if (server->runs) take_turn(server, &server->counts[which][round]);
        }
    for (int i = 0; i < SERVERS; i++) {
        if (!servers[i].runs) continue;
        load_add_latencies(servers[i].load, servers[i].latencies[which]);
        load_close(servers[i].load);
        stop(&servers[i]);
    }
}

static double cpu(const struct load_count *count, const struct load_count *floor) {
    (void)floor;
    return count->server_ns / (double)count->requests;
}
static double ratio(const struct load_count *count, const struct load_count *floor) {
    return cpu(count, NULL) / cpu(floor, NULL);
}
static double rate(const struct load_count *count, const struct load_count *floor) {
    (void)floor;
    return (double)count->requests / count->wall_ns * 1e9;
}
static double busy(const struct load_count *count, const struct load_count *floor) {
    (void)floor;
    return count->server_ns / count->wall_ns;
}

struct summary {
    double min, median, max;
};

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Of what `value` says of a server's rounds. */
static struct summary of_rounds(double (*value)(const struct load_count *, const struct load_count *), int server, int which) {
    static double values[MAX_ROUNDS];
    for (int i = 0; i < rounds; i++) values[i] = value(&servers[server].counts[which][i], &servers[FLOOR].counts[which][i]);
    qsort(values, (size_t)rounds, sizeof values[0], ascending);
    return (struct summary){values[0], values[rounds / 2], values[rounds - 1]};
}

static void print_table(int which) {
    printf("\nTCP echo, %d bytes, %d connections: medians of %d rounds of %g s\n", REQUEST_SIZE, connection_counts[which],
           rounds, turn_seconds);
    printf("%-20s %10s %8s %8s %11s %6s %8s %8s\n", "server", "CPU ns/req", "min", "of bare", "requests/s", "busy", "p50 us",
           "p99 us");
    for (int i = 0; i < SERVERS; i++) {
        const struct server *server = &servers[i];
        if (!server->runs) continue;
        char name[64];
        snprintf(name, sizeof name, "%s, %s", server->name, server->by);
        struct summary ns = of_rounds(cpu, i, which);
        printf("%-20s %10.0f %8.0f %8.3f %11.0f %6.2f %8.0f %8.0f\n", i == FLOOR ? server->name : name, ns.median, ns.min,
               of_rounds(ratio, i, which).median, of_rounds(rate, i, which).median, of_rounds(busy, i, which).median,
               load_latency(server->latencies[which], 0.5), load_latency(server->latencies[which], 0.99));
    }
}

static void print_json(FILE *file) {
    const char *separator = "[\n";
    for (int which = 0; which < loads; which++)
        for (int i = 0; i < SERVERS; i++) {
            const struct server *server = &servers[i];
            if (!server->runs) continue;
            struct summary ns = of_rounds(cpu, i, which);
            fprintf(file,
                    "%s  {\"work\": \"tcp_echo_%d\", \"peer\": \"%s\", \"by\": \"%s\", \"median\": %.1f, \"min\": %.1f, "
                    "\"max\": %.1f, \"unit\": \"server CPU ns/request\", \"of_bare\": %.4f, \"requests_per_second\": %.0f, "
                    "\"busy\": %.3f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"rounds\": %d}",
                    separator, connection_counts[which], server->name, server->by, ns.median, ns.min, ns.max,
                    of_rounds(ratio, i, which).median, of_rounds(rate, i, which).median, of_rounds(busy, i, which).median,
                    load_latency(server->latencies[which], 0.5), load_latency(server->latencies[which], 0.99), rounds);
            separator = ",\n";
        }
    fprintf(file, "\n]\n");
}

static int explain_use(void) {
    fprintf(stderr,
            "usage: echo_bench [--quick] [--one-core] [--rounds 1-%d] [--connections 1-%d] [--json FILE]\n"
            "                  [--other PROGRAM]\n"
            "  --quick     takes 20 seconds\n"
            "  --one-core  the load runs on the servers' core\n"
            "  --other     another server to measure: coro_echo of another build, say\n",
            MAX_ROUNDS, MAX_CONNECTIONS);
    return 2;
}

int main(int count, char **arguments) {
    const char *json = NULL;
    struct rlimit files;
    server_core = (int)sysconf(_SC_NPROCESSORS_ONLN) - 1;
    for (int i = 1; i < count; i++) {
        bool more = i + 1 < count;
        if (strcmp(arguments[i], "--quick") == 0) rounds = 16;
        else if (strcmp(arguments[i], "--one-core") == 0) load_core = server_core;
        else if (strcmp(arguments[i], "--json") == 0 && more) json = arguments[++i];
        else if (strcmp(arguments[i], "--other") == 0 && more) servers[OTHER].program = arguments[++i];
        else if (strcmp(arguments[i], "--rounds") == 0 && more) rounds = atoi(arguments[++i]);
        else if (strcmp(arguments[i], "--connections") == 0 && more) loads = 1, connection_counts[0] = atoi(arguments[++i]);
        else return explain_use();
    }
    if (rounds < 1 || rounds > MAX_ROUNDS || connection_counts[0] < 1 || connection_counts[0] > MAX_CONNECTIONS)
        return explain_use();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) files.rlim_cur = files.rlim_max, setrlimit(RLIMIT_NOFILE, &files);
    folder = dirname(strdup(arguments[0]));
    run_on(load_core);
    for (int i = 0; i < SERVERS; i++) servers[i].runs = is_there(&servers[i]);
    for (int which = 0; which < loads; which++) {
        for (int first = 0; first < rounds; first += ROUNDS_PER_START)
            run_rounds(which, first, first + ROUNDS_PER_START < rounds ? first + ROUNDS_PER_START : rounds);
        print_table(which);
        fflush(stdout);
    }
    if (json == NULL) return 0;
    FILE *file = fopen(json, "w");
    if (file == NULL) return perror(json), 1;
    print_json(file);
    return fclose(file) != 0;
}
