#define _GNU_SOURCE
#include "coro_file.h"
#include "system_call.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

_Static_assert(sizeof(struct statx) == sizeof(((coro_file_call *)0)->status), "a struct statx is of 256 bytes");

const char *coro_poller_file_engine_name(bool by_ring) {
    return by_ring ? "io_uring" : "threads";
}

coro_file_call coro_file_call_at(enum coro_file_operation operation, const char *path) {
    coro_file_call call = {.operation = operation, .fd = AT_FDCWD, .path = path};
    return call;
}

coro_file_call coro_file_call_status_on(int fd) {
    coro_file_call call = {.operation = CORO_FILE_STATUS, .fd = fd, .path = "", .flags = AT_EMPTY_PATH};
    return call;
}

int coro_file_open_flags(int flags) {
    return flags | O_CLOEXEC;
}

int coro_file_status_flags(bool follows_links) {
    return AT_NO_AUTOMOUNT | (follows_links ? 0 : AT_SYMLINK_NOFOLLOW);
}

int coro_file_unlink_directory(void) {
    return AT_REMOVEDIR;
}

static ssize_t read_or_write(const coro_file_call *call, const struct iovec *vector, int count) {
    bool reads = call->operation == CORO_FILE_READ;
    if (call->offset >= 0) {
        return reads ? CORO_CALL(read, preadv(call->fd, vector, count, call->offset))
                     : CORO_CALL(write, pwritev(call->fd, vector, count, call->offset));
    }
    return reads ? CORO_CALL(read, readv(call->fd, vector, count)) : CORO_CALL(write, writev(call->fd, vector, count));
}

static int list(coro_file_call *call) {
    struct dirent **entries = NULL;
    int count = scandir(call->path, &entries, NULL, alphasort);
    if (count < 0) return -errno;
    *call->entries = entries;
    return count;
}

ssize_t coro_file_do(coro_file_call *call) {
    struct iovec whole = {.iov_base = call->buffer, .iov_len = call->size};
    switch (call->operation) {
    case CORO_FILE_OPEN: return CORO_CALL(open, openat(call->fd, call->path, call->flags, call->mode));
    case CORO_FILE_READ:
    case CORO_FILE_WRITE: return read_or_write(call, call->vector ? call->vector : &whole, call->vector ? call->count : 1);
    case CORO_FILE_SYNC: return CORO_CALL(fsync, fsync(call->fd));
    case CORO_FILE_DATASYNC: return CORO_CALL(fsync, fdatasync(call->fd));
    case CORO_FILE_STATUS:
        return CORO_CALL(statx, statx(call->fd, call->path, call->flags, STATX_BASIC_STATS, (struct statx *)call->status));
    case CORO_FILE_TRUNCATE: return CORO_CALL(ftruncate, ftruncate(call->fd, call->offset));
    case CORO_FILE_RENAME: return CORO_CALL(rename, renameat(call->fd, call->path, AT_FDCWD, call->new_path));
    case CORO_FILE_LINK: return CORO_CALL(link, linkat(call->fd, call->path, AT_FDCWD, call->new_path, 0));
    case CORO_FILE_SYMLINK: return CORO_CALL(symlink, symlinkat(call->path, call->fd, call->new_path));
    case CORO_FILE_READLINK: return CORO_CALL(readlink, readlinkat(call->fd, call->path, call->buffer, call->size));
    case CORO_FILE_UNLINK: return CORO_CALL(unlink, unlinkat(call->fd, call->path, call->flags));
    case CORO_FILE_MKDIR: return CORO_CALL(mkdir, mkdirat(call->fd, call->path, call->mode));
    case CORO_FILE_SCANDIR: return list(call);
    }
    return -EINVAL;
}

static size_t length_of(const struct iovec *vector, int count) {
    size_t length = 0;
    for (int i = 0; i < count; i++) length += vector[i].iov_len;
    return length;
}

/* What is short may be so because the file ends there, or because the rest is not in memory: one more byte tells. */
ssize_t coro_file_read_cached(const coro_file_call *call) {
    struct iovec whole = {.iov_base = call->buffer, .iov_len = call->size};
    const struct iovec *vector = call->vector ? call->vector : &whole;
    int count = call->vector ? call->count : 1;
    ssize_t got = CORO_CALL(read, preadv2(call->fd, vector, count, call->offset, RWF_NOWAIT));
    if (got == -EOPNOTSUPP || got == -ENOSYS) return -EAGAIN;
    if (got <= 0 || call->offset < 0 || (size_t)got == length_of(vector, count)) return got;
    char byte;
    struct iovec more = {.iov_base = &byte, .iov_len = 1};
    return preadv2(call->fd, &more, 1, call->offset + got, RWF_NOWAIT) == 0 ? got : -EAGAIN;
}

void coro_file_get_status(const coro_file_call *call, struct stat *status) {
    const struct statx *from = (const struct statx *)call->status;
    *status = (struct stat){
        .st_dev = makedev(from->stx_dev_major, from->stx_dev_minor),
        .st_ino = from->stx_ino,
        .st_nlink = from->stx_nlink,
        .st_mode = from->stx_mode,
        .st_uid = from->stx_uid,
        .st_gid = from->stx_gid,
        .st_rdev = makedev(from->stx_rdev_major, from->stx_rdev_minor),
        .st_size = (off_t)from->stx_size,
        .st_blksize = (blksize_t)from->stx_blksize,
        .st_blocks = (blkcnt_t)from->stx_blocks,
        .st_atim = {from->stx_atime.tv_sec, from->stx_atime.tv_nsec},
        .st_mtim = {from->stx_mtime.tv_sec, from->stx_mtime.tv_nsec},
        .st_ctim = {from->stx_ctime.tv_sec, from->stx_ctime.tv_nsec},
    };
}
