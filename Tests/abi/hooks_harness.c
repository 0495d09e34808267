#include "hooks.h"

static const char *name_of(coro_t co) {
    static char name[64];
    if (co == 0) return "main";
    CHECK(coro_get_name(co, name, sizeof name) > 0);
    return name;
}

static void trace_leave(void *context, coro_t co, void **state) {
    (void)context, (void)state;
    trace("leave:%s", name_of(co));
}

static void trace_enter(void *context, coro_t co, void **state) {
    (void)context, (void)state;
    trace("enter:%s", name_of(co));
}

static void trace_end(void *context, coro_t co, void **state) {
    (void)context, (void)state;
    trace("end:%s", name_of(co));
}

void set_traced_hooks(void) {
    coro_switch_hooks hooks = CORO_SWITCH_HOOKS_INIT;
    hooks.leave = trace_leave;
    hooks.enter = trace_enter;
    hooks.end = trace_end;
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
}

void unset_hooks(void) {
    CHECK_EQ(coro_set_switch_hooks(NULL), 0);
}

coro_t go_named(const char *name, coro_fn function) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = name;
    options.flags = CORO_DETACHED;
    coro_t co = coro_spawn_with(function, NULL, &options);
    CHECK(co > 0);
    return co;
}

void *run_and_end(void *unused) {
    trace("runs:%s", name_of(coro_current()));
    CHECK_EQ(coro_yield(), 0);
    trace("ends:%s", name_of(coro_current()));
    return unused;
}
