/* The load client: many clients at once, who check every answer. */
#ifndef LOAD_H
#define LOAD_H

#include "net.h"

typedef struct load_options {
    uint16_t echo_port, line_port; /* of the server */
    int clients;                   /* all connected at the same time */
    int requests;                  /* of each */
    int idle;                      /* how many of them go idle, for the server to end */
    int64_t timeout;               /* nanoseconds; who is not done by then has failed */
} load_options;

/* Returns 0, or the status to exit with. See load_options.c. */
int load_options_parse(load_options *options, int count, char **arguments);

typedef struct load {
    load_options options;
    /* The start: those who are connected wait here for the others. */
    int arrived, waiting_count;
    coro_t *waiting;
    /* What happened. */
    int64_t began, ended;   /* when all were connected, and when the last request was answered */
    int64_t *latencies;     /* of the requests that were to be answered at once: in ns */
    size_t latency_count;
    int64_t sleeps;         /* requests that were to be answered later */
    int64_t bytes_checked;
    int idle_ended;
    int failures;
} load;

/* One client. */
typedef struct session {
    load *load;
    int number;
    uint64_t random;
    int fd;
    line_reader reader; /* of a client of the line port */
    char why[160];      /* it failed */
} session;

/* Runs a session; a coroutine's function. It fails if anything was not as it should be. See load_session.c. */
void *session_run(void *arg);

/* One request of a session, with its answer checked. Each returns 0 or an error. See load_requests.c. */
int ask_bytes(session *session); /* of the echo port: random bytes */
int ask_echo(session *session);  /* of the line port: random text */
int ask_sum(session *session);
int ask_sleep(session *session);

/* The answer is not what it should be: notes why, and returns -EBADMSG. */
int session_wrong(session *session, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints what happened. Returns whether all was as it should be. */
bool load_report(load *load);

#endif
