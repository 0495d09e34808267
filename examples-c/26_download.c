/*
 * 26: A parallel downloader.
 *
 * Fetches files by HTTP, at most so many at once: that many workers each take the next URL that nobody has taken. A file has
 * the name ".part" until it is whole. http_parser, of Debian's libhttp-parser-dev, tells where an answer ends.
 *
 *     $ ./26_download 4 /tmp http://127.0.0.1:8080/index.html http://127.0.0.1:8080/none
 *     http://127.0.0.1:8080/none: 404
 *     http://127.0.0.1:8080/index.html: 13 bytes
 *
 * checks/download tests it, on what 27_http_server serves.
 */
#include "must.h"

#include <errno.h>
#include <fcntl.h>
#include <http_parser.h>
#include <string.h>
#include <unistd.h>

static const int64_t STALL_TIME = CORO_SECONDS(30); /* so long a server may take for its next bytes */

static char **urls; /* what is to be fetched, up to NULL */
static const char *directory;
static int failures, running, most_running;
static int64_t total; /* bytes, of all */

struct download {
    const char *url;
    struct http_parser_url parts;
    char path[512], part[520];
    int socket, file;
    int64_t size;
    int error; /* of writing the file */
    bool is_whole;
};

static int on_body(http_parser *parser, const char *data, size_t n) {
    struct download *it = parser->data;
    ssize_t written = parser->status_code == 200 ? coro_write(it->file, data, n) : 0;
    if (written < 0) it->error = (int)written;
    it->size += (int64_t)n;
    total += (int64_t)n;
    return written < 0; /* which ends the parsing */
}

static int on_complete(http_parser *parser) {
    ((struct download *)parser->data)->is_whole = true;
    return 0;
}

static const char *part_of(const struct download *it, int field, int *length) {
    *length = it->parts.field_set & 1 << field ? it->parts.field_data[field].len : 0;
    return it->url + it->parts.field_data[field].off;
}

/* Takes the URL apart: 0, or -EINVAL. */
static int parse_url(struct download *it) {
    int length;
    const char *path, *name;
    http_parser_url_init(&it->parts);
    if (http_parser_parse_url(it->url, strlen(it->url), 0, &it->parts) != 0) return -EINVAL;
    path = part_of(it, UF_PATH, &length);
    name = path + length;
    while (name > path && name[-1] != '/') name--;
    length -= (int)(name - path);
    if ((length == 1 && *name == '.') || (length == 2 && strncmp(name, "..", 2) == 0)) return -EINVAL;
    if (length == 0) name = "index.html", length = 10;
    int n = snprintf(it->path, sizeof it->path, "%s/%.*s", directory, length, name);
    snprintf(it->part, sizeof it->part, "%s.part", it->path);
    return n < (int)sizeof it->path ? 0 : -EINVAL;
}

static int connect_to_host(struct download *it) {
    char host[256];
    int length;
    const char *text = part_of(it, UF_HOST, &length);
    if (length >= (int)sizeof host) return -EINVAL;
    snprintf(host, sizeof host, "%.*s", length, text);
    it->socket = coro_tcp_connect(host, it->parts.port ? it->parts.port : 80);
    return it->socket < 0 ? it->socket : 0;
}

static int64_t send_request(struct download *it) {
    int path_length, query_length;
    const char *path = part_of(it, UF_PATH, &path_length), *query = part_of(it, UF_QUERY, &query_length);
    int host_length;
    const char *host = part_of(it, UF_HOST, &host_length);
    coro_writer *writer = coro_writer_new(it->socket, 0);
    if (writer == NULL) return -ENOMEM;
    coro_writer_print(writer, "GET %.*s%s%.*s HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n\r\n",
                      path_length ? path_length : 1, path_length ? path : "/", query_length ? "?" : "", query_length, query,
                      host_length, host);
    int64_t result = coro_writer_close(writer);
    if (result < 0) coro_writer_free(writer);
    return result;
}

/* Reads the answer to its end. Returns its status, or an error. */
static int64_t receive(struct download *it) {
    static const http_parser_settings settings = {.on_body = on_body, .on_message_complete = on_complete};
    char buffer[16384];
    http_parser parser;
    ssize_t n = 1;
    http_parser_init(&parser, HTTP_RESPONSE);
    parser.data = it;
    while (n > 0 && !it->is_whole) {
        coro_timeout_t limit = coro_timeout_begin(STALL_TIME);
        n = (ssize_t)coro_timeout_end(limit, coro_read(it->socket, buffer, sizeof buffer));
        if (n < 0) return n;
        http_parser_execute(&parser, &settings, buffer, (size_t)n); /* 0 bytes: the end, which may be that of the answer */
        if (it->error < 0) return it->error;
        if (n > 0 && HTTP_PARSER_ERRNO(&parser) != HPE_OK) return -EBADMSG;
    }
    return it->is_whole ? parser.status_code : CORO_EEOF;
}

static int64_t fetch(struct download *it) {
    coro_timeout_t limit = coro_timeout_begin(STALL_TIME);
    int64_t result = parse_url(it);
    if (result == 0) result = connect_to_host(it);
    if (result == 0) result = send_request(it);
    result = coro_timeout_end(limit, result);
    if (result < 0) return result;
    it->file = coro_open(it->part, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (it->file < 0) return it->file;
    result = receive(it);
    int code = coro_close(it->file); /* some file systems say only now that there was no room */
    if (result >= 0 && code < 0) result = code;
    if (result == 200 && (code = coro_rename(it->part, it->path)) < 0) result = code;
    if (result != 200) coro_unlink(it->part);
    return result;
}

static void *work(void *arg) {
    while (*urls != NULL) {
        struct download it = {.url = *urls++, .socket = -1, .file = -1};
        if (++running > most_running) most_running = running;
        int64_t result = fetch(&it);
        running--;
        if (it.socket >= 0) MUST(coro_close(it.socket));
        if (result == 200) printf("%s: %lld bytes\n", it.url, (long long)it.size);
        else if (result > 0) printf("%s: %d\n", it.url, (int)result);
        else printf("%s: %s\n", it.url, coro_strerror((int)result));
        if (result != 200) failures++;
    }
    return NULL;
}

static void *show_progress(void *arg) {
    while (coro_sleep(CORO_MS(200)) == 0) fprintf(stderr, "\r%lld bytes, %d at once ", (long long)total, running);
    return NULL;
}

int main(int count, char **arguments) {
    int at_once = count > 3 ? atoi(arguments[1]) : 0;
    if (at_once < 1 || at_once > 1000) {
        fprintf(stderr, "usage: %s HOW_MANY_AT_ONCE DIRECTORY URL...\n", arguments[0]);
        return EXIT_FAILURE;
    }
    directory = arguments[2];
    urls = arguments + 3;
    coro_t workers[1000], progress = isatty(STDERR_FILENO) ? MUST(coro_spawn(show_progress, NULL)) : 0;
    for (int i = 0; i < at_once; i++) workers[i] = MUST(coro_spawn(work, NULL));
    for (int i = 0; i < at_once; i++) MUST(coro_join(workers[i], NULL, CORO_FOREVER));
    if (progress > 0) MUST(coro_shutdown(progress));
    printf("%lld bytes, up to %d at once, %d failed\n", (long long)total, most_running, failures);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
