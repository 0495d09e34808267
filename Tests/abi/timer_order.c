/* Row C4 at length: random sleeps, some broken off, against a sorted list of what should happen. Virtual time. */
#include "harness.h"

static uint64_t random_state;

static uint64_t next_random(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * UINT64_C(2685821657736338717);
}

/* Every magnitude: from 1 ns to 50 days, and often one that another sleep has. */
static int64_t random_time(void) {
    static int64_t last = 1;
    uint64_t choice = next_random();
    if (choice % 4 == 0) return last;
    return last = (int64_t)(next_random() >> (12 + choice / 4 % 52)) % CORO_SECONDS(50 * 86400) + 1;
}

enum { SLEEPERS = 500, SLEEPS = 200, ALL = SLEEPERS * SLEEPS };

/* A sleep: when it should end, and its number among all calls. */
struct sleep {
    int64_t deadline;
    int order;
    bool early;
};

static struct sleep pending[SLEEPERS];
static coro_t ids[SLEEPERS];
static int calls, checked, early_wakes, interrupts;
static struct { int64_t time; int order; } last_end;

/* What a sleeper sees when it wakes by its time: the clock shows its deadline exactly, and nobody who should have been woken
   before it sleeps still. */
static void check_end(const struct sleep *it) {
    CHECK_EQ(coro_get_now(), it->deadline);
    CHECK(it->deadline > last_end.time || (it->deadline == last_end.time && it->order > last_end.order));
    last_end.time = it->deadline;
    last_end.order = it->order;
    checked++;
}

/* Wakes another one early, sometimes, in one of two ways. */
static void disturb(int me) {
    uint64_t choice = next_random();
    int other = (int)(choice >> 8) % SLEEPERS;
    if (choice % 8 > 1 || other < 0 || other == me || !coro_is_alive(ids[other]) || pending[other].early) return;
    /* One that is due is on its way already. */
    if (pending[other].deadline <= coro_get_now()) return;
    pending[other].early = true;
    if (choice % 2) CHECK_EQ(coro_schedule(ids[other], NULL), 0);
    else CHECK_EQ(coro_shutdown(ids[other]), 0);
    interrupts += choice % 2 == 0;
    early_wakes++;
}

static void *sleep_at_random(void *argument) {
    int me = AS_INT(argument);
    for (int i = 0; i < SLEEPS; i++) {
        int64_t time = random_time();
        pending[me] = (struct sleep){coro_get_now() + time, calls++, false};
        int code = next_random() % 2 ? coro_sleep(time) : coro_sleep_absolute(pending[me].deadline);
        if (pending[me].early) {
            CHECK(code == 0 || code == CORO_ESHUTDOWN);
            interrupts -= code == CORO_ESHUTDOWN;
            CHECK(coro_get_now() < pending[me].deadline);
            checked++;
        } else {
            CHECK_EQ(code, 0);
            check_end(&pending[me]);
        }
        /* Not to be disturbed while it runs. */
        pending[me].early = true;
        disturb(me);
    }
    return NULL;
}

static void run_with_seed(uint64_t seed) {
    random_state = seed;
    calls = checked = early_wakes = interrupts = 0;
    memset(&last_end, 0, sizeof last_end);
    for (int i = 0; i < SLEEPERS; i++) {
        pending[i].early = true;
        ids[i] = coro_detach(coro_spawn(sleep_at_random, AS_POINTER(i)));
    }
    run_until_idle();
    CHECK_EQ(checked, ALL);
    CHECK_EQ(calls, ALL);
    CHECK(early_wakes > ALL / 50);
    CHECK_EQ(interrupts, 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(C4_100000_random_sleeps_end_in_the_order_of_a_sorted_list) {
    coro_test_set_virtual_time(true);
    for (uint64_t seed = 1; seed <= 3; seed++) run_with_seed(seed * UINT64_C(0x9E3779B97F4A7C15));
}

/* All at once, sorted afterwards by another program than the runtime's: qsort. */

enum { CROWD = 100000 };
static struct sleep crowd[CROWD];
static int woken[CROWD], woken_count;

static void *sleep_in_the_crowd(void *argument) {
    int me = AS_INT(argument);
    CHECK_EQ(coro_sleep_absolute(crowd[me].deadline), 0);
    CHECK_EQ(coro_get_now(), crowd[me].deadline);
    woken[woken_count++] = me;
    return NULL;
}

static int by_deadline(const void *a, const void *b) {
    const struct sleep *left = a, *right = b;
    if (left->deadline != right->deadline) return left->deadline < right->deadline ? -1 : 1;
    return left->order < right->order ? -1 : 1;
}

/* Row C12 in small, too: no descriptor for each of them. */
TEST(C4_100000_sleepers_at_once_end_in_the_order_of_a_sorted_list) {
    if (is_watched()) test_skip("a tool watches memory");
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_DETACHED;
    options.stack_size = 32 * 1024;
    coro_test_set_virtual_time(true);
    random_state = 88172645463325252;
    int64_t start = coro_get_now();
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct sleep){start + random_time(), i, false};
        coro_t co = coro_spawn_with(sleep_in_the_crowd, AS_POINTER(i), &options);
        if (co == -ENOMEM) test_skip(coro_error_detail());
        CHECK(co > 0);
    }
    int descriptors = open_descriptors();
    run_until_idle();
    CHECK(open_descriptors() <= descriptors + 2);
    CHECK_EQ(woken_count, CROWD);
    qsort(crowd, CROWD, sizeof *crowd, by_deadline);
    for (int i = 0; i < CROWD; i++) CHECK_EQ(woken[i], crowd[i].order);
}
