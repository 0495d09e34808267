/* Rows K2, K3, K4: arguments and results of every type. */
#include "targets.h"

#include <float.h>
#include <limits.h>
#include <math.h>

/* -- one argument, which is the result -- */

#define ECHO(name, type) \
    static type echo_##name(type value) { \
        return value; \
    }
ECHO(bool, bool)
ECHO(char, char)
ECHO(i8, int8_t)
ECHO(u8, uint8_t)
ECHO(i16, short)
ECHO(u16, uint16_t)
ECHO(i32, int)
ECHO(u32, unsigned)
ECHO(i64, long long)
ECHO(u64, size_t)
ECHO(float, float)
ECHO(double, double)
ECHO(long_double, long double)
ECHO(pointer, void *)

/* The value comes back by each way of passing and of joining. kind, field: how it is in a coro_value. */
#define CHECK_ECHO(name, prototype, type, value, kind_, field) \
    do { \
        static coro_target_t target_; \
        if (target_ == 0) target_ = TARGET(prototype, echo_##name); \
        CHECK(RESULT(coro_spawn_target(target_, (type)(value)), type) == (type)(value)); \
        coro_value given_ = {.kind = kind_}, got_ = {0}; \
        given_.as.field = (type)(value); \
        CHECK_EQ(coro_join_value(coro_spawn_args(target_, &given_, 1), &got_, CORO_FOREVER), 0); \
        CHECK_EQ(got_.kind, kind_); \
        CHECK(got_.as.field == (type)(value)); \
    } while (0)

TEST(K2_integers_of_every_size_at_their_ends) {
    for (int i = 0; i < 2; i++) CHECK_ECHO(bool, "bool (bool)", bool, i, CORO_VALUE_UNSIGNED, u);
    const int64_t numbers[] = {0,          1,           -1,        INT8_MIN,  INT8_MAX,  INT16_MIN, INT16_MAX,
                               INT32_MIN,  INT32_MAX,   INT64_MIN, INT64_MAX, UINT8_MAX, UINT16_MAX, UINT32_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CHECK_ECHO(i8, "int8_t (int8_t)", int8_t, numbers[i], CORO_VALUE_SIGNED, i);
        CHECK_ECHO(u8, "unsigned char (unsigned char)", uint8_t, numbers[i], CORO_VALUE_UNSIGNED, u);
        CHECK_ECHO(i16, "short (short)", short, numbers[i], CORO_VALUE_SIGNED, i);
        CHECK_ECHO(u16, "uint16_t (uint16_t)", uint16_t, numbers[i], CORO_VALUE_UNSIGNED, u);
        CHECK_ECHO(i32, "int (int)", int, numbers[i], CORO_VALUE_SIGNED, i);
        CHECK_ECHO(u32, "unsigned (unsigned)", unsigned, numbers[i], CORO_VALUE_UNSIGNED, u);
        CHECK_ECHO(i64, "long long (long long)", long long, numbers[i], CORO_VALUE_SIGNED, i);
        CHECK_ECHO(u64, "size_t (size_t)", size_t, numbers[i], CORO_VALUE_UNSIGNED, u);
#if CHAR_MIN < 0
        CHECK_ECHO(char, "char (char)", char, numbers[i], CORO_VALUE_SIGNED, i);
#else
        CHECK_ECHO(char, "char (char)", char, numbers[i], CORO_VALUE_UNSIGNED, u);
#endif
    }
}

TEST(K2_floating_point_and_pointers) {
    const double numbers[] = {0, -0.0, 1.5, -1e30, FLT_MAX, FLT_MIN, INFINITY};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        CHECK_ECHO(float, "float (float)", float, numbers[i], CORO_VALUE_DOUBLE, d);
        CHECK_ECHO(double, "double (double)", double, numbers[i] / 3, CORO_VALUE_DOUBLE, d);
    }
    CHECK_ECHO(pointer, "void *(void *)", void *, &numbers, CORO_VALUE_POINTER, p);
    CHECK_ECHO(pointer, "void *(void *)", void *, NULL, CORO_VALUE_POINTER, p);
}

TEST(K2_long_double) {
    coro_target_t target = TARGET("long double (long double)", echo_long_double);
    long double third = 1.0L / 3, got = 0;
    CHECK(RESULT(coro_spawn_target(target, third), long double) == third);
    coro_value given = coro_value_of_bytes(&third, sizeof third), result = coro_value_of_bytes(&got, sizeof got);
    CHECK_EQ(coro_join_value(coro_spawn_args(target, &given, 1), &result, CORO_FOREVER), 0);
    CHECK(got == third);
    CHECK_EQ(result.kind, CORO_VALUE_BYTES);
    CHECK(RESULT(coro_spawn_args(target, CORO_ARGS(0.1)), long double) == (long double)0.1);
    CHECK(RESULT(coro_spawn_args(target, CORO_ARGS(INT64_MIN)), long double) == (long double)INT64_MIN);
    CHECK(RESULT(coro_spawn_args(target, CORO_ARGS(UINT64_MAX)), long double) == (long double)UINT64_MAX);
}

/* -- structs -- */

struct small { int8_t a; short b; };
struct point { double x, y; };
struct mixed { int n; double d; };
struct floats { float a, b, c; };
struct large { int64_t n[5]; double d; char text[3]; };

static struct small swap_small(struct small it) { return (struct small){(int8_t)it.b, it.a}; }
static struct point add_points(struct point a, struct point b) { return (struct point){a.x + b.x, a.y + b.y}; }
static struct mixed next_mixed(int by, struct mixed it) { return (struct mixed){it.n + by, it.d + by}; }
static struct floats turn_floats(struct floats it) { return (struct floats){it.b, it.c, it.a}; }
static struct large turn_large(struct large it, int64_t first) {
    memmove(it.n + 1, it.n, 4 * sizeof(int64_t));
    it.n[0] = first;
    it.d = -it.d;
    it.text[1] = 'x';
    return it;
}

TEST(K2_structs_by_value) {
    CHECK_EQ(coro_struct_register("small", "int8_t a; short b;"), 0);
    CHECK_EQ(coro_struct_register("point", "double x, y;"), 0);
    CHECK_EQ(coro_struct_register("mixed", "int n; double d;"), 0);
    CHECK_EQ(coro_struct_register("floats", "float a, b, c;"), 0);
    CHECK_EQ(coro_struct_register("large", "int64_t n[5]; double d; char text[3];"), 0);

    struct small small = {-3, 100};
    struct small small_got = RESULT(coro_spawn_target(TARGET("struct small (small)", swap_small), &small), struct small);
    CHECK(small_got.a == 100 && small_got.b == -3);
    struct point a = {1, 2}, b = {0.5, -4};
    struct point sum = RESULT(coro_spawn_target(TARGET("point (point, point)", add_points), &a, &b), struct point);
    CHECK(sum.x == 1.5 && sum.y == -2);
    struct mixed mixed = {7, 0.25};
    mixed = RESULT(coro_spawn_target(TARGET("mixed (int, mixed)", next_mixed), 2, &mixed), struct mixed);
    CHECK(mixed.n == 9 && mixed.d == 2.25);
    struct floats floats = {1, 2, 3};
    floats = RESULT(coro_spawn_target(TARGET("floats (floats)", turn_floats), &floats), struct floats);
    CHECK(floats.a == 2 && floats.b == 3 && floats.c == 1);
    struct large large = {{1, 2, 3, 4, 5}, 0.5, "ab"};
    large = RESULT(coro_spawn_target(TARGET("large (large, int64_t)", turn_large), &large, INT64_MIN), struct large);
    CHECK(large.n[0] == INT64_MIN && large.n[4] == 4 && large.d == -0.5 && strcmp(large.text, "ax") == 0);
}

TEST(K2_structs_as_values) {
    CHECK_EQ(coro_struct_register("point", "double x, y;"), 0);
    coro_target_t target = TARGET("point add(point a, point b)", add_points);
    struct point a = {1, 2}, b = {0.5, -4}, sum = {0, 0};
    coro_t co = coro_spawn_args(target, CORO_ARGS(coro_value_of_bytes(&a, sizeof a), coro_value_of_bytes(&b, sizeof b)));
    coro_value result = coro_value_of_bytes(&sum, sizeof sum - 1);
    CHECK_EQ(coro_join_value(co, &result, CORO_FOREVER), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "16 bytes");
    result = (coro_value){0};
    CHECK_EQ(coro_join_value(co, &result, CORO_FOREVER), -EINVAL);
    CHECK_EQ(coro_get_live_coros(), 1); /* nothing was waited for */
    result = coro_value_of_bytes(&sum, sizeof sum);
    CHECK_EQ(coro_join_value(co, &result, CORO_FOREVER), 0);
    CHECK(sum.x == 1.5 && sum.y == -2);
    CHECK_EQ(coro_spawn_args(target, CORO_ARGS(coro_value_of_bytes(&a, 8), coro_value_of_bytes(&b, 16))), -EINVAL);
    CHECK_STR(coro_error_detail(), "parameter 'a' of add: 8 bytes is not of its type, struct of 16 bytes");
    CHECK_EQ(coro_spawn_args(target, CORO_ARGS(coro_value_of_bytes(&a, 16), coro_value_of_bytes(NULL, 16))), -EINVAL);
    CHECK_EQ(coro_spawn_target(target, &a, NULL), -EINVAL);
    CHECK_STR(coro_error_detail(), "parameter 'b' of add: NULL is passed, not the address of a struct");
}

/* -- many: more than there are registers -- */

static double sum_many(int a, double b, int8_t c, float d, long long e, double f, uint16_t g, float h, int i, double j, int k,
                       double l, int m, double n, bool o, double p, unsigned q, double r, long double s, char t) {
    const double all[] = {a, b, c, d, (double)e, f, g, h, i, j, k, l, m, n, o, p, q, r, (double)s, t};
    double sum = 0;
    for (int i = 0; i < 20; i++) sum += all[i] * (i + 1);
    return sum;
}

TEST(K3_more_arguments_than_registers) {
    coro_target_t target = TARGET(
        "double many(int a, double b, int8_t c, float d, long long e, double f, uint16_t g, float h, int i, double j, int k,"
        "double l, int m, double n, bool o, double p, unsigned q, double r, long double s, char t)",
        sum_many);
    double expected = sum_many(-1, 2.5, -3, 4.25f, -5, 6, 7, 8, 9, 10, 11, 12, 13, 14, true, 16, 17, 18, 19, 't');
    CHECK(RESULT(coro_spawn_target(target, -1, 2.5, -3, 4.25f, -5LL, 6., 7, 8.f, 9, 10., 11, 12., 13, 14., true, 16., 17u, 18.,
                                   19.L, 't'),
                 double) == expected);
    coro_value values[20] = {0};
    const double numbers[] = {-1, 2.5, -3, 4.25, -5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1, 16, 17, 18, 19, 't'};
    for (int i = 0; i < 20; i++) {
        bool is_integer = strchr("acegikmoqt", 'a' + i) != NULL;
        values[i] = is_integer ? coro_value_of_signed((int64_t)numbers[i]) : coro_value_of_double(numbers[i]);
    }
    CHECK(RESULT(coro_spawn_args(target, values, 20), double) == expected);
}

static int64_t six_and_eight(int8_t a, double b, uint16_t c, float d, bool e, double f, int64_t g, float h, char *i, double j,
                             double k, double l, uint32_t m, double n) {
    const double doubles[] = {b, d, f, h, j, k, l, n};
    int64_t sum = a + c * 3 + e * 5 + g * 7 + (i != NULL) * 11 + (int64_t)m * 13;
    for (int i = 0; i < 8; i++) sum += (int64_t)(doubles[i] * (17 + i));
    return sum;
}

/* As many as registers hold, of both kinds, in a mixed order. */
TEST(K3_all_registers_of_both_kinds) {
    char text[] = "x";
    coro_target_t target = TARGET("int64_t f(int8_t, double, uint16_t, float, bool, double, int64_t, float, char *, double,"
                                  "double, double, uint32_t, double)",
                                  six_and_eight);
    int64_t got = RESULT(coro_spawn_target(target, -128, 1.5, 65535, -2.5f, true, 3.5, INT64_C(-9000000000), 4.5f, text, 5., 6.,
                                           7., 4000000000u, -8.),
                         int64_t);
    CHECK_EQ(got,
             six_and_eight(-128, 1.5, 65535, -2.5f, true, 3.5, INT64_C(-9000000000), 4.5f, text, 5, 6, 7, 4000000000u, -8));
}

static int64_t seven(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t g) {
    return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g;
}

static float nine(double a, double b, double c, double d, double e, double f, double g, double h, float i) {
    return (float)(a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i);
}

TEST(K3_one_argument_more_than_registers) {
    coro_target_t of_integers = TARGET("int64_t f(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t)", seven);
    CHECK_EQ(RESULT(coro_spawn_args(of_integers, CORO_ARGS(1, 2, 3, 4, 5, 6, -7)), int64_t), seven(1, 2, 3, 4, 5, 6, -7));
    coro_target_t of_doubles = TARGET("float g(double, double, double, double, double, double, double, double, float)", nine);
    CHECK(RESULT(coro_spawn_args(of_doubles, CORO_ARGS(1, 2, 3, 4, 5, 6, 7, 8, -9.5)), float) ==
          nine(1, 2, 3, 4, 5, 6, 7, 8, -9.5f));
}

/* -- what values become -- */

TEST(K3_numbers_are_converted_where_nothing_is_lost) {
    const struct { const char *type; coro_value value; int code; const char *detail; } cases[] = {
        {"uint8_t", coro_value_of_signed(255), 0, NULL},
        {"uint8_t", coro_value_of_signed(300), -ERANGE, "parameter 'x' of f: 300 does not fit uint8_t"},
        {"uint8_t", coro_value_of_signed(-1), -ERANGE, "parameter 'x' of f: -1 does not fit uint8_t"},
        {"int64_t", coro_value_of_unsigned(UINT64_MAX), -ERANGE,
         "parameter 'x' of f: 18446744073709551615 does not fit int64_t"},
        {"uint64_t", coro_value_of_unsigned(UINT64_MAX), 0, NULL},
        {"int8_t", coro_value_of_signed(-129), -ERANGE, "parameter 'x' of f: -129 does not fit int8_t"},
        {"short", coro_value_of_unsigned(32767), 0, NULL},
        {"bool", coro_value_of_signed(1), 0, NULL},
        {"bool", coro_value_of_signed(2), -ERANGE, "parameter 'x' of f: 2 does not fit bool"},
        {"int", coro_value_of_double(1), -EINVAL, "parameter 'x' of f: a double is not of its type, int32_t"},
        {"bool", coro_value_of_pointer(NULL), -EINVAL, "parameter 'x' of f: a pointer is not of its type, bool"},
        {"double", coro_value_of_signed(INT64_C(1) << 53), 0, NULL},
        {"double", coro_value_of_signed((INT64_C(1) << 53) + 1), -ERANGE,
         "parameter 'x' of f: 9007199254740993 does not fit double"},
        {"float", coro_value_of_double(0.1), 0, NULL},
        {"float", coro_value_of_signed(16777217), -ERANGE, "parameter 'x' of f: 16777217 does not fit float"},
        {"float", coro_value_of_pointer(""), -EINVAL, "parameter 'x' of f: a pointer is not of its type, float"},
        {"void *", coro_value_of_signed(0), -EINVAL, "parameter 'x' of f: 0 is not of its type, pointer"},
        {"const char *", coro_value_of_double(0), -EINVAL, "parameter 'x' of f: a double is not of its type, pointer"},
        {"int", coro_value_of_bytes("abcd", 4), -EINVAL, "parameter 'x' of f: 4 bytes is not of its type, int32_t"},
        {"int", {.kind = CORO_VALUE_VOID}, -EINVAL, "parameter 'x' of f: void is not of its type, int32_t"},
        {"int", {.kind = 99}, -EINVAL, "parameter 'x' of f: void is not of its type, int32_t"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char prototype[64];
        snprintf(prototype, sizeof prototype, "void f(%s x)", cases[i].type);
        coro_target_t target = TARGET(prototype, do_nothing);
        coro_t co = coro_spawn_args(target, &cases[i].value, 1);
        if (cases[i].code == 0) {
            CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
        } else {
            CHECK_EQ(co, cases[i].code);
            CHECK_STR(coro_error_detail(), cases[i].detail);
        }
        CHECK_EQ(coro_target_unregister(target), 0);
    }
    CHECK_EQ(coro_get_live_coros(), 0);
}

static uint32_t kind_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

TEST(K3_a_double_for_a_float_is_rounded) {
    coro_target_t target = TARGET("uint32_t (float)", kind_of_float);
    CHECK_EQ(RESULT(coro_spawn_args(target, CORO_ARGS(0.1)), uint32_t), kind_of_float(0.1f));
    CHECK_EQ(RESULT(coro_spawn_args(target, CORO_ARGS(1 << 24)), uint32_t), kind_of_float(16777216));
    CHECK_EQ(RESULT(coro_spawn_args(target, CORO_ARGS(INFINITY)), uint32_t), kind_of_float(INFINITY));
    CHECK_EQ(coro_spawn_args(target, CORO_ARGS(1e300)), -ERANGE);
    CHECK_CONTAINS(coro_error_detail(), "a double does not fit float");
}
