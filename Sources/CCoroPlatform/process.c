/* Processes: starting them, watching them by descriptor, signalling them. */
#define _GNU_SOURCE
#include "coro_process.h"
#include "system_call.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2) /* Linux 6.9 */
#endif

/* -- the end of a child -- */

pid_t coro_system_reap(pid_t pid, int *status) {
    return (pid_t)CORO_CALL(wait4, wait4(pid, status, WNOHANG, NULL));
}

int coro_system_has_ended(pid_t pid) {
    siginfo_t info = {.si_pid = 0};
    int result = (int)CORO_CALL(waitid, waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT));
    return result < 0 ? result : info.si_pid != 0;
}

int coro_system_pidfd_open(pid_t pid) {
    return coro_system_move_above_standard((int)CORO_CALL(pidfd_open, syscall(SYS_pidfd_open, pid, 0)));
}

static int send_by_descriptor(int pidfd, int signum, unsigned flags) {
    return (int)CORO_CALL(pidfd_send_signal, syscall(SYS_pidfd_send_signal, pidfd, signum, NULL, flags));
}

int coro_system_signal(int pidfd, int signum) {
    return send_by_descriptor(pidfd, signum, 0);
}

/* By descriptor it can't be another group. Older kernels know groups by number only: the number is not given out again before
   the leader, a child of ours, is reaped. */
int coro_system_signal_group(int pidfd, pid_t leader, int signum) {
    int result = send_by_descriptor(pidfd, signum, PIDFD_SIGNAL_PROCESS_GROUP);
    if (result != -EINVAL) return result;
    if (coro_system_has_ended(leader) < 0) return -ESRCH;
    return (int)CORO_CALL(kill, kill(-leader, signum));
}

void coro_system_kill_and_reap(pid_t pid) {
    if (coro_system_has_ended(pid) < 0) return; /* its number may be another's by now */
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

int coro_system_last_signal(void) {
    return SIGRTMAX;
}

bool coro_system_dumped_core(int status) {
    return WCOREDUMP(status);
}

int coro_system_exit_code(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int coro_system_term_signal(int status) {
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* -- what a child is given -- */

int coro_system_copy_above_standard(int fd) {
    return (int)CORO_CALL(fcntl, fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

int coro_system_move_above_standard(int fd) {
    if (fd < 0 || fd > 2) return fd;
    int higher = coro_system_copy_above_standard(fd);
    close(fd);
    return higher;
}

int coro_system_open_stream(const char *path, enum coro_stream_use use) {
    static const int flags[] = {
        [CORO_STREAM_READ] = O_RDONLY,
        [CORO_STREAM_WRITE] = O_WRONLY | O_CREAT | O_TRUNC,
        [CORO_STREAM_APPEND] = O_WRONLY | O_CREAT | O_APPEND,
        [CORO_STREAM_BOTH] = O_RDWR,
    };
    int fd = (int)CORO_CALL(open, open(path, flags[use] | O_CLOEXEC | O_NOCTTY, 0666));
    return coro_system_move_above_standard(fd);
}

/* Also sees that it may be entered, so that the child does not fail there: it could not say where it failed. */
int coro_system_open_directory(const char *path) {
    int fd = (int)CORO_CALL(open, open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (fd >= 0 && faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return coro_system_move_above_standard(fd);
}

int coro_system_pipe_to_child(bool child_reads, int *ours, int *childs) {
    int fds[2];
    int result = (int)CORO_CALL(pipe2, pipe2(fds, O_CLOEXEC));
    if (result < 0) return result;
    *ours = coro_system_move_above_standard(fds[child_reads]);
    *childs = coro_system_move_above_standard(fds[!child_reads]);
    result = *ours < 0 ? *ours : *childs < 0 ? *childs : coro_system_set_nonblocking(*ours);
    if (result == 0) return 0;
    if (*ours >= 0) close(*ours);
    if (*childs >= 0) close(*childs);
    return result;
}

/* -- starting -- */

extern char **environ;

static int add_stream(posix_spawn_file_actions_t *actions, int source, int stream) {
    if (source >= 0) return posix_spawn_file_actions_adddup2(actions, source, stream);
    /* It stays what it is, also if it is close-on-exec here; closed, if it is closed here. */
    return fcntl(stream, F_GETFD) < 0 ? 0 : posix_spawn_file_actions_adddup2(actions, stream, stream);
}

static int add_actions(posix_spawn_file_actions_t *actions, const coro_spawn *spawn) {
    int error = spawn->directory < 0 ? 0 : posix_spawn_file_actions_addfchdir_np(actions, spawn->directory);
    for (int stream = 0; stream < 3 && error == 0; stream++) {
        bool joins = stream == 2 && spawn->error_joins_output;
        error = add_stream(actions, joins ? 1 : spawn->streams[stream], stream);
    }
    if (error == 0 && !spawn->keeps_descriptors) error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return error;
}

/* Somebody may hold the program open for writing for a moment: a child that another thread has forked and that is on its way
   to exec has a copy of every descriptor. */
static int spawn_when_not_busy(const coro_spawn *spawn, posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                               pid_t *pid) {
    enum { FIRST_PAUSE = 1000000, LAST_PAUSE = 32000000 };
    char *const *environment = spawn->environment != NULL ? (char *const *)spawn->environment : environ;
    for (int64_t pause = FIRST_PAUSE;; pause *= 2) {
        int error = CORO_FAULT(posix_spawn);
        if (error == 0) {
            error = posix_spawnp(pid, spawn->program, actions, attributes, (char *const *)spawn->arguments, environment);
        }
        if (error != ETXTBSY || pause > LAST_PAUSE) return error;
        coro_system_block_for(pause);
    }
}

/* The C library has started programs ignore the two signals that it uses itself, if they have handlers here, unless they are
   set to their default. sigaction() and sigaddset() know nothing of them. */
static void add_internal_signals(sigset_t *defaults) {
    for (int signum = 32; signum < SIGRTMIN; signum++) {
        struct { void (*handler)(int); unsigned long rest[7]; } action = {.handler = SIG_DFL};
        syscall(SYS_rt_sigaction, signum, NULL, &action, (size_t)8);
        if (action.handler != SIG_IGN) ((unsigned long *)defaults)[0] |= 1UL << (signum - 1);
    }
}

pid_t coro_system_spawn(const coro_spawn *spawn) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = 0;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        sigset_t defaults;
        int flags = spawn->new_session ? POSIX_SPAWN_SETSID : spawn->new_group ? POSIX_SPAWN_SETPGROUP : 0;
        posix_spawnattr_setflags(&attributes, (short)(flags | POSIX_SPAWN_SETSIGDEF)); /* the group is 0: one of its own */
        sigemptyset(&defaults);
        add_internal_signals(&defaults);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        error = add_actions(&actions, spawn);
        if (error == 0) error = spawn_when_not_busy(spawn, &actions, &attributes, &pid);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error != 0 ? -error : pid;
}
