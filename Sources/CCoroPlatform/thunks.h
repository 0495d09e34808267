/* What the thunks' assembly and trampoline.c have to agree on. */
#ifndef CORO_THUNKS_H
#define CORO_THUNKS_H

/* CORO_TRAMPOLINES_IN_TEXT of coro.h, and as many as are kept after they were freed. */
#define CORO_THUNK_COUNT 1280
/* How many bytes a thunk has, and an entry of coro_thunk_entries. */
#if defined(__x86_64__)
#define CORO_THUNK_SIZE 16
#else
#define CORO_THUNK_SIZE 32
#endif
#define CORO_THUNK_ENTRY_SIZE 32

#endif
