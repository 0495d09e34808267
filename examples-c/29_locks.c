/*
 * 29: Semaphore, mutex, condition.
 *
 * A bakery has two ovens (a semaphore) and one shelf (a mutex), and customers wait until what they want is there (a
 * condition). Coroutines are never preempted: what is done between two suspending calls needs no lock. The shelf has one
 * since putting a loaf there takes time, between looking and writing down.
 *
 *     $ ./29_locks
 *      0 ms, ann bakes
 *      0 ms, ben bakes
 *     20 ms, carl bakes
 *     20 ms, dan bakes
 *     25 ms, ann has put down loaf 1
 *     30 ms, ben has put down loaf 2
 *     30 ms, eva takes 2
 *     45 ms, carl has put down loaf 1
 *     50 ms, dan has put down loaf 2
 *     50 ms, finn takes 1
 *     90 ms, gil wanted 2, and leaves (CORO_ETIMEOUT)
 */
#include "must.h"

static coro_semaphore *ovens;
static coro_mutex *shelf; /* who owns it may look at `loaves` and change them */
static coro_condition *more_loaves;
static int loaves;

static int milliseconds(void) {
    static int64_t began;
    if (began == 0) began = coro_get_now();
    return (int)((coro_get_now() - began) / CORO_MS(1));
}

static void *bake(void *name) {
    MUST(coro_semaphore_acquire(ovens, 1)); /* waits for an oven: first come, first served */
    printf("%2d ms, %s bakes\n", milliseconds(), (char *)name);
    MUST(coro_sleep(CORO_MS(20)));
    MUST(coro_semaphore_release(ovens, 1));

    MUST(coro_mutex_lock(shelf));
    int there = loaves;
    MUST(coro_sleep(CORO_MS(5))); /* without the lock somebody would put down a loaf, or take one, in here */
    loaves = there + 1;
    printf("%2d ms, %s has put down loaf %d\n", milliseconds(), (char *)name, loaves);
    MUST(coro_condition_wake_all(more_loaves, NULL)); /* all, for one loaf may be enough for some and not for others */
    MUST(coro_mutex_unlock(shelf));
    return NULL;
}

static int take(int wanted) {
    int code = 0;
    MUST(coro_mutex_lock(shelf));
    /* Gives the shelf up while it waits, and has it again when it returns, whatever it returns. A wake only says that
       something has changed: so look again. */
    while (loaves < wanted && code == 0) code = coro_condition_wait_with(more_loaves, shelf, NULL);
    if (code == 0) loaves -= wanted;
    MUST(coro_mutex_unlock(shelf));
    return code;
}

typedef struct customer {
    const char *name;
    int wanted;
} customer;

static void *buy(void *arg) {
    customer *me = arg;
    coro_timeout_t patience = coro_timeout_begin(CORO_MS(90));
    int code = (int)coro_timeout_end(patience, take(me->wanted));
    if (code == 0) printf("%2d ms, %s takes %d\n", milliseconds(), me->name, me->wanted);
    else printf("%2d ms, %s wanted %d, and leaves (%s)\n", milliseconds(), me->name, me->wanted, coro_error_name(code));
    return NULL;
}

int main(void) {
    customer eva = {"eva", 2}, finn = {"finn", 1}, gil = {"gil", 2};
    coro_test_set_virtual_time(true); /* so that the times above are exact */
    milliseconds();
    ovens = coro_semaphore_new(2);
    shelf = coro_mutex_new();
    more_loaves = coro_condition_new();
    coro_group *day = coro_group_new(NULL);
    if (!ovens || !shelf || !more_loaves || !day) return EXIT_FAILURE; /* no memory */

    MUST(coro_group_spawn(day, bake, "ann"));
    MUST(coro_group_spawn(day, bake, "ben"));
    MUST(coro_group_spawn(day, bake, "carl"));
    MUST(coro_group_spawn(day, bake, "dan"));
    MUST(coro_group_spawn(day, buy, &eva));
    MUST(coro_group_spawn(day, buy, &finn));
    MUST(coro_group_spawn(day, buy, &gil));
    MUST(coro_group_leave(day)); /* waits until all have ended */

    MUST(coro_condition_free(more_loaves));
    MUST(coro_mutex_free(shelf));
    MUST(coro_semaphore_free(ovens));
    return 0;
}
