#include "coroutines.h"

void *do_nothing(void *argument) {
    return argument;
}

void *note(void *text) {
    trace("%s", (char *)text);
    return text;
}

void *park(void *argument) {
    int code = coro_park(NULL);
    return code < 0 ? coro_fail(code, NULL) : argument;
}

void *sleep_for_ever(void *argument) {
    int code = coro_sleep(CORO_FOREVER);
    return code < 0 ? coro_fail(code, NULL) : argument;
}

void *exit_with(void *code) {
    coro_set_exit(AS_INT(code));
    return code;
}

coro_t go(coro_fn function, void *argument) {
    coro_t co = coro_detach(coro_spawn(function, argument));
    CHECK(co > 0);
    return co;
}

coro_t start_now(coro_fn function, void *argument) {
    coro_t co = coro_new(function, argument, NULL);
    CHECK_EQ(coro_start_now(co), 0);
    return co;
}

coro_info info_of(coro_t co) {
    coro_info info;
    memset(&info, 0x5a, sizeof info);
    info.struct_size = sizeof info;
    CHECK_EQ(coro_get_info(co, &info), 0);
    CHECK_EQ(info.id, co);
    CHECK_EQ(info.struct_size, sizeof info);
    return info;
}
