/* What the tests of processes share. */
#ifndef PROCESSES_H
#define PROCESSES_H

#include "harness.h"

#include <sys/wait.h>

/* -- children that were forked, for coro_waitpid() -- */

/* A child that ends as soon as it can. */
pid_t fork_exiting(int code);
/* A child that exits with `code` when it can read from fd, or fd is closed everywhere else. */
pid_t fork_waiting(int fd, int code);
/* A child that never ends by itself. */
pid_t fork_endless(void);
/* Ends and reaps it, behind the library's back. */
void kill_child(pid_t pid);

/* Calls coro_waitpid(pid, NULL, 0): a coroutine; the result is what that returned. argument: AS_POINTER(pid). */
void *wait_for_child(void *pid);

/* -- programs, for coro_process_start() -- */

/* Options for `sh -c script`. They point to memory that the next call uses again. */
coro_process_options shell(const char *script);
/* coro_process_start() of that, which is checked. */
coro_process_t start_shell(const char *script);
/* The same with a pipe to its standard input, so that it can be told to go on. */
coro_process_t start_reader(const char *script);
/* A coroutine that waits for it; the result is the status, or the error. */
coro_t spawn_waiter(coro_process_t process);
/* Waits until it has ended, and returns its status. */
int finish(coro_process_t process);
/* Reads all that comes out of our end of a pipe; returns it as text, which the next call uses again. */
const char *read_all(int fd);

/* coro_process_run() with these options, checked to return `expected`. */
coro_process_result run_with(coro_process_options options, const void *input, size_t n, int64_t timeout, int expected);

/* Where a test may put a file; it has to remove it. */
const char *temporary_path(void);
void write_file(const char *path, const char *text, mode_t mode);

/* Children of children become ours when those end, so that it is seen how they end themselves. */
void adopt_orphans(void);

/* -- what must not be left behind -- */

/* How many children the process has, ended or not. */
int count_children(void);
/* How many of them have ended and were not reaped. */
int count_zombies(void);
/* Waits until nothing but zombies is left of the children, or nothing at all. */
void await_children_to_end(void);

/* How many descriptors are open, the poller's among them; and that there are no more afterwards, and no child. */
int descriptors_at_rest(void);
void expect_nothing_left(int descriptors);

#endif
