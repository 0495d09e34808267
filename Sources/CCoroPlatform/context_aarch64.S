/* AAPCS64. A suspended stack holds, from its stack pointer up: x19-x30 and d8-d15, 160 bytes. No GCS or BTI note is
   made on purpose: the switch does not switch control stacks. */
#if defined(__aarch64__)
    .text

    .macro save_registers
    sub sp, sp, #160
    .cfi_adjust_cfa_offset 160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    .cfi_rel_offset x29, 80
    .cfi_rel_offset x30, 88
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    .endm

    .macro load_registers
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
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
    .cfi_restore x29
    .cfi_restore x30
    .cfi_adjust_cfa_offset -160
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
    /* The stack has served. */
    mov sp, x0
    load_registers
    ret
    .cfi_endproc
    .size coro_context_start, . - coro_context_start
#endif

    .section .note.GNU-stack, "", %progbits
