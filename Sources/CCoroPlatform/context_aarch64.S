/* AAPCS64. A suspended stack holds, from its stack pointer up: x19-x30 and d8-d15, 160 bytes. No GCS or BTI note is
   made on purpose: the switch does not switch control stacks. */
#if defined(__aarch64__)
    .text

    .macro save_pair first, second, offset
    stp \first, \second, [sp, #\offset]
    .cfi_rel_offset \first, \offset
    .cfi_rel_offset \second, \offset + 8
    .endm

    .macro load_pair first, second, offset
    ldp \first, \second, [sp, #\offset]
    .cfi_restore \first
    .cfi_restore \second
    .endm

    .macro save_registers
    sub sp, sp, #160
    .cfi_adjust_cfa_offset 160
    save_pair x19, x20, 0
    save_pair x21, x22, 16
    save_pair x23, x24, 32
    save_pair x25, x26, 48
    save_pair x27, x28, 64
    save_pair x29, x30, 80
    save_pair d8, d9, 96
    save_pair d10, d11, 112
    save_pair d12, d13, 128
    save_pair d14, d15, 144
    .endm

    .macro load_registers
    load_pair x19, x20, 0
    load_pair x21, x22, 16
    load_pair x23, x24, 32
    load_pair x25, x26, 48
    load_pair x27, x28, 64
    load_pair x29, x30, 80
    load_pair d8, d9, 96
    load_pair d10, d11, 112
    load_pair d12, d13, 128
    load_pair d14, d15, 144
    add sp, sp, #160
    .cfi_adjust_cfa_offset -160
    .endm

    .globl coro_context_switch
    .hidden coro_context_switch
    .type coro_context_switch, %function
    .p2align 5
coro_context_switch:
    .cfi_startproc
    save_registers
    mov x9, sp
    str x9, [x0]
    /* The stack gone to has the same layout, so what is said above of this one holds for it. */
    mov sp, x1
    load_registers
    ret
    .cfi_endproc
    .size coro_context_switch, . - coro_context_switch

    .globl coro_context_start
    .hidden coro_context_start
    .type coro_context_start, %function
    .p2align 5
coro_context_start:
    .cfi_startproc
    save_registers
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    /* From here on there is no caller: unwinders stop. */
    .cfi_undefined x30
    mov x29, xzr
    mov x30, xzr
    blr x2
    .globl coro_context_entered
    .hidden coro_context_entered
coro_context_entered:
    /* The stack has served. */
    mov sp, x0
    load_registers
    ret
    .cfi_endproc
    .size coro_context_start, . - coro_context_start

    .globl coro_context_visit
    .hidden coro_context_visit
    .type coro_context_visit, %function
    .p2align 5
coro_context_visit:
    .cfi_startproc
    save_registers
    mov x19, sp
    .cfi_def_cfa_register x19
    cmp x0, #0
    csel x20, x19, x0, eq
    cmp x1, #0
    csel x9, x19, x1, eq
    mov sp, x9
    mov x0, x3
    /* What was said of this stack holds for the context, which has the same layout: unwinders go on there. */
    .cfi_def_cfa_register x20
    blr x2
    .globl coro_context_visited
    .hidden coro_context_visited
coro_context_visited:
    .cfi_def_cfa_register x19
    mov sp, x19
    .cfi_def_cfa_register sp
    load_registers
    ret
    .cfi_endproc
    .size coro_context_visit, . - coro_context_visit
#endif

    .section .note.GNU-stack, "", %progbits
