/* Rows I13, I14: all interleavings of those who wait for groups, barriers, once and wait groups. */
#include "interleavings.h"

static void *leave_group(void *group) {
    CHECK_EQ(coro_group_leave(group), 0);
    return NULL;
}

/* -- groups: what is given is the end of the only member -- */

struct scope {
    coro_group *group;
    coro_t member;
};

static void *make_scope(void) {
    static struct scope it;
    it.group = coro_group_new(NULL);
    it.member = coro_group_spawn(it.group, sleep_for_ever, NULL);
    return &it;
}

static int wait_for_scope(void *of_scope, int index) {
    (void)index;
    return coro_group_wait(((struct scope *)of_scope)->group);
}

static int end_member(void *of_scope) {
    struct scope *it = of_scope;
    if (!coro_is_alive(it->member)) return 0;
    CHECK_EQ(coro_shutdown(it->member), 0);
    return 1;
}

static int scope_has_ended(void *of_scope) { return coro_group_unfinished(((struct scope *)of_scope)->group) == 0; }

/* Who waits is served by that: the member ends. */
static int leave_scope(void *of_scope) {
    struct scope *it = of_scope;
    CHECK_EQ(coro_group_cancel(it->group), 0);
    go(leave_group, it->group);
    return 0;
}

static const struct primitive groups = {"group",    SERVES_ALL,      false,      {0}, make_scope, wait_for_scope,
                                        end_member, scope_has_ended, leave_scope};

CORO_TEST(I13_all_interleavings_of_a_group) { check_interleavings(&groups); }

/* -- barriers: what is given is that all come who are missing -- */

enum { PARTIES = MOST_WAITERS + 2 };

static void *make_barrier(void) { return coro_barrier_new(PARTIES); }

static int wait_at_barrier(void *barrier, int index) {
    (void)index;
    return coro_barrier_wait(barrier);
}

static void *come(void *barrier) {
    int code = coro_barrier_wait(barrier);
    CHECK(code == 0 || code == CORO_ECLOSED);
    return NULL;
}

static int all_come(void *barrier) {
    while (coro_barrier_waiting(barrier) < PARTIES - 1) coro_detach(start_now(come, barrier));
    CHECK_EQ(coro_barrier_wait(barrier), 1);
    return 1;
}

static int never(void *barrier) { return coro_barrier_waiting(barrier) == PARTIES - 1; }
static int free_barrier(void *barrier) { return coro_barrier_free(barrier); }

static const struct primitive barriers = {"barrier", SERVES_ALL, false, {0},         make_barrier, wait_at_barrier,
                                          all_come,  never,      free_barrier};

CORO_TEST(I14_all_interleavings_of_a_barrier) { check_interleavings(&barriers); }

/* -- once: what is given is the end of the one who does it -- */

struct deed {
    coro_once *once;
    coro_t runner;
};

static int (*outcome)(void);
static int done(void) { return 0; }
static int failed(void) { return -EAGAIN; }

static int do_it_when_told(void *unused) {
    (void)unused;
    coro_park(NULL);
    return outcome();
}

static void *run_deed(void *once) {
    CHECK_EQ(coro_once_run(once, do_it_when_told, NULL), outcome());
    return NULL;
}

static void *make_deed(void) {
    static struct deed it;
    it.once = coro_once_new();
    it.runner = coro_detach(start_now(run_deed, it.once));
    return &it;
}

static int fail_slowly(void *unused) {
    (void)unused;
    int code = coro_yield();
    return code < 0 ? code : -EAGAIN;
}

static int wait_for_deed(void *of_deed, int index) {
    (void)index;
    int code = coro_once_run(((struct deed *)of_deed)->once, fail_slowly, NULL);
    return code == -EAGAIN ? 0 : code; /* it had its turn */
}

static int end_runner(void *of_deed) { return coro_schedule(((struct deed *)of_deed)->runner, NULL) == 0; }

static int fail(void *unused) {
    (void)unused;
    return -EAGAIN;
}

static bool had_its_turn;
static void *try_deed(void *once) {
    coro_once_run(once, fail, NULL);
    had_its_turn = true;
    return NULL;
}

static int deed_is_free(void *of_deed) {
    had_its_turn = false;
    coro_detach(start_now(try_deed, ((struct deed *)of_deed)->once));
    return had_its_turn;
}

static int free_deed(void *of_deed) {
    struct deed *it = of_deed;
    coro_schedule(it->runner, NULL); /* if it has not been told yet; it goes on in what is freed */
    return coro_once_free(it->once);
}

static struct primitive deeds = {"once",     SERVES_ALL,   false,    {0}, make_deed, wait_for_deed,
                                 end_runner, deed_is_free, free_deed};

CORO_TEST(I14_all_interleavings_of_once_that_is_done) {
    outcome = done;
    check_interleavings(&deeds);
}

CORO_TEST(I14_all_interleavings_of_once_that_fails) {
    outcome = failed;
    deeds.serves = SERVES_IN_TURN;
    check_interleavings(&deeds);
}

/* -- wait groups: what is given is that all is done -- */

static void *make_wait_group(void) {
    coro_wait_group *group = coro_wait_group_new();
    CHECK_EQ(coro_wait_group_add(group, 1), 0);
    return group;
}

static int wait_for_zero(void *group, int index) {
    (void)index;
    return coro_wait_group_wait(group);
}

static int all_is_done(void *group) { return coro_wait_group_done(group) == 0; }
static int is_zero(void *group) { return coro_wait_group_count(group) == 0; }
static int free_wait_group(void *group) { return coro_wait_group_free(group); }

static const struct primitive wait_groups = {"wait group", SERVES_ALL, false, {0}, make_wait_group, wait_for_zero,
                                             all_is_done,  is_zero,    free_wait_group};

CORO_TEST(I14_all_interleavings_of_a_wait_group) { check_interleavings(&wait_groups); }

/* Nothing is done but for a moment: it was zero, and is not when they run. */
static int done_and_more(void *group) {
    CHECK_EQ(coro_wait_group_done(group), 0);
    CHECK_EQ(coro_wait_group_add(group, 1), 0);
    return 1;
}

static const struct primitive busy_wait_groups = {"busy wait group", SERVES_ALL, false, {0}, make_wait_group, wait_for_zero,
                                                  done_and_more,     is_zero,    free_wait_group};

CORO_TEST(I14_all_interleavings_of_a_wait_group_that_is_zero_for_a_moment) { check_interleavings(&busy_wait_groups); }
