/*
 * Rows I3, I4 and I10: what several coroutines do to mutexes, a read-write lock and keyed locks, drawn from a seed, held
 * against models that know who holds what and who waits, and look through all of it after each step.
 */
#include "coroutines.h"
#include "random.h"

enum { STEPS = 3000, ROUNDS = 8, ACTORS = 6, OBJECTS = 4 };

struct command {
    int (*perform)(const struct command *);
    int object, count;
    uint64_t keys[3];
};

/* A coroutine that does what it is told, and what the model knows of it. */
struct actor {
    coro_t id;
    struct command command;
    int returned;
    bool is_busy; /* in a call */

    bool waits; /* by the model */
    int order;  /* since when */
    int expected;
    int holds[OBJECTS], reads; /* how often it has locked what */
    bool writes;               /* wants to: for the read-write lock */
};

static struct actor actors[ACTORS];
static unsigned seed;
static int arrivals;

static void *act(void *of_actor) {
    struct actor *me = of_actor;
    for (;;) {
        CHECK_EQ(coro_park(NULL), 0);
        if (me->command.perform == NULL) return NULL;
        me->returned = me->command.perform(&me->command);
        me->is_busy = false;
    }
}

static void let_run(void) {
    for (int i = 0; i < 3; i++) coro_yield_slice();
}

static void start_actors(int round) {
    seed = (unsigned)round + 1;
    memset(actors, 0, sizeof actors);
    for (int i = 0; i < ACTORS; i++) actors[i].id = start_now(act, &actors[i]);
}

/* Those who wait are interrupted, or served when those before them are; then all end, with what they hold. */
static void end_actors(void) {
    for (int i = 0; i < ACTORS; i++)
        if (actors[i].is_busy) CHECK_EQ(coro_raise(actors[i].id, -ENOLINK, 0), 0);
    let_run();
    for (int i = 0; i < ACTORS; i++) {
        CHECK(!actors[i].is_busy);
        actors[i].command.perform = NULL;
        CHECK_EQ(coro_schedule(actors[i].id, NULL), 0);
        CHECK_EQ(coro_join(actors[i].id, NULL, CORO_FOREVER), 0);
    }
}

/* Has an actor perform a command; the model says whether it will wait, or else what the command returns. */
static void command(struct actor *actor, const struct command *given, bool waits, int expected) {
    actor->command = *given;
    actor->is_busy = true;
    actor->waits = waits;
    actor->expected = expected;
    actor->order = arrivals++;
    CHECK_EQ(coro_schedule(actor->id, NULL), 0);
}

/* The model gives one that waits what it waits for. */
static void serve(struct actor *actor) {
    actor->waits = false;
    actor->expected = 1;
}

static void interrupt_one(void) {
    struct actor *actor = &actors[draw(&seed, ACTORS)];
    if (!actor->waits) return;
    CHECK_EQ(coro_raise(actor->id, -ENOLINK, 0), 0);
    actor->waits = false;
    actor->expected = -ENOLINK;
}

static void check_actors(void) {
    let_run();
    for (int i = 0; i < ACTORS; i++) {
        CHECK_EQ(actors[i].is_busy, actors[i].waits);
        if (!actors[i].waits) CHECK_EQ(actors[i].returned, actors[i].expected);
    }
}

/* Who has waited longest of those for whom `may` is true. */
static struct actor *first_of(bool (*may)(const struct actor *)) {
    struct actor *first = NULL;
    for (int i = 0; i < ACTORS; i++)
        if (actors[i].waits && may(&actors[i]) && (first == NULL || actors[i].order < first->order)) first = &actors[i];
    return first;
}

/* -- mutexes: several, so that there are circles -- */

static coro_mutex *mutexes[OBJECTS];

static struct actor *owner_of(int object) {
    for (int i = 0; i < ACTORS; i++)
        if (actors[i].holds[object] > 0) return &actors[i];
    return NULL;
}

static int lock_mutex(const struct command *command) { return coro_mutex_lock(mutexes[command->object]); }
static int try_lock_mutex(const struct command *command) { return coro_mutex_try_lock(mutexes[command->object]); }
static int unlock_mutex(const struct command *command) { return coro_mutex_unlock(mutexes[command->object]); }

static bool closes_circle(const struct actor *actor, int object) {
    const struct actor *owner = owner_of(object);
    while (owner != NULL && owner != actor && owner->waits) owner = owner_of(owner->command.object);
    return owner == actor;
}

static void unlock_in_model(struct actor *actor, const struct command *command) {
    struct actor *next = NULL;
    if (actor->holds[command->object] == 0) {
        actor->expected = CORO_ELOCK;
    } else if (--actor->holds[command->object] == 0) {
        for (int i = 0; i < ACTORS; i++)
            if (actors[i].waits && actors[i].command.object == command->object)
                if (next == NULL || actors[i].order < next->order) next = &actors[i];
        if (next != NULL) {
            next->holds[command->object] = 1;
            serve(next);
            actor->expected = 1;
        }
    }
}

static void step_mutexes(void) {
    struct actor *actor = &actors[draw(&seed, ACTORS)];
    struct command it = {.object = draw(&seed, OBJECTS)};
    int what = draw(&seed, 8);
    if (what == 7) interrupt_one();
    if (what == 7 || actor->waits) return;
    struct actor *owner = owner_of(it.object);
    bool is_free = owner == NULL || owner == actor;
    it.perform = what < 3 ? lock_mutex : what == 3 ? try_lock_mutex : unlock_mutex;
    if (what < 3) {
        bool is_circle = !is_free && closes_circle(actor, it.object);
        command(actor, &it, !is_free && !is_circle, is_circle ? -EDEADLK : 0);
        actor->holds[it.object] += is_free;
    } else if (what == 3) {
        command(actor, &it, false, is_free ? 0 : -EBUSY);
        actor->holds[it.object] += is_free;
    } else {
        command(actor, &it, false, 0);
        unlock_in_model(actor, &it);
    }
}

CORO_TEST(I3_random_use_of_mutexes_does_as_the_model_says) {
    for (int round = 0; round < ROUNDS; round++) {
        start_actors(round);
        for (int i = 0; i < OBJECTS; i++) mutexes[i] = coro_mutex_new();
        for (int step = 0; step < STEPS; step++) {
            step_mutexes();
            check_actors();
            for (int i = 0; i < OBJECTS; i++) {
                struct actor *owner = owner_of(i);
                CHECK_EQ(coro_mutex_is_locked(mutexes[i]), owner != NULL);
                if (owner != NULL) CHECK(coro_mutex_has_lock(mutexes[i], owner->id));
            }
        }
        end_actors();
        for (int i = 0; i < OBJECTS; i++) CHECK_EQ(coro_mutex_free(mutexes[i]), 0);
    }
}

/* -- one read-write lock -- */

static coro_rwlock *rwlock;

static int read_lock(const struct command *command) { return (void)command, coro_rwlock_read_lock(rwlock); }
static int write_lock(const struct command *command) { return (void)command, coro_rwlock_write_lock(rwlock); }
static int try_read_lock(const struct command *command) { return (void)command, coro_rwlock_try_read_lock(rwlock); }
static int try_write_lock(const struct command *command) { return (void)command, coro_rwlock_try_write_lock(rwlock); }
static int read_unlock(const struct command *command) { return (void)command, coro_rwlock_read_unlock(rwlock); }
static int write_unlock(const struct command *command) { return (void)command, coro_rwlock_write_unlock(rwlock); }

static bool waits_to_write(const struct actor *actor) { return actor->writes; }
static bool waits_to_read(const struct actor *actor) { return !actor->writes; }

/* How many others hold it so. */
static int others(const struct actor *actor, bool writing) {
    int count = 0;
    for (int i = 0; i < ACTORS; i++) count += &actors[i] != actor && (writing ? actors[i].holds[0] : actors[i].reads) > 0;
    return count;
}

static bool may_read(const struct actor *actor) {
    return actor->reads > 0 || actor->holds[0] > 0 || (others(actor, true) == 0 && first_of(waits_to_write) == NULL);
}

static bool may_write(const struct actor *actor) {
    if (actor->holds[0] > 0) return true;
    if (others(actor, true) > 0 || others(actor, false) > 0) return false;
    return actor->reads > 0 || first_of(waits_to_write) == NULL;
}

static void let_in(void) {
    struct actor *next = first_of(waits_to_write);
    if (next != NULL) {
        if (others(next, true) == 0 && others(next, false) == 0) {
            next->holds[0] = 1;
            serve(next);
        }
        return;
    }
    while ((next = first_of(waits_to_read)) != NULL && others(next, true) == 0) {
        next->reads = 1;
        serve(next);
    }
}

static void step_rwlock(void) {
    struct actor *actor = &actors[draw(&seed, ACTORS)];
    struct command it = {.object = 0};
    int what = draw(&seed, 12);
    if (what == 11) interrupt_one();
    if (what == 11 || actor->waits) {
        let_in();
        return;
    }
    actor->writes = what == 2 || what == 3;
    if (what < 2 || what == 4) {
        bool may = may_read(actor);
        it.perform = what < 2 ? read_lock : try_read_lock;
        command(actor, &it, what < 2 && !may, may ? 0 : -EBUSY);
        actor->reads += may;
    } else if (what < 4 || what == 5) {
        bool may = may_write(actor);
        it.perform = what < 4 ? write_lock : try_write_lock;
        command(actor, &it, what < 4 && !may && actor->reads == 0, may ? 0 : what < 4 ? -EDEADLK : -EBUSY);
        actor->holds[0] += may;
    } else {
        int *count = what < 9 ? &actor->reads : &actor->holds[0];
        it.perform = what < 9 ? read_unlock : write_unlock;
        command(actor, &it, false, *count > 0 ? 0 : CORO_ELOCK);
        if (*count > 0) --*count;
        let_in();
    }
}

CORO_TEST(I4_random_use_of_a_read_write_lock_does_as_the_model_says) {
    for (int round = 0; round < ROUNDS; round++) {
        start_actors(round);
        rwlock = coro_rwlock_new();
        for (int step = 0; step < STEPS; step++) {
            step_rwlock();
            check_actors();
        }
        end_actors();
        CHECK_EQ(coro_rwlock_free(rwlock), 0);
    }
}

/* -- keyed locks: the keys are the objects -- */

static coro_keyed_locks *locks;

static int lock_many(const struct command *command) {
    return coro_keyed_locks_lock_many(locks, command->keys, command->count);
}
static int try_lock_key(const struct command *command) { return coro_keyed_locks_try_lock(locks, command->keys[0]); }
static int unlock_key(const struct command *command) { return coro_keyed_locks_unlock(locks, command->keys[0]); }

static bool holds_some(const struct actor *actor) {
    for (int key = 0; key < OBJECTS; key++)
        if (actor->holds[key] > 0) return true;
    return false;
}

static bool wants(const struct command *command, uint64_t key) {
    for (int i = 0; i < command->count; i++)
        if (command->keys[i] == key) return true;
    return false;
}

static bool are_free(const struct actor *actor, const struct command *command) {
    for (int i = 0; i < command->count; i++) {
        struct actor *owner = owner_of((int)command->keys[i]);
        if (owner != NULL && owner != actor) return false;
    }
    return true;
}

/* Whether another who waits, and came before `order`, wants one of these. */
static bool are_wanted(const struct command *command, const struct actor *by, int order) {
    for (int i = 0; i < ACTORS; i++) {
        const struct actor *other = &actors[i];
        if (other == by || !other->waits || (other->order > order && !holds_some(other))) continue;
        for (int j = 0; j < other->command.count; j++)
            if (wants(command, other->command.keys[j])) return true;
    }
    return false;
}

static bool may_lock(const struct actor *actor, const struct command *command, int order) {
    return are_free(actor, command) && (holds_some(actor) || !are_wanted(command, actor, order));
}

static void take(struct actor *actor, const struct command *command) {
    for (int i = 0; i < command->count; i++) actor->holds[command->keys[i]]++;
}

static bool may_go_with_some(const struct actor *actor) {
    return holds_some(actor) && may_lock(actor, &actor->command, actor->order);
}
static bool may_go_with_none(const struct actor *actor) {
    return !holds_some(actor) && may_lock(actor, &actor->command, actor->order);
}

static void serve_all(void) {
    struct actor *next;
    while ((next = first_of(may_go_with_some)) != NULL || (next = first_of(may_go_with_none)) != NULL) {
        take(next, &next->command);
        serve(next);
    }
}

/* Whether somebody who must go on before these are free waits, in the end, for the actor. */
static bool leads_to(const struct actor *actor, const struct actor *from, const struct command *command, unsigned seen) {
    for (int i = 0; i < command->count; i++) {
        struct actor *owner = owner_of((int)command->keys[i]);
        if (owner == NULL || owner == from) continue;
        if (owner == actor) return true;
        if (!owner->waits || (seen >> (owner - actors) & 1)) continue;
        if (leads_to(actor, owner, &owner->command, seen | 1u << (owner - actors))) return true;
    }
    return false;
}

static void step_keys(void) {
    struct actor *actor = &actors[draw(&seed, ACTORS)];
    struct command it = {.count = 1 + draw(&seed, 3)};
    int what = draw(&seed, 12);
    for (int i = 0; i < 3; i++) it.keys[i] = (uint64_t)draw(&seed, OBJECTS);
    if (what == 11) interrupt_one();
    if (what == 11 || actor->waits) {
        serve_all();
        return;
    }
    if (what < 4) {
        bool may = may_lock(actor, &it, arrivals);
        bool is_circle = !may && holds_some(actor) && leads_to(actor, actor, &it, 0);
        it.perform = lock_many;
        command(actor, &it, !may && !is_circle, is_circle ? -EDEADLK : 0);
        if (may) take(actor, &it);
    } else if (what == 4) {
        it.count = 1;
        it.perform = try_lock_key;
        bool may = may_lock(actor, &it, arrivals);
        command(actor, &it, false, may ? 0 : -EBUSY);
        if (may) take(actor, &it);
    } else {
        bool is_held = actor->holds[it.keys[0]] > 0;
        it.perform = unlock_key;
        command(actor, &it, false, is_held ? 0 : CORO_ELOCK);
        if (is_held) actor->holds[it.keys[0]]--;
        serve_all();
    }
}

CORO_TEST(I10_random_use_of_keyed_locks_does_as_the_model_says) {
    for (int round = 0; round < ROUNDS; round++) {
        start_actors(round);
        locks = coro_keyed_locks_new();
        for (int step = 0; step < STEPS; step++) {
            step_keys();
            check_actors();
            for (int key = 0; key < OBJECTS; key++) {
                struct actor *owner = owner_of(key);
                CHECK_EQ(coro_keyed_locks_owner(locks, (uint64_t)key), owner == NULL ? CORO_ELOCK : owner->id);
            }
        }
        end_actors();
        CHECK_EQ(coro_keyed_locks_free(locks), 0);
    }
}
