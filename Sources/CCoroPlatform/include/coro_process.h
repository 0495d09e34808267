/* Processes. Calls return -errno for an error, and each can be made to fail on demand. */
#ifndef CORO_PROCESS_H
#define CORO_PROCESS_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* -- the end of a child -- */

/* Takes the status of a child that has ended: its pid; 0 if it runs; -ECHILD if it is no child, or was reaped before. */
pid_t coro_system_reap(pid_t pid, int *_Nonnull status);
/* The same question without taking: 1, 0 or -ECHILD. */
int coro_system_has_ended(pid_t pid);
/* A descriptor that can be read when the process has ended; close-on-exec. */
int coro_system_pidfd_open(pid_t pid);
int coro_system_signal(int pidfd, int signum);
/* To the group that this process leads; -ESRCH once it is reaped. */
int coro_system_signal_group(int pidfd, pid_t leader, int signum);
/* For a child that was just started, and can't be kept; if it is still there. */
void coro_system_kill_and_reap(pid_t pid);

int coro_system_last_signal(void);
int coro_system_exit_code(int status);                      /* -1: it has not exited */
int coro_system_term_signal(int status);                    /* 0: no signal has ended it */
bool coro_system_dumped_core(int status);

/* -- what a child is given: descriptors that are none of 0, 1 and 2, close-on-exec -- */

enum coro_stream_use { CORO_STREAM_READ, CORO_STREAM_WRITE, CORO_STREAM_APPEND, CORO_STREAM_BOTH };

int coro_system_open_stream(const char *_Nonnull path, enum coro_stream_use use);
int coro_system_open_directory(const char *_Nonnull path);
/* Our end is not blocking, the child's is. */
int coro_system_pipe_to_child(bool child_reads, int *_Nonnull ours, int *_Nonnull childs);
int coro_system_copy_above_standard(int fd);
/* fd itself, or a copy, for which it is closed; an error is returned as it is. */
int coro_system_move_above_standard(int fd);

/* -- starting -- */

typedef struct coro_spawn {
    const char *_Nonnull program; /* looked for in PATH if it has no slash */
    const char *_Nullable const *_Nonnull arguments;
    const char *_Nullable const *_Nullable environment; /* NULL: ours */
    int directory;                                      /* a descriptor; negative: ours */
    int streams[3];                                     /* what becomes 0, 1 and 2, none of which it is; negative: ours */
    bool error_joins_output;
    bool new_group;
    bool new_session;
    bool keeps_descriptors;
} coro_spawn;

/* Starts it: returns when it runs, with its pid, or with the error that it could not for; then there is no child. */
pid_t coro_system_spawn(const coro_spawn *_Nonnull spawn);

#endif
