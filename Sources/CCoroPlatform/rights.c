/* Descriptors in messages (SCM_RIGHTS). */
#define _GNU_SOURCE
#include "coro_messages.h"
#include "system_call.h"

#include <string.h>

#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04 /* Linux 6.5 */
#endif

/* Room for the descriptors, and for what else a socket may be set to be told with each message. */
typedef union control {
    char bytes[CMSG_SPACE(CORO_MOST_FDS * sizeof(int)) + 512];
    struct cmsghdr aligned;
} control;

/* The index-th of the descriptors in the parts of that type. */
static int find(const struct msghdr *message, int type, size_t index) {
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR((struct msghdr *)message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != type) continue;
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        int fd;
        if (index >= count) {
            index -= count;
            continue;
        }
        memcpy(&fd, CMSG_DATA(part) + index * sizeof fd, sizeof fd);
        return fd;
    }
    return -1;
}

int coro_system_received_fd(const struct msghdr *message, size_t index) {
    return find(message, SCM_RIGHTS, index);
}

static void close_all(const struct msghdr *message, int type) {
    int fd;
    for (size_t i = 0; (fd = find(message, type, i)) >= 0; i++) coro_system_close(fd);
}

ssize_t coro_system_send_fds(int fd, const int *fds, int count, const void *data, size_t n) {
    control control;
    struct iovec whole = {(void *)data, n};
    struct msghdr message = {.msg_iov = &whole, .msg_iovlen = 1};
    size_t size = (size_t)count * sizeof *fds;
    if (count > 0) {
        memset(&control, 0, CMSG_SPACE(size));
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        part->cmsg_level = SOL_SOCKET;
        part->cmsg_type = SCM_RIGHTS;
        part->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(part), fds, size);
    }
    return CORO_CALL(sendmsg, sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

ssize_t coro_system_recv_fds(int fd, int *fds, int room, int *count, void *data, size_t n) {
    control control;
    struct iovec whole = {data, n};
    struct msghdr message = {.msg_iov = &whole, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t result = coro_system_recvmsg(fd, &message, 0);
    *count = 0;
    if (result < 0) return result;
    close_all(&message, SCM_PIDFD);
    int next;
    while ((next = find(&message, SCM_RIGHTS, (size_t)*count)) >= 0) {
        if (*count < room) fds[*count] = next;
        ++*count;
    }
    /* There was room in `control` for all: what is missing could not be opened here. */
    int error = message.msg_flags & MSG_CTRUNC ? -EMFILE : *count > room ? -EMSGSIZE : 0;
    if (error != 0) {
        close_all(&message, SCM_RIGHTS);
        *count = error;
    }
    return result;
}
