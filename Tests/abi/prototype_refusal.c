/* Rows K1 and K2: what is no prototype, with the place and the reason. */
#include "prototypes.h"

static const struct {
    const char *written;
    const char *refusal;
} refused[] = {
    /* no declaration of a function */
    {"", "line 1, column 1: there is no declaration, near the end"},
    {" /* nothing */ ", "line 1, column 16: there is no declaration, near the end"},
    {"int", "line 1, column 4: this is no function: its parameters are missing, as in 'int f(int)', near the end"},
    {"int f", "line 1, column 5: this is no function"},
    {"int (*f)(int)", "line 1, column 7: this is no function"},
    {"int f[4]", "line 1, column 5: this is no function"},
    {"(int)", "line 1, column 1: a type is missing here, near '('"},
    {"resize(int)", "line 1, column 1: 'resize' is no type that is known"},
    {"int f(int) {", "line 1, column 12: the declaration ends here, and something follows, near '{'"},
    {"int f(int); int g(int);", "line 1, column 13: the declaration ends here"},
    {"int f(int), g(int)", "line 1, column 11: the declaration ends here"},
    {"int f(int) = 0", "line 1, column 12: the declaration ends here"},
    {"typedef int f(int)", "line 1, column 1: this defines a type, and no function: leave out `typedef`, near 'typedef'"},
    {"int f(int", "line 1, column 10: a ',' or a ')' is missing here, near the end"},
    {"int f(int]", "line 1, column 10: a ',' or a ')' is missing here, near ']'"},
    {"int f(int a b)", "line 1, column 13: a ',' or a ')' is missing here, near 'b'"},
    {"int f(int,)", "line 1, column 11: a type is missing here, near ')'"},
    {"int f(,int)", "line 1, column 7: a type is missing here, near ','"},
    {"int f((int))", "line 1, column 7: a type is missing here, near '('"},
    {"int f(a, b) int a; int b;", "line 1, column 7: 'a' is no type that is known"},
    {"int f(int a\n      int b)", "line 2, column 7: a ',' or a ')' is missing here, near 'int'"},
    {"int f(/* one\n two */ int a,\n\n   @)", "line 4, column 4: a type is missing here, near '@'"},
    {"int f(int a /* b)", "line 1, column 13: this comment does not end, near '/*'"},
    {"int f(int for)", "line 1, column 11: this word of C has no place in a declaration"},
    {"int f(int *int)", "line 1, column 12: this word of C can't be a name, near 'int'"},
    {"int f(int) asm(\"g\")", "line 1, column 12: the declaration ends here, and something follows, near 'asm'"},
    {"int f(int __attribute__)", "line 1, column 24: a '(' is missing after __attribute__, near ')'"},
    {"int f(int __attribute__((unused)", "line 1, column 24: this attribute does not end, near '('"},
    {"int f(int a, int b, int a)", "line 1, column 25: two parameters have this name, near 'a'"},

    /* types that are none, or can't be passed */
    {"int f(unsigned float a)", "line 1, column 7: these words together are no type, near 'unsigned'"},
    {"int f(long long long a)", "line 1, column 7: these words together are no type, near 'long'"},
    {"int f(signed unsigned a)", "these words together are no type"},
    {"int f(short long a)", "these words together are no type"},
    {"int f(char int a)", "these words together are no type"},
    {"int f(long float a)", "these words together are no type"},
    {"int f(long char a)", "these words together are no type"},
    {"int f(int int a)", "these words together are no type"},
    {"int f(bool bool a)", "these words together are no type"},
    {"int f(FILE int a)", "line 1, column 12: there are two types here, near 'int'"},
    {"int f(size_t int a)", "line 1, column 14: there are two types here, near 'int'"},
    {"int f(int struct s a)", "line 1, column 11: there are two types here, near 'struct'"},
    {"int f(const a)", "line 1, column 13: 'a' is no type that is known"},
    {"int f(FILE a)", "line 1, column 7: 'FILE' is no type that is known: declare it by coro_struct_register() if it is a "
                      "struct, or write the type that it stands for, near 'FILE'"},
    {"FILE f(int)", "line 1, column 1: 'FILE' is no type that is known"},
    {"int f(struct nowhere a)", "line 1, column 14: struct nowhere is not known: declare it by coro_struct_register(), near "
                                "'nowhere'"},
    {"int f(struct {int a;} a)", "line 1, column 14: a struct can't be defined here"},
    {"int f(struct s {int a;} a)", "line 1, column 16: a struct can't be defined here"},
    {"int f(enum e {A} a)", "line 1, column 14: an enum can't be defined here"},
    {"int f(union {int a;} a)", "line 1, column 13: a union can't be defined here"},
    {"int f(CORO_DEFAULT(5))", "line 1, column 7: CORO_DEFAULT(...) stands behind a parameter"},
    {"int f(struct *a)", "line 1, column 14: a name is missing here, near '*'"},
    {"int f(union u a)", "line 1, column 13: unions can't be passed by value: pass a pointer, near 'u'"},
    {"int f(void a)", "line 1, column 7: void is no type of a value: is 'void *' meant?, near 'void'"},
    {"int f(int, void)", "line 1, column 12: void is no type of a value"},
    {"int f(void, int)", "line 1, column 7: void is no type of a value"},
    {"int f(double _Complex z)", "line 1, column 14: complex numbers can't be passed: pass their parts, or a pointer"},
    {"float complex f(int)", "line 1, column 7: complex numbers can't be passed"},
    {"__int128 f(int)", "line 1, column 1: numbers of this type can't be passed"},
    {"int f(_BitInt(7) a)", "line 1, column 7: numbers of this type can't be passed"},
    {"int f(_Atomic int a)", "line 1, column 7: atomic types can't be passed"},
    {"int f(va_list arguments)", "line 1, column 7: a va_list can't be kept for a coroutine"},
    {"int f(typeof(1) a)", "line 1, column 7: the types of expressions are not known to libcoro"},
    {"int f(const char *format, ...)", "line 1, column 27: variadic functions can't be targets: write the types of the "
                                       "arguments instead of '...', near '...'"},
    {"int f(...)", "line 1, column 7: variadic functions can't be targets"},

    {"int f(float __attribute__((vector_size(16))) a)", "line 1, column 28: this attribute changes how values are passed"},
    {"__attribute__((noreturn, __ms_abi__)) void f(int)", "line 1, column 26: this attribute changes how values are passed"},

    /* declarators */
    {"int f(int)(int)", "line 1, column 11: a function can't return a function"},
    {"int f(int)[4]", "line 1, column 11: a function can't return an array"},
    {"int f(int a[4](int))", "line 1, column 15: there are no arrays of functions"},
    {"int f(int (*a)(int)(int))", "line 1, column 20: a function can't return a function"},
    {"int f(int a[4][])", "line 1, column 15: only the first length of an array may be left out, near '['"},
    {"int f(int a[2 * n])", "line 1, column 15: the length of an array must be one number, and a ']' after it, near '*'"},
    {"int f(int a[sizeof(int)])", "line 1, column 13: this word of C has no place"},
    {"int f(int a[4)", "line 1, column 14: the length of an array must be one number"},
    {"int f(int a[0x])", "line 1, column 13: this is no number of C's, near '0x'"},
    {"int f(int a[1.5])", "line 1, column 13: a whole number is needed here, near '1.5'"},
    {"int f(int a[99999999999999999999])", "line 1, column 13: this number does not fit 64 bits"},
    {"int f(int (*a)", "line 1, column 15: a ',' or a ')' is missing here, near the end"},
    {"int f(int (*a", "line 1, column 14: a ')' is missing here, near the end"},
    {"int f(int &a)", "line 1, column 11: C has pointers by '*' alone, near '&'"},
    {"int f(void (*a)(void b))", "line 1, column 23: void is no type of a parameter"},
    {"int f(void (*a)(int, void))", "line 1, column 26: void is no type of a parameter"},
    {"int f(void (*a)(int, ..., int))", "line 1, column 25: a ')' is missing after '...', near ','"},
    {"int f(void (*a)(...))", "line 1, column 17: a type is missing here, near '...'"},
    {"int f(void (*a)(int b = 1))", "line 1, column 23: a ',' or a ')' is missing here, near '='"},

    /* defaults */
    {"int f(int a = 1, int b)", "line 1, column 23: a default is missing here: the parameter before has one, near ')'"},
    {"int f(int a =)", "line 1, column 14: a value is missing here"},
    {"int f(int a = WIDTH)", "line 1, column 15: a value is missing here: a number, 'c', \"text\", true, false or NULL, near "
                             "'WIDTH'"},
    {"int f(int a = 1 + 1)", "line 1, column 17: a ',' or a ')' is missing here, near '+'"},
    {"int f(int a = --1)", "line 1, column 16: a value is missing here"},
    {"int f(int a = 2147483648)", "line 1, column 15: this number does not fit its parameter's type, near '2147483648'"},
    {"int f(int a = -2147483649)", "line 1, column 16: this number does not fit its parameter's type"},
    {"int f(int8_t a = 128)", "this number does not fit its parameter's type"},
    {"int f(uint8_t a = 256)", "this number does not fit its parameter's type"},
    {"int f(unsigned a = -1)", "line 1, column 21: this number does not fit its parameter's type, near '1'"},
    {"int f(bool a = 2)", "this number does not fit its parameter's type"},
    {"int f(int64_t a = 9223372036854775808)", "this number does not fit its parameter's type"},
    {"int f(int64_t a = -9223372036854775809)", "this number does not fit its parameter's type"},
    {"int f(uint64_t a = 18446744073709551616)", "this number does not fit 64 bits"},
    {"int f(int a = 1.0)", "line 1, column 15: the default of an integer must be a whole number, near '1.0'"},
    {"int f(int a = 09)", "line 1, column 15: this is no number of C's, near '09'"},
    {"int f(int a = 1ulu)", "this is no number of C's"},
    {"int f(int a = 1Ll)", "this is no number of C's"},
    {"int f(int a = 0b2)", "this is no number of C's"},
    {"int f(int a = 12px)", "this is no number of C's"},
    {"int f(double a = 1.5x)", "this is no number of C's"},
    {"int f(double a = 1e)", "this is no number of C's"},
    {"int f(double a = 0x1.8)", "this is no number of C's"},
    {"int f(double a = 1.5fl)", "this is no number of C's"},
    {"int f(double a = 1e39f)", "this number is too large for its type"},
    {"int f(double a = 1.2.3)", "this is no number of C's"},
    {"int f(float a = 1e39)", "this number is too large for its type"},
    {"int f(double a = 1e309)", "this number is too large for its type"},
    {"int f(float a = 16777217)", "this number is not exact in its parameter's type: write it with a point"},
    {"int f(double a = 18446744073709551615)", "this number is not exact in its parameter's type"},
    {"int f(double a = \"1\")", "line 1, column 18: a text can be the default of a 'const char *' alone"},
    {"int f(char *a = \"text\")", "a text can be the default of a 'const char *' alone"},
    {"int f(const char **a = \"text\")", "a text can be the default of a 'const char *' alone"},
    {"int f(const char a(void) = \"text\")", "a text can be the default of a 'const char *' alone"},
    {"int f(owned const char *a = \"text\")", "a text can be the default of a 'const char *' alone, and of none that is owned"},
    {"int f(const char *a = \"te\\0xt\")", "a text ends at its first '\\0'"},
    {"int f(const char *a = \"text)", "line 1, column 23: its closing quote is missing"},
    {"int f(const char *a = \"te\nxt\")", "line 1, column 23: its closing quote is missing"},
    {"int f(const char *a = \"\\q\")", "C has no such escape"},
    {"int f(const char *a = \"\\x\")", "a digit is missing after \\x"},
    {"int f(const char *a = \"\\x100\")", "an escape is larger than a byte"},
    {"int f(const char *a = \"\\400\")", "an escape is larger than a byte"},
    {"int f(const char *a = \"\\u12\")", "\\u needs 4 digits, and \\U 8"},
    {"int f(const char *a = \"\\ud800\")", "Unicode has no such character"},
    {"int f(const char *a = \"\\U00110000\")", "Unicode has no such character"},
    {"int f(const char *a = 1)", "line 1, column 23: the default of a pointer is NULL"},
    {"int f(void *a = -0)", "the default of a pointer is NULL"},
    {"int f(int a = NULL)", "a value is missing here"},
    {"int f(char a = '')", "line 1, column 16: a character is missing between the quotes"},
    {"int f(char a = 'ab')", "this is more than one character"},
    {"int f(char a = '\\u00e9')", "this is more than one character"},
    {"int f(char a = 'é')", "this is more than one character"},
    {"int f(int a CORO_DEFAULT 1)", "line 1, column 26: a '(' is missing after CORO_DEFAULT, near '1'"},
    {"int f(int a CORO_DEFAULT(1, 2))", "line 1, column 13: CORO_DEFAULT needs one value, and a ')' after it"},
    {"int f(const char *a CORO_DEFAULT(\"one\" 2))", "CORO_DEFAULT needs one value"},

    /* whose an argument is */
    {"int f(owned int a)", "line 1, column 7: only a pointer can be owned or borrowed, near 'owned'"},
    {"int f(borrowed int a)", "line 1, column 7: only a pointer can be owned or borrowed"},
    {"int f(owned list)", "line 1, column 7: 'owned' is no type that is known"},
    {"int f(owned FILE a)", "line 1, column 13: 'FILE' is no type that is known"},
    {"int f(char *a, void (*b)(owned char *c))", "line 1, column 32: there are two types here, near 'char'"},
};

TEST(K1_what_is_no_prototype_is_refused_with_its_place) {
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *refusal = refusal_of(refused[i].written);
        if (strstr(refusal, refused[i].refusal) == NULL)
            test_fail(__FILE__, __LINE__, "%s: %s\nand not\n%s", refused[i].written, refusal, refused[i].refusal);
    }
}

/* ---- what is too much ---- */

static char *repeated(char *text, const char *part, int count) {
    for (int i = 0; i < count; i++) text = stpcpy(text, part);
    return text;
}

TEST(K1_limits_are_errors) {
    static char text[200000];
    repeated(stpcpy(text, "void f("), "int, ", 64);
    strcat(text, "int)");
    CHECK_STR(refusal_of(text), "line 1, column 328: there are more than 64 parameters, near 'int'");
    stpcpy(repeated(stpcpy(text, "void f("), "int, ", 63), "int)");
    CHECK_STR(spelling_of(text), text);
    repeated(stpcpy(text, "int f(int "), "(", 50000);
    CHECK_STR(refusal_of(text), "line 1, column 43: parentheses are nested more than 32 deep, near '('");
    repeated(stpcpy(text, "int f("), "int (*)(", 6000);
    CHECK_CONTAINS(refusal_of(text), "parentheses are nested more than 32 deep");
    repeated(stpcpy(text, "int "), "a", 256);
    strcat(text, "(int)");
    CHECK_CONTAINS(refusal_of(text), "line 1, column 5: a name has more than 255 bytes, near 'aaaaaaaaaa");
    strcpy(repeated(stpcpy(text, "int "), "a", 255), "(int)");
    CHECK_STR(spelling_of(text), text);
    CHECK_CONTAINS(refusal_of(text + 4), "aa...' is no type that is known: declare it by coro_struct_register()");
    repeated(stpcpy(text, "int f(int"), " ", 65536);
    CHECK_STR(refusal_of(text), "line 1, column 1: the declaration is longer than 65535 bytes, near the end");
}

TEST(K1_any_cut_of_a_declaration_is_an_error_and_no_crash) {
    static const char whole[] = "const char *(*f(int a[static 4], void (*b)(struct s *, ...), borrowed const char *c "
                                "= \"\\x41\" \"b\", unsigned long d CORO_DEFAULT(0x1Ful) /* e */))(void) [[maybe]]";
    char text[sizeof whole];
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        memcpy(text, whole, length);
        text[length] = 0;
        coro_target_t target = coro_target_register(text, some_function);
        if (target > 0) CHECK_EQ(coro_target_unregister(target), 0);
        else CHECK_EQ(target, -EINVAL);
    }
}
