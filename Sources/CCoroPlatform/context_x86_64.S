/* System V AMD64. A suspended stack holds, from its stack pointer up: r15 r14 r13 r12 rbx rbp, and where to go on.
   Going on by `ret`, not by a jump, keeps the processor's return predictor in step: coroutines of one kind wait at the same
   place, so that what it predicts for one stack is right for the other. No shadow-stack note is made on purpose, because the
   switch does not switch shadow stacks. */
#if defined(__x86_64__)
    .text

    .globl coro_context_switch
    .hidden coro_context_switch
    .type coro_context_switch, @function
    .p2align 5
coro_context_switch:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    movq %rsp, (%rdi)
    /* The stack gone to has the same layout, so what is said above of this one holds for it. */
    movq %rsi, %rsp
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    ret
    .cfi_endproc
    .size coro_context_switch, . - coro_context_switch

    .globl coro_context_start
    .hidden coro_context_start
    .type coro_context_start, @function
    .p2align 5
coro_context_start:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    pushq %r12
    .cfi_adjust_cfa_offset 8
    pushq %r13
    .cfi_adjust_cfa_offset 8
    pushq %r14
    .cfi_adjust_cfa_offset 8
    pushq %r15
    .cfi_adjust_cfa_offset 8
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    /* From here on there is no caller: unwinders stop. */
    .cfi_undefined rip
    xorl %ebp, %ebp
    callq *%rdx
    .globl coro_context_entered
    .hidden coro_context_entered
coro_context_entered:
    /* The stack has served. Its caller's return address is the newest that the return predictor knows: often the right one. */
    movq %rax, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size coro_context_start, . - coro_context_start

    .globl coro_context_visit
    .hidden coro_context_visit
    .type coro_context_visit, @function
    .p2align 5
coro_context_visit:
    .cfi_startproc
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    movq %rsp, %rbx
    .cfi_def_cfa_register rbx
    testq %rdi, %rdi
    cmoveq %rsp, %rdi
    movq %rdi, %rbp
    testq %rsi, %rsi
    cmoveq %rsp, %rsi
    movq %rsi, %rsp
    andq $-16, %rsp
    movq %rcx, %rdi
    /* What was said of this stack holds for the context, which has the same layout: unwinders go on there. */
    .cfi_def_cfa_register rbp
    callq *%rdx
    .globl coro_context_visited
    .hidden coro_context_visited
coro_context_visited:
    .cfi_def_cfa_register rbx
    movq %rbx, %rsp
    .cfi_def_cfa_register rsp
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    ret
    .cfi_endproc
    .size coro_context_visit, . - coro_context_visit
#endif

    .section .note.GNU-stack, "", %progbits
