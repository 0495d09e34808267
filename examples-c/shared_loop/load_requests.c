/* The requests that a client makes, and what it makes of the answers. */
#include "load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_ECHOED = 2000 };

/* xorshift64 (Marsaglia, 2003): each client's own, so that every run asks the same. */
static uint64_t next_random(session *session) {
    session->random ^= session->random << 13;
    session->random ^= session->random >> 7;
    session->random ^= session->random << 17;
    return session->random;
}

int session_wrong(session *session, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(session->why, sizeof session->why, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

int ask_bytes(session *session) {
    unsigned char sent[MOST_ECHOED], got[MOST_ECHOED];
    size_t n = 1 + next_random(session) % MOST_ECHOED;
    for (size_t i = 0; i < n; i++) sent[i] = (unsigned char)next_random(session);
    ssize_t result = coro_write(session->fd, sent, n);
    if (result >= 0) result = coro_recv_exact(session->fd, got, n);
    if (result < 0) return (int)result;
    if (memcmp(sent, got, n) != 0) return session_wrong(session, "%zu bytes came back changed", n);
    session->load->bytes_checked += (int64_t)n;
    return 0;
}

/* Sends a line, and compares the one that comes back. */
static int ask_line(session *session, const char *request, const char *expected) {
    char *got;
    ssize_t sent = coro_write(session->fd, request, strlen(request));
    int result = sent < 0 ? (int)sent : line_reader_next(&session->reader, &got);
    if (result < 0) return result;
    if (result == 0) return session_wrong(session, "the server hung up");
    if (strcmp(got, expected) != 0) return session_wrong(session, "\"%.40s\" instead of \"%.40s\"", got, expected);
    session->load->bytes_checked += (int64_t)strlen(got) + 1;
    return 0;
}

int ask_echo(session *session) {
    char request[MOST_ECHOED + 10] = "echo ";
    size_t length = 5, n = 1 + next_random(session) % MOST_ECHOED;
    for (size_t i = 0; i < n; i++) request[length++] = (char)('!' + next_random(session) % ('~' - '!' + 1));
    char expected[MOST_ECHOED + 1];
    memcpy(expected, request + 5, n);
    expected[n] = 0;
    memcpy(request + length, "\n", 2);
    return ask_line(session, request, expected);
}

int ask_sum(session *session) {
    char request[300] = "sum", expected[30];
    int length = 3, count = 1 + (int)(next_random(session) % 10);
    int64_t sum = 0;
    for (int i = 0; i < count; i++) {
        int64_t number = (int64_t)(next_random(session) % 2000000000) - 1000000000;
        sum += number;
        length += snprintf(request + length, sizeof request - (size_t)length, " %" PRId64, number);
    }
    snprintf(request + length, sizeof request - (size_t)length, "\n");
    snprintf(expected, sizeof expected, "%" PRId64, sum);
    return ask_line(session, request, expected);
}

int ask_sleep(session *session) {
    char request[30], expected[30];
    int ms = 1 + (int)(next_random(session) % 20);
    snprintf(request, sizeof request, "sleep %d\n", ms);
    snprintf(expected, sizeof expected, "slept %d ms", ms);
    int64_t before = coro_get_now();
    int error = ask_line(session, request, expected);
    if (error == 0 && coro_get_now() - before < CORO_MS(ms)) return session_wrong(session, "slept less than %d ms", ms);
    return error;
}
