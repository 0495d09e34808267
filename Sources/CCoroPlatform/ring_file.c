/* Calls about files, by a ring. It does at once what needs no waiting, and has threads of the kernel's do the rest. */
#define _GNU_SOURCE
#include "coro_file.h"
#include "ring.h"
#include "system_call.h"

#include <fcntl.h>

/* What one request reads or writes at most, as read(2) does. */
enum { MOST = 0x7ffff000 };

static bool has(const coro_file_call *call) {
    switch (call->operation) {
    case CORO_FILE_TRUNCATE:
    case CORO_FILE_READLINK:
    case CORO_FILE_SCANDIR: return false;
    default: return true;
    }
}

static void fill_transfer(struct io_uring_sqe *request, const coro_file_call *call) {
    bool reads = call->operation == CORO_FILE_READ;
    request->off = (uint64_t)call->offset;
    if (call->vector) {
        request->opcode = reads ? IORING_OP_READV : IORING_OP_WRITEV;
        request->addr = (uintptr_t)call->vector;
        request->len = (uint32_t)call->count;
    } else {
        request->opcode = reads ? IORING_OP_READ : IORING_OP_WRITE;
        request->addr = (uintptr_t)call->buffer;
        request->len = call->size < MOST ? (uint32_t)call->size : MOST;
    }
}

/* From a path to another. */
static void fill_pair(struct io_uring_sqe *request, const coro_file_call *call) {
    request->addr2 = (uintptr_t)call->new_path;
    switch (call->operation) {
    case CORO_FILE_RENAME: request->opcode = IORING_OP_RENAMEAT; break;
    case CORO_FILE_LINK: request->opcode = IORING_OP_LINKAT; break;
    default: request->opcode = IORING_OP_SYMLINKAT; return;
    }
    request->len = (uint32_t)AT_FDCWD;
}

/* A ring first tries to open without waiting; a FIFO takes that for O_NONBLOCK, and does not wait for its other end. */
static bool may_be_fifo(int flags) {
    return !(flags & (O_NONBLOCK | O_DIRECTORY | O_PATH)) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
}

static void fill(struct io_uring_sqe *request, const coro_file_call *call) {
    request->fd = call->fd;
    request->addr = (uintptr_t)call->path;
    switch (call->operation) {
    case CORO_FILE_OPEN:
        if (may_be_fifo(call->flags)) request->flags = IOSQE_ASYNC;
        request->opcode = IORING_OP_OPENAT;
        request->len = call->mode;
        request->open_flags = (uint32_t)call->flags;
        break;
    case CORO_FILE_READ:
    case CORO_FILE_WRITE: fill_transfer(request, call); break;
    case CORO_FILE_SYNC: request->opcode = IORING_OP_FSYNC; break;
    case CORO_FILE_DATASYNC:
        request->opcode = IORING_OP_FSYNC;
        request->fsync_flags = IORING_FSYNC_DATASYNC;
        break;
    case CORO_FILE_STATUS:
        request->opcode = IORING_OP_STATX;
        request->len = STATX_BASIC_STATS;
        request->off = (uintptr_t)call->status;
        request->statx_flags = (uint32_t)call->flags;
        break;
    case CORO_FILE_UNLINK:
        request->opcode = IORING_OP_UNLINKAT;
        request->unlink_flags = (uint32_t)call->flags;
        break;
    case CORO_FILE_MKDIR:
        request->opcode = IORING_OP_MKDIRAT;
        request->len = call->mode;
        break;
    default: fill_pair(request, call);
    }
}

int coro_poller_obtain_ring(coro_poller *poller) {
    if (poller->ring || poller->ring_error) return poller->ring_error;
    poller->ring_error = poller->fallback ? poller->fallback : coro_ring_open(&poller->ring);
    if (poller->ring_error < 0) return poller->ring_error;
    poller->ring_error = coro_ring_notify(poller->ring, poller->wakeup);
    if (poller->ring_error < 0) {
        coro_ring_close(poller->ring);
        poller->ring = NULL;
    }
    return poller->ring_error;
}

int coro_poller_begin(coro_poller *poller, const coro_file_call *call, uint64_t token) {
    int error = 0;
    if (!has(call)) return -ENOSYS;
    struct io_uring_sqe *request = coro_ring_request(poller->ring, &error);
    if (request == NULL) return error;
    fill(request, call);
    request->user_data = token;
    return coro_ring_submit(poller->ring);
}

void coro_poller_cancel(coro_poller *poller, uint64_t token) {
    int error = 0;
    if (coro_ring_withdraw(poller->ring, token, &error)) coro_ring_enter(poller->ring, 0, 0);
}

bool coro_poller_expect_answers(coro_poller *poller, bool on) {
    return coro_ring_set_notifying(poller->ring, on);
}

int coro_poller_harvest(coro_poller *poller, coro_poll_event *events, int n, int64_t timeout) {
    return coro_ring_poll_wait(poller->ring, events, n, timeout);
}
