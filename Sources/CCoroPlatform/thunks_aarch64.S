/* The code of trampolines: see thunks_x86_64.S. The jump by x16 is one that the landing pads of BTI take. */
#include "thunks.h"

#if defined(__aarch64__)
    .text

    .globl coro_thunks
    .hidden coro_thunks
    .type coro_thunks, %function
    .hidden coro_thunk_entries
    .p2align 5
coro_thunks:
    .cfi_startproc
    .set entry, 0
    .rept CORO_THUNK_COUNT
    hint #34 /* bti c */
    adrp x18, coro_thunk_entries + entry
    add x18, x18, :lo12:coro_thunk_entries + entry
    ldr x16, [x18]
    br x16
    .p2align 5
    .set entry, entry + CORO_THUNK_ENTRY_SIZE
    .endr
    .cfi_endproc
    .size coro_thunks, . - coro_thunks
#endif

    .section .note.GNU-stack, "", %progbits
