/* Rows K1 and K2: declarations that are prototypes, and how they read in one spelling. */
#include "prototypes.h"

#include <limits.h>

static const struct {
    const char *written;
    const char *spelling; /* NULL: as it is written */
} accepted[] = {
    /* the shape of a declaration */
    {"int resize(const char *path, int width = 800)", NULL},
    {"int resize(const char *path, int width = 800);", "int resize(const char *path, int width = 800)"},
    {"int (int, int)", NULL},
    {"void f(void)", NULL},
    {"void f()", "void f(void)"},
    {"  int\tf (\nint a ,int b\n)\n;\n", "int f(int a, int b)"},
    {"int /* a */ f(int /* b, */ a) // c", "int f(int a)"},
    {"int f(int \\\n a)", "int f(int a)"},
    {"int (f)(int)", "int f(int)"},
    {"int ((f))(int ((int)))", "int f(int (int))"},
    {"static inline int f(register int a)", "int f(int a)"},
    {"extern _Noreturn void f(int)", "void f(int)"},
    {"__attribute__((noreturn)) void f(int a __attribute__((unused))) __attribute__((nonnull(1), format(printf, 1, 2)))",
     "void f(int a)"},
    {"[[nodiscard]] int f [[gnu::pure]] ([[maybe_unused]] int a)", "int f(int a)"},
    {"void f(void (__attribute__((noreturn)) *end)(int))", "void f(void (*end)(int))"},
    {"int größe$_1(int ünï)", NULL},

    /* types of several words, in any order */
    {"long unsigned int long f(int const unsigned a)", "unsigned long long f(const unsigned int a)"},
    {"short f(short int, int short unsigned, signed short)", "short f(short, unsigned short, short)"},
    {"signed f(unsigned, signed int, int signed)", "int f(unsigned int, int, int)"},
    {"long f(long int, long unsigned, long long, int long long, signed long)",
     "long f(long, unsigned long, long long, long long, long)"},
    {"char f(signed char, char unsigned, char)", "char f(signed char, unsigned char, char)"},
    {"double f(float, long double, double long)", "double f(float, long double, long double)"},
    {"_Bool f(bool)", "bool f(bool)"},

    /* types with names */
    {"int8_t f(uint64_t, int_least16_t, uint_fast32_t, intptr_t, uintmax_t)", NULL},
    {"ssize_t f(size_t, ptrdiff_t, off_t, wchar_t, char16_t, char32_t)", NULL},
    {"pid_t f(uid_t, gid_t, mode_t, socklen_t, sa_family_t, in_addr_t, in_port_t, useconds_t, suseconds_t)", NULL},
    {"time_t f(clock_t, clockid_t, dev_t, ino_t, nlink_t, blksize_t, blkcnt_t, id_t, key_t)", NULL},
    {"coro_t f(coro_loop_t, coro_local_t, coro_process_t, coro_target_t, coro_trampoline_t, coro_fn)", NULL},
    {"enum color f(enum color c)", NULL},
    {"int f(unsigned size_t, int time_t)", "int f(unsigned int size_t, int time_t)"},

    /* pointers, arrays, functions */
    {"FILE*f(GtkWidget*widget,const FILE*const*p)", "FILE *f(GtkWidget *widget, const FILE *const *p)"},
    {"struct point *f(union u *, enum e *, struct point const volatile *restrict p)",
     "struct point *f(union u *, enum e *, const volatile struct point *restrict p)"},
    {"int f(int [static 4], int grid[][4], const char *const names[], int a[const restrict 0x10])",
     "int f(int [static 4], int grid[][4], const char *const names[], int a[const restrict 16])"},
    {"int f(int n, int a[n], int b[*], int c[SIZE][4])", NULL},
    {"void f(int cb(int), int (*compare)(const void *, const void *))", NULL},
    {"void (*signal(int, void (*)(int)))(int)", NULL},
    {"void f(int (*(*table[4])(int, ...))[8])", NULL},
    {"int f(int (*(a)), int (*(b[3])), int ((*c))(int))", "int f(int *a, int *b[3], int (*c)(int))"},
    {"int f(int (x), int (int), int (pid_t), int (FILE *), int (y)[3])",
     "int f(int x, int (int), int (pid_t), int (FILE *), int y[3])"},
    {"int f(char *CORO_NULLABLE a, char *_Nonnull *b, char *const _Nullable c)", "int f(char *a, char **b, char *const c)"},
    {"int f(int (*)(), void (*)(void), void (*)(gpointer data, GError error))",
     "int f(int (*)(), void (*)(void), void (*)(gpointer data, GError error))"},
    {"int f(int (__attribute__((unused))))", "int f(int)"},

    /* defaults */
    {"int f(int a = 1, unsigned b = 0x1Fu, long c = -017L, unsigned long long d = 18446744073709551615ull, int e = 0b101)",
     "int f(int a = 1, unsigned int b = 0x1Fu, long c = -017L, unsigned long long d = 18446744073709551615ull, int e = 0b101)"},
    {"int f(int a CORO_DEFAULT(800), int b CORO_DEFAULT ( - 5 ), int = +7)", "int f(int a = 800, int b = -5, int = 7)"},
    {"int f(int CORO_DEFAULT(5), const char *CORO_DEFAULT(NULL))", "int f(int = 5, const char * = NULL)"},
    {"int f(double a = 1.5, float b = -1e3f, long double c = 0x1.8p3L, double d = .5, double e = 3)", NULL},
    {"int f(char a = 'x', int b = '\\n', int c = '\\'', char d = '\\x7f', int e = '\\101')", NULL},
    {"int f(bool a = true, bool b = 0, int c = false)", NULL},
    {"int f(void *a = NULL, FILE *b = 0, const char *c = nullptr)",
     "int f(void *a = NULL, FILE *b = NULL, const char *c = NULL)"},
    {"int f(const char *a = \"one\" \" \\x74wo\\t\", char const b[] = \"\\\"\\\\\\u00e9\\1770\\?\")",
     "int f(const char *a = \"one two\\t\", const char b[] = \"\\\"\\\\\303\251\\1770?\")"},
    {"int f(int a, int8_t b = -128, uint8_t c = 255, int64_t d = -9223372036854775808)", NULL},

    /* whose an argument is */
    {"int f(borrowed const char *a, owned char *b, CORO_OWNED const char *c, CORO_BORROWED void *d)",
     "int f(borrowed const char *a, owned char *b, owned const char *c, borrowed void *d)"},
    {"int f(owned FILE *a, borrowed GList **b, owned struct s *c, owned const char d[])", NULL},
    {"int f(int owned, char *borrowed, owned *a, owned **, borrowed *b)", NULL},
};

TEST(K1_prototypes_have_one_spelling) {
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++)
        CHECK_STR(spelling_of(accepted[i].written), accepted[i].spelling ? accepted[i].spelling : accepted[i].written);
}

TEST(K1_a_spelling_is_its_own) {
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        char once[1000];
        snprintf(once, sizeof once, "%s", spelling_of(accepted[i].written));
        CHECK_STR(spelling_of(once), once);
    }
}

CORO_TARGET(static int, declared_by_macro,
            (const char *path, int width CORO_DEFAULT(800), CORO_OWNED char *text CORO_DEFAULT(NULL))) {
    (void)path;
    (void)width;
    (void)text;
    return 0;
}

static void check_macro(const char *prototype, coro_function function) {
    CHECK(function == (coro_function)declared_by_macro);
    CHECK_STR(spelling_of(prototype), "int declared_by_macro(const char *path, int width = 800, owned char *text = NULL)");
}

TEST(K1_a_macro_writes_the_prototype) {
    check_macro(CORO_TARGET_OF(declared_by_macro));
}

/* A result's size is the size of the type that the C compiler knows. */
#define SIZED(type) {#type " f(void)", sizeof(type)}

static const struct {
    const char *prototype;
    size_t size;
} sized[] = {
    SIZED(bool), SIZED(char), SIZED(short), SIZED(int), SIZED(long), SIZED(long long), SIZED(signed char),
    SIZED(unsigned char), SIZED(unsigned long long), SIZED(unsigned), SIZED(float), SIZED(double), SIZED(long double),
    SIZED(void *), SIZED(const char *), SIZED(int8_t), SIZED(uint16_t), SIZED(int32_t), SIZED(uint64_t),
    SIZED(int_least8_t), SIZED(int_fast16_t), SIZED(uint_fast8_t), SIZED(intmax_t), SIZED(uintptr_t), SIZED(wchar_t),
    SIZED(size_t), SIZED(ssize_t), SIZED(ptrdiff_t), SIZED(off_t), SIZED(time_t), SIZED(pid_t), SIZED(mode_t),
    SIZED(socklen_t), SIZED(sa_family_t), SIZED(dev_t), SIZED(ino_t), SIZED(nlink_t), SIZED(blksize_t), SIZED(blkcnt_t),
    SIZED(clock_t), SIZED(clockid_t), SIZED(suseconds_t), SIZED(useconds_t), SIZED(id_t), SIZED(key_t), SIZED(coro_t),
    SIZED(coro_timeout_t), SIZED(coro_local_t), SIZED(coro_loop_t), SIZED(coro_process_t), SIZED(coro_target_t),
    SIZED(coro_trampoline_t), SIZED(coro_fn), SIZED(coro_handler),
};

TEST(K2_types_have_their_sizes) {
    CHECK_EQ(result_size_of("void f(void)"), 0);
    for (size_t i = 0; i < sizeof sized / sizeof *sized; i++) CHECK_EQ(result_size_of(sized[i].prototype), sized[i].size);
}

/* Frames that are not optimised are several times as large. */
#ifdef NDEBUG
enum { SMALL_STACK = 16 * 1024 };
#else
enum { SMALL_STACK = 64 * 1024 };
#endif

/* A parser that calls itself for what is nested would not get far here. */
static void *parse_on_a_small_stack(void *unused) {
    char text[400] = "void f(";
    for (int i = 0; i < 15; i++) strcat(text, "int (*)(");
    for (int i = 0; i < 15; i++) strcat(text, ")");
    strcat(text, ")");
    CHECK_STR(spelling_of(text), text);
    CHECK_CONTAINS(refusal_of("void f(int (*)(int (*)(int [static 3], sizeof)))"), "column 40");
    return unused;
}

TEST(K1_nesting_takes_no_stack) {
    coro_options options = CORO_OPTIONS_INIT;
    options.stack_size = SMALL_STACK;
    spelling_of("void f(int (*)(int))"); /* ordinary Swift makes up its types at their first use, which takes much stack */
    refusal_of("f");
    CHECK_EQ(coro_join(coro_spawn_with(parse_on_a_small_stack, NULL, &options), NULL, CORO_FOREVER), 0);
}

TEST(K1_lack_of_memory_is_told) {
    static const char text[] = "int f(const char *a = \"text\", int (*b)(void) = NULL, double c = 1.5)";
    int failures = 0;
    for (int nth = 1;; nth++) {
        coro_test_fail_call("calloc", nth, ENOMEM);
        coro_target_t target = coro_target_register(text, some_function);
        coro_test_fail_call("calloc", 0, 0);
        if (target > 0) {
            CHECK_EQ(coro_target_unregister(target), 0);
            break;
        }
        CHECK_EQ(target, -ENOMEM);
        failures++;
    }
    CHECK(failures > 5);
}
