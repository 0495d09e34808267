#include "c_half.h"

#include <errno.h>
#include <stdlib.h>

static int64_t cleanups, woken_with, interruption, interrupt_value;

int64_t c_cleanups(void) {
    return cleanups;
}

int64_t c_woken_with(void) {
    return woken_with;
}

int64_t c_interruption(void) {
    return interruption;
}

int64_t c_interrupt_value(void) {
    return interrupt_value;
}

int c_sleep_within(int64_t limit, int64_t ns) {
    coro_timeout_t scope = coro_timeout_begin(limit);
    return (int)coro_timeout_end(scope, coro_sleep(ns));
}

static void *answer(void *arg) {
    (void)arg;
    int error = coro_sleep(CORO_MS(5));
    return error < 0 ? coro_fail(error, NULL) : (void *)ANSWER;
}

static void *wait_for_ever(void *arg) {
    (void)arg;
    int error = coro_sleep(CORO_FOREVER);
    cleanups++;
    return coro_fail(error, NULL);
}

static void *park(void *arg) {
    (void)arg;
    void *value;
    int error = coro_park(&value);
    if (error < 0) return coro_fail(error, NULL);
    woken_with = (intptr_t)value;
    return NULL;
}

static void *fail(void *arg) {
    (void)arg;
    return coro_fail(-EIO, "the C half's disk");
}

static void *note(void *arg) {
    (void)arg;
    interruption = coro_sleep(CORO_FOREVER);
    interrupt_value = (intptr_t)coro_interrupt_value();
    return NULL;
}

coro_t c_spawn(int work) {
    static const coro_fn works[] = {NULL, answer, wait_for_ever, park, fail, note};
    return coro_spawn(works[work], NULL);
}

struct target {
    coro_t other;
    int64_t timeout;
};

static void *join(void *arg) {
    struct target *target = arg;
    return (void *)(intptr_t)coro_join(target->other, NULL, target->timeout);
}

static void *shut_down(void *arg) {
    struct target *target = arg;
    return (void *)(intptr_t)coro_shutdown(target->other);
}

static void *interrupt(void *arg) {
    struct target *target = arg;
    return (void *)(intptr_t)coro_interrupt(target->other, NULL);
}

static coro_t spawn_with_target(coro_fn fn, coro_t other, int64_t timeout) {
    coro_options options = CORO_OPTIONS_INIT;
    struct target *target = malloc(sizeof *target);
    if (target == NULL) return -ENOMEM;
    *target = (struct target){other, timeout};
    options.release = free;
    coro_t co = coro_spawn_with(fn, target, &options);
    if (co < 0) free(target);
    return co;
}

coro_t c_spawn_joiner(coro_t other, int64_t timeout) {
    return spawn_with_target(join, other, timeout);
}

coro_t c_spawn_killer(coro_t other) {
    return spawn_with_target(shut_down, other, 0);
}

coro_t c_spawn_interrupter(coro_t other) {
    return spawn_with_target(interrupt, other, 0);
}
