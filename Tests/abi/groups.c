#include "groups.h"

coro_group *new_group(size_t limit, uint32_t flags) {
    coro_group_options options = CORO_GROUP_OPTIONS_INIT;
    options.limit = limit;
    options.flags = flags;
    coro_group *group = coro_group_new(&options);
    CHECK(group != NULL);
    return group;
}

void *sleep_ms(void *milliseconds) {
    int code = coro_sleep(CORO_MS(AS_INT(milliseconds)));
    if (code < 0) return coro_fail(code, NULL);
    trace("%d", AS_INT(milliseconds));
    return NULL;
}

void *yield_and_note(void *text) {
    int code = coro_yield();
    return code < 0 ? coro_fail(code, NULL) : note(text);
}

void *fail_with(void *number) { return coro_fail(-AS_INT(number), "it failed"); }

int trace_failure(coro_t co, int code, const char *message) {
    (void)co, (void)message;
    trace("%d", code);
    return 0;
}
