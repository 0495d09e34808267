/* Sanitizers and Valgrind have to be told about stacks. Their entry points are found when the library is loaded, so that
   one libcoro.so works in programs that are instrumented and in those that are not. */
#ifndef CORO_TOOLS_H
#define CORO_TOOLS_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether coro_tools_leave and coro_tools_arrive have anything to do. */
bool coro_tools_follow_switches(void);

/* Before a switch to the stack [bottom, bottom + size). fake_stack: where to keep what belongs to the stack that is left;
   NULL if it is left for ever. */
void coro_tools_leave(void *_Nullable *_Nullable fake_stack, const void *_Nullable bottom, size_t size);

/* First thing after a switch. fake_stack: what coro_tools_leave kept for this stack, NULL on a new one. Where the stack
   that was left lies is stored in *bottom and *size. */
void coro_tools_arrive(void *_Nullable fake_stack, const void *_Nullable *_Nonnull bottom, size_t *_Nonnull size);

/* Whether Valgrind runs the program: its own descriptors are among the process's. */
bool coro_tools_on_valgrind(void);

/* A stack is mapped. */
void coro_tools_stack_register(void *_Nonnull bottom, size_t size);

/* What an earlier user of the stack left marked as out of scope is accessible again. */
void coro_tools_stack_reset(void *_Nonnull bottom, size_t size);

#endif
