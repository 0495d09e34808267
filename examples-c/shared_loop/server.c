/*
 * A server in two languages, on one event loop.
 *
 * C accepts clients and serves them: echo on one port, a protocol of lines on another (protocol.c). Swift, in a library
 * of its own, keeps the statistics and ends the idle (supervisor.h). Both halves are coroutines of the same loop, which
 * know each other by id.
 */
#include "server.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { OPEN_FILES = 4096 };

coro_t server_spawn(server *server, coro_fn fn, void *arg, const coro_options *options) {
    coro_t co = coro_detach(coro_spawn_with(fn, arg, options));
    if (co > 0) server->c_coroutines++;
    return co;
}

void server_stop(server *server, const char *why) {
    if (server->stopped_by != NULL) return;
    server->stopped_by = why;
    coro_set_exit(0);
}

static int start(server *server) {
    const server_options *options = &server->options;
    const supervisor_options supervision = {options->idle_limit, !options->quiet, isatty(STDERR_FILENO)};
    int error = signals_start(server);
    if (error == 0) error = listen_start(server, "echo", &server->options.echo_port, serve_echo);
    if (error == 0) error = listen_start(server, "line", &server->options.line_port, serve_lines);
    if (error == 0) error = supervisor_start(&supervision);
    return error;
}

static void print_summary(const server *server, int64_t nanoseconds) {
    supervisor_totals totals;
    supervisor_finish(&totals);
    printf("server: ended after %.1f s by %s\n", (double)nanoseconds / 1e9, server->stopped_by);
    printf("  connections  %8" PRId64 "  (%" PRId64 " at once)\n", totals.connections, totals.most_clients);
    printf("  requests     %8" PRId64 "\n", totals.requests);
    printf("  bytes        %8" PRId64 " in, %" PRId64 " out\n", totals.bytes_in, totals.bytes_out);
    printf("  idle ended   %8" PRId64 "\n", totals.idle_ended);
    printf("  coroutines   %8" PRId64 " C, %" PRId64 " Swift\n", server->c_coroutines, totals.swift_coroutines);
}

int main(int count, char **arguments) {
    server server = {0};
    int status = server_options_parse(&server.options, count, arguments);
    if (status != 0) return status;
    if (!net_allow_open_files(OPEN_FILES)) fprintf(stderr, "Going on; clients beyond that have to wait.\n");

    int64_t began = coro_get_now();
    int error = start(&server);
    if (error < 0) {
        fprintf(stderr, "server: can't start: %s (%s)\n", coro_strerror(error), coro_error_detail());
        return 1;
    }
    printf("echo port %d\nline port %d\n", server.options.echo_port, server.options.line_port);
    fflush(stdout); /* whoever started us waits for the ports */

    coro_set_print_exit_string(false); /* the summary says it */
    int code = coro_event_loop();
    if (code == 0) print_summary(&server, coro_get_now() - began);
    else fprintf(stderr, "server: %s\n", coro_strerror(code));
    return code == 0 ? 0 : 1;
}
