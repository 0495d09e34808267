/* Blocking work whose caller is interrupted, or goes for good: nothing is lost, and nothing is left behind. */
#include "coroutines.h"
#include "gate.h"
#include "net.h"

#include <pthread.h>

static void *call_twice(void *of_gate) {
    void *result = NULL;
    int error = coro_blocking(pass_gate, of_gate, &result);
    trace("%d:%d", error, AS_INT(result));
    trace("%d", coro_sleep(0));
    trace("%d", coro_sleep(0));
    return of_gate;
}

CORO_TEST(blocking_interrupted_in_the_queue_never_runs) {
    gate gate = new_gate();
    coro_set_max_blocking_threads(1);
    coro_t busy = spawn_one(call_gate, &gate), queued = spawn_one(call_twice, &gate);
    await_runs(&gate, 1);
    CHECK_EQ(coro_interrupt(queued, NULL), 0);
    join_soon(queued);
    CHECK_STR(traced(), "-5009:0 0 0 ");
    open_gate(&gate, 5);
    CHECK_EQ(join_soon(busy), 1);
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0); /* behind it in the queue */
    CHECK_EQ(gate_runs(&gate), 1);
}

/* The result counts, and the interruption is not lost: the next call has it. The last one of several. */
CORO_TEST(blocking_interrupted_while_it_runs_is_waited_for) {
    gate gate = new_gate();
    coro_t caller = spawn_one(call_twice, &gate);
    await_runs(&gate, 1);
    CHECK_EQ(coro_interrupt(caller, NULL), 0);
    let_others_run();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_raise(caller, CORO_EWAKEUP, 0), 0);
    let_others_run();
    open_gate(&gate, 1);
    join_soon(caller);
    CHECK_STR(traced(), "0:1 -5008 0 ");
}

static void *call_as_is(void *of_gate) {
    void *result = NULL;
    trace("%d", coro_blocking(pass_gate, of_gate, &result));
    return result;
}

CORO_TEST(blocking_timeouts_take_back_what_has_not_begun) {
    gate gate = new_gate();
    coro_set_max_blocking_threads(1);
    coro_t busy = spawn_one(call_gate, &gate);
    await_runs(&gate, 1);
    CHECK_EQ(coro_with_timeout(CORO_MS(1), call_as_is, &gate, NULL), CORO_ETIMEOUT);
    CHECK_STR(traced(), "-5009 ");
    open_gate(&gate, 1);
    CHECK_EQ(join_soon(busy), 1);
    CHECK_EQ(gate_runs(&gate), 1);
}

static void *open_later(void *of_gate) {
    CHECK_EQ(coro_sleep(CORO_MS(400)), 0);
    open_gate(of_gate, 1);
    return of_gate;
}

CORO_TEST(blocking_timeouts_wait_for_what_runs) {
    gate gate = new_gate();
    void *result = NULL;
    coro_t opener = spawn_one(open_later, &gate);
    /* Time enough for a thread to begin it. */
    CHECK_EQ(coro_with_timeout(CORO_MS(300), call_as_is, &gate, &result), 0); /* it made it before the next wait */
    CHECK_EQ(AS_INT(result), 1);
    CHECK_STR(traced(), "0 ");
    join_soon(opener);
}

/* -- callers that do not wait -- */

static int discarded;
static pthread_t discarding_thread;
static sem_t discard_done;

static void discard(void *arg, void *result) {
    discarding_thread = pthread_self();
    CHECK_EQ(coro_sleep(0), CORO_EYIELDFROMMAIN);
    trace("%s:%d", arg == NULL ? "-" : "arg", AS_INT(result));
    __atomic_add_fetch(&discarded, 1, __ATOMIC_SEQ_CST);
    sem_post(&discard_done);
}

static const coro_blocking_options giving_up = {sizeof giving_up, CORO_BLOCKING_ABANDON, 0, discard};

static void *call_giving_up(void *of_gate) {
    void *result = of_gate;
    int error = coro_blocking_with(pass_gate, of_gate, &giving_up, &result);
    if (error == 0) return result;
    CHECK(result == NULL);
    trace("%d", error);
    return AS_POINTER(error);
}

CORO_TEST(blocking_abandoned_runs_on_and_is_discarded) {
    gate gate = new_gate();
    sem_init(&discard_done, 0, 0);
    coro_t caller = spawn_one(call_giving_up, &gate);
    await_runs(&gate, 1);
    CHECK_EQ(coro_shutdown(caller), 0);
    CHECK_EQ(join_soon(caller), CORO_ESHUTDOWN);
    CHECK_STR(traced(), "-5007 ");
    open_gate(&gate, 1);
    sem_wait(&discard_done);
    CHECK_STR(traced(), "-5007 arg:1 ");
    CHECK(!pthread_equal(discarding_thread, pthread_self()));
}

CORO_TEST(blocking_abandoned_in_the_queue_is_discarded_at_once) {
    gate gate = new_gate();
    coro_set_max_blocking_threads(1);
    coro_t busy = spawn_one(call_gate, &gate), queued = spawn_one(call_giving_up, &gate);
    await_runs(&gate, 1);
    CHECK_EQ(coro_shutdown(queued), 0);
    CHECK_EQ(join_soon(queued), CORO_ESHUTDOWN);
    CHECK_STR(traced(), "arg:0 -5007 ");
    open_gate(&gate, 1);
    CHECK_EQ(join_soon(busy), 1);
}

CORO_TEST(blocking_what_succeeds_is_not_discarded) {
    gate gate = new_gate();
    void *result = NULL;
    open_gate(&gate, 1);
    CHECK_EQ(coro_blocking_with(pass_gate, &gate, &giving_up, &result), 0);
    CHECK_EQ(AS_INT(result), 1);
    CHECK_EQ(discarded, 0);
}

CORO_TEST(blocking_errors_discard_too) {
    coro_blocking_options wrong = giving_up;
    CHECK_EQ(coro_blocking_with(NULL, NULL, &giving_up, NULL), -EINVAL);
    CHECK_EQ(discarded, 1);
    CHECK_EQ(coro_test_fail_call("pthread_create", 1, EAGAIN), 0);
    CHECK_EQ(coro_blocking_with(do_nothing, NULL, &giving_up, NULL), -EAGAIN);
    CHECK_EQ(discarded, 2);
    CHECK_EQ(coro_raise(coro_current(), CORO_EWAKEUP, 0), CORO_ESCHEDULE);
    wrong.struct_size = 1;
    CHECK_EQ(coro_blocking_with(do_nothing, NULL, &wrong, NULL), -EINVAL);
    wrong = giving_up;
    wrong.flags = 2;
    CHECK_EQ(coro_blocking_with(do_nothing, NULL, &wrong, NULL), -EINVAL);
    CHECK_EQ(discarded, 2);
    coro_blocking_options_init(&wrong);
    CHECK_EQ(wrong.struct_size, sizeof wrong);
    CHECK_EQ(coro_blocking_with(do_nothing, NULL, &wrong, NULL), 0);
}

/* -- at every moment -- */

typedef struct attempt {
    int ran;
    int discards;
} attempt;

static void *run_attempt(void *of_attempt) {
    __atomic_add_fetch(&((attempt *)of_attempt)->ran, 1, __ATOMIC_SEQ_CST);
    return of_attempt;
}

static void discard_attempt(void *arg, void *result) {
    attempt *me = arg;
    CHECK(result == NULL || (result == arg && me->ran == 1));
    __atomic_add_fetch(&me->discards, 1, __ATOMIC_SEQ_CST);
}

static uint32_t flags_of_attempts;
static int succeeded, failed;

static void *try_attempt(void *of_attempt) {
    attempt *me = of_attempt;
    coro_blocking_options options = {sizeof options, flags_of_attempts, 0, discard_attempt};
    void *result = NULL;
    int error = coro_blocking_with(run_attempt, me, &options, &result);
    if (error == 0) {
        CHECK(result == me && me->ran == 1 && me->discards == 0);
        succeeded++;
    } else {
        CHECK_EQ(error, CORO_EINTERRUPTED);
        if (flags_of_attempts == 0) CHECK(me->ran == 0 && me->discards == 1);
        failed++;
    }
    return NULL;
}

enum { ATTEMPTS = 4000 };

/* Interrupted after every number of passes, so before, while and after it runs, and when it is done and not yet seen. */
static void interrupt_at_every_moment(uint32_t flags) {
    static attempt attempts[ATTEMPTS];
    memset(attempts, 0, sizeof attempts);
    flags_of_attempts = flags;
    coro_set_max_blocking_threads(2);
    for (int i = 0; i < ATTEMPTS; i += 4) {
        coro_t callers[4];
        for (int k = 0; k < 4; k++) callers[k] = spawn_one(try_attempt, &attempts[i + k]);
        for (int pass = i / 4 % 13; pass > 0; pass--) CHECK_EQ(coro_yield_slice(), 0);
        for (int k = 0; k < 4; k++) coro_interrupt(callers[k], NULL);
        for (int k = 0; k < 4; k++) coro_join(callers[k], NULL, CORO_FOREVER);
    }
    coro_set_max_blocking_threads(1);
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
    coro_test_set_blocking_idle_time(1);
    coro_stats stats = {.struct_size = sizeof stats};
    do CHECK_EQ(coro_sleep(CORO_MS(1)) + coro_get_stats(&stats), 0); /* all that was left to itself is over then */
    while (stats.blocking_threads > 0);
    int ran = 0, discards = 0;
    for (int i = 0; i < ATTEMPTS; i++) ran += attempts[i].ran, discards += attempts[i].discards;
    CHECK_EQ(discards, failed);
    CHECK(flags == 0 ? ran == succeeded : ran >= succeeded);
}

CORO_TEST(blocking_interrupted_at_every_moment) { interrupt_at_every_moment(0); }

CORO_TEST(blocking_abandoned_at_every_moment) { interrupt_at_every_moment(CORO_BLOCKING_ABANDON); }

/* -- the end of the thread -- */

static gate left;

static void *end_with_work_left(void *unused) {
    coro_set_print_exit_string(false);
    for (int i = 0; i < 3; i++) go(call_giving_up, &left); /* one runs, two are queued */
    await_runs(&left, 1);
    return unused;
}

TEST(blocking_work_of_an_ended_thread_is_discarded) {
    pthread_t thread;
    left = new_gate();
    sem_init(&discard_done, 0, 0);
    coro_set_max_blocking_threads(1);
    CHECK_EQ(pthread_create(&thread, NULL, end_with_work_left, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_STR(traced(), "arg:0 arg:0 ");
    open_gate(&left, 1);
    for (int i = 0; i < 3; i++) sem_wait(&discard_done);
    CHECK_STR(traced(), "arg:0 arg:0 arg:1 ");
}

static void *exit_meanwhile(void *of_gate) {
    await_runs(of_gate, 3);
    exit(0);
}

static void exit_with_work_left(void) {
    gate gate = new_gate();
    coro_set_max_blocking_threads(3);
    for (int i = 0; i < 10; i++) go(call_gate, &gate);
    go(exit_meanwhile, &gate);
    coro_event_loop();
}

TEST(blocking_exit_does_not_wait_for_work) {
    char output[4096];
    CHECK_EQ(run_in_child(exit_with_work_left, output, sizeof output), 0);
    CHECK_STR(output, "");
}
