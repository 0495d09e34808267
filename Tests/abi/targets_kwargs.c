/* Rows A5, K3: arguments by name, with defaults, and what is wrong with them. */
#include "targets.h"

static int resize(const char *path, int width, int height) {
    trace("%s:%d:%d", path ? path : "-", width, height);
    return width * height;
}

static coro_target_t resize_target(void) {
    return TARGET("int resize(const char *path, int width = 800, int height = 600)", resize);
}

static void expect_error(coro_t co, int code, const char *detail) {
    CHECK_EQ(co, code);
    CHECK_STR(coro_error_detail(), detail);
    CHECK_EQ(coro_get_live_coros(), 0);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define KWARGS(target, names, ...) coro_spawn_kwargs(target, names, CORO_ARGS(__VA_ARGS__))

TEST(A5_arguments_by_position_and_by_name_come_through) {
    coro_target_t target = resize_target();
    CHECK_EQ(RESULT(KWARGS(target, NAMES("height", "path"), 2, "a"), int), 1600);
    CHECK_EQ(RESULT(KWARGS(target, NAMES(NULL, "height"), "b", 3), int), 2400);
    CHECK_EQ(RESULT(KWARGS(target, NAMES(NULL, NULL, NULL), "c", 4, 5), int), 20);
    CHECK_EQ(RESULT(KWARGS(target, NULL, "d", 4), int), 2400);
    CHECK_EQ(RESULT(coro_spawn_args(target, CORO_ARGS("e")), int), 480000);
    coro_value by_default = {.kind = CORO_VALUE_DEFAULT};
    CHECK_EQ(RESULT(coro_spawn_args(target, CORO_ARGS("f", by_default, 1)), int), 800);
    CHECK_EQ(RESULT(KWARGS(target, NAMES("path", "width"), NULL, by_default), int), 480000);
    CHECK_STR(traced(), "a:800:2 b:800:3 c:4:5 d:4:600 e:800:600 f:800:1 -:800:600 ");
}

TEST(A5_thread_name_names_it) {
    coro_target_t target = resize_target();
    char name[32];
    coro_t co = KWARGS(target, NAMES(NULL, "thread_name"), "a", "the resizer");
    CHECK(coro_get_name(co, name, sizeof name) > 0);
    CHECK_STR(name, "the resizer");
    CHECK_EQ(RESULT(co, int), 480000);
    co = KWARGS(target, NULL, "a");
    CHECK(coro_get_name(co, name, sizeof name) > 0);
    CHECK_STR(name, "resize");
    CHECK_EQ(RESULT(co, int), 480000);
    expect_error(KWARGS(target, NAMES(NULL, "thread_name"), "a", 7), -EINVAL, "resize: thread_name must be a text");
    expect_error(KWARGS(target, NAMES(NULL, "thread_name"), "a", NULL), -EINVAL, "resize: thread_name must be a text");
    expect_error(KWARGS(target, NAMES(NULL, "thread_name", "thread_name"), "a", "b", "c"), -EINVAL,
                 "resize: given twice: 'thread_name'");
}

static int of_name(const char *thread_name) {
    return (int)strlen(thread_name);
}

TEST(A5_a_parameter_may_be_called_thread_name) {
    coro_target_t target = TARGET("int of_name(const char *thread_name)", of_name);
    char name[32];
    coro_t co = KWARGS(target, NAMES("thread_name"), "12345");
    CHECK(coro_get_name(co, name, sizeof name) > 0);
    CHECK_STR(name, "of_name");
    CHECK_EQ(RESULT(co, int), 5);
}

TEST(K3_wrong_arguments_are_named) {
    coro_target_t target = resize_target();
    expect_error(coro_spawn_args(target, NULL, 0), -EINVAL, "parameter 'path' of resize is missing, and has no default");
    expect_error(KWARGS(target, NAMES("width"), 1), -EINVAL, "parameter 'path' of resize is missing, and has no default");
    expect_error(coro_spawn_args(target, CORO_ARGS("a", 1, 2, 3)), -EINVAL,
                 "resize: too many arguments: it takes 3, not 4");
    expect_error(KWARGS(target, NAMES(NULL, "depth"), "a", 1), -EINVAL, "resize: no parameter is called 'depth'");
    expect_error(KWARGS(target, NAMES(NULL, ""), "a", 1), -EINVAL, "resize: no parameter is called ''");
    expect_error(KWARGS(target, NAMES(NULL, "path"), "a", "b"), -EINVAL, "parameter 'path' of resize is given twice");
    expect_error(KWARGS(target, NAMES("path", "width", "width"), "a", 1, 1), -EINVAL,
                 "parameter 'width' of resize is given twice");
    expect_error(KWARGS(target, NAMES("path", NULL), "a", 1), -EINVAL,
                 "resize: value 2 has no name, but comes after one that has");
    expect_error(KWARGS(target, NAMES("path", "width"), "a", "wide"), -EINVAL,
                 "parameter 'width' of resize: a pointer is not of its type, int32_t");
    expect_error(KWARGS(target, NAMES("path", "width"), "a", INT64_C(1) << 31), -ERANGE,
                 "parameter 'width' of resize: 2147483648 does not fit int32_t");
    coro_value by_default = {.kind = CORO_VALUE_DEFAULT};
    expect_error(coro_spawn_args(target, &by_default, 1), -EINVAL, "parameter 'path' of resize is missing, and has no default");
    CHECK_EQ(coro_spawn_args(target, NULL, 1), -EINVAL);
    CHECK_EQ(coro_spawn_args(target, &by_default, -1), -EINVAL);
    CHECK_STR(traced(), "");
}

TEST(K3_a_target_without_parameters) {
    coro_target_t target = TARGET("void f(void)", do_nothing);
    CHECK_EQ(coro_join(coro_spawn_args(target, NULL, 0), NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(coro_spawn_target(target), NULL, CORO_FOREVER), 0);
    expect_error(coro_spawn_args(target, CORO_ARGS(1)), -EINVAL, "f: too many arguments: it takes 0, not 1");
    coro_t co = KWARGS(target, NAMES("thread_name"), "f1");
    CHECK_EQ(coro_join_result(co, NULL, 0, CORO_FOREVER), 0);
}

TEST(K3_options_are_those_of_other_coroutines) {
    coro_target_t target = resize_target();
    coro_options options = CORO_OPTIONS_INIT;
    char name[32];
    options.name = "optional";
    options.stack_size = 128 * 1024;
    coro_t co = coro_new_kwargs_with(target, NULL, CORO_ARGS("a"), &options);
    CHECK(coro_get_name(co, name, sizeof name) > 0);
    CHECK_STR(name, "optional");
    CHECK_EQ(coro_join(co, NULL, 0), CORO_ENOTSTARTED);
    CHECK_EQ(coro_start(co), 0);
    CHECK_EQ(RESULT(co, int), 480000);
    co = coro_new_kwargs_with(target, NAMES(NULL, "thread_name"), CORO_ARGS("b", "argued"), &options);
    CHECK(coro_get_name(co, name, sizeof name) > 0);
    CHECK_STR(name, "argued");
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, 0), CORO_ESHUTDOWN);
    options.flags = CORO_START_NOW | CORO_DETACHED;
    CHECK(coro_spawn_kwargs_with(target, NULL, CORO_ARGS("c"), &options) > 0);
    CHECK_STR(traced(), "a:800:600 c:800:600 ");
    expect_error(coro_new_kwargs_with(target, NULL, CORO_ARGS("d"), &options), -EINVAL,
                 "CORO_START_NOW: this does not start");
    options = (coro_options)CORO_OPTIONS_INIT;
    options.release = free;
    CHECK_EQ(coro_spawn_kwargs_with(target, NULL, CORO_ARGS("d"), &options), -EINVAL);
    options.release = NULL;
    options.stack_size = 1;
    CHECK_EQ(coro_spawn_kwargs_with(target, NULL, CORO_ARGS("d"), &options), -EINVAL);
}

CORO_TEST(K3_each_way_to_start) {
    coro_target_t target = resize_target();
    coro_t started[3], queued[3], created[3];
    started[0] = coro_start_now_target(target, "a", 1, 1);
    started[1] = coro_start_now_named("resize", "b", 1, 1);
    started[2] = coro_start_now_kwargs(target, NAMES("path"), CORO_ARGS("c"));
    coro_detach(coro_start_now_args(target, CORO_ARGS("d")));
    CHECK_STR(traced(), "a:1:1 b:1:1 c:800:600 d:800:600 ");
    created[0] = coro_new_target(target, "A", 1, 1);
    created[1] = coro_new_named("resize", "B", 1, 1);
    created[2] = coro_new_kwargs(target, NAMES("path"), CORO_ARGS("C"));
    queued[0] = coro_spawn_target(target, "e", 1, 1);
    queued[1] = coro_spawn_named("resize", "f", 1, 1);
    queued[2] = coro_spawn_kwargs(target, NAMES("path"), CORO_ARGS("g"));
    coro_yield();
    CHECK_STR(traced(), "a:1:1 b:1:1 c:800:600 d:800:600 e:1:1 f:1:1 g:800:600 ");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(coro_join_result(started[i], NULL, 0, CORO_FOREVER), 0);
        CHECK_EQ(coro_join_result(queued[i], NULL, 0, CORO_FOREVER), 0);
        CHECK_EQ(coro_start(created[i]), 0);
        CHECK_EQ(coro_join_result(created[i], NULL, 0, CORO_FOREVER), 0);
    }
    coro_t co = coro_new_args(target, CORO_ARGS("D"));
    CHECK_EQ(coro_start_now(co), 0);
    CHECK_EQ(RESULT(co, int), 480000);
    CHECK_STR(traced() + strlen("a:1:1 b:1:1 c:800:600 d:800:600 e:1:1 f:1:1 g:800:600 "), "A:1:1 B:1:1 C:800:600 D:800:600 ");
}

/* -- where it was created: in the caller's code, whichever function that called -- */

enum { WAYS = 6 };

extern const char __start_target_spawning[], __stop_target_spawning[];

__attribute__((noinline, section("target_spawning"))) static void make_all(coro_target_t target, coro_t made[WAYS]) {
    made[0] = coro_new_target(target, "a", 1, 1);
    made[1] = coro_new_named("resize", "a", 1, 1);
    made[2] = coro_new_args(target, CORO_ARGS("a"));
    made[3] = coro_new_kwargs(target, NULL, CORO_ARGS("a"));
    made[4] = coro_new_kwargs_with(target, NULL, CORO_ARGS("a"), NULL);
    made[5] = coro_spawn_target(target, "a", 1, 1);
}

TEST(K3_the_place_of_creation_is_the_callers) {
    coro_target_t target = resize_target();
    coro_t made[WAYS];
    make_all(target, made);
    for (int i = 0; i < WAYS; i++) {
        const char *site = info_of(made[i]).spawn_site;
        CHECK(site > __start_target_spawning && site <= __stop_target_spawning);
        for (int k = 0; k < i; k++) CHECK(site != info_of(made[k]).spawn_site);
    }
    for (int i = 0; i < WAYS; i++) CHECK_EQ(coro_shutdown(made[i]), 0);
}
