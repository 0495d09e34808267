// hello.c as C++ writes it, from C++11 on: coroutines that are lambdas, and options by name.
#include <coro.h>

#include <iostream>
#include <string>

int main() {
    std::string text;
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "hello";
    options.flags = CORO_DETACHED;
    coro_set_print_exit_string(false);
    coro_t co = coro_spawn_with(
        [](void *argument) -> void * {
            coro_sleep(CORO_MS(1));
            *static_cast<std::string *>(argument) = "Hello world!";
            coro_set_exit(0);
            return nullptr;
        },
        &text, &options);
    if (co < 0 || coro_event_loop() != 0) return 1;
    std::cout << text << std::endl;
}
