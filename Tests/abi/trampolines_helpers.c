#include "trampolines.h"

static coro_trampoline_t make(const char *prototype, coro_function fn, int mode, const coro_trampoline_options *options) {
    coro_target_t target = coro_target_register(prototype, fn);
    if (target < 0) test_fail(__FILE__, __LINE__, "%s: %s", prototype, coro_error_detail());
    coro_trampoline_t trampoline = coro_trampoline_new(target, mode, options);
    if (trampoline < 0) test_fail(__FILE__, __LINE__, "%s: %d, %s", prototype, (int)trampoline, coro_error_detail());
    CHECK_EQ(coro_target_unregister(target), 0);
    return trampoline;
}

coro_trampoline_t trampoline_to(const char *prototype, coro_function fn, int mode) {
    return make(prototype, fn, mode, NULL);
}

coro_trampoline_t trampoline_with_context(const char *prototype, coro_function fn, int mode, void *context) {
    coro_trampoline_options options = CORO_TRAMPOLINE_OPTIONS_INIT;
    options.flags = CORO_TRAMPOLINE_CONTEXT;
    options.context = context;
    return make(prototype, fn, mode, &options);
}

coro_trampoline_t trampoline_otherwise(const char *prototype, coro_function fn, int mode, const void *otherwise) {
    coro_trampoline_options options = CORO_TRAMPOLINE_OPTIONS_INIT;
    options.otherwise = otherwise;
    return make(prototype, fn, mode, &options);
}

coro_function function_of(coro_trampoline_t trampoline) {
    coro_function function = coro_trampoline_function(trampoline);
    CHECK(function != NULL);
    return function;
}

static void count_release(void *context) {
    ++*(int *)context;
}

coro_target_t handler_target(const char *prototype, coro_handler handler, int *released) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.handler = handler;
    options.context = released;
    options.release = count_release;
    coro_target_t target = coro_target_register_with(prototype, NULL, &options);
    CHECK(target > 0);
    return target;
}

void run_what_is_queued(void) {
    for (int i = 0; i < 5; i++) CHECK_EQ(coro_sleep(CORO_MS(2)), 0);
}

int count_mappings(const char *rights) {
    char line[1024];
    int count = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    while (fgets(line, sizeof line, maps) != NULL) {
        char found[5] = "";
        CHECK_EQ(sscanf(line, "%*s %4s", found), 1);
        count += strncmp(found, rights, 3) == 0;
    }
    fclose(maps);
    return count;
}
