/* Rows K1, K5: registering targets and finding them. */
#include "targets.h"

#include <pthread.h>

coro_target_t target_of(const char *prototype, coro_function fn) {
    coro_target_t target = coro_target_register(prototype, fn);
    if (target <= 0) test_fail(__FILE__, __LINE__, "%s: %d %s", prototype, (int)target, coro_error_detail());
    return target;
}

coro_target_t target_with(const char *prototype, coro_handler handler, coro_target_options options) {
    options.handler = handler;
    coro_target_t target = coro_target_register_with(prototype, NULL, &options);
    if (target <= 0) test_fail(__FILE__, __LINE__, "%s: %d %s", prototype, (int)target, coro_error_detail());
    return target;
}

void count_release(void *counter) {
    __atomic_add_fetch((int *)counter, 1, __ATOMIC_SEQ_CST);
}

int add(int a, int b) {
    return a + b;
}

int64_t park_target(void) {
    int code = coro_park(NULL);
    if (code < 0) coro_fail(code, "the target was interrupted");
    return 7;
}

int fail_target(int code) {
    coro_fail(code, "as it was told");
    return 3;
}

static const char *described(coro_target_t target) {
    static char text[256];
    CHECK(coro_target_describe(target, text, sizeof text) > 0);
    return text;
}

TEST(K1_a_prototype_and_a_function_are_a_target) {
    coro_target_t target = TARGET("int add(int a, int b = 1);", add);
    CHECK_EQ(coro_target_find("add"), target);
    CHECK_STR(described(target), "int add(int a, int b = 1)");
    CHECK_EQ(coro_target_result_size(target), 4);
    CHECK_EQ(RESULT(coro_spawn_target(target, 3, -4), int), -1);
    CHECK_EQ(RESULT(coro_spawn_named("add", 40, 2), int), 42);
}

CORO_TARGET(double, twice, (double number, const char *why CORO_DEFAULT("no reason")));

TEST(K1_a_macro_writes_the_prototype_once) {
    coro_target_t target = coro_target_register(CORO_TARGET_OF(twice));
    CHECK(target > 0);
    CHECK_EQ(coro_target_find("twice"), target);
    double number;
    coro_t co = coro_spawn_args(target, CORO_ARGS(1.25));
    CHECK_EQ(coro_join_result(co, &number, sizeof number, CORO_FOREVER), 0);
    CHECK(number == 2.5);
}

double twice(double number, const char *why) {
    CHECK_STR(why, "no reason");
    return 2 * number;
}

TEST(K1_what_is_no_target_is_refused) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    CHECK_EQ(coro_target_register(NULL, (coro_function)add), -EINVAL);
    CHECK_EQ(coro_target_register("int add(int, int)", NULL), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "fn is NULL");
    CHECK_EQ(coro_target_register("int add(int, int", (coro_function)add), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "line 1, column ");
    options.flags = 0x80;
    CHECK_EQ(coro_target_register_with("int add(int, int)", (coro_function)add, &options), -EINVAL);
    options = (coro_target_options)CORO_TARGET_OPTIONS_INIT;
    options.reserved = 1;
    CHECK_EQ(coro_target_register_with("int add(int, int)", (coro_function)add, &options), -EINVAL);
    coro_target_options_init(&options);
    options.struct_size--;
    CHECK_EQ(coro_target_register_with("int add(int, int)", (coro_function)add, &options), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "struct_size");
    options.struct_size++;
    options.handler = (coro_handler)(coro_function)add;
    CHECK_EQ(coro_target_register_with("int add(int, int)", (coro_function)add, &options), -EINVAL);
    CHECK_EQ(coro_target_list(NULL, 0), 0);
}

TEST(K5_a_name_is_registered_once_until_it_is_free_again) {
    coro_target_t first = TARGET("int add(int, int)", add);
    CHECK_EQ(coro_target_register("void add(void)", (coro_function)park_target), -EEXIST);
    CHECK_CONTAINS(coro_error_detail(), "'add'");
    CHECK_EQ(coro_target_unregister(first), 0);
    CHECK_EQ(coro_target_unregister(first), -ESRCH);
    CHECK_EQ(coro_target_find("add"), -ENOENT);
    CHECK_CONTAINS(coro_error_detail(), "'add'");
    coro_target_t second = TARGET("int add(int, int)", add);
    CHECK(second != first);
    CHECK_EQ(coro_target_find("add"), second);
    /* The same place perhaps, but not the same id. */
    CHECK_EQ(coro_spawn_target(first, 1, 2), -ESRCH);
    CHECK_EQ(coro_target_describe(first, NULL, 0), -ESRCH);
    CHECK_EQ(coro_target_result_size(first), -ESRCH);
}

TEST(K5_what_is_no_target_is_not_found) {
    const int64_t ids[] = {0, -1, 1, 7, INT64_MIN, INT64_MAX, 1 << 20, (1 << 20) + 1, 1023, 1024, CORO_EDEAD};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        CHECK_EQ(coro_target_unregister(ids[i]), -ESRCH);
        CHECK_EQ(coro_spawn_target(ids[i]), -ESRCH);
        CHECK_EQ(coro_spawn_args(ids[i], NULL, 0), -ESRCH);
        CHECK_EQ(coro_target_result_size(ids[i]), -ESRCH);
    }
    CHECK_EQ(coro_target_find(NULL), -EINVAL);
    CHECK_EQ(coro_target_find(""), -ENOENT);
    CHECK_EQ(coro_spawn_named("nobody"), -ENOENT);
    CHECK_EQ(coro_new_named(NULL), -EINVAL);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(K5_targets_without_a_name_are_known_by_id_alone) {
    coro_target_t first = TARGET("int (int, int)", add), second = TARGET("int (int a, int b)", add);
    CHECK(first != second);
    CHECK_STR(described(second), "int (int a, int b)");
    CHECK_EQ(RESULT(coro_spawn_target(second, 1, 2), int), 3);
    CHECK_EQ(coro_spawn_args(first, NULL, 0), -EINVAL);
    CHECK_STR(coro_error_detail(), "parameter 1 of the target is missing, and has no default");
}

TEST(K5_targets_are_listed_in_their_order) {
    enum { COUNT = 700 };
    coro_target_t targets[COUNT], listed[COUNT + 1] = {0};
    char prototype[64];
    for (int i = 0; i < COUNT; i++) {
        snprintf(prototype, sizeof prototype, "int add%d(int, int)", i);
        targets[i] = TARGET(prototype, add);
    }
    CHECK_EQ(coro_target_list(listed, COUNT + 1), COUNT);
    CHECK(memcmp(listed, targets, sizeof targets) == 0);
    CHECK_EQ(coro_target_find("add0"), targets[0]);
    CHECK_EQ(coro_target_find("add699"), targets[699]);
    for (int i = 0; i < COUNT; i += 2) CHECK_EQ(coro_target_unregister(targets[i]), 0);
    listed[2] = -77;
    CHECK_EQ(coro_target_list(listed, 2), COUNT / 2);
    CHECK_EQ(listed[0], targets[1]);
    CHECK_EQ(listed[1], targets[3]);
    CHECK_EQ(listed[2], -77);
    coro_target_t last = TARGET("int last(int, int)", add);
    CHECK_EQ(coro_target_list(listed, COUNT), COUNT / 2 + 1);
    CHECK_EQ(listed[COUNT / 2], last);
    for (int i = 1; i < COUNT; i += 2) {
        snprintf(prototype, sizeof prototype, "add%d", i);
        CHECK_EQ(coro_target_find(prototype), targets[i]);
        CHECK_EQ(coro_target_unregister(targets[i]), 0);
    }
    CHECK_EQ(coro_target_unregister(last), 0);
    CHECK_EQ(coro_target_list(listed, COUNT), 0);
}

TEST(K5_a_description_is_cut_to_fit) {
    coro_target_t target = TARGET("int add(int a, int b)", add);
    char text[8] = "xxxxxxx";
    CHECK_EQ(coro_target_describe(target, NULL, 0), 21);
    CHECK_EQ(coro_target_describe(target, text, 4), 21);
    CHECK_STR(text, "int");
    CHECK_EQ(text[4], 'x');
}

/* -- many threads at once -- */

enum { THREADS = 6, TURNS = 300 };
static int released;

static void handle(void *context, void *result, void *const *arguments) {
    (void)context;
    memcpy(result, arguments[0], sizeof(int));
}

/* Registers, finds, runs and takes back; all under a name that others want too, and under one of its own. */
static void *use_registry(void *number) {
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.context = &released;
    options.release = count_release;
    options.handler = handle;
    char own[48], name[32];
    snprintf(name, sizeof name, "own%d", AS_INT(number));
    snprintf(own, sizeof own, "int %s(int)", name);
    for (int i = 0; i < TURNS; i++) {
        coro_target_t mine = coro_target_register_with(own, NULL, &options);
        CHECK(mine > 0);
        CHECK_EQ(coro_target_find(name), mine);
        coro_t co = coro_spawn_target(mine, i);
        CHECK_EQ(coro_target_unregister(mine), 0);
        CHECK_EQ(coro_spawn_target(mine, i), -ESRCH);
        CHECK_EQ(RESULT(co, int), i);
        coro_target_t common = coro_target_register_with("int common(int)", NULL, &options);
        co = coro_spawn_named("common", -i);
        CHECK(co > 0 || co == -ENOENT);
        if (co > 0) CHECK_EQ(RESULT(co, int), -i);
        if (common > 0) {
            CHECK_EQ(coro_target_unregister(common), 0);
        } else {
            CHECK_EQ(common, -EEXIST);
            count_release(&released); /* then it is not released */
        }
    }
    return NULL;
}

TEST(K5_threads_register_and_spawn_at_once) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_create(&threads[i], NULL, use_registry, AS_POINTER(i)), 0);
    for (int i = 0; i < THREADS; i++) CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(released, 2 * THREADS * TURNS);
    CHECK_EQ(coro_target_list(NULL, 0), 0);
}
