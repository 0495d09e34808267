#include "prototypes.h"

void some_function(void) {}

static coro_target_t registered(const char *prototype) {
    coro_target_t target = coro_target_register(prototype, some_function);
    if (target <= 0) test_fail(__FILE__, __LINE__, "%s: %s", prototype, coro_error_detail());
    return target;
}

const char *spelling_of(const char *prototype) {
    static char text[4000];
    coro_target_t target = registered(prototype);
    CHECK_EQ(coro_target_describe(target, text, sizeof text), strlen(text));
    CHECK_EQ(coro_target_unregister(target), 0);
    return text;
}

long result_size_of(const char *prototype) {
    coro_target_t target = registered(prototype);
    long size = coro_target_result_size(target);
    CHECK_EQ(coro_target_unregister(target), 0);
    return size;
}

const char *refusal_of(const char *prototype) {
    coro_target_t target = coro_target_register(prototype, some_function);
    if (target != -EINVAL) test_fail(__FILE__, __LINE__, "%s: %lld", prototype, (long long)target);
    return coro_error_detail();
}

const char *struct_refusal_of(const char *fields) {
    int code = coro_struct_register("refused", fields);
    if (code != -EINVAL) test_fail(__FILE__, __LINE__, "%s: %d", fields, code);
    return coro_error_detail();
}
