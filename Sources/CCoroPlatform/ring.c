#define _GNU_SOURCE
#include "ring.h"
#include "coro_memory.h"
#include "coro_process.h"
#include "system_call.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct coro_ring {
    int fd;
    uint32_t made;     /* requests given out, */
    uint32_t submitted; /* and of these submitted */
    uint32_t request_count;
    uint32_t *request_tail, *request_flags;
    struct io_uring_sqe *requests;
    uint32_t *answer_head, *answer_tail;
    uint32_t *answer_flags;
    uint32_t answer_mask;
    struct io_uring_cqe *answers;
    void *queues; /* the mappings */
    size_t queues_size, requests_size;
};

enum { REQUESTS = 256, ANSWERS = 4096 };

static unsigned test_size;

void coro_ring_set_size(unsigned entries) {
    __atomic_store_n(&test_size, entries, __ATOMIC_RELAXED);
}

/* Answers are finished when the thread asks for them (Linux 6.1), or else whenever it is in the kernel (5.19): it is never
   interrupted for them. TASKRUN_FLAG tells whether there is anything to finish. Older kernels lack more than this. */
static int set_up(struct io_uring_params *params) {
    static const uint32_t ways[] = {
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
        IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    };
    const uint32_t needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP;
    unsigned entries = __atomic_load_n(&test_size, __ATOMIC_RELAXED);
    int fd = -EINVAL;
    for (size_t way = 0; way < sizeof ways / sizeof *ways && fd == -EINVAL; way++) {
        memset(params, 0, sizeof *params);
        params->flags = ways[way] | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
        params->cq_entries = entries ? 2 * entries : ANSWERS;
        fd = (int)CORO_CALL(io_uring_setup, syscall(SYS_io_uring_setup, entries ? entries : REQUESTS, params));
    }
    if (fd == -EINVAL) return -ENOSYS;
    if (fd >= 0 && (params->features & needed) != needed) {
        close(fd);
        return -ENOSYS;
    }
    return coro_system_move_above_standard(fd);
}

/* The child of a fork must not reach what it shares with its parent. */
static void *map(int fd, size_t size, off_t what) {
    int fault = CORO_FAULT(mmap);
    errno = fault;
    void *memory =
        fault ? MAP_FAILED : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);
    if (memory == MAP_FAILED) return NULL;
    madvise(memory, size, MADV_DONTFORK);
    return memory;
}

static int map_queues(coro_ring *ring, const struct io_uring_params *params) {
    size_t requests_end = params->sq_off.array + params->sq_entries * sizeof(uint32_t);
    size_t answers_end = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
    ring->queues_size = requests_end > answers_end ? requests_end : answers_end;
    ring->requests_size = params->sq_entries * sizeof(struct io_uring_sqe);
    ring->queues = map(ring->fd, ring->queues_size, IORING_OFF_SQ_RING);
    if (ring->queues == NULL) return -errno;
    ring->requests = map(ring->fd, ring->requests_size, IORING_OFF_SQES);
    if (ring->requests == NULL) return -errno;
    char *queues = ring->queues;
    ring->request_count = params->sq_entries;
    ring->request_tail = (uint32_t *)(queues + params->sq_off.tail);
    ring->request_flags = (uint32_t *)(queues + params->sq_off.flags);
    ring->answer_head = (uint32_t *)(queues + params->cq_off.head);
    ring->answer_tail = (uint32_t *)(queues + params->cq_off.tail);
    ring->answer_flags = (uint32_t *)(queues + params->cq_off.flags);
    ring->answer_mask = params->cq_entries - 1;
    ring->answers = (struct io_uring_cqe *)(queues + params->cq_off.cqes);
    uint32_t *order = (uint32_t *)(queues + params->sq_off.array);
    for (uint32_t i = 0; i < params->sq_entries; i++) order[i] = i;
    return 0;
}

static void let_go(coro_ring *ring) {
    if (ring->requests) munmap(ring->requests, ring->requests_size);
    if (ring->queues) munmap(ring->queues, ring->queues_size);
    close(ring->fd);
    coro_memory_free(ring);
}

int coro_ring_open(coro_ring **opened) {
    struct io_uring_params params;
    int fd = set_up(&params);
    if (fd < 0) return fd;
    coro_ring *ring = coro_memory_allocate(sizeof *ring, 16);
    if (ring == NULL) {
        close(fd);
        return -ENOMEM;
    }
    ring->fd = fd;
    int error = map_queues(ring, &params);
    if (error < 0) {
        let_go(ring);
        return error;
    }
    *opened = ring;
    return 0;
}

void coro_ring_close(coro_ring *ring) {
    /* Closing alone would let the kernel drop the files some time later. */
    int error;
    struct io_uring_sqe *cancel = coro_ring_request(ring, &error);
    if (cancel) {
        cancel->opcode = IORING_OP_ASYNC_CANCEL;
        cancel->cancel_flags = IORING_ASYNC_CANCEL_ALL | IORING_ASYNC_CANCEL_ANY;
        coro_ring_enter(ring, 0, 0);
    }
    let_go(ring);
}

void coro_ring_abandon(coro_ring *ring) {
    /* The mappings did not come along; what is at their addresses now is somebody else's. */
    close(ring->fd);
    coro_memory_free(ring);
}

/* -- requests -- */

struct io_uring_sqe *coro_ring_request(coro_ring *ring, int *error) {
    if (ring->made - ring->submitted == ring->request_count) {
        *error = coro_ring_enter(ring, 0, 0);
        if (*error == 0 && ring->made - ring->submitted == ring->request_count) *error = -EAGAIN;
        if (*error < 0) return NULL;
    }
    struct io_uring_sqe *request = &ring->requests[ring->made++ & (ring->request_count - 1)];
    memset(request, 0, sizeof *request);
    return request;
}

bool coro_ring_has_answers(const coro_ring *ring) {
    return *ring->answer_head != __atomic_load_n(ring->answer_tail, __ATOMIC_ACQUIRE);
}

/* The kernel has answers that it has not written yet. */
static bool has_more(const coro_ring *ring) {
    return __atomic_load_n(ring->request_flags, __ATOMIC_ACQUIRE) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW);
}

bool coro_ring_needs_enter(const coro_ring *ring) {
    return ring->made != ring->submitted || has_more(ring);
}

int coro_ring_enter(coro_ring *ring, unsigned least, int64_t timeout) {
    struct __kernel_timespec limit = {.tv_sec = timeout / 1000000000, .tv_nsec = timeout % 1000000000};
    struct io_uring_getevents_arg argument = {.ts = timeout >= 0 ? (uintptr_t)&limit : 0};
    __atomic_store_n(ring->request_tail, ring->made, __ATOMIC_RELEASE);
    int result = (int)CORO_CALL_ONCE(io_uring_enter,
                                     syscall(SYS_io_uring_enter, ring->fd, ring->made - ring->submitted, least,
                                             IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument));
    if (result > 0) ring->submitted += (uint32_t)result;
    return result >= 0 || result == -ETIME || result == -EINTR ? 0 : result;
}

int coro_ring_submit(coro_ring *ring) {
    int error = coro_ring_enter(ring, 0, 0);
    if (ring->made == ring->submitted) return 0;
    ring->made--;
    return error < 0 ? error : -EAGAIN;
}

bool coro_ring_take(coro_ring *ring, struct io_uring_cqe *answer) {
    if (!coro_ring_has_answers(ring)) return false;
    uint32_t head = *ring->answer_head;
    *answer = ring->answers[head & ring->answer_mask];
    __atomic_store_n(ring->answer_head, head + 1, __ATOMIC_RELEASE);
    return true;
}

int coro_ring_notify(coro_ring *ring, int eventfd) {
    coro_ring_set_notifying(ring, false);
    return (int)CORO_CALL(io_uring_register, syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_EVENTFD, &eventfd, 1));
}

bool coro_ring_set_notifying(coro_ring *ring, bool on) {
    __atomic_store_n(ring->answer_flags, on ? 0 : IORING_CQ_EVENTFD_DISABLED, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return on && (coro_ring_has_answers(ring) || has_more(ring));
}
