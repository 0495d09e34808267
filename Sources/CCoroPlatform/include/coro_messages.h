/* Vectors and messages: bytes in several pieces, with addresses, descriptors and more beside them. None of these blocks. */
#ifndef CORO_MESSAGES_H
#define CORO_MESSAGES_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* How many elements go into one call; one that begins inside an element takes fewer, because they have to be copied. */
enum coro_vector_limits { CORO_VECTOR_MOST = 1024, CORO_VECTOR_MOST_COPIED = 16 };

/* What is left to be moved of a caller's vector, which is never changed. */
typedef struct coro_vector {
    const struct iovec *_Nullable elements;
    size_t count;
    size_t skip; /* bytes of the first element that have been moved */
} coro_vector;

/* kind: an enum coro_descriptor_kind. Of more elements than a call takes, the first are moved; sockets that keep messages
   apart refuse that: -EMSGSIZE. Where the system has no call that would do, the first element alone is moved, which is not to
   be empty. */
ssize_t coro_system_readv(int fd, int kind, coro_vector vector);
ssize_t coro_system_writev(int fd, int kind, coro_vector vector); /* never raises SIGPIPE */

ssize_t coro_system_recvmsg(int fd, struct msghdr *_Nonnull message, int flags); /* descriptors come close-on-exec */
/* Sends the message, but its vector is `vector`. is_first false: also without its address and its control data. */
ssize_t coro_system_sendmsg(int fd, const struct msghdr *_Nonnull message, coro_vector vector, bool is_first, int flags);

/* The index-th descriptor that a received message has brought; -1: it has brought no more. */
int coro_system_received_fd(const struct msghdr *_Nonnull message, size_t index);

enum coro_most_fds { CORO_MOST_FDS = 253 }; /* of one message: SCM_MAX_FD */

/* Sends data with descriptors. count: at most CORO_MOST_FDS. */
ssize_t coro_system_send_fds(int fd, const int *_Nullable fds, int count, const void *_Nonnull data, size_t n);
/* Receives data with at most room descriptors, close-on-exec. *count: how many came; or, with none of them open any more,
   -EMSGSIZE: more than there was room for; -EMFILE: this process could not take all. */
ssize_t coro_system_recv_fds(int fd, int *_Nullable fds, int room, int *_Nonnull count, void *_Nonnull data, size_t n);

/* sendfile(2). Never raises SIGPIPE. */
ssize_t coro_system_sendfile(int out, int in, off_t *_Nullable offset, size_t n);

#endif
