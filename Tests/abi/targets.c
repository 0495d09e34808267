#include "coroutines.h"
static int add(int a, int b) { return a + b; }
static double mix(double a, int b, float c, int8_t d) { return a + b + c + d; }
static size_t len(const char *s) { return strlen(s); }
TEST(K3_arguments_are_passed_and_results_joined) {
    coro_target_t t = coro_target_register("int add(int a, int b = 40)", (coro_function)add);
    CHECK_EQ(t, 1);
    int r = 0;
    CHECK_EQ(coro_join_result(coro_spawn_target(t, 3, -4), &r, sizeof r, CORO_FOREVER), 0);
    CHECK_EQ(r, -1);
    void *p;
    CHECK_EQ(coro_join(coro_spawn_named("add", 3, -4), &p, CORO_FOREVER), 0);
    CHECK_EQ((intptr_t)p, -1);
    coro_value v[2] = {coro_value_of_signed(2), coro_value_of_unsigned(40)};
    CHECK_EQ(coro_join_value(coro_spawn_args(t, v, 1), &v[1], CORO_FOREVER), 0);
    CHECK_EQ(v[1].as.i, 42);
    CHECK_EQ(coro_spawn_args(t, v, 0), -EINVAL);
    CHECK_STR(coro_error_detail(), "parameter 'a' of add is missing, and has no default");
    coro_target_t m = coro_target_register("double (double, int, float, int8_t)", (coro_function)mix);
    double d;
    CHECK_EQ(coro_join_result(coro_spawn_target(m, 1.5, 2, 0.25f, -1), &d, sizeof d, CORO_FOREVER), 0);
    CHECK(d == 2.75);
    coro_target_t l = coro_target_register("size_t len(const char *s)", (coro_function)len);
    char text[] = "hello";
    coro_t co = coro_spawn_target(l, text);
    text[0] = 0;
    size_t n;
    CHECK_EQ(coro_join_result(co, &n, sizeof n, CORO_FOREVER), 0);
    CHECK_EQ(n, 5);
}
