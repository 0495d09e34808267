/*
 * 27: An HTTP/1.1 file server.
 *
 * A connection is a coroutine that reads like a blocking program. http_request.h reads what is asked; a buffered writer joins
 * the answers to requests that come together. Slow clients run into a timeout, more than MAX_CONNECTIONS wait in the backlog,
 * and paths that lead out of the directory are refused by the kernel itself (openat2, which may keep all waiting for the disk;
 * reading does not). SIGINT and SIGTERM: no more connections are taken, and requests are finished.
 *
 *     $ ./27_http_server 8080 /usr/share/doc/bash &
 *     http://127.0.0.1:8080/
 *     $ curl -s http://127.0.0.1:8080/copyright | head -1
 *     $ kill -INT %1
 *
 * Port 0, the default, takes any that is free. checks/http_server tests it by curl and wrk.
 */
#include "http_request.h"
#include "must.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 1000, PIECE = 32768 };
static const int64_t REQUEST_TIME = CORO_SECONDS(15), ANSWER_TIME = CORO_SECONDS(60), GRACE = CORO_SECONDS(5);

static int root; /* the directory that is served */
static coro_t acceptor;
static bool stopping;
static struct connection {
    coro_t co; /* 0: this place is free */
    bool is_idle;
} connections[MAX_CONNECTIONS];
static coro_semaphore *places; /* for connections: each has one, and the acceptor one for the next */
static int most_connections = MAX_CONNECTIONS;

/* -- what is answered -- */

static const char *content_type(const char *path) {
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"}, {".css", "text/css"}, {".js", "text/javascript"}, {".json", "application/json"},
        {".txt", "text/plain; charset=utf-8"}, {".svg", "image/svg+xml"}, {".png", "image/png"}, {".jpg", "image/jpeg"}};
    const char *suffix = strrchr(path, '.');
    for (size_t i = 0; suffix && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(suffix, types[i][0]) == 0) return types[i][1];
    return "application/octet-stream";
}

static int64_t answer_status(coro_writer *writer, const struct request *request, const char *status, const char *more) {
    return coro_writer_print(
        writer, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\n%sContent-Length: %zu\r\nConnection: %s\r\n\r\n%s%s", status, more,
        strlen(status) + 1, request->keep_alive ? "keep-alive" : "close", request->is_head ? "" : status,
        request->is_head ? "" : "\n");
}

static int64_t answer_file(coro_writer *writer, const struct request *request, int file, off_t size) {
    char buffer[PIECE], more[96];
    off_t first, last;
    int range = parse_range(request->range, size, &first, &last);
    if (range < 0) {
        snprintf(more, sizeof more, "Content-Range: bytes */%lld\r\n", (long long)size);
        return answer_status(writer, request, "416 Range Not Satisfiable", more);
    }
    snprintf(more, sizeof more, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)first, (long long)last, (long long)size);
    int64_t result = coro_writer_print(
        writer, "HTTP/1.1 %s\r\nContent-Type: %s\r\nAccept-Ranges: bytes\r\n%sContent-Length: %lld\r\nConnection: %s\r\n\r\n",
        range ? "206 Partial Content" : "200 OK", content_type(request->path), range ? more : "", (long long)(last + 1 - first),
        request->keep_alive ? "keep-alive" : "close");
    if (request->is_head) return result;
    for (off_t left = last + 1 - first; left > 0 && result >= 0;) {
        ssize_t n = coro_pread(file, buffer, left < PIECE ? (size_t)left : PIECE, last + 1 - left);
        if (n <= 0) return n < 0 ? n : CORO_EEOF; /* cut off meanwhile: the length that was announced can't be kept */
        result = coro_writer_write(writer, buffer, (size_t)n);
        left -= n;
    }
    return result;
}

static int64_t answer(coro_writer *writer, const struct request *request) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    struct stat status;
    if (!request->is_known) return answer_status(writer, request, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
    if (request->path[0] == 0) return answer_status(writer, request, "400 Bad Request", "");
    int file = (int)syscall(SYS_openat2, root, request->path, &how, sizeof how);
    if (file < 0 && (errno == EXDEV || errno == EACCES)) return answer_status(writer, request, "403 Forbidden", "");
    if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (file >= 0) MUST(coro_close(file));
        return answer_status(writer, request, "404 Not Found", "");
    }
    int64_t result = answer_file(writer, request, file, status.st_size);
    MUST(coro_close(file));
    return result;
}

/* -- connections -- */

static void serve_requests(struct connection *me, coro_reader *reader, coro_writer *writer) {
    struct request request = {.keep_alive = true};
    int64_t result = 0;
    while (result >= 0 && request.keep_alive) {
        me->is_idle = coro_reader_buffered(reader) == 0;
        if (me->is_idle && stopping) break;
        result = read_request(reader, &request, REQUEST_TIME);
        me->is_idle = false;
        if (result <= 0) break;
        if (stopping) request.keep_alive = false;
        coro_timeout_t limit = coro_timeout_begin(ANSWER_TIME);
        result = answer(writer, &request);
        /* While more requests are here already, their answers go out together. */
        if (result >= 0 && coro_reader_buffered(reader) == 0) result = coro_writer_flush(writer);
        result = coro_timeout_end(limit, result);
    }
    request = (struct request){0};
    if (result == -EINVAL) answer_status(writer, &request, "400 Bad Request", "");
    if (result == -EOVERFLOW) answer_status(writer, &request, "431 Request Header Fields Too Large", "");
    if (result == CORO_ETIMEOUT && coro_reader_buffered(reader) > 0) answer_status(writer, &request, "408 Request Timeout", "");
}

static void *connection(void *arg) {
    int fd = (int)(intptr_t)arg;
    struct connection *me = connections;
    while (me->co != 0) me++; /* there is a free one: see accept_connections */
    me->co = coro_current();
    coro_reader *reader = coro_reader_new(fd, 0);
    coro_writer *writer = coro_writer_new(fd, 0);
    if (reader && writer) serve_requests(me, reader, writer);
    coro_timeout_t limit = coro_timeout_begin(ANSWER_TIME);
    if (coro_writer_close(writer) < 0) coro_writer_free(writer); /* whom it was for is gone */
    coro_timeout_end(limit, 0);
    coro_reader_free(reader);
    MUST(coro_close(fd));
    me->co = 0;
    MUST(coro_semaphore_release(places, 1));
    return NULL;
}

static void *accept_connections(void *arg) {
    int listener = (int)(intptr_t)arg, result;
    coro_options options = {.struct_size = sizeof options, .flags = CORO_DETACHED | CORO_START_NOW};
    while ((result = coro_semaphore_acquire(places, 1)) == 0) {
        if ((result = coro_accept(listener, NULL, NULL)) >= 0) {
            MUST(coro_spawn_with(connection, (void *)(intptr_t)result, &options));
            continue;
        }
        MUST(coro_semaphore_release(places, 1));
        break;
    }
    MUST(coro_close(listener));
    return coro_fail(result, "accepting has ended");
}

static void stop(int signum, void *arg) {
    stopping = true;
    coro_shutdown(acceptor);
    for (struct connection *it = connections; it < connections + MAX_CONNECTIONS; it++)
        if (it->co != 0 && it->is_idle) coro_shutdown(it->co);
    coro_timeout_t limit = coro_timeout_begin(GRACE);
    coro_timeout_end(limit, coro_semaphore_acquire(places, most_connections)); /* when nobody has one any more */
    coro_set_exit(0);
}

int main(int count, char **arguments) {
    struct rlimit descriptors;
    getrlimit(RLIMIT_NOFILE, &descriptors); /* each connection has one, and a file */
    if (descriptors.rlim_cur < 2 * MAX_CONNECTIONS + 20) most_connections = (int)(descriptors.rlim_cur - 20) / 2;
    root = open(count > 2 ? arguments[2] : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return perror(count > 2 ? arguments[2] : "."), EXIT_FAILURE;
    if ((places = coro_semaphore_new(most_connections)) == NULL) return EXIT_FAILURE;
    int listener = (int)MUST(coro_tcp_listen("127.0.0.1", count > 1 ? atoi(arguments[1]) : 0, 0));
    printf("http://127.0.0.1:%d/\n", (int)MUST(coro_tcp_port(listener)));
    fflush(stdout);
    acceptor = MUST(coro_detach(coro_spawn(accept_connections, (void *)(intptr_t)listener)));
    MUST(coro_signal(SIGINT, stop, NULL, CORO_SIGNAL_ONCE));
    MUST(coro_signal(SIGTERM, stop, NULL, CORO_SIGNAL_ONCE));
    return coro_event_loop();
}
