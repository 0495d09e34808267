/*
 * A thousand clients for the server, each a coroutine: they all connect, then talk at the same time, and check every
 * byte of every answer. Some go idle instead, and expect the server to end them.
 */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>

/* Called for every client that failed: the first few are worth a line each. */
static int print_failure(coro_t co, int code, const char *message) {
    static int printed;
    if (printed++ < 5) fprintf(stderr, "client #%lld: %s: %s\n", (long long)co, coro_strerror(code), message);
    return 0;
}

/* Returns how many clients could be started. */
static int start_sessions(load *load, session *sessions, coro_t *ids) {
    for (int i = 0; i < load->options.clients; i++) {
        sessions[i] = (session){.load = load, .number = i, .random = 0x9e3779b97f4a7c15u * (uint64_t)(i + 1), .fd = -1};
        ids[i] = coro_spawn(session_run, &sessions[i]);
        if (ids[i] < 0) {
            fprintf(stderr, "load client: %s (%s)\n", coro_strerror((int)ids[i]), coro_error_detail());
            return i;
        }
    }
    return load->options.clients;
}

static void join_sessions(load *load, const coro_t *ids, int count) {
    int64_t deadline = coro_get_now() + load->options.timeout;
    for (int i = 0; i < count; i++) {
        int64_t left = deadline - coro_get_now();
        int error = coro_join(ids[i], NULL, left > 0 ? left : 0);
        if (error == CORO_ETIMEOUT) {
            fprintf(stderr, "client #%lld is not done in time\n", (long long)ids[i]);
            coro_shutdown(ids[i]);
            coro_join(ids[i], NULL, CORO_SECONDS(1));
        }
        if (error < 0) load->failures++;
    }
}

int main(int count, char **arguments) {
    load load = {0};
    int status = load_options_parse(&load.options, count, arguments);
    if (status != 0) return status;
    size_t clients = (size_t)load.options.clients;
    /* The clients, and a few for stdio and the loop. */
    if (!net_allow_open_files(clients + 20)) return 1;

    coro_t *ids = calloc(clients, sizeof *ids);
    session *sessions = calloc(clients, sizeof *sessions);
    load.waiting = calloc(clients, sizeof *load.waiting);
    load.latencies = calloc(clients * (size_t)load.options.requests, sizeof *load.latencies);
    if (ids == NULL || sessions == NULL || load.waiting == NULL || load.latencies == NULL) {
        fputs("load client: no memory\n", stderr);
        return 1;
    }
    coro_set_exception_notifier(print_failure);
    int started = start_sessions(&load, sessions, ids);
    load.failures = load.options.clients - started;
    if (load.failures == 0) join_sessions(&load, ids, started); /* main waits: this runs the loop */
    bool right = load_report(&load);
    free(ids);
    free(sessions);
    free(load.waiting);
    free(load.latencies);
    return right ? 0 : 1;
}
