/*
 * The line protocol: a command a line, a line for an answer (who: several, of which the last begins with "total").
 *
 *     echo <text>      the text
 *     sleep <ms>       "slept <ms> ms", that much later
 *     sum <numbers>    their sum
 *     who              all coroutines, of both languages
 *     help             the commands
 *     bye              ends the connection
 *     quit             ends the server
 *
 * What can't be done is answered by a line that begins with "error: ".
 */
#include "server.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SLEEP_MS = 3600 * 1000 };

static ssize_t answer(const connection *connection, const char *format, ...) __attribute__((format(printf, 2, 3)));

static ssize_t answer(const connection *connection, const char *format, ...) {
    char text[LINE_SIZE + 64];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length < 0) return -EINVAL;
    if ((size_t)length > sizeof text - 2) length = sizeof text - 2;
    text[length] = '\n';
    return coro_write(connection->fd, text, (size_t)length + 1);
}

static ssize_t do_echo(connection *connection, char *text) {
    return answer(connection, "%s", text);
}

static ssize_t do_sleep(connection *connection, char *text) {
    char *end;
    long ms = strtol(text, &end, 10);
    if (end == text || *end != 0 || ms < 0 || ms > MOST_SLEEP_MS) {
        return answer(connection, "error: sleep takes milliseconds, up to %d", MOST_SLEEP_MS);
    }
    int error = coro_sleep(CORO_MS(ms));
    return error < 0 ? error : answer(connection, "slept %ld ms", ms);
}

static ssize_t do_sum(connection *connection, char *text) {
    int64_t sum = 0;
    while (*text != 0) {
        char *end;
        errno = 0;
        long long number = strtoll(text, &end, 10);
        if (end == text || (*end != 0 && *end != ' ')) return answer(connection, "error: not a number: %s", text);
        if (errno != 0 || __builtin_add_overflow(sum, number, &sum)) {
            return answer(connection, "error: the sum does not fit into 64 bits");
        }
        text = end + strspn(end, " ");
    }
    return answer(connection, "%" PRId64, sum);
}

static ssize_t do_who(connection *connection, char *text) {
    return who_write(connection->fd);
}

static ssize_t do_quit(connection *connection, char *text) {
    ssize_t sent = answer(connection, "goodbye");
    server_stop(connection->server, "the command quit");
    return sent;
}

static ssize_t do_help(connection *connection, char *text);

static const struct command {
    const char *name;
    ssize_t (*run)(connection *connection, char *text); /* returns the answer's bytes or an error */
} commands[] = {{"echo", do_echo}, {"sleep", do_sleep}, {"sum", do_sum},
                {"who", do_who},   {"help", do_help},   {"quit", do_quit}};

static ssize_t do_help(connection *connection, char *text) {
    return answer(connection, "echo <text>, sleep <ms>, sum <numbers>, who, help, bye, quit");
}

static ssize_t run_command(connection *connection, char *line) {
    char *text = line + strcspn(line, " ");
    if (*text != 0) *text++ = 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(line, commands[i].name) == 0) return commands[i].run(connection, text);
    }
    return answer(connection, "error: unknown command; try help");
}

int serve_lines(connection *connection) {
    line_reader reader = {.fd = connection->fd};
    char *line;
    int got;
    while ((got = line_reader_next(&reader, &line)) > 0 && strcmp(line, "bye") != 0) {
        int64_t received = (int64_t)strlen(line) + 1;
        supervisor_request_began(connection->id);
        ssize_t sent = run_command(connection, line);
        supervisor_request_ended(connection->id, received, sent < 0 ? 0 : sent);
        if (sent < 0) return (int)sent;
    }
    /* The supervisor's shutdown interrupts one call only: there is time for a last word, if it can go at once. */
    if (got == CORO_ESHUTDOWN) answer(connection, "error: idle for too long");
    if (got == -EMSGSIZE) return answer(connection, "error: the line is too long") < 0 ? -EPIPE : 0;
    return got < 0 ? got : 0;
}
