/* Rows I1-I5 and I10: everything that can happen to those who wait for a lock, in every order. */
#include "interleavings.h"

/* -- semaphores: each takes another number -- */

static void *make_semaphore(void) { return coro_semaphore_new(0); }
static int acquire_one(void *semaphore, int index) { return (void)index, coro_semaphore_acquire(semaphore, 1); }
static int acquire_descending(void *semaphore, int index) { return coro_semaphore_acquire(semaphore, MOST_WAITERS - index); }
static int release_one(void *semaphore) { return coro_semaphore_release(semaphore, 1) == 0 ? 1 : -1; }
static int release_two(void *semaphore) { return coro_semaphore_release(semaphore, 2) == 0 ? 2 : -1; }
static int available(void *semaphore) { return (int)coro_semaphore_available(semaphore); }
static int free_semaphore(void *semaphore) { return coro_semaphore_free(semaphore); }

static const struct primitive semaphores = {
    .name = "semaphore", .serves = SERVES_ONE, .make = make_semaphore, .wait = acquire_one, .grant = release_one,
    .left = available, .close = free_semaphore};

static const struct primitive unequal_semaphores = {
    .name = "semaphore of unequal requests", .serves = SERVES_ONE, .units = {3, 2, 1}, .make = make_semaphore,
    .wait = acquire_descending, .grant = release_two, .left = available, .close = free_semaphore};

CORO_TEST(I1_all_interleavings_of_a_semaphore) {
    check_interleavings(&semaphores);
    check_interleavings(&unequal_semaphores);
}

/* -- inverted semaphores: zero, and at once no longer -- */

static void *make_inverted(void) { return coro_inverted_semaphore_new(1); }
static int wait_zero(void *semaphore, int index) { return (void)index, coro_inverted_semaphore_wait_zero(semaphore); }
static int reach_zero(void *semaphore) {
    return coro_inverted_semaphore_release(semaphore, coro_inverted_semaphore_value(semaphore)) == 0 ? 1 : -1;
}
static int touch_zero(void *semaphore) {
    return reach_zero(semaphore) == 1 && coro_inverted_semaphore_acquire(semaphore, 2) == 0 ? 1 : -1;
}
static int is_zero(void *semaphore) { return coro_inverted_semaphore_value(semaphore) == 0; }
static int free_inverted(void *semaphore) { return coro_inverted_semaphore_free(semaphore); }

static const struct primitive inverted_semaphores = {
    .name = "inverted semaphore", .serves = SERVES_ALL, .make = make_inverted, .wait = wait_zero, .grant = reach_zero,
    .left = is_zero, .close = free_inverted};

static const struct primitive inverted_semaphores_raised_again = {
    .name = "inverted semaphore, raised again", .serves = SERVES_ALL, .make = make_inverted, .wait = wait_zero,
    .grant = touch_zero, .left = is_zero, .close = free_inverted};

CORO_TEST(I2_all_interleavings_of_an_inverted_semaphore) {
    check_interleavings(&inverted_semaphores);
    check_interleavings(&inverted_semaphores_raised_again);
}

/* -- mutexes: the test holds it first -- */

static void *make_mutex(void) {
    coro_mutex *mutex = coro_mutex_new();
    return coro_mutex_lock(mutex) == 0 ? mutex : NULL;
}
static int lock_and_unlock(void *mutex, int index) {
    int code = coro_mutex_lock(mutex);
    (void)index;
    if (code < 0) return code;
    CHECK(coro_mutex_has_lock(mutex, coro_current()));
    CHECK(coro_mutex_unlock(mutex) >= 0);
    return code;
}
static int unlock_mutex(void *mutex) {
    return coro_mutex_has_lock(mutex, coro_current()) ? coro_mutex_unlock(mutex) >= 0 ? 1 : -1 : 0;
}
static int is_unlocked(void *mutex) { return !coro_mutex_is_locked(mutex); }
static int free_mutex(void *mutex) { return coro_mutex_free(mutex); }

static const struct primitive mutexes = {
    .name = "mutex", .serves = SERVES_IN_TURN, .make = make_mutex, .wait = lock_and_unlock, .grant = unlock_mutex,
    .left = is_unlocked, .close = free_mutex};

CORO_TEST(I3_all_interleavings_of_a_mutex) {
    check_interleavings(&mutexes);
}

/* -- conditions: what nobody waits for is not given -- */

static void *make_condition(void) { return coro_condition_new(); }
static int wait_for_condition(void *condition, int index) {
    void *value = &value;
    int code = coro_condition_wait(condition, &value);
    (void)index;
    CHECK(value == (code == 0 ? condition : NULL));
    return code;
}
static int wake_one(void *condition) { return coro_condition_wake_one(condition, condition); }
static int wake_all(void *condition) { return (int)coro_condition_wake_all(condition, condition); }
static int nothing(void *condition) { return (void)condition, 0; }
static int free_condition(void *condition) { return coro_condition_free(condition); }

static const struct primitive conditions = {
    .name = "condition", .serves = SERVES_ONE, .keeps = true, .make = make_condition, .wait = wait_for_condition,
    .grant = wake_one, .left = nothing, .close = free_condition};

static const struct primitive broadcast_conditions = {
    .name = "condition, all woken", .serves = SERVES_ONE, .keeps = true, .make = make_condition, .wait = wait_for_condition,
    .grant = wake_all, .left = nothing, .close = free_condition};

CORO_TEST(I5_all_interleavings_of_a_condition) {
    check_interleavings(&conditions);
    check_interleavings(&broadcast_conditions);
}

/* -- conditions with a mutex, which one who was woken has to get back -- */

struct monitor {
    coro_condition *condition;
    coro_mutex *mutex;
};

/* Those who waited still needed the mutex when the condition was freed; by the time of the next they do no longer. */
static void *make_monitor(void) {
    static struct monitor *last;
    if (last != NULL) CHECK_EQ(coro_mutex_free(last->mutex), 0);
    free(last);
    struct monitor *monitor = last = malloc(sizeof *monitor);
    monitor->condition = coro_condition_new();
    monitor->mutex = coro_mutex_new();
    return monitor;
}
static int wait_in_monitor(void *of_monitor, int index) {
    struct monitor *monitor = of_monitor;
    void *value = &value;
    for (int depth = 0; depth <= index; depth++) CHECK_EQ(coro_mutex_lock(monitor->mutex), 0);
    int code = coro_condition_wait_with(monitor->condition, monitor->mutex, &value);
    CHECK(value == (code == 0 ? monitor : NULL));
    for (int depth = 0; depth <= index; depth++) CHECK(coro_mutex_unlock(monitor->mutex) >= 0);
    CHECK(!coro_mutex_has_lock(monitor->mutex, coro_current()));
    return code;
}
static int wake_in_monitor(void *monitor) {
    return coro_condition_wake_one(((struct monitor *)monitor)->condition, monitor);
}
static int free_monitor(void *of_monitor) {
    struct monitor *monitor = of_monitor;
    return coro_condition_free(monitor->condition);
}

static const struct primitive monitors = {
    .name = "condition with a mutex", .serves = SERVES_ONE, .keeps = true, .make = make_monitor, .wait = wait_in_monitor,
    .grant = wake_in_monitor, .left = nothing, .close = free_monitor};

CORO_TEST(I5_all_interleavings_of_a_condition_with_a_mutex) {
    check_interleavings(&monitors);
}

/* -- read-write locks: the test writes first, or reads -- */

static bool holds_it; /* the test, not one of those who wait */

static void *write_locked(void) {
    coro_rwlock *lock = coro_rwlock_new();
    holds_it = true;
    return coro_rwlock_write_lock(lock) == 0 ? lock : NULL;
}
static void *read_locked(void) {
    coro_rwlock *lock = coro_rwlock_new();
    holds_it = true;
    return coro_rwlock_read_lock(lock) == 0 ? lock : NULL;
}
static int read_once(void *lock, int index) {
    int code = coro_rwlock_read_lock(lock);
    (void)index;
    if (code >= 0) CHECK_EQ(coro_rwlock_read_unlock(lock), 0);
    return code;
}
static int write_once(void *lock, int index) {
    int code = coro_rwlock_write_lock(lock);
    (void)index;
    if (code >= 0) CHECK_EQ(coro_rwlock_write_unlock(lock), 0);
    return code;
}
static int write_then_read(void *lock, int index) { return index == 0 ? write_once(lock, 0) : read_once(lock, index); }
static int read_write_read(void *lock, int index) { return index == 1 ? write_once(lock, 1) : read_once(lock, index); }
static int end_writing(void *lock) {
    if (!holds_it) return 0;
    holds_it = false;
    return coro_rwlock_write_unlock(lock) == 0 ? 1 : -1;
}
static int end_reading(void *lock) {
    if (!holds_it) return 0;
    holds_it = false;
    return coro_rwlock_read_unlock(lock) == 0 ? 1 : -1;
}
static int is_free(void *lock) {
    if (holds_it) return 0;
    return coro_rwlock_try_write_lock(lock) == 0 && coro_rwlock_write_unlock(lock) == 0;
}
static int free_rwlock(void *lock) { return coro_rwlock_free(lock); }

CORO_TEST(I4_all_interleavings_of_a_read_write_lock) {
    struct primitive rwlocks = {.name = "readers", .serves = SERVES_IN_TURN, .make = write_locked, .wait = read_once,
                                .grant = end_writing, .left = is_free, .close = free_rwlock};
    check_interleavings(&rwlocks);
    rwlocks.name = "writers", rwlocks.wait = write_once;
    check_interleavings(&rwlocks);
    rwlocks.name = "reader, writer, reader", rwlocks.wait = read_write_read;
    check_interleavings(&rwlocks);
    rwlocks.name = "writer, readers, after a reader", rwlocks.wait = write_then_read;
    rwlocks.make = read_locked, rwlocks.grant = end_reading;
    check_interleavings(&rwlocks);
}

/* -- keyed locks: the test holds them all, and each wants some -- */

static const uint64_t every_key[] = {1, 2, 3};

static void *make_keyed(void) {
    coro_keyed_locks *locks = coro_keyed_locks_new();
    holds_it = true;
    return coro_keyed_locks_lock_many(locks, every_key, 3) == 0 ? locks : NULL;
}
static int lock_same_key(void *locks, int index) {
    int code = coro_keyed_locks_lock(locks, 2);
    (void)index;
    if (code >= 0) CHECK_EQ(coro_keyed_locks_unlock(locks, 2), 0);
    return code;
}
/* 1 and 2, 2 and 3, 3 and 1 */
static int lock_two_keys(void *locks, int index) {
    uint64_t keys[] = {every_key[index], every_key[(index + 1) % 3]};
    int code = coro_keyed_locks_lock_many(locks, keys, 2);
    if (code < 0) return code;
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_keyed_locks_unlock(locks, keys[i]), 0);
    return code;
}
static int unlock_every_key(void *locks) {
    if (!holds_it) return 0;
    for (int i = 0; i < 3; i++)
        if (coro_keyed_locks_unlock(locks, every_key[i]) != 0) return -1;
    holds_it = false;
    return 1;
}
static int has_no_keys(void *locks) { return coro_keyed_locks_count(locks) == 0; }
static int free_keyed(void *locks) { return coro_keyed_locks_free(locks); }

CORO_TEST(I10_all_interleavings_of_keyed_locks) {
    struct primitive keyed = {.name = "one key", .serves = SERVES_IN_TURN, .make = make_keyed, .wait = lock_same_key,
                              .grant = unlock_every_key, .left = has_no_keys, .close = free_keyed};
    check_interleavings(&keyed);
    keyed.name = "two keys of three", keyed.wait = lock_two_keys;
    check_interleavings(&keyed);
}
