/* Row L5: a small interpreter that keeps state per thread, as CPython does: a chain of frames that lie on native stacks, the
   depth of it, and the exception that is handled. It finds out when its frames are left in another order than they were
   entered in, when its depth or its exception is another's, and when it is used without its global lock. */
#include "hooks.h"
#include "random.h"

#include <pthread.h>
#include <sys/wait.h>

/* -- the interpreter -- */

struct frame {
    struct frame *previous;
    int owner; /* whose code it runs */
};

struct thread_state {
    struct frame *frame;
    int depth;
    int exception; /* that of whom; 0: none */
};

static struct {
    struct thread_state *current; /* of who holds the lock */
    pthread_mutex_t lock;
    bool is_expected_to_fail;
} interpreter = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The first fault is the last that can be told of: after it frames are looked at that are no more. */
static void expect(bool condition) {
    if (condition) return;
    if (interpreter.is_expected_to_fail) exit(0);
    test_fail(__FILE__, __LINE__, "the interpreter's state is another's");
}

static void take_lock(struct thread_state *state) {
    pthread_mutex_lock(&interpreter.lock);
    expect(interpreter.current == NULL);
    interpreter.current = state;
}

static struct thread_state *give_up_lock(void) {
    struct thread_state *state = interpreter.current;
    interpreter.current = NULL;
    pthread_mutex_unlock(&interpreter.lock);
    return state;
}

static void enter_frame(struct frame *frame, int owner) {
    frame->previous = interpreter.current->frame;
    frame->owner = owner;
    interpreter.current->frame = frame;
    interpreter.current->depth++;
}

static void leave_frame(struct frame *frame) {
    expect(interpreter.current->frame == frame);
    interpreter.current->frame = frame->previous;
    interpreter.current->depth--;
}

/* As who prints a traceback: every frame of the chain is ours, and there are as many as we are deep. */
static void trace_back(int owner) {
    int depth = 0, left = 1000;
    for (struct frame *frame = interpreter.current->frame; frame != NULL && left > 0; frame = frame->previous, left--) {
        expect(frame->owner == owner);
        depth++;
    }
    expect(depth == interpreter.current->depth);
}

/* -- programs in its language -- */

enum { PROGRAMS = 50, MAX_DEPTH = 8 };

static int suspend(unsigned *seed) {
    switch (draw(seed, 3)) {
    case 0: return coro_yield();
    case 1: return coro_yield_slice();
    default: return coro_sleep(draw(seed, 1000) * 1000);
    }
}

static void *run_program(void *number);

/* A function that calls others, suspends between, raises and handles exceptions; and starts a program now and then. */
static void evaluate(int owner, unsigned *seed, int depth) {
    struct frame frame;
    enter_frame(&frame, owner);
    int handled = interpreter.current->exception;
    for (int steps = 1 + draw(seed, 4); steps > 0; steps--) {
        if (draw(seed, 2) == 0) interpreter.current->exception = owner;
        int exception = interpreter.current->exception;
        CHECK_EQ(suspend(seed), 0);
        expect(interpreter.current->exception == exception);
        if (depth < MAX_DEPTH && draw(seed, 3) > 0) evaluate(owner, seed, depth + 1);
        if (owner <= PROGRAMS && depth == 2 && draw(seed, 2) == 0)
            CHECK(coro_detach(start_now(run_program, AS_POINTER(owner + 1000))) > 0);
        trace_back(owner);
    }
    interpreter.current->exception = handled;
    leave_frame(&frame);
}

static int finished[PROGRAMS + 1], out_of_order;

static void *run_program(void *number) {
    int owner = AS_INT(number);
    unsigned seed = (unsigned)owner * 2654435761u | 1;
    expect(interpreter.current->frame == NULL && interpreter.current->depth == 0 && interpreter.current->exception == 0);
    evaluate(owner, &seed, 0);
    expect(interpreter.current->frame == NULL && interpreter.current->depth == 0 && interpreter.current->exception == 0);
    if (owner > PROGRAMS) return NULL; /* one that another has started, in the middle of its own */
    finished[owner] = 1;
    if (owner < PROGRAMS && finished[owner + 1] == 0) out_of_order++; /* last come, first gone: as if it were one stack */
    return NULL;
}

static void run_programs(void) {
    coro_test_set_virtual_time(true);
    struct frame outermost;
    enter_frame(&outermost, -1);
    for (int i = 1; i <= PROGRAMS; i++) go(run_program, AS_POINTER(i));
    while (coro_get_live_coros() > 0) {
        struct frame frame;
        enter_frame(&frame, -1);
        CHECK_EQ(coro_sleep(CORO_MS(1)), 0); /* the thread's own stack runs programs too */
        trace_back(-1);
        leave_frame(&frame);
    }
    leave_frame(&outermost);
}

/* -- the hooks -- */

static int states;

static void save_state(void *context, coro_t co, void **state) {
    (void)context, (void)co;
    *state = interpreter.current;
}

static void restore_state(void *context, coro_t co, void **state) {
    (void)context, (void)co;
    if (*state == NULL) {
        *state = calloc(1, sizeof(struct thread_state));
        states++;
    }
    interpreter.current = *state;
}

static void free_state(void *context, coro_t co, void **state) {
    (void)context, (void)co;
    expect(*state == interpreter.current);
    free(*state);
    interpreter.current = NULL;
    states--;
}

static void set_interpreter_hooks(void) {
    coro_switch_hooks hooks = {sizeof hooks, NULL, save_state, restore_state, free_state};
    CHECK_EQ(coro_set_switch_hooks(&hooks), 0);
}

/* -- the proof -- */

static struct thread_state main_state;

TEST(L5_switch_hooks_keep_an_interpreters_states_apart) {
    take_lock(&main_state);
    set_interpreter_hooks();
    run_programs();
    give_up_lock();
    CHECK_EQ(states, 0);
    CHECK(out_of_order > PROGRAMS / 4);
}

/* And without them they are mixed up: so the one above proves something. */
TEST(L5_without_switch_hooks_an_interpreters_states_are_mixed_up) {
    interpreter.is_expected_to_fail = true;
    take_lock(&main_state);
    run_programs();
    CHECK(false);
}

/* -- the lock -- */

static void before_wait(void *kept) {
    *(struct thread_state **)kept = give_up_lock();
}

static void after_wait(void *kept) {
    take_lock(*(struct thread_state **)kept);
}

static int turns;

/* Another thread of the program, which gets the lock only where the loop gives it up. */
static void *run_beside(void *unused) {
    struct thread_state own = {0};
    for (int i = 0; i < 20; i++) {
        struct frame frame;
        take_lock(&own);
        enter_frame(&frame, -2);
        usleep(100);
        trace_back(-2);
        leave_frame(&frame);
        turns++;
        give_up_lock();
        usleep(100);
    }
    return unused;
}

static void *wait_for_turns(void *number) {
    int owner = AS_INT(number);
    struct frame frame;
    enter_frame(&frame, owner);
    for (int seen = 0; seen < 20; seen = turns) {
        CHECK_EQ(coro_sleep(CORO_MS(owner)), 0);
        trace_back(owner);
    }
    leave_frame(&frame);
    return NULL;
}

TEST(L5_poll_hooks_give_up_an_interpreters_lock_while_the_loop_waits) {
    struct thread_state *kept = NULL;
    coro_poll_hooks poll = {sizeof poll, &kept, before_wait, after_wait};
    pthread_t thread;
    take_lock(&main_state);
    set_interpreter_hooks();
    CHECK_EQ(coro_set_poll_hooks(&poll), 0);
    CHECK_EQ(pthread_create(&thread, NULL, run_beside, NULL), 0);
    for (int i = 1; i <= 5; i++) go(wait_for_turns, AS_POINTER(i));
    run_until_idle();
    give_up_lock();
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(turns, 20);
}
