/* Memory: the heap, and pages for stacks. */
#ifndef CORO_MEMORY_H
#define CORO_MEMORY_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Zeroed memory, or NULL. alignment: 16 or a power of two above. */
void *_Nullable coro_memory_allocate(size_t size, size_t alignment);
void *_Nullable coro_memory_reallocate(void *_Nullable old, size_t size);
void coro_memory_free(void *_Nullable memory);

/* Sorts numbers, ascending. (Swift's own sort allocates, and traps without memory.) */
void coro_memory_sort(int64_t *_Nonnull numbers, size_t count);

/* The first place where the m bytes of a needle (m >= 1) are among the n of a haystack; -1: nowhere. */
ssize_t coro_memory_find(const void *_Nonnull haystack, size_t n, const void *_Nonnull needle, size_t m);

size_t coro_memory_page_size(void);

/* Maps size bytes of address space, readable and writable, without huge pages. 0 or -errno. */
int coro_memory_map(size_t size, void *_Nullable *_Nonnull address);
int coro_memory_unmap(void *_Nonnull address, size_t size);

/* Makes every access to the range fault. Guards by page-table markers (MADV_GUARD_INSTALL, Linux 6.13), which need no
   mapping of their own; where the kernel has none, or use_mprotect, by mprotect, which splits the mapping. 0 or -errno. */
int coro_memory_guard(void *_Nonnull address, size_t size, bool use_mprotect);

/* Gives the range's memory back to the system; it reads as zeroes afterwards, and its guards stay. */
void coro_memory_discard(void *_Nonnull address, size_t size);

/* Has overflow(address) called, on a stack of its own, when a memory access faults on a thread that called
   coro_fault_stack_attach. If it returns, what was installed before is given the fault. 0 or -errno. */
int coro_fault_handler_install(void (*_Nonnull overflow)(const void *_Nullable address));

/* Gives the calling thread an alternate signal stack, if it has none, and takes it away. Returns it, or NULL. */
void *_Nullable coro_fault_stack_attach(void);
void coro_fault_stack_detach(void *_Nullable stack);

#endif
