/*
 * How 27_http_server.c reads a request: its head in one piece, by a buffered reader, and that by http_parser, of Debian's
 * libhttp-parser-dev, which calls us back for each part of it.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <coro.h>

#include <errno.h>
#include <http_parser.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MAX_HEAD = 16384 };

struct request {
    char path[1024];    /* decoded, and relative to the root; "" is none that can be */
    bool is_range, keep_alive, is_head, is_known, has_body;
    char range[64];
};

static int hex(char digit) {
    const char *digits = "0123456789abcdef", *place = digit ? strchr(digits, digit | 0x20) : NULL;
    return place ? (int)(place - digits) : -1;
}

static int on_url(http_parser *parser, const char *url, size_t length) {
    struct request *it = parser->data;
    struct http_parser_url parts;
    size_t n = 0;
    http_parser_url_init(&parts);
    if (http_parser_parse_url(url, length, 0, &parts) != 0 || !(parts.field_set & 1 << UF_PATH)) return 0;
    const char *from = url + parts.field_data[UF_PATH].off, *end = from + parts.field_data[UF_PATH].len;
    while (from < end && *from == '/') from++;
    for (; from < end; from++) {
        bool is_escape = end - from > 2 && *from == '%' && hex(from[1]) >= 0 && hex(from[2]) >= 0;
        char byte = is_escape ? (char)(hex(from[1]) * 16 + hex(from[2])) : *from;
        if (is_escape) from += 2;
        if (byte == 0 || n == sizeof it->path - sizeof "index.html") { /* it would be cut short */
            it->path[0] = 0;
            return 0;
        }
        it->path[n++] = byte;
    }
    if (n == 0 || it->path[n - 1] == '/') strcpy(it->path + n, "index.html");
    return 0;
}

static int on_header_field(http_parser *parser, const char *name, size_t length) {
    struct request *it = parser->data;
    it->is_range = length == 5 && strncasecmp(name, "range", 5) == 0;
    return 0;
}

static int on_header_value(http_parser *parser, const char *value, size_t length) {
    struct request *it = parser->data;
    if (it->is_range) snprintf(it->range, sizeof it->range, "%.*s", (int)length, value);
    return 0;
}

static int on_headers_complete(http_parser *parser) {
    struct request *it = parser->data;
    it->is_head = parser->method == HTTP_HEAD;
    it->is_known = it->is_head || parser->method == HTTP_GET;
    /* What comes behind this head would be taken for a request: such a connection ends with the answer. */
    it->has_body = parser->uses_transfer_encoding || (parser->content_length != 0 && parser->content_length != UINT64_MAX);
    it->keep_alive = http_should_keep_alive(parser) && !it->has_body && !parser->upgrade;
    http_parser_pause(parser, 1);
    return 0;
}

/* Waits for a request, for `time` ns. Returns 1, 0 at the end, or an error: -EINVAL if it is none. */
static int64_t read_request(coro_reader *reader, struct request *request, int64_t time) {
    static const http_parser_settings settings = {.on_url = on_url, .on_header_field = on_header_field,
                                                  .on_header_value = on_header_value,
                                                  .on_headers_complete = on_headers_complete};
    const char *head;
    http_parser parser;
    coro_timeout_t limit = coro_timeout_begin(time);
    int64_t length = coro_timeout_end(limit, coro_reader_read_until(reader, "\r\n\r\n", 4, MAX_HEAD, &head));
    if (length <= 0) return length;
    memset(request, 0, sizeof *request);
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = request;
    http_parser_execute(&parser, &settings, head, (size_t)length);
    return HTTP_PARSER_ERRNO(&parser) == HPE_PAUSED ? 1 : -EINVAL;
}

/* "bytes=FIRST-LAST", "bytes=FIRST-" or "bytes=-COUNT". Returns 1, 0 if it is to be ignored, -1 if it is of no such bytes. */
static int parse_range(const char *text, off_t size, off_t *first, off_t *last) {
    long long a, b;
    char end;
    *first = 0, *last = size - 1;
    if (sscanf(text, "bytes=%lld-%lld%c", &a, &b, &end) == 2 && a >= 0) *first = a, *last = b < size ? b : size - 1;
    else if (sscanf(text, "bytes=-%lld%c", &b, &end) == 1) *first = b < size ? size - b : 0;
    else if (sscanf(text, "bytes=%lld%c%c", &a, &end, &end) == 2 && a >= 0 && end == '-') *first = a;
    else return 0;
    return *first <= *last ? 1 : -1;
}

#endif
