/* What the tests of descriptors, threads and stacks share. */
#ifndef NET_H
#define NET_H

#include "harness.h"

#include <stdbool.h>
#include <sys/socket.h>

/* Joins, within a time that only a hang uses up; the coroutine must have returned. Returns its result. */
int join_soon(coro_t co);

/* A coroutine of fn, which is checked to have been made. */
coro_t spawn_one(coro_fn fn, void *arg);

/* A few passes of the loop: everybody who can run has run, and what could be delivered has been. */
void let_others_run(void);

/* -- content that shows lost, doubled and swapped bytes -- */

void pattern_fill(char *buffer, size_t n, size_t offset);
/* Checks that the buffer is what pattern_fill makes of the same offset. */
void pattern_check(const char *buffer, size_t n, size_t offset);

/* Coroutines that send, and receive, `total` bytes of the pattern in pieces of `chunk`. The receiver also wants the end to
   come exactly then; the sender closes fd when it is done, if `closes`. */
typedef struct transfer {
    int fd;
    size_t total, chunk;
    bool closes;
} transfer;
void *send_pattern(void *of_transfer);
void *receive_pattern(void *of_transfer);

/* -- descriptors -- */

typedef struct address {
    struct sockaddr_storage storage;
    socklen_t length;
} address;

/* A loopback address of the family with port 0, and an abstract Unix one that no other test uses. */
address loopback(int family);
/* A listening socket of coro_socket(), and where it listens. */
int make_listener(int family, int type, int backlog, address *at);
/* Two connected Internet stream sockets. */
void tcp_pair(int fds[2]);
/* Two connected Unix stream sockets. */
void unix_pair(int fds[2]);
/* A pipe in blocking mode, as another program would hand it over. */
void blocking_pipe(int fds[2]);
/* A pseudo terminal in raw mode, both ends in blocking mode: the master, then the terminal. */
void open_terminal(int fds[2]);

/* Writes until no more fits, without blocking and behind the library's back. Returns how much fitted. */
size_t fill(int fd);
/* Reads what there is, likewise. */
size_t drain(int fd);

/* How many kB of memory the process has in use. */
long resident_kb(void);

/* Calls coro_read(fd, ..., 1): a coroutine; the result is what that returned. argument: AS_POINTER(fd). */
void *read_one(void *fd);

#endif
