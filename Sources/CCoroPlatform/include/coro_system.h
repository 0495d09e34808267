/* System calls. Each returns -errno for an error and starts again after EINTR; each can be made to fail on demand. */
#ifndef CORO_SYSTEM_H
#define CORO_SYSTEM_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Every call that can be made to fail, by name. */
#define CORO_SYSTEM_CALLS(CALL) \
    CALL(accept4) CALL(backtrace) CALL(bind) CALL(calloc) CALL(close) CALL(connect) CALL(dup) CALL(epoll_create1) \
    CALL(epoll_ctl) CALL(epoll_pwait2) CALL(epoll_wait) CALL(eventfd) CALL(fcntl) CALL(ffi_closure_alloc) CALL(fsync) \
    CALL(ftruncate) CALL(getpeername) CALL(getsockname) CALL(getsockopt) CALL(inotify_add_watch) CALL(inotify_init1) \
    CALL(inotify_rm_watch) CALL(io_uring_enter) CALL(io_uring_register) CALL(io_uring_setup) CALL(kill) CALL(link) \
    CALL(listen) CALL(madvise) CALL(mkdir) CALL(mmap) CALL(mprotect) CALL(open) CALL(pidfd_open) CALL(pidfd_send_signal) \
    CALL(pipe2) CALL(poll) CALL(posix_spawn) CALL(pthread_create) CALL(read) CALL(readlink) CALL(readv) CALL(recv) \
    CALL(recvfrom) CALL(recvmsg) CALL(rename) CALL(send) CALL(sendfile) CALL(sendmsg) CALL(sendto) CALL(setsockopt) \
    CALL(shutdown) CALL(sigaction) CALL(socket) CALL(socketpair) CALL(statx) CALL(symlink) CALL(timer_create) \
    CALL(timerfd_create) CALL(timerfd_settime) CALL(unlink) CALL(wait4) CALL(waitid) CALL(write) CALL(writev)

/* The n-th call from now of `name` on this thread fails with `error`; n 0: no more. -EINVAL: not a name, or out of range. */
int coro_system_fail_call(const char *_Nonnull name, int n, int error);

int64_t coro_system_clock(void);      /* CLOCK_MONOTONIC, ns */
int64_t coro_system_wall_clock(void); /* CLOCK_REALTIME, ns */
void coro_system_block_for(int64_t ns);

/* -- descriptors -- */

/* How to read and write a descriptor without blocking and without changing its flags. */
enum coro_descriptor_kind {
    CORO_KIND_UNKNOWN = 0,
    CORO_KIND_STREAM,      /* Internet stream socket: a short read has emptied it, a short write has filled it */
    CORO_KIND_BYTE_PIPE,   /* a pipe made here, without packets: likewise */
    CORO_KIND_SOCKET,      /* any other socket */
    CORO_KIND_NONBLOCKING, /* O_NONBLOCK is set: read and write will do */
    CORO_KIND_PIPE,        /* in blocking mode: RWF_NOWAIT, or poll first */
    CORO_KIND_TERMINAL,    /* in blocking mode, and opened once more for writing: see coro_system_reopen_terminal */
    CORO_KIND_FILE,        /* always ready */
};

/* Which of them fd is: -errno if it is not open. *blocking_mode: whether O_NONBLOCK is off. */
int coro_system_descriptor_kind(int fd, bool *_Nonnull blocking_mode);

/* A descriptor of its own, not blocking, for the terminal that fd is; -errno if fd is none, or can't be opened again. A
   terminal says that it can be written to when it has room for one byte, and a write of more, or of a newline, may block; it
   is a matter of the open file whether it does, and that one others share. */
int coro_system_reopen_terminal(int fd);

ssize_t coro_system_read(int fd, int kind, void *_Nullable buffer, size_t n);
ssize_t coro_system_write(int fd, int kind, const void *_Nullable buffer, size_t n); /* never raises SIGPIPE */
ssize_t coro_system_recv(int fd, void *_Nullable buffer, size_t n, int flags);
ssize_t coro_system_recvfrom(int fd, void *_Nullable buffer, size_t n, int flags, struct sockaddr *_Nullable address,
                             socklen_t *_Nullable length);
ssize_t coro_system_send(int fd, const void *_Nullable buffer, size_t n, int flags);
ssize_t coro_system_sendto(int fd, const void *_Nullable buffer, size_t n, int flags,
                           const struct sockaddr *_Nullable address, socklen_t length);
/* What it accepts is not blocking, whatever flags says. */
int coro_system_accept(int fd, struct sockaddr *_Nullable address, socklen_t *_Nullable length, int flags);
int coro_system_connect(int fd, const struct sockaddr *_Nullable address, socklen_t length);
int coro_system_socket(int family, int type, int protocol);
int coro_system_socketpair(int family, int type, int protocol, int *_Nonnull fds);
int coro_system_pipe(int *_Nonnull fds, int flags);
int coro_system_bind(int fd, const struct sockaddr *_Nullable address, socklen_t length);
int coro_system_listen(int fd, int backlog);
int coro_system_close(int fd);
int coro_system_dup(int fd);
int coro_system_shutdown(int fd, int how);
int coro_system_set_nonblocking(int fd);
int coro_system_getsockname(int fd, struct sockaddr *_Nullable address, socklen_t *_Nullable length);
int coro_system_getpeername(int fd, struct sockaddr *_Nullable address, socklen_t *_Nullable length);
int coro_system_getsockopt(int fd, int level, int option, void *_Nullable value, socklen_t *_Nullable length);
int coro_system_setsockopt(int fd, int level, int option, const void *_Nullable value, socklen_t length);
int coro_system_socket_error(int fd);                     /* SO_ERROR, as -errno */
/* Errors of accept(2) that are of a connection, not of the listener: the next one may be sound. */
bool coro_system_is_of_connection(int error);
bool coro_system_is_connected(int fd);
/* SO_REUSEADDR, where it only means that a server can be started again: for Internet stream sockets. */
void coro_system_allow_reuse(int fd);
/* The kind that a new pipe with these flags, or a new socket, is of. */
enum coro_descriptor_kind coro_system_pipe_kind(int flags);
enum coro_descriptor_kind coro_system_socket_kind(int family, int type, int protocol);
/* Whether fd is ready now: 1 or 0, or -errno. */
int coro_system_ready(int fd, bool to_write);
/* Which of events, CORO_POLL_READ and CORO_POLL_WRITE, fd is ready for now, or -errno. */
int coro_system_ready_events(int fd, int events);
/* Whether this system has IPv6: ::1 can be bound. */
bool coro_system_has_ipv6(void);

/* A stdio stream over functions; NULL and errno if it can't be made. */
FILE *_Nullable coro_system_fopen(void *_Nonnull cookie, const char *_Nonnull mode,
                                  ssize_t (*_Nonnull read)(void *_Nonnull, char *_Nonnull, size_t),
                                  ssize_t (*_Nonnull write)(void *_Nonnull, const char *_Nonnull, size_t),
                                  int (*_Nonnull close)(void *_Nonnull));

/* -- the alarm: what gets a thread out of a plain system call -- */

/* Makes SIGALRM the calling thread's alarm, off at first, and saves what it was: 0 or -errno. on_alarm is called in the signal
   handler and told whether a system call was interrupted, which returns EINTR then; it returns when to go off again, in ns, 0: not. */
int coro_alarm_begin(int64_t (*_Nonnull on_alarm)(bool interrupted_call));
void coro_alarm_set(int64_t delay); /* ns from now; 0: off */
/* Puts back what SIGALRM was. */
void coro_alarm_end(void);
/* The child of a fork has inherited no timer. */
void coro_alarm_renew_in_forked_child(void);

/* -- files, times and processes as descriptors -- */

int coro_system_watcher_create(void); /* inotify, not blocking */
int coro_system_watcher_add(int watcher, const char *_Nonnull path, uint32_t mask);
int coro_system_watcher_remove(int watcher, int id);
int coro_system_timer_create(void); /* CLOCK_MONOTONIC, not blocking */
/* first: ns from now, INT64_MAX: not set; interval: ns, 0: once. Neither is negative. */
int coro_system_timer_set(int fd, int64_t first, int64_t interval);

/* -- texts -- */

const char *_Nullable coro_system_error_name(int error);
const char *_Nullable coro_system_error_text(int error);
/* Room for a text that stays valid until this thread uses it again. */
enum coro_thread_text_size { CORO_THREAD_TEXT_SIZE = 64 };
char *_Nonnull coro_thread_text(void);
/* The exported symbol at address, if there is one that starts there (exact) or covers it. */
const char *_Nullable coro_system_symbol(const void *_Nullable address, bool exact, uintptr_t *_Nullable offset);
/* Where an address in code is. A return address is looked up as the call before it: that may be the last of its function. */
typedef struct coro_code_place {
    const char *_Nullable symbol; /* exported; NULL: none is known */
    uintptr_t symbol_offset;
    const char *_Nullable module; /* the path of the program or library; NULL: in none */
    uintptr_t module_offset;
    bool is_own;                  /* in the module that has libcoro in it, */
    bool own_is_library;          /* which is not the program itself */
} coro_code_place;
coro_code_place coro_system_code_place(const void *_Nullable return_address);
/* The local date and time, as ctime(3) without the newline. */
enum coro_date_size { CORO_DATE_SIZE = 32 };
void coro_system_date(char *_Nonnull text);
/* Writes everything, to a descriptor that may block, as far as it goes. */
void coro_system_write_all(int fd, const char *_Nonnull text, size_t n);

#endif
