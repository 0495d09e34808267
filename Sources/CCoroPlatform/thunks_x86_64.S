/* The code of trampolines. Thunk i has the static chain register, where libffi's Go closures expect themselves, point to entry i
   of coro_thunk_entries, and goes on where the entry's first word says. The stack stays as its caller left it, so that what
   unwinders know of a function's first instruction holds for all of it. */
#include "thunks.h"

#if defined(__x86_64__)
    .text

    .globl coro_thunks
    .hidden coro_thunks
    .type coro_thunks, @function
    .hidden coro_thunk_entries
    .p2align 4
coro_thunks:
    .cfi_startproc
    .set entry, 0
    .rept CORO_THUNK_COUNT
    endbr64
    leaq coro_thunk_entries + entry(%rip), %r10
    jmpq *(%r10)
    .p2align 4, 0xcc
    .set entry, entry + CORO_THUNK_ENTRY_SIZE
    .endr
    .cfi_endproc
    .size coro_thunks, . - coro_thunks
#endif

    .section .note.GNU-stack, "", %progbits
