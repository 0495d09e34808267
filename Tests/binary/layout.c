/* The public structs as compiled programs know them, on every 64-bit system: no field may move, none may change its size.
   A field that is added goes to the end, and gets a line of its own here. */
#include <coro.h>

#include <stdio.h>

static int failed;

static void pin(const char *what, size_t actual, size_t expected) {
    if (actual == expected) return;
    fprintf(stderr, "%s is %zu, not %zu\n", what, actual, expected);
    failed = 1;
}

#define STRUCT(type, size) pin("sizeof(" #type ")", sizeof(type), size)
#define FIELD(type, field, offset, size) \
    pin("offsetof(" #type ", " #field ")", offsetof(type, field), offset), \
        pin("sizeof(" #type "." #field ")", sizeof(((type *)0)->field), size)

int main(void) {
    STRUCT(coro_t, 8);
    STRUCT(coro_loop_t, 8);
    STRUCT(coro_local_t, 8);

    STRUCT(coro_options, 40);
    FIELD(coro_options, struct_size, 0, 8);
    FIELD(coro_options, name, 8, 8);
    FIELD(coro_options, stack_size, 16, 8);
    FIELD(coro_options, flags, 24, 4);
    FIELD(coro_options, reserved, 28, 4);
    FIELD(coro_options, release, 32, 8);

    STRUCT(coro_loop_options, 24);
    FIELD(coro_loop_options, struct_size, 0, 8);
    FIELD(coro_loop_options, poll_timeout, 8, 8);
    FIELD(coro_loop_options, flags, 16, 4);
    FIELD(coro_loop_options, reserved, 20, 4);

    STRUCT(coro_select_case, 48);
    FIELD(coro_select_case, kind, 0, 4);
    FIELD(coro_select_case, error, 4, 4);
    FIELD(coro_select_case, object, 8, 8);
    FIELD(coro_select_case, element, 16, 8);
    FIELD(coro_select_case, value, 24, 8);
    FIELD(coro_select_case, id, 32, 8);
    FIELD(coro_select_case, events, 40, 4);
    FIELD(coro_select_case, reserved, 44, 4);

    STRUCT(coro_process_t, 8);

    STRUCT(coro_stdio, 16);
    FIELD(coro_stdio, mode, 0, 4);
    FIELD(coro_stdio, fd, 4, 4);
    FIELD(coro_stdio, path, 8, 8);

    STRUCT(coro_process_options, 112);
    FIELD(coro_process_options, struct_size, 0, 8);
    FIELD(coro_process_options, argv, 8, 8);
    FIELD(coro_process_options, program, 16, 8);
    FIELD(coro_process_options, env, 24, 8);
    FIELD(coro_process_options, cwd, 32, 8);
    FIELD(coro_process_options, in, 40, 16);
    FIELD(coro_process_options, out, 56, 16);
    FIELD(coro_process_options, err, 72, 16);
    FIELD(coro_process_options, flags, 88, 4);
    FIELD(coro_process_options, reserved, 92, 4);
    FIELD(coro_process_options, capture_limit, 96, 8);
    FIELD(coro_process_options, grace, 104, 8);

    STRUCT(coro_watch_event, 280);
    FIELD(coro_watch_event, struct_size, 0, 8);
    FIELD(coro_watch_event, id, 8, 4);
    FIELD(coro_watch_event, mask, 12, 4);
    FIELD(coro_watch_event, cookie, 16, 4);
    FIELD(coro_watch_event, reserved, 20, 4);
    FIELD(coro_watch_event, name, 24, 256);

    STRUCT(coro_process_result, 48);
    FIELD(coro_process_result, struct_size, 0, 8);
    FIELD(coro_process_result, status, 8, 4);
    FIELD(coro_process_result, reserved, 12, 4);
    FIELD(coro_process_result, out, 16, 8);
    FIELD(coro_process_result, out_size, 24, 8);
    FIELD(coro_process_result, err, 32, 8);
    FIELD(coro_process_result, err_size, 40, 8);

    STRUCT(coro_call, 128);
    FIELD(coro_call, fn, 0, 8);
    FIELD(coro_call, arg, 8, 8);
    FIELD(coro_call, result, 16, 8);
    FIELD(coro_call, error, 24, 4);
    FIELD(coro_call, message, 28, 100);

    STRUCT(coro_parallel_options, 32);
    FIELD(coro_parallel_options, struct_size, 0, 8);
    FIELD(coro_parallel_options, limit, 8, 8);
    FIELD(coro_parallel_options, timeout, 16, 8);
    FIELD(coro_parallel_options, release, 24, 8);

    STRUCT(coro_group_options, 24);
    FIELD(coro_group_options, struct_size, 0, 8);
    FIELD(coro_group_options, limit, 8, 8);
    FIELD(coro_group_options, flags, 16, 4);
    FIELD(coro_group_options, reserved, 20, 4);

    STRUCT(coro_runnable, 24);
    FIELD(coro_runnable, struct_size, 0, 8);
    FIELD(coro_runnable, run, 8, 8);
    FIELD(coro_runnable, release, 16, 8);

    STRUCT(coro_switch_hooks, 40);
    FIELD(coro_switch_hooks, struct_size, 0, 8);
    FIELD(coro_switch_hooks, context, 8, 8);
    FIELD(coro_switch_hooks, leave, 16, 8);
    FIELD(coro_switch_hooks, enter, 24, 8);
    FIELD(coro_switch_hooks, end, 32, 8);

    STRUCT(coro_poll_hooks, 32);
    FIELD(coro_poll_hooks, struct_size, 0, 8);
    FIELD(coro_poll_hooks, context, 8, 8);
    FIELD(coro_poll_hooks, before_wait, 16, 8);
    FIELD(coro_poll_hooks, after_wait, 24, 8);

    STRUCT(coro_info, 248);
    FIELD(coro_info, struct_size, 0, 8);
    FIELD(coro_info, id, 8, 8);
    FIELD(coro_info, dead, 16, 1);
    FIELD(coro_info, started, 17, 1);
    FIELD(coro_info, scheduled, 18, 1);
    FIELD(coro_info, detached, 19, 1);
    FIELD(coro_info, state, 20, 4);
    FIELD(coro_info, wait_kind, 24, 4);
    FIELD(coro_info, wait_object, 32, 8);
    FIELD(coro_info, deadline, 40, 8);
    FIELD(coro_info, spawn_site, 48, 8);
    FIELD(coro_info, stack_size, 56, 8);
    FIELD(coro_info, name, 64, 64);
    FIELD(coro_info, waiting, 128, 96);
    FIELD(coro_info, age, 224, 8);
    FIELD(coro_info, run_time, 232, 8);
    FIELD(coro_info, switches, 240, 4);
    FIELD(coro_info, reserved, 244, 4);

    STRUCT(coro_stats, 168);
    FIELD(coro_stats, struct_size, 0, 8);
    FIELD(coro_stats, coroutines, 8, 8);
    FIELD(coro_stats, runnable, 16, 8);
    FIELD(coro_stats, fd_waiters, 24, 8);
    FIELD(coro_stats, timers, 32, 8);
    FIELD(coro_stats, descriptors, 40, 8);
    FIELD(coro_stats, stacks_in_use, 48, 8);
    FIELD(coro_stats, stacks_kept, 56, 8);
    FIELD(coro_stats, stack_bytes, 64, 8);
    FIELD(coro_stats, created, 72, 8);
    FIELD(coro_stats, passes, 80, 8);
    FIELD(coro_stats, batches, 88, 8);
    FIELD(coro_stats, switches, 96, 8);
    FIELD(coro_stats, polls, 104, 8);
    FIELD(coro_stats, events, 112, 8);
    FIELD(coro_stats, posts, 120, 8);
    FIELD(coro_stats, accept_waits, 128, 8);
    FIELD(coro_stats, blocking_calls, 136, 8);
    FIELD(coro_stats, file_operations, 144, 8);
    FIELD(coro_stats, blocking_threads, 152, 8);
    FIELD(coro_stats, blocking_queued, 160, 8);

    STRUCT(coro_blocking_options, 24);
    FIELD(coro_blocking_options, struct_size, 0, 8);
    FIELD(coro_blocking_options, flags, 8, 4);
    FIELD(coro_blocking_options, reserved, 12, 4);
    FIELD(coro_blocking_options, discard, 16, 8);

    STRUCT(coro_target_t, 8);
    STRUCT(coro_target_options, 48);
    FIELD(coro_target_options, struct_size, 0, 8);
    FIELD(coro_target_options, handler, 8, 8);
    FIELD(coro_target_options, context, 16, 8);
    FIELD(coro_target_options, release, 24, 8);
    FIELD(coro_target_options, flags, 32, 4);
    FIELD(coro_target_options, reserved, 36, 4);
    FIELD(coro_target_options, stack_size, 40, 8);

    STRUCT(coro_value, 16);
    FIELD(coro_value, kind, 0, 4);
    FIELD(coro_value, size, 4, 4);
    FIELD(coro_value, as.i, 8, 8);
    FIELD(coro_value, as.u, 8, 8);
    FIELD(coro_value, as.d, 8, 8);
    FIELD(coro_value, as.p, 8, 8);
    return failed;
}
