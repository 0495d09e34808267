#define _GNU_SOURCE
#include "coro_memory.h"
#include "system_call.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

void *coro_memory_allocate(size_t size, size_t alignment) {
    void *memory;
    if (CORO_FAULT(calloc)) return NULL;
    if (alignment <= 16) return calloc(1, size);
    if (posix_memalign(&memory, alignment, size) != 0) return NULL;
    return memset(memory, 0, size);
}

void *coro_memory_reallocate(void *old, size_t size) {
    if (CORO_FAULT(calloc)) return NULL;
    return realloc(old, size);
}

void coro_memory_free(void *memory) {
    free(memory);
}

static int ascending(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void coro_memory_sort(int64_t *numbers, size_t count) {
    qsort(numbers, count, sizeof *numbers, ascending);
}

ssize_t coro_memory_find(const void *haystack, size_t n, const void *needle, size_t m) {
    const char *place = memmem(haystack, n, needle, m);
    return place == NULL ? -1 : place - (const char *)haystack;
}

size_t coro_memory_page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

int coro_memory_map(size_t size, void **address) {
    int fault = CORO_FAULT(mmap);
    if (fault) return -fault;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED) return -errno;
    madvise(memory, size, MADV_NOHUGEPAGE); /* a kernel without huge pages refuses, and nothing is lost */
    *address = memory;
    return 0;
}

int coro_memory_unmap(void *address, size_t size) {
    return munmap(address, size) == 0 ? 0 : -errno;
}

/* Whether the kernel looks at what is advised. qemu-user says yes to everything, and does nothing. */
static bool takes_advice(void *address, size_t size) {
    enum { UNKNOWN, TAKES, IGNORES, NO_ADVICE = 0x7fff };
    static int known;
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (answer == UNKNOWN) {
        int before = errno;
        answer = madvise(address, size, NO_ADVICE) == 0 ? IGNORES : TAKES;
        errno = before;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == TAKES;
}

int coro_memory_guard(void *address, size_t size, bool use_mprotect) {
    if (!use_mprotect && takes_advice(address, size)) {
        int result = (int)CORO_CALL(madvise, madvise(address, size, MADV_GUARD_INSTALL));
        /* EINVAL: a kernel before 6.13, or locked memory. */
        if (result != -EINVAL) return result;
    }
    return (int)CORO_CALL(mprotect, mprotect(address, size, PROT_NONE));
}

void coro_memory_discard(void *address, size_t size) {
    madvise(address, size, MADV_DONTNEED);
}
