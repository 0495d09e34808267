#define _GNU_SOURCE
#include "coro_swift_task.h"

#include <dlfcn.h>

void *(*coro_swift_task_current)(void);

/* Without arguments, Swift's convention is C's. Weak, for programs that have it linked in; where it is a library that comes
   later than this one, it is looked up. */
extern void *swift_task_getCurrent(void) __attribute__((weak));

void coro_swift_task_look(void) {
    if (__atomic_load_n(&coro_swift_task_current, __ATOMIC_RELAXED) != NULL) return;
    void *(*current)(void) = swift_task_getCurrent;
    if (current == NULL) *(void **)&current = dlsym(RTLD_DEFAULT, "swift_task_getCurrent");
    __atomic_store_n(&coro_swift_task_current, current, __ATOMIC_RELEASE);
}
