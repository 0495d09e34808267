#define _GNU_SOURCE
#include "coro_messages.h"
#include "system_call.h"

#include <string.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x00000100 /* Linux 6.18 */
#endif

/* The elements of one call. */
typedef struct window {
    const struct iovec *elements;
    size_t count;
    struct iovec copies[CORO_VECTOR_MOST_COPIED];
} window;

static void open_window(window *window, coro_vector vector) {
    window->elements = vector.elements;
    window->count = vector.count;
    if (vector.skip == 0) return;
    if (window->count > CORO_VECTOR_MOST_COPIED) window->count = CORO_VECTOR_MOST_COPIED;
    memcpy(window->copies, vector.elements, window->count * sizeof *window->copies);
    window->copies[0].iov_base = (char *)window->copies[0].iov_base + vector.skip;
    window->copies[0].iov_len -= vector.skip;
    window->elements = window->copies;
}

static void limit(window *window) {
    if (window->count > CORO_VECTOR_MOST) window->count = CORO_VECTOR_MOST;
}

/* A stream may be moved in parts; a message that is too much for one call is none. */
static void limit_for_socket(window *window, int fd) {
    int type = 0;
    socklen_t length = sizeof type;
    if (window->count <= CORO_VECTOR_MOST) return;
    if (coro_system_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM) limit(window);
}

/* What the system has no vectored call for goes by its first element. */
static bool is_unsupported(ssize_t result) {
    return result == -EOPNOTSUPP || result == -ENOSYS;
}

ssize_t coro_system_readv(int fd, int kind, coro_vector vector) {
    window window;
    open_window(&window, vector);
    if (kind == CORO_KIND_STREAM || kind == CORO_KIND_SOCKET) {
        limit_for_socket(&window, fd);
        struct msghdr message = {.msg_iov = (struct iovec *)window.elements, .msg_iovlen = window.count};
        return CORO_CALL(readv, recvmsg(fd, &message, MSG_DONTWAIT));
    }
    limit(&window);
    if (kind != CORO_KIND_PIPE && kind != CORO_KIND_TERMINAL)
        return CORO_CALL(readv, readv(fd, window.elements, (int)window.count));
    ssize_t result = CORO_CALL(readv, preadv2(fd, window.elements, (int)window.count, -1, RWF_NOWAIT));
    if (!is_unsupported(result)) return result;
    return coro_system_read(fd, kind, window.elements->iov_base, window.elements->iov_len);
}

ssize_t coro_system_writev(int fd, int kind, coro_vector vector) {
    window window;
    if (kind == CORO_KIND_STREAM || kind == CORO_KIND_SOCKET) {
        struct msghdr none = {0};
        return coro_system_sendmsg(fd, &none, vector, false, 0);
    }
    open_window(&window, vector);
    limit(&window);
    if (kind == CORO_KIND_FILE) return CORO_CALL(writev, writev(fd, window.elements, (int)window.count));
    int flags = RWF_NOSIGNAL | (kind == CORO_KIND_PIPE ? RWF_NOWAIT : 0);
    ssize_t result = CORO_CALL(writev, pwritev2(fd, window.elements, (int)window.count, -1, flags));
    if (!is_unsupported(result)) return result;
    return coro_system_write(fd, kind, window.elements->iov_base, window.elements->iov_len);
}

ssize_t coro_system_sendmsg(int fd, const struct msghdr *message, coro_vector vector, bool is_first, int flags) {
    window window;
    struct msghdr part = {0};
    if (is_first) part = *message;
    open_window(&window, vector);
    limit_for_socket(&window, fd);
    part.msg_iov = (struct iovec *)window.elements;
    part.msg_iovlen = window.count;
    return CORO_CALL(sendmsg, sendmsg(fd, &part, flags | MSG_DONTWAIT | MSG_NOSIGNAL));
}

ssize_t coro_system_recvmsg(int fd, struct msghdr *message, int flags) {
    return CORO_CALL(recvmsg, recvmsg(fd, message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
}
