/*
 * supervisor.h - the Swift half of the server, as its C half sees it.
 *
 * The supervisor keeps the statistics, shows them while the server runs, and ends the clients that have been idle for
 * too long. It does so in coroutines written in Swift, on the loop of the thread that calls it; the clients are
 * coroutines written in C, of which it knows nothing but their ids. Supervisor.swift and its neighbours implement it.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

#include <coro.h>

#include <stdbool.h>
#include <stdint.h>

typedef struct supervisor_options {
    int64_t idle_limit; /* nanoseconds */
    bool shows_line;    /* the live line, on stderr */
    bool on_terminal;   /* whether the line can be overwritten */
} supervisor_options;

typedef struct supervisor_totals {
    int64_t connections;
    int64_t requests;
    int64_t bytes_in;
    int64_t bytes_out;
    int64_t idle_ended;       /* clients that were shut down */
    int64_t most_clients;     /* at one time */
    int64_t swift_coroutines; /* how many were made */
} supervisor_totals;

/* Spawns the supervisor's coroutines. To be called once, before the others. Returns 0 or an error. */
int supervisor_start(const supervisor_options *CORO_NONNULL options);

/* A client has come, and `client` is the coroutine that serves it. */
void supervisor_connected(coro_t client);

/* The client's coroutine works on a request: it is not idle, however long that takes. */
void supervisor_request_began(coro_t client);
void supervisor_request_ended(coro_t client, int64_t bytes_in, int64_t bytes_out);

/* The client has gone. Returns how many are left. */
int64_t supervisor_disconnected(coro_t client);

/* Whether a coroutine is one of the supervisor's. */
bool supervisor_owns(coro_t co);

/* Ends the live line, for the summary to follow. */
void supervisor_finish(supervisor_totals *CORO_NONNULL totals);

#endif
