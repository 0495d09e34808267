/* Walking stacks by their unwind tables, which glibc's backtrace() reads. It loads libgcc_s by itself when first called, so
   that libcoro need not be linked to it. */
#include "coro_context.h"
#include "system_call.h"

#include <execinfo.h>
#include <string.h>

/* Where coro_context_visit and coro_context_start go on after their calls. */
extern char coro_context_visited[] __attribute__((visibility("hidden")));
extern char coro_context_entered[] __attribute__((visibility("hidden")));

struct walk {
    void **frames;
    int capacity, count;
};

/* Not instrumented: the stack that this runs on is not the one that AddressSanitizer takes for the current one. */
__attribute__((no_sanitize("address"))) static void walk_from_here(void *argument) {
    struct walk *walk = argument;
    walk->count = backtrace(walk->frames, walk->capacity);
}

/* Where a suspended context goes on. */
static void *return_address(void *const *context) {
#if defined(__x86_64__)
    return context[6];
#elif defined(__aarch64__)
    return context[11];
#endif
}

int coro_context_walk(void *context, void *stack, void **frames, int capacity, bool *whole) {
    struct walk walk = {.frames = frames, .capacity = capacity};
    *whole = false;
    if (CORO_FAULT(backtrace) == 0) coro_context_visit(context, stack, walk_from_here, &walk);
    /* What comes before the visit is how we got here. */
    int first = 0;
    while (first < walk.count && frames[first] != coro_context_visited) first++;
    int count = walk.count - first - 1;
    if (count <= 0) {
        frames[0] = context == NULL ? NULL : return_address(context);
        return context != NULL;
    }
    memmove(frames, frames + first + 1, (size_t)count * sizeof *frames);
    *whole = frames[count - 1] == coro_context_entered;
    return *whole ? count - 1 : count;
}
