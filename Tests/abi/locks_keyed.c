/* Row I10: keyed locks, and the circles that they refuse. */
#include "coroutines.h"

static coro_keyed_locks *locks;

enum { MOST_KEYS = 4 };

/* Locks its keys in groups, one after the other, each group together; then unlocks all. */
struct taker {
    const char *name;
    int groups, counts[3];
    uint64_t keys[3][MOST_KEYS];
    int code; /* of the last group */
};

static void *take_keys(void *of_taker) {
    struct taker *me = of_taker;
    int group = 0;
    me->code = 0;
    for (; group < me->groups && me->code >= 0; group++) {
        if (group > 0) coro_yield();
        me->code = coro_keyed_locks_lock_many(locks, me->keys[group], me->counts[group]);
    }
    trace("%s:%d", me->name, me->code);
    if (me->code >= 0) coro_yield();
    else group--;
    for (int i = 0; i < group; i++)
        for (int j = 0; j < me->counts[i]; j++) CHECK_EQ(coro_keyed_locks_unlock(locks, me->keys[i][j]), 0);
    return NULL;
}

static void let_run(void) {
    for (int i = 0; i < 12; i++) coro_yield();
}

CORO_TEST(I10_each_key_is_a_lock_of_its_own) {
    locks = coro_keyed_locks_new();
    CHECK_EQ(coro_keyed_locks_owner(locks, 7), CORO_ELOCK);
    CHECK_EQ(coro_keyed_locks_lock(locks, 7), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, UINT64_MAX), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, 0), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, 7), 0); /* again */
    CHECK_EQ(coro_keyed_locks_count(locks), 3);
    CHECK_EQ(coro_keyed_locks_owner(locks, 7), coro_current());
    struct taker a = {.name = "a", .groups = 1, .counts = {1}, .keys = {{7}}};
    struct taker b = {.name = "b", .groups = 1, .counts = {1}, .keys = {{8}}};
    go(take_keys, &a);
    go(take_keys, &b);
    let_run();
    CHECK_STR(traced(), "b:0 ");
    CHECK_EQ(coro_keyed_locks_waiting(locks), 1);
    CHECK_EQ(coro_keyed_locks_unlock(locks, 7), 0);
    let_run();
    CHECK_STR(traced(), "b:0 ");
    CHECK_EQ(coro_keyed_locks_unlock(locks, 7), 0);
    CHECK_EQ(coro_keyed_locks_try_lock(locks, 7), -EBUSY); /* it was handed on */
    let_run();
    CHECK_STR(traced(), "b:0 a:1 ");
    CHECK_EQ(coro_keyed_locks_unlock(locks, UINT64_MAX), 0);
    CHECK_EQ(coro_keyed_locks_unlock(locks, 0), 0);
    CHECK_EQ(coro_keyed_locks_count(locks), 0);
    CHECK_EQ(coro_keyed_locks_free(locks), 0);
}

CORO_TEST(I10_many_are_locked_together_or_not_at_all) {
    locks = coro_keyed_locks_new();
    struct taker a = {.name = "a", .groups = 1, .counts = {2}, .keys = {{1, 2}}};
    struct taker b = {.name = "b", .groups = 1, .counts = {3}, .keys = {{3, 2, 3}}};
    struct taker c = {.name = "c", .groups = 1, .counts = {1}, .keys = {{3}}};
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), 0);
    start_now(take_keys, &a);
    CHECK_EQ(coro_keyed_locks_owner(locks, 2), CORO_ELOCK); /* a waits for 1, and has not taken 2 */
    start_now(take_keys, &b);                               /* waits behind a */
    start_now(take_keys, &c);                               /* waits behind b */
    CHECK_EQ(coro_keyed_locks_waiting(locks), 3);
    CHECK_EQ(coro_keyed_locks_try_lock(locks, 2), 0); /* but who owns some goes before them */
    CHECK_EQ(coro_keyed_locks_unlock(locks, 2), 0);
    CHECK_EQ(coro_keyed_locks_unlock(locks, 1), 0);
    let_run();
    CHECK_STR(traced(), "a:1 b:1 c:1 ");
    CHECK_EQ(coro_keyed_locks_count(locks), 0);
    CHECK_EQ(coro_keyed_locks_lock_many(locks, NULL, 0), 0);
    CHECK_EQ(coro_keyed_locks_lock_many(locks, NULL, 1), -EINVAL);
    CHECK_EQ(coro_keyed_locks_lock_many(locks, a.keys[0], -1), -EINVAL);
    CHECK_EQ(coro_keyed_locks_free(locks), 0);
}

CORO_TEST(I10_one_that_leaves_lets_those_behind_it_go) {
    locks = coro_keyed_locks_new();
    struct taker a = {.name = "a", .groups = 1, .counts = {2}, .keys = {{1, 2}}};
    struct taker b = {.name = "b", .groups = 1, .counts = {1}, .keys = {{2}}};
    for (int granted = 0; granted < 2; granted++) {
        size_t before = strlen(traced());
        CHECK_EQ(coro_keyed_locks_lock(locks, 1), 0);
        coro_t first = start_now(take_keys, &a);
        start_now(take_keys, &b);
        if (granted) CHECK_EQ(coro_keyed_locks_unlock(locks, 1), 0);
        CHECK_EQ(coro_shutdown(first), 0);
        let_run();
        CHECK_STR(traced() + before, "a:-5007 b:1 ");
        if (!granted) CHECK_EQ(coro_keyed_locks_unlock(locks, 1), 0);
        CHECK_EQ(coro_keyed_locks_count(locks), 0);
    }
    CHECK_EQ(coro_keyed_locks_free(locks), 0);
}

CORO_TEST(I10_a_wait_that_closes_a_circle_is_refused) {
    char part[80];
    locks = coro_keyed_locks_new();
    struct taker b = {.name = "b", .groups = 2, .counts = {1, 2}, .keys = {{2}, {9, 3}}};
    struct taker c = {.name = "c", .groups = 2, .counts = {1, 2}, .keys = {{3}, {1, 8}}};
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), 0);
    coro_t second = start_now(take_keys, &b), third = start_now(take_keys, &c);
    coro_yield(); /* b waits for 3, which is c's; c waits for 1, which is ours */
    CHECK_EQ(coro_keyed_locks_waiting(locks), 2);
    CHECK_EQ(coro_keyed_locks_lock(locks, 2), -EDEADLK);
    CHECK_EQ(coro_error_other(), second);
    snprintf(part, sizeof part, "#%lld (", (long long)third);
    CHECK_CONTAINS(coro_error_detail(), part);
    CHECK_CONTAINS(coro_error_detail(), "waits for key 1 of the caller");
    snprintf(part, sizeof part, "waits for key 3 of #%lld", (long long)third);
    CHECK_CONTAINS(coro_error_detail(), part);
    CHECK_EQ(coro_keyed_locks_unlock(locks, 1), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, 2), 1);
    CHECK_STR(traced(), "c:1 b:1 ");
    CHECK_EQ(coro_keyed_locks_unlock(locks, 2), 0);
    CHECK_EQ(coro_keyed_locks_count(locks), 0);
    CHECK_EQ(coro_keyed_locks_free(locks), 0);
}

static void *unlock_anothers(void *owner) {
    CHECK_EQ(coro_keyed_locks_unlock(locks, 1), CORO_ELOCK);
    CHECK_EQ(coro_error_other(), AS_INT(owner));
    CHECK_CONTAINS(coro_error_detail(), "key 1");
    CHECK_EQ(coro_keyed_locks_free(locks), -EBUSY);
    CHECK_EQ(coro_error_other(), AS_INT(owner));
    return NULL;
}

CORO_TEST(I8_only_the_owner_of_a_key_unlocks_it) {
    locks = coro_keyed_locks_new();
    CHECK_EQ(coro_keyed_locks_unlock(locks, 1), CORO_ELOCK);
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), 0);
    CHECK_EQ(coro_join(coro_spawn(unlock_anothers, AS_POINTER(coro_current())), NULL, CORO_FOREVER), 0);
    struct taker a = {.name = "a", .groups = 1, .counts = {2}, .keys = {{1, 2}}};
    coro_t waiter = start_now(take_keys, &a);
    coro_info info = info_of(waiter);
    CHECK_EQ(info.wait_kind, CORO_WAIT_KEYS);
    CHECK(info.wait_object == (int64_t)(intptr_t)locks);
    CHECK_CONTAINS(info.waiting, "locking keys of 0x");
    CHECK_EQ(coro_keyed_locks_free(locks), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "a:-5003 ");
    CHECK_STR(coro_error_detail(), "the set of keyed locks was freed");
}

TEST(I10_the_threads_own_stack_owns_keys_too) {
    locks = coro_keyed_locks_new();
    struct taker b = {.name = "b", .groups = 2, .counts = {1, 1}, .keys = {{2}, {1}}};
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), 0);
    CHECK_EQ(coro_keyed_locks_owner(locks, 1), 0);
    coro_t second = start_now(take_keys, &b);
    coro_yield();
    CHECK_EQ(coro_keyed_locks_lock(locks, 2), -EDEADLK);
    CHECK_CONTAINS(coro_error_detail(), "key 1 of the caller");
    CHECK_EQ(coro_keyed_locks_unlock(locks, 1), 0);
    CHECK_EQ(coro_join(second, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_keyed_locks_free(locks), 0);
}

/* However many there were, in whatever order they go: each is found until it is unlocked, and nothing stays. */
CORO_TEST(I10_ten_thousand_keys_come_and_go) {
    enum { KEYS = 10000 };
    locks = coro_keyed_locks_new();
    for (uint64_t i = 0; i < KEYS; i++) CHECK_EQ(coro_keyed_locks_lock(locks, i * i * 64), 0);
    CHECK_EQ(coro_keyed_locks_count(locks), KEYS);
    for (uint64_t i = 0; i < KEYS; i++) {
        uint64_t key = i * 7919 % KEYS;
        CHECK_EQ(coro_keyed_locks_owner(locks, key * key * 64), coro_current());
        CHECK_EQ(coro_keyed_locks_unlock(locks, key * key * 64), 0);
    }
    CHECK_EQ(coro_keyed_locks_count(locks), 0);
    CHECK_EQ(coro_keyed_locks_free(locks), 0);
}

static void *lock_short_of_memory(void *unused) {
    uint64_t keys[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (int n = 1; n <= 2; n++) { /* its places in the queues; a larger table */
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        CHECK_EQ(coro_keyed_locks_lock_many(locks, keys, 9), -ENOMEM);
        CHECK_EQ(coro_keyed_locks_count(locks), 1);
    }
    CHECK_EQ(coro_keyed_locks_lock_many(locks, keys, 9), 1);
    for (int i = 0; i < 9; i++) CHECK_EQ(coro_keyed_locks_unlock(locks, keys[i]), 0);
    return unused;
}

CORO_TEST(I10_without_memory_nothing_is_locked) {
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK(coro_keyed_locks_new() == NULL);
    locks = coro_keyed_locks_new();
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), -ENOMEM);
    CHECK_EQ(coro_test_fail_call("calloc", 2, ENOMEM), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), -ENOMEM);
    CHECK_EQ(coro_keyed_locks_count(locks), 0);
    CHECK_EQ(coro_keyed_locks_lock(locks, 1), 0);
    coro_t waiter = start_now(lock_short_of_memory, NULL);
    CHECK_EQ(coro_keyed_locks_waiting(locks), 1);
    CHECK_EQ(coro_keyed_locks_count(locks), 9);
    CHECK_EQ(coro_keyed_locks_unlock(locks, 1), 0);
    CHECK_EQ(coro_join(waiter, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_keyed_locks_count(locks), 0);
    CHECK_EQ(coro_keyed_locks_free(locks), 0);
}
