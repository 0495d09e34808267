/* Row A6: objects that run, for languages where one subclasses a thread and overrides its method. */
#include "coroutines.h"

#include <fcntl.h>

/* A "class" whose objects count, and a "subclass" of it. */
struct counter {
    coro_runnable base;
    int from, ended, released;
};

struct named_counter {
    struct counter base;
    const char *name;
};

static void *count(coro_runnable *self) {
    struct counter *counter = (struct counter *)self;
    CHECK(coro_current_runnable() == self);
    CHECK_EQ(coro_yield(), 0);
    CHECK(coro_current_runnable() == self);
    counter->ended++;
    return AS_POINTER(counter->from + 1);
}

static void *count_by_name(coro_runnable *self) {
    struct named_counter *counter = (struct named_counter *)self;
    trace("%s", counter->name);
    return count(self);
}

static void note_release(coro_runnable *self) {
    CHECK_EQ(coro_yield(), CORO_EYIELDFROMMAIN);
    ((struct counter *)self)->released++;
}

static struct counter counter_from(int from) {
    return (struct counter){{sizeof(coro_runnable), count, note_release}, from, 0, 0};
}

static int result_of(coro_t co) {
    void *result = NULL;
    CHECK_EQ(coro_join(co, &result, CORO_FOREVER), 0);
    return AS_INT(result);
}

TEST(A6_an_object_runs_what_is_in_its_slot) {
    struct counter one = counter_from(1);
    struct named_counter two = {counter_from(2), "two"};
    two.base.base.run = count_by_name; /* overridden */
    coro_t first = coro_spawn_runnable(&one.base, NULL), second = coro_new_runnable(&two.base.base, NULL);
    CHECK(first > 0 && second > first);
    CHECK_EQ(info_of(second).state, CORO_STATE_NEW);
    CHECK_EQ(coro_start(second), 0);
    CHECK_EQ(result_of(first), 2);
    CHECK_EQ(result_of(second), 3);
    CHECK_EQ(one.released, 1);
    CHECK_EQ(two.base.released, 1);
    CHECK_STR(traced(), "two ");
    CHECK_EQ(coro_get_live_coros(), 0);
}

static void *answer(coro_runnable *self) {
    (void)self;
    return AS_POINTER(42);
}

TEST(A6_the_slot_is_read_when_it_first_runs) {
    struct counter counter = counter_from(1);
    coro_t created = coro_new_runnable(&counter.base, NULL), queued = coro_spawn_runnable(&counter.base, NULL);
    counter.base.run = answer;
    CHECK_EQ(coro_start(created), 0);
    CHECK_EQ(result_of(created), 42);
    CHECK_EQ(result_of(queued), 42);
    CHECK_EQ(counter.released, 2); /* once for each coroutine */
}

static void *become_another(coro_runnable *self) {
    self->run = answer; /* of no consequence any more, */
    self->release = NULL; /* but this is */
    return AS_POINTER(1);
}

TEST(A6_release_is_read_at_the_end) {
    struct counter counter = counter_from(1);
    counter.base.run = become_another;
    CHECK_EQ(result_of(coro_spawn_runnable(&counter.base, NULL)), 1);
    CHECK_EQ(counter.released, 0);
    counter.base.release = note_release; /* and one that comes late is called */
    CHECK_EQ(result_of(coro_spawn_runnable(&counter.base, NULL)), 42);
    CHECK_EQ(counter.released, 1);
}

TEST(A6_an_object_with_nothing_to_run_fails) {
    coro_runnable nothing = CORO_RUNNABLE_INIT, same;
    struct counter counter = counter_from(1);
    counter.base.run = NULL;
    coro_runnable_init(&same);
    CHECK(memcmp(&nothing, &same, sizeof same) == 0);
    CHECK_EQ(coro_join(coro_spawn_runnable(&nothing, NULL), NULL, CORO_FOREVER), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "run is NULL");
    CHECK_EQ(coro_join(coro_spawn_runnable(&counter.base, NULL), NULL, CORO_FOREVER), -EINVAL);
    CHECK_EQ(counter.released, 1);
}

TEST(A6_a_cancelled_object_is_released_and_does_not_run) {
    struct counter counter = counter_from(1);
    coro_t created = coro_new_runnable(&counter.base, NULL), queued = coro_spawn_runnable(&counter.base, NULL);
    CHECK_EQ(coro_shutdown(created), 0);
    CHECK_EQ(coro_shutdown(queued), 0);
    CHECK_EQ(counter.released, 2);
    CHECK_EQ(coro_join(created, NULL, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK_EQ(coro_join(queued, NULL, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK_EQ(counter.ended, 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* -- objects that own themselves -- */

static int freed;

static void free_object(coro_runnable *self) {
    free(self);
    freed++;
}

static void *fail_after(coro_runnable *self) {
    CHECK_EQ(coro_yield(), 0);
    return ((struct counter *)self)->from < 0 ? coro_fail(-EIO, "as it was told") : self;
}

TEST(A6_release_may_free_the_object) {
    enum { COUNT = 100 };
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_DETACHED;
    for (int i = 0; i < COUNT; i++) {
        struct counter *counter = malloc(sizeof *counter);
        *counter = (struct counter){{sizeof(coro_runnable), fail_after, free_object}, i % 2 ? 1 : -1, 0, 0};
        CHECK(coro_spawn_runnable(&counter->base, &options) > 0);
    }
    int null = open("/dev/null", O_WRONLY);
    dup2(null, 2); /* the failures are told of there */
    run_until_idle();
    CHECK_EQ(freed, COUNT);
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* Several, that their owner waits for: as a group of threads is. */
CORO_TEST(A6_objects_work_side_by_side) {
    enum { COUNT = 20 };
    struct counter all[COUNT];
    coro_t ids[COUNT];
    int sum = 0;
    CHECK(coro_current_runnable() == NULL);
    for (int i = 0; i < COUNT; i++) {
        all[i] = counter_from(i);
        ids[i] = coro_spawn_runnable(&all[i].base, NULL);
    }
    CHECK_EQ(coro_yield(), 0);
    CHECK(coro_current_runnable() == NULL);
    for (int i = 0; i < COUNT; i++) sum += result_of(ids[i]);
    CHECK_EQ(sum, COUNT * (COUNT + 1) / 2);
}

/* -- options and errors -- */

TEST(A6_options_are_those_of_any_coroutine) {
    struct counter counter = counter_from(1);
    coro_options options = CORO_OPTIONS_INIT;
    char name[64], expected[64];
    options.name = "worker";
    options.flags = CORO_START_NOW;
    options.stack_size = 64 * 1024;
    coro_t co = coro_spawn_runnable(&counter.base, &options);
    CHECK_EQ(coro_get_name(co, name, sizeof name), 6);
    CHECK_STR(name, "worker");
    CHECK_EQ(info_of(co).stack_size, 64 * 1024);
    CHECK_EQ(info_of(co).started, true);
    CHECK_EQ(result_of(co), 2);
    co = coro_new_runnable(&counter.base, NULL);
    snprintf(expected, sizeof expected, "coro %lld", (long long)co);
    CHECK(coro_get_name(co, name, sizeof name) > 0);
    CHECK_STR(name, expected);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, 0), CORO_ESHUTDOWN);
}

static void never(void *unused) {
    (void)unused;
    CHECK(false);
}

static void expect_refusal(coro_runnable *object, const coro_options *options, int error, const char *detail) {
    CHECK_EQ(coro_new_runnable(object, options), error);
    CHECK_CONTAINS(coro_error_detail(), detail);
    CHECK_EQ(coro_spawn_runnable(object, options), error);
    CHECK_CONTAINS(coro_error_detail(), detail);
}

TEST(A6_what_is_wrong_is_refused) {
    struct counter counter = counter_from(1);
    coro_options options = CORO_OPTIONS_INIT;
    CHECK(coro_current_runnable() == NULL);
    expect_refusal(NULL, NULL, -EINVAL, "NULL");
    counter.base.struct_size = sizeof counter; /* that of the subclass */
    expect_refusal(&counter.base, NULL, -EINVAL, "struct_size");
    counter.base.struct_size = 0;
    expect_refusal(&counter.base, NULL, -EINVAL, "struct_size");
    counter.base.struct_size = sizeof(coro_runnable);
    options.release = never;
    expect_refusal(&counter.base, &options, -EINVAL, "release");
    options.release = NULL;
    options.flags = 0x80;
    expect_refusal(&counter.base, &options, -EINVAL, "flags");
    options.flags = CORO_START_NOW;
    CHECK_EQ(coro_new_runnable(&counter.base, &options), -EINVAL);
    coro_test_fail_call("calloc", 1, ENOMEM);
    CHECK_EQ(coro_spawn_runnable(&counter.base, NULL), -ENOMEM);
    CHECK_EQ(counter.released, 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* -- what comes after the release -- */

static void look_for_object(void *unused) {
    (void)unused;
    trace(coro_current_runnable() == NULL ? "none" : "dangling");
}

static void *set_local(coro_runnable *self) {
    CHECK_EQ(coro_local_set(coro_local_new(look_for_object), self), 0);
    return NULL;
}

static void look_and_free(coro_runnable *self) {
    CHECK(coro_current_runnable() == self);
    free(self);
}

TEST(A6_an_object_that_was_released_is_not_the_current_one) {
    coro_runnable *object = malloc(sizeof *object);
    CHECK(object != NULL);
    *object = (coro_runnable){sizeof *object, set_local, look_and_free};
    CHECK_EQ(coro_join(coro_spawn_runnable(object, NULL), NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "none ");
}
