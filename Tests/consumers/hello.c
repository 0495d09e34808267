/* The program that the consumer tests build: it prints "Hello world!" out of two coroutines. C99. */
#include <coro.h>

#include <stdio.h>

static void *say(void *text) {
    coro_sleep(CORO_MS(1));
    fputs((const char *)text, stdout);
    return text;
}

static void *hello(void *argument) {
    coro_t first = coro_spawn(say, "Hello ");
    (void)argument;
    if (coro_join(first, NULL, CORO_FOREVER) != 0) return coro_fail(CORO_EINTERRUPTED, "the first half is missing");
    say("world!\n");
    coro_set_exit(0);
    return NULL;
}

int main(void) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "hello";
    if (coro_version_number() != CORO_VERSION_NUMBER) return 1;
    coro_set_print_exit_string(false);
    if (coro_detach(coro_spawn_with(hello, NULL, &options)) < 0) return 1;
    return coro_event_loop();
}
