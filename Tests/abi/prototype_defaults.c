/* Row K1: a default has the value that the C compiler gives to the same text. */
#include "coroutines.h"

#include <float.h>
#include <locale.h>

/* What the default must be: `size` bytes, or a text. */
typedef struct expectation {
    const void *bytes;
    size_t size;
    const char *text;
    bool was_met;
} expectation;

static void compare(void *context, void *result, void *const *arguments) {
    expectation *expected = context;
    (void)result;
    if (expected->text != NULL) expected->was_met = strcmp(*(const char **)arguments[0], expected->text) == 0;
    else expected->was_met = memcmp(arguments[0], expected->bytes, expected->size) == 0;
}

static void check_default(const char *type, const char *literal, const void *bytes, size_t size, const char *text) {
    char prototype[300];
    expectation expected = {bytes, size, text, false};
    coro_target_options options = CORO_TARGET_OPTIONS_INIT;
    options.handler = compare;
    options.context = &expected;
    snprintf(prototype, sizeof prototype, "void f(%s = %s)", type, literal);
    coro_target_t target = coro_target_register_with(prototype, NULL, &options);
    if (target <= 0) test_fail(__FILE__, __LINE__, "%s: %s", prototype, coro_error_detail());
    CHECK_EQ(coro_join(coro_spawn_args(target, NULL, 0), NULL, CORO_FOREVER), 0);
    if (!expected.was_met) test_fail(__FILE__, __LINE__, "%s: the argument had another value", prototype);
    CHECK_EQ(coro_target_unregister(target), 0);
}

#define IS(type, literal) check_default(#type, #literal, &(type){literal}, sizeof(type), NULL)
#define IS_TEXT(literal) check_default("const char *", #literal, NULL, 0, literal)

TEST(K1_defaults_of_integers) {
    IS(int, 800), IS(int, -800), IS(int, +7), IS(int, 0), IS(int, 2147483647), IS(int, -2147483648);
    IS(int, 0x7fffffff), IS(int, 017), IS(int, -0X1fL), IS(unsigned, 4294967295u), IS(unsigned, 0xFFFFFFFFul);
    IS(int8_t, -128), IS(int8_t, 127), IS(uint8_t, 255), IS(short, -32768), IS(unsigned short, 65535);
    IS(long, -2147483648), IS(long long, 9223372036854775807), IS(uint64_t, 18446744073709551615ull), IS(uint64_t, 1LLu);
    check_default("int64_t", "-9223372036854775808", &(int64_t){INT64_MIN}, 8, NULL); /* C has no name for it */
    check_default("int", "0b101", &(int){5}, sizeof(int), NULL);
    IS(bool, true), IS(bool, false), IS(bool, 1), IS(bool, 0), IS(int, true), IS(size_t, 4096);
    check_default("enum color", "3", &(int){3}, sizeof(int), NULL);
}

TEST(K1_defaults_of_characters) {
    IS(char, 'x'), IS(char, '\n'), IS(char, '\''), IS(char, '"'), IS(char, '\\'), IS(char, '\0'), IS(char, '\101');
    IS(char, '\x7f'), IS(int, '\xff'), IS(int, '\a'), IS(int, '\b'), IS(int, '\f'), IS(int, '\r'), IS(int, '\t');
    IS(int, '\v'), IS(int, '\?'), IS(int, -'a'), IS(double, 'a');
}

TEST(K1_defaults_of_floating_point_numbers) {
    IS(double, 1.5), IS(double, -1.5e-3), IS(double, .1), IS(double, 1.), IS(double, 0x1.8p3), IS(double, 1e308);
    IS(double, 0.1f), IS(double, 0.1L), IS(float, 0.1f), IS(float, 0.1), IS(float, 3.4e38), IS(float, -0.0f);
    IS(double, 0x1.fp0f), IS(double, 0x1.999999999999ap-4f), IS(double, 0x1p-1074), IS(double, 9007199254740993.0);
    IS(double, -0), IS(float, -0), IS(double, -0.0);
    IS(double, 3), IS(double, -3), IS(double, 010), IS(double, 0x10), IS(float, 16777216), IS(double, 9007199254740992);
    size_t size = LDBL_MANT_DIG == 64 ? 10 : sizeof(long double); /* the rest is padding */
    check_default("long double", "0.1L", &(long double){0.1L}, size, NULL);
    check_default("long double", "-1e4000L", &(long double){-1e4000L}, size, NULL);
    check_default("long double", "18446744073709551615", &(long double){18446744073709551615ull}, size, NULL);
}

TEST(K1_defaults_of_pointers) {
    void *none = NULL;
    check_default("void *", "NULL", &none, sizeof none, NULL);
    check_default("FILE *", "0", &none, sizeof none, NULL);
    check_default("const char *", "nullptr", &none, sizeof none, NULL);
    IS_TEXT("text"), IS_TEXT(""), IS_TEXT("one" " two"), IS_TEXT("\"\\\t\n\r\a\b\f\v\'\?"), IS_TEXT("\x41" "1\101\1011\7z");
    IS_TEXT("\xc3\xa9 é \u00e9 \u20ac \U0001F600"), IS_TEXT("// no /* comment */"), IS_TEXT("a" /* one */ "b");
    check_default("borrowed const char *", "\"kept\"", NULL, 0, "kept");
}

TEST(K1_defaults_do_not_depend_on_the_locale) {
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "de_DE", "fr_FR"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (setlocale(LC_ALL, names[i]) == NULL) continue;
        CHECK_STR(localeconv()->decimal_point, ",");
        IS(double, 1.5);
        return;
    }
    test_skip("no locale with a decimal comma is installed");
}
