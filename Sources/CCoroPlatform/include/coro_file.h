/* Calls about files that may wait for a disk, or a server: described, so that a ring or a thread of the pool can do them. */
#ifndef CORO_FILE_H
#define CORO_FILE_H

#include "coro_poller.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

enum coro_file_operation {
    CORO_FILE_OPEN,
    CORO_FILE_READ,
    CORO_FILE_WRITE,
    CORO_FILE_SYNC,
    CORO_FILE_DATASYNC,
    CORO_FILE_STATUS,
    CORO_FILE_TRUNCATE,
    CORO_FILE_RENAME,
    CORO_FILE_LINK,
    CORO_FILE_SYMLINK,
    CORO_FILE_READLINK,
    CORO_FILE_UNLINK,
    CORO_FILE_MKDIR,
    CORO_FILE_SCANDIR,
};

/* What the operation has no use for is 0. All that is pointed to is the caller's. */
typedef struct coro_file_call {
    enum coro_file_operation operation;
    int fd;                                  /* or the directory that paths are relative to */
    int flags;                               /* open's, unlink's, statx's */
    mode_t mode;
    const char *_Nullable path;
    const char *_Nullable new_path;          /* of rename and link; a symlink's place, path being what is in it */
    const struct iovec *_Nullable vector;    /* to read or write; NULL: buffer */
    int count;
    void *_Nullable buffer;
    size_t size;
    int64_t offset;                          /* -1: where the file is at */
    struct dirent *_Nullable *_Nullable *_Nullable entries;
    uint64_t status[32];                     /* the answer of CORO_FILE_STATUS: a struct statx */
} coro_file_call;

/* A call that is about the file of a descriptor, or about a path in the current directory. */
static inline coro_file_call coro_file_call_on(enum coro_file_operation operation, int fd) {
    coro_file_call call = {.operation = operation, .fd = fd};
    return call;
}
coro_file_call coro_file_call_status_on(int fd);
coro_file_call coro_file_call_at(enum coro_file_operation operation, const char *_Nullable path);

/* Flags: those of open(2) with close-on-exec; those of stat and of lstat; that of rmdir. */
int coro_file_open_flags(int flags);
int coro_file_status_flags(bool follows_links);
int coro_file_unlink_directory(void);

/* Does it, on the calling thread: what the call of POSIX returns, or -errno. */
ssize_t coro_file_do(coro_file_call *_Nonnull call);
/* Reads what is in memory; -EAGAIN if some of it is not, or this can't be told. */
ssize_t coro_file_read_cached(const coro_file_call *_Nonnull call);
/* What CORO_FILE_STATUS was answered, as stat(2) gives it. */
void coro_file_get_status(const coro_file_call *_Nonnull call, struct stat *_Nonnull status);

/* The poller's ring, which is made if there is none; by epoll, its answers ring the wakeup while they are expected. 0, or why there
   is none: -errno, which stays so. */
int coro_poller_obtain_ring(coro_poller *_Nonnull poller);
/* Whether they are. True: there are some already. */
bool coro_poller_expect_answers(coro_poller *_Nonnull poller, bool on);
/* Has the ring begin the call. 0; -ENOSYS: the ring has no such call; -errno. */
int coro_poller_begin(coro_poller *_Nonnull poller, const coro_file_call *_Nonnull call, uint64_t token);
/* What does calls about files: a constant. */
const char *_Nonnull coro_poller_file_engine_name(bool by_ring);
/* Asks for its end; which may come too late. It is answered in any case. */
void coro_poller_cancel(coro_poller *_Nonnull poller, uint64_t token);
/* Takes up to n of the ring's answers, and waits up to timeout ns if there are none. Their number or -errno. */
int coro_poller_harvest(coro_poller *_Nonnull poller, coro_poll_event *_Nonnull events, int n, int64_t timeout);

#endif
