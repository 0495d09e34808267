#include "coro_tools.h"

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

extern void __sanitizer_start_switch_fiber(void **, const void *, size_t) __attribute__((weak));
extern void __sanitizer_finish_switch_fiber(void *, const void **, size_t *) __attribute__((weak));
extern void __asan_unpoison_memory_region(void const volatile *, size_t) __attribute__((weak));

bool coro_tools_follow_switches(void) {
    return __sanitizer_start_switch_fiber && __sanitizer_finish_switch_fiber;
}

/* Neither may be instrumented: what is on the stack while the switch is announced belongs to both sides. */
__attribute__((no_sanitize("address"))) void coro_tools_leave(void **fake_stack, const void *bottom, size_t size) {
    __sanitizer_start_switch_fiber(fake_stack, bottom, size);
}

__attribute__((no_sanitize("address"))) void coro_tools_arrive(void *fake_stack, const void **bottom, size_t *size) {
    __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
}

bool coro_tools_on_valgrind(void) {
#if defined(RUNNING_ON_VALGRIND)
    return RUNNING_ON_VALGRIND;
#else
    return false;
#endif
}

void coro_tools_stack_register(void *bottom, size_t size) {
#if defined(VALGRIND_STACK_REGISTER)
    VALGRIND_STACK_REGISTER(bottom, (char *)bottom + size);
#else
    (void)bottom, (void)size;
#endif
}

void coro_tools_stack_reset(void *bottom, size_t size) {
    if (__asan_unpoison_memory_region) __asan_unpoison_memory_region(bottom, size);
}
