/* What one client does: wait until all are connected, then talk, or go idle. */
#include "load.h"

#include <string.h>

/* -- the start --------------------------------------------------------------------------------------------------- */

/* One more is connected, or never will be. The last one wakes those who wait. */
static void arrive(load *load) {
    if (++load->arrived < load->options.clients) return;
    load->began = coro_get_now();
    for (int i = 0; i < load->waiting_count; i++) coro_schedule(load->waiting[i], NULL);
}

static int await_start(load *load) {
    arrive(load);
    if (load->arrived == load->options.clients) return 0;
    load->waiting[load->waiting_count++] = coro_current();
    return coro_park(NULL);
}

/* -- the talk ---------------------------------------------------------------------------------------------------- */

/* A request that is to be answered at once, timed. */
static int ask_timed(session *session, int (*ask)(struct session *session)) {
    load *load = session->load;
    int64_t before = coro_get_now();
    int error = ask(session);
    if (error == 0) load->latencies[load->latency_count++] = coro_get_now() - before;
    return error;
}

static int talk_bytes(session *session) {
    int error = 0;
    for (int i = 0; error == 0 && i < session->load->options.requests; i++) error = ask_timed(session, ask_bytes);
    return error;
}

static int talk_lines(session *session) {
    int error = 0;
    for (int i = 0; error == 0 && i < session->load->options.requests; i++) {
        if (i % 8 == 7) {
            error = ask_sleep(session);
            session->load->sleeps += error == 0;
        } else {
            error = ask_timed(session, i % 2 == 0 ? ask_echo : ask_sum);
        }
    }
    return error;
}

/* One request, and then silence: the server has to say so, and hang up. */
static int go_idle(session *session) {
    char *line;
    int error = ask_timed(session, ask_echo);
    if (error < 0) return error;
    int got = line_reader_next(&session->reader, &line);
    if (got < 0) return got;
    if (got == 0) return session_wrong(session, "ended without a word");
    if (strcmp(line, "error: idle for too long") != 0) return session_wrong(session, "told \"%.40s\"", line);
    if (line_reader_next(&session->reader, &line) != 0) return session_wrong(session, "idle, and not ended");
    session->load->idle_ended++;
    return 0;
}

void *session_run(void *arg) {
    session *session = arg;
    load *load = session->load;
    bool is_idle = session->number < load->options.idle, sends_bytes = !is_idle && session->number % 4 == 0;
    session->fd = net_connect(sends_bytes ? load->options.echo_port : load->options.line_port);
    if (session->fd < 0) {
        arrive(load);
        return coro_fail(session->fd, "connect");
    }
    session->reader.fd = session->fd;
    int error = await_start(load);
    if (error == 0) error = is_idle ? go_idle(session) : sends_bytes ? talk_bytes(session) : talk_lines(session);
    if (!is_idle) load->ended = coro_get_now();
    coro_close(session->fd);
    return error < 0 ? coro_fail(error, session->why) : NULL;
}
