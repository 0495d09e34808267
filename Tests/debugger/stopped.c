/* For gdb: coroutines that stop in meet(), the first on a new stack, the second after it was suspended there. */
#include <coro.h>

__attribute__((noinline)) void meet(int number) {
    __asm__ volatile("" : : "r"(number) : "memory");
}

static __attribute__((noinline)) int walk(int number) {
    if (number == 2) coro_yield();
    meet(number);
    return number + 1; /* so that the call above is not the last thing, and stays a frame */
}

static void *stroll(void *number) {
    int result = walk((int)(intptr_t)number);
    if (result == 3) coro_set_exit(0);
    return (void *)(intptr_t)result;
}

int main(void) {
    coro_detach(coro_spawn(stroll, (void *)1));
    coro_detach(coro_spawn(stroll, (void *)2));
    coro_set_print_exit_string(false);
    return coro_event_loop();
}
