/* Contexts: switching stacks, and the state of a thread that belongs to whoever runs on it. */
#ifndef CORO_CONTEXT_H
#define CORO_CONTEXT_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stdint.h>

/* Saves the caller's callee-saved registers on its stack and the stack pointer in *save, then goes on in the context
   whose stack pointer is `to`. Returns when somebody switches back. */
void coro_context_switch(void *_Nullable *_Nonnull save, void *_Nonnull to);

/* Saves the caller as above, then calls entry on an empty stack whose highest address is `top` (16-byte aligned).
   Unwinding ends there. entry returns the context to go on in when the stack has served. */
void coro_context_start(void *_Nullable *_Nonnull save, void *_Nonnull top, void *_Nonnull (*_Nonnull entry)(void));

/* Calls function(argument) with unwind tables that say: its caller is whoever waits in the context whose stack pointer is
   `context` (NULL: the caller of this). So what unwinds there walks that stack, wherever it runs itself: on the unused part
   of the stack of the suspended context `stack` (NULL: on the caller's). */
void coro_context_visit(void *_Nullable context, void *_Nullable stack, void (*_Nonnull function)(void *_Nullable),
                        void *_Nullable argument);

/* Up to `capacity` return addresses of the stack that waits in `context`, as its unwind tables tell, innermost first;
   context and stack as above. *whole: the last is that of a coroutine's first function. 1, where it waits, if this system
   has no unwinder; 0 if not even that is known. */
int coro_context_walk(void *_Nullable context, void *_Nullable stack, void *_Nullable *_Nonnull frames, int capacity,
                      bool *_Nonnull whole);

/* Where nothing can come. */
static inline void *_Nonnull coro_context_unreachable(void) {
    __builtin_trap();
}

/* The address after the call to the function this is used in. */
static inline __attribute__((always_inline)) const void *_Nullable coro_context_caller(void) {
    return __builtin_return_address(0);
}

static inline __attribute__((always_inline)) void coro_context_prefetch(const void *_Nullable address) {
    __builtin_prefetch(address);
}

/* Rounding, exception masks, flush to zero: the control words, and what a new coroutine starts with. */
typedef struct coro_fp_control {
    uint64_t word;
} coro_fp_control;

static inline coro_fp_control coro_fp_control_get(void) {
    coro_fp_control control;
#if defined(__x86_64__)
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    control.word = (uint64_t)x87 << 32 | (mxcsr & ~UINT32_C(0x3f)); /* without the sticky exception flags */
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, fpcr" : "=r"(control.word));
#endif
    return control;
}

static inline void coro_fp_control_set(coro_fp_control control) {
#if defined(__x86_64__)
    uint32_t mxcsr = (uint32_t)control.word;
    uint16_t x87 = (uint16_t)(control.word >> 32);
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    __asm__ volatile("fldcw %0" : : "m"(x87));
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(control.word));
#endif
}

/* What a thread keeps for the C++ exceptions in flight on it (the Itanium ABI's __cxa_eh_globals). */
typedef struct coro_exception_globals {
    void *_Nullable caught;
    unsigned int uncaught;
} coro_exception_globals;

/* The calling thread's, for as long as it lives; NULL in a process without a C++ runtime. */
coro_exception_globals *_Nullable coro_exception_globals_here(void);

/* The calling thread's errno. */
int *_Nonnull coro_errno_here(void);

#endif
