/* The echo server on libuv, as its users write it, with what saves it work: a buffer per connection, and uv_try_write(), so
   that there is no request to keep for an answer that goes at once. */
#include "server.h"

#include <uv.h>

struct connection {
    uv_tcp_t tcp;
    uv_write_t request;
    char buffer[BUFFER_SIZE];
};

static int must(int result, const char *what) {
    if (result < 0) fatal(what, uv_strerror(result));
    return result;
}

static void give_buffer(uv_handle_t *handle, size_t wish, uv_buf_t *buffer) {
    (void)wish;
    *buffer = uv_buf_init(((struct connection *)handle)->buffer, BUFFER_SIZE);
}

static void closed(uv_handle_t *handle) {
    free(handle);
}

static void has_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static void has_written(uv_write_t *request, int status) {
    if (status < 0) uv_close((uv_handle_t *)request->handle, closed);
    else must(uv_read_start(request->handle, give_buffer, has_read), "uv_read_start");
}

static void has_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer) {
    struct connection *connection = (struct connection *)stream;
    if (n == 0) return;
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)(n > 0 ? n : 0));
    int written = n < 0 ? (int)n : uv_try_write(stream, &answer, 1);
    if (written == n && n > 0) return;
    if (written < 0 && written != UV_EAGAIN) {
        uv_close((uv_handle_t *)stream, closed);
        return;
    }
    /* The rest is in the buffer: nothing more may be read before it has gone. */
    if (written > 0) answer.base += written, answer.len -= (size_t)written;
    uv_read_stop(stream);
    must(uv_write(&connection->request, stream, &answer, 1, has_written), "uv_write");
}

static void has_connection(uv_stream_t *listener, int status) {
    struct connection *connection = malloc(sizeof *connection);
    must(status, "listening");
    if (connection == NULL) fatal("malloc", "no memory");
    must(uv_tcp_init(listener->loop, &connection->tcp), "uv_tcp_init");
    must(uv_accept(listener, (uv_stream_t *)&connection->tcp), "uv_accept");
    must(uv_tcp_nodelay(&connection->tcp, 1), "uv_tcp_nodelay");
    must(uv_read_start((uv_stream_t *)&connection->tcp, give_buffer, has_read), "uv_read_start");
}

int main(void) {
    static uv_tcp_t listener;
    struct sockaddr_in address = any_port();
    int length = sizeof address;
    must(uv_tcp_init(uv_default_loop(), &listener), "uv_tcp_init");
    must(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0), "uv_tcp_bind");
    must(uv_listen((uv_stream_t *)&listener, BACKLOG, has_connection), "uv_listen");
    must(uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &length), "uv_tcp_getsockname");
    announce(&address, uv_version_string());
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
