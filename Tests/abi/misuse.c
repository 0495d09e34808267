/*
 * Any integer as a coroutine's id, in any state, before a loop, inside one and after one, and from any thread: the documented
 * code, and never a crash. Every operation is tried on every state, each time with a coroutine made for it.
 */
#include "coroutines.h"

#include <pthread.h>

/* -- the states -- */

enum state {
    NEW, QUEUED, PARKED, SLEEPING, PASSING, JOINING, READING, READY, YIELDING, DETACHED, SELF, /* not ended */
    ENDED, ENDED_JOINED, ENDED_DETACHED, CANCELLED, CANCELLED_QUEUED, CANCELLED_JOINED, CANCELLED_DETACHED,
    NEVER, ZERO, MINUS_1, LARGEST, SMALLEST, A_CODE, STATES
};

static const char *const state_names[STATES] = {
    "new", "queued", "parked", "sleeping", "passing", "joining", "reading", "ready", "yielding", "detached", "self",
    "ended", "ended-joined", "ended-detached", "cancelled", "cancelled-queued", "cancelled-joined", "cancelled-detached",
    "never", "0", "-1", "INT64_MAX", "INT64_MIN", "an error code"};

static int pipe_ends[2];
static coro_t join_target;

static void *work(void *argument) {
    char byte;
    switch ((enum state)AS_INT(argument)) {
    case SLEEPING: coro_sleep(CORO_FOREVER); break;
    case PASSING: coro_yield_slice(); break;
    case JOINING: coro_join(join_target, NULL, CORO_FOREVER); break;
    case READING: coro_read(pipe_ends[0], &byte, 1); break;
    case YIELDING: coro_yield(); break;
    case PARKED:
    case DETACHED:
    case READY: coro_park(NULL); break;
    default: break;
    }
    return "result";
}

static coro_t make(enum state state) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "worker";
    options.flags = state == DETACHED || state == ENDED_DETACHED ? CORO_DETACHED : 0;
    switch (state) {
    case SELF: return coro_current();
    case NEVER: {
        coro_t last = coro_new(work, NULL, NULL);
        coro_shutdown(last);
        coro_detach(last);
        return last + 1000;
    }
    case ZERO: return 0;
    case MINUS_1: return -1;
    case LARGEST: return INT64_MAX;
    case SMALLEST: return INT64_MIN;
    case A_CODE: return CORO_EDEAD;
    default: break;
    }
    coro_t co = coro_new(work, AS_POINTER(state), &options);
    CHECK(co > 0);
    if (state == QUEUED || state == CANCELLED_QUEUED) CHECK_EQ(coro_start(co), 0);
    else if (state != NEW && state < CANCELLED) CHECK_EQ(coro_start_now(co), 0);
    if (state == READY) CHECK_EQ(coro_schedule(co, NULL), 0);
    if (state >= CANCELLED) CHECK_EQ(coro_shutdown(co), 0);
    if (state == ENDED_JOINED || state == CANCELLED_JOINED) coro_join(co, NULL, 0);
    if (state == CANCELLED_DETACHED) coro_detach(co);
    return co;
}

/* -- the operations -- */

static int64_t op_start(coro_t co) { return coro_start(co); }
static int64_t op_start_now(coro_t co) { return coro_start_now(co); }
static int64_t op_join_0(coro_t co) { return coro_join(co, NULL, 0); }
static int64_t op_join_negative(coro_t co) { return coro_join(co, NULL, -1); }
static int64_t op_detach(coro_t co) { return coro_detach(co); }
static int64_t op_shutdown(coro_t co) { return coro_shutdown(co); }
static int64_t op_is_alive(coro_t co) { return coro_is_alive(co); }
static int64_t op_ident(coro_t co) { return coro_ident(co); }
static int64_t op_set_name(coro_t co) { return coro_set_name(co, "worker"); }
static int64_t op_set_name_null(coro_t co) { return coro_set_name(co, NULL) < 0; }
static int64_t op_get_name(coro_t co) {
    char name[3];
    return coro_get_name(co, name, sizeof name);
}
static int64_t op_get_name_null(coro_t co) { return coro_get_name(co, NULL, 100); }
static int64_t op_schedule(coro_t co) { return coro_schedule(co, "value"); }
static int64_t op_get_by_id(coro_t co) { return coro_get_by_id(co); }
static int64_t op_get_info(coro_t co) {
    coro_info info = {.struct_size = sizeof info};
    return coro_get_info(co, &info);
}
static int64_t op_get_info_null(coro_t co) { return coro_get_info(co, NULL); }
static int64_t op_get_info_size(coro_t co) {
    coro_info info = {.struct_size = sizeof info - 1};
    return coro_get_info(co, &info);
}
static int64_t op_repr(coro_t co) {
    char text[20];
    return coro_repr(co, text, sizeof text) > 0;
}
static int64_t op_repr_null(coro_t co) { return coro_repr(co, NULL, 0) > 0; }

/* What is expected, beside codes: the id itself. */
#define ID INT64_C(123456789)
/* In the order of `states`. Where an error is one of several that could be meant, the more telling one is documented. */
#define S CORO_ESCHEDULE
#define D CORO_EDEAD
#define N (-ESRCH)
#define T CORO_ETIMEOUT
#define X CORO_ESHUTDOWN
#define V (-EINVAL)

static const struct operation {
    const char *name;
    int64_t (*call)(coro_t co);
    int64_t expected[STATES];
} operations[] = {
    /* new q'd pk sl pa jo re ready yi det self | end joined det canc c-q c-j c-d | never 0 -1 max min code */
    {"start", op_start, {0, S, S, S, S, S, S, S, S, S, S, S, D, D, D, D, D, D, N, V, N, N, N, N}},
    {"start_now", op_start_now, {0, S, S, S, S, S, S, S, S, S, S, S, D, D, D, D, D, D, N, V, N, N, N, N}},
    {"join(0)", op_join_0, {CORO_ENOTSTARTED, T, T, T, T, T, T, T, T, T, -EDEADLK, 0, D, D, X, X, D, D, N, V, N, N, N, N}},
    {"join(-1)", op_join_negative, {V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V}},
    {"detach", op_detach, {ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, D, D, ID, ID, D, D, N, V, ID, N, ID, ID}},
    {"shutdown", op_shutdown, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, N, V, N, N, N, N}},
    {"is_alive", op_is_alive, {0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"ident", op_ident, {ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, D, D, ID, ID, D, D, N, V, N, N, N, N}},
    {"set_name", op_set_name, {ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, D, D, ID, ID, D, D, N, V, N, N, N, N}},
    {"set_name(NULL)", op_set_name_null, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}},
    {"get_name", op_get_name, {6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, D, D, 6, 6, D, D, N, V, N, N, N, N}},
    {"get_name(NULL)", op_get_name_null, {6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, D, D, 6, 6, D, D, N, V, N, N, N, N}},
    {"schedule", op_schedule, {0, S, 0, 0, 0, S, S, S, S, 0, S, D, D, D, D, D, D, D, N, S, N, N, N, N}},
    {"get_by_id", op_get_by_id, {ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, ID, N, N, N, N, N, N, N, N, N, N, N, N, N}},
    {"get_info", op_get_info, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, D, D, 0, 0, D, D, N, V, N, N, N, N}},
    {"get_info(NULL)", op_get_info_null, {V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V}},
    {"get_info(size)", op_get_info_size, {V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V}},
    {"repr", op_repr, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"repr(NULL)", op_repr_null, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static void check_cell(const struct operation *operation, enum state state) {
    coro_t co = make(state);
    int64_t expected = operation->expected[state] == ID ? co : operation->expected[state];
    int64_t actual = operation->call(co);
    if (actual != expected)
        test_fail(__FILE__, __LINE__, "%s of %s is %lld, not %lld", operation->name, state_names[state], (long long)actual,
                  (long long)expected);
    if (state == SELF && operation->call == op_shutdown) CHECK_EQ(coro_yield(), CORO_ESHUTDOWN);
    /* Where a coroutine was left, it can still be ended like any other. */
    if (state < SELF || (state >= ENDED && state < NEVER)) {
        CHECK_EQ(coro_shutdown(co), 0);
        CHECK(coro_is_alive(co) ? coro_join(co, NULL, CORO_FOREVER) <= 0 : coro_detach(co) != 0);
        CHECK(!coro_is_alive(co));
        CHECK(coro_ident(co) == CORO_EDEAD);
    }
}

static void check_table(bool in_a_coroutine) {
    join_target = coro_new(park, NULL, NULL);
    CHECK_EQ(coro_start_now(join_target), 0);
    CHECK_EQ(coro_pipe(pipe_ends, 0), 0);
    int64_t records = coro_get_live_coros();
    for (int o = 0; o < OPERATIONS; o++)
        for (int state = 0; state < STATES; state++) {
            if (state == SELF && !in_a_coroutine) continue;
            check_cell(&operations[o], (enum state)state);
        }
    CHECK_EQ(coro_get_live_coros(), records);
}

static void *check_table_in_a_coroutine(void *argument) {
    coro_set_name(coro_current(), "worker");
    check_table(true);
    return argument;
}

TEST(A7_every_operation_on_every_state_before_a_loop) { check_table(false); }

TEST(A7_every_operation_on_every_state_inside_a_loop) {
    coro_set_print_exit_string(false);
    coro_t co = coro_spawn(check_table_in_a_coroutine, "checked");
    run_until_idle();
    void *result = NULL;
    /* It has detached itself, above. */
    CHECK_EQ(coro_join(co, &result, 0), CORO_EDEAD);
    CHECK_EQ(coro_get_live_coros(), 1);
}

TEST(A7_every_operation_on_every_state_after_a_loop) {
    coro_detach(coro_spawn(park, NULL));
    run_until_idle();
    check_table(false);
}

/* -- other threads -- */

static coro_t others[SELF];

/* Refused, whatever the state: all of the library, by a thread that had no loop. */
static void *use_from_another_thread(void *argument) {
    for (int o = 0; o < OPERATIONS; o++)
        for (int state = 0; state < SELF; state++) {
            int64_t actual = operations[o].call(others[state]), expected = CORO_EWRONGTHREAD;
            if (operations[o].call == op_is_alive || operations[o].call == op_repr || operations[o].call == op_repr_null)
                expected = 0;
            if (operations[o].call == op_set_name_null) expected = 1;
            if (operations[o].expected[state] == V) expected = V;
            if (actual != expected)
                test_fail(__FILE__, __LINE__, "%s of another thread's %s is %lld", operations[o].name, state_names[state],
                          (long long)actual);
        }
    CHECK_EQ(coro_get_live_coros(), 0);
    return argument;
}

TEST(A7_a_coroutine_of_another_thread_is_refused_and_untouched) {
    join_target = coro_new(park, NULL, NULL);
    coro_start_now(join_target);
    CHECK_EQ(coro_pipe(pipe_ends, 0), 0);
    coro_info before[SELF], after;
    for (int state = 0; state < SELF; state++) {
        others[state] = make((enum state)state);
        before[state] = (coro_info){.struct_size = sizeof(coro_info)};
        CHECK_EQ(coro_get_info(others[state], &before[state]), 0);
    }
    pthread_t thread;
    pthread_create(&thread, NULL, use_from_another_thread, NULL);
    pthread_join(thread, NULL);
    for (int state = 0; state < SELF; state++) {
        after = (coro_info){.struct_size = sizeof(coro_info)};
        CHECK_EQ(coro_get_info(others[state], &after), 0);
        CHECK(after.age >= before[state].age);
        after.age = before[state].age;
        CHECK(memcmp(&before[state], &after, sizeof after) == 0);
    }
}

static void *return_an_id(void *argument) {
    *(coro_t *)argument = coro_new(work, NULL, NULL);
    return NULL;
}

TEST(A7_a_coroutine_of_a_thread_that_has_ended_is_refused) {
    coro_t co = 0, mine = coro_new(work, NULL, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, return_an_id, &co);
    pthread_join(thread, NULL);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), CORO_EDEAD);
    CHECK_EQ(coro_schedule(co, NULL), CORO_EDEAD);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK(!coro_is_alive(co));
    CHECK_EQ(coro_ident(mine), mine);
}

/* The first call that a thread makes may be any: nothing has to be set up before. */
static void *first_call(void *argument) {
    int number = AS_INT(argument);
    CHECK(number < OPERATIONS);
    operations[number].call(7);
    operations[number].call(0);
    return NULL;
}

TEST(A7_any_operation_may_be_a_threads_first_call) {
    for (int i = 0; i < OPERATIONS; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, first_call, AS_POINTER(i));
        pthread_join(thread, NULL);
    }
}

static void *first_call_without_id(void *argument) {
    coro_loop_options options;
    CHECK_EQ(coro_current(), 0);
    CHECK(!coro_is_running());
    CHECK_STR(coro_error_detail(), "");
    CHECK_EQ(coro_error_other(), 0);
    CHECK_EQ(coro_error_progress(), 0);
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK(coro_get_now() > 0);
    CHECK(coro_now() > 0);
    CHECK(coro_fail(-EIO, "x") == NULL);
    coro_loop_options_init(&options);
    return argument;
}

TEST(A7_calls_without_an_id_need_no_loop) {
    pthread_t thread;
    first_call_without_id(NULL);
    pthread_create(&thread, NULL, first_call_without_id, NULL);
    pthread_join(thread, NULL);
}
