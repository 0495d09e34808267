/* Row K2: structs by value are laid out as the C compiler does. */
#include "prototypes.h"

#include <pthread.h>
#include <stddef.h>

struct point { double x; double y; };
struct packed_pair { char a; short b; };
struct mixed { char a; double b; char c; int d; bool e; };
struct texts { const char *name, *const *list; char text[13]; short n; };
struct nested { char first; struct point p; float f; struct packed_pair pairs[3]; char last; };
struct grid { int8_t cells[3][5]; int32_t sum; long double exact; };
struct calls { void (*done)(void *, int); int (*(*table)[4])(void); size_t n; };
struct numbers { unsigned long long a; int b, c; uint16_t d; float e; long f; _Bool g; wchar_t h; off_t i; };
struct one_byte { char c; };
struct itself { struct itself *next; struct point where[2]; };
struct enums { char a; enum { ONE } b; };

#define FIELD(structure, field) {#field, offsetof(struct structure, field)}

static const struct {
    const char *name, *fields;
    size_t size;
    struct {
        const char *name;
        size_t offset;
    } offsets[10];
} layouts[] = {
    {"point", "double x; double y;", sizeof(struct point), {FIELD(point, x), FIELD(point, y)}},
    {"packed_pair", "char a; short b;", sizeof(struct packed_pair), {FIELD(packed_pair, a), FIELD(packed_pair, b)}},
    {"mixed", "char a; double b; char c; int d; bool e;", sizeof(struct mixed),
     {FIELD(mixed, a), FIELD(mixed, b), FIELD(mixed, c), FIELD(mixed, d), FIELD(mixed, e)}},
    {"texts", "const char *name, *const *list; char text[0xd]; short int n;", sizeof(struct texts),
     {FIELD(texts, name), FIELD(texts, list), FIELD(texts, text), FIELD(texts, n)}},
    {"nested", "char first; struct point p; float f; packed_pair pairs[3]; char last;", sizeof(struct nested),
     {FIELD(nested, first), FIELD(nested, p), FIELD(nested, f), FIELD(nested, pairs), FIELD(nested, last)}},
    {"grid", "int8_t cells[3][5]; int32_t sum; long double exact;", sizeof(struct grid),
     {FIELD(grid, cells), FIELD(grid, sum), FIELD(grid, exact)}},
    {"calls", "void (*done)(void *, int); int (*(*table)[4])(void); size_t n;", sizeof(struct calls),
     {FIELD(calls, done), FIELD(calls, table), FIELD(calls, n)}},
    {"numbers", "unsigned long long a; int b, c; uint16_t d; float e; long f; _Bool g; wchar_t h; off_t i;",
     sizeof(struct numbers),
     {FIELD(numbers, a), FIELD(numbers, b), FIELD(numbers, c), FIELD(numbers, d), FIELD(numbers, e), FIELD(numbers, f),
      FIELD(numbers, g), FIELD(numbers, h), FIELD(numbers, i)}},
    {"one_byte", "char c;", sizeof(struct one_byte), {FIELD(one_byte, c)}},
    {"itself", "struct itself *next; struct point where[2];", sizeof(struct itself),
     {FIELD(itself, next), FIELD(itself, where)}},
    {"enums", "char a; enum which b;", sizeof(struct enums), {FIELD(enums, a), FIELD(enums, b)}},
};

static void register_layouts(void) {
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (coro_struct_register(layouts[i].name, layouts[i].fields) != 0)
            test_fail(__FILE__, __LINE__, "%s: %s", layouts[i].name, coro_error_detail());
}

TEST(K2_structs_are_laid_out_as_in_C) {
    register_layouts();
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        CHECK_EQ(coro_struct_size(layouts[i].name), layouts[i].size);
        for (int field = 0; layouts[i].offsets[field].name != NULL; field++)
            CHECK_EQ(coro_struct_offset(layouts[i].name, layouts[i].offsets[field].name), layouts[i].offsets[field].offset);
    }
}

TEST(K2_structs_are_types) {
    CHECK_CONTAINS(refusal_of("point f(int)"), "'point' is no type that is known");
    register_layouts();
    CHECK_STR(spelling_of("struct point f(point a, const struct nested *, point *b)"),
              "struct point f(point a, const struct nested *, point *b)");
    CHECK_STR(spelling_of("int f(int (point))"), "int f(int (point))");
    CHECK_EQ(result_size_of("nested f(void)"), sizeof(struct nested));
    CHECK_EQ(result_size_of("const struct grid f(void)"), sizeof(struct grid));
    CHECK_CONTAINS(refusal_of("int f(union point a)"), "unions can't be passed by value");
    CHECK_CONTAINS(refusal_of("int f(point a = 0)"), "line 1, column 17: a struct can't have a default");
    CHECK_CONTAINS(refusal_of("int f(owned point a)"), "line 1, column 7: only a pointer can be owned");
}

TEST(K2_a_struct_may_be_called_owned) {
    CHECK_EQ(coro_struct_register("owned", "int *p;"), 0);
    CHECK_STR(spelling_of("int f(owned list, owned owned *mine, owned *a)"), "int f(owned list, owned owned *mine, owned *a)");
    CHECK_EQ(coro_target_result_size(coro_target_register("owned f(void)", some_function)), sizeof(void *));
}

TEST(K2_a_struct_stays_what_it_is) {
    CHECK_EQ(coro_struct_register("point", "double x, y;"), 0);
    CHECK_EQ(coro_struct_register("point", "double  x; double (y) ;"), 0); /* the same */
    CHECK_EQ(coro_struct_register("point", "double y; double x;"), -EEXIST);
    CHECK_STR(coro_error_detail(), "struct point is registered with other fields: give this one another name");
    CHECK_EQ(coro_struct_register("point", "double x;"), -EEXIST);
    CHECK_EQ(coro_struct_size("point"), sizeof(struct point));
    CHECK_EQ(coro_struct_offset("point", "y"), offsetof(struct point, y));
}

TEST(K2_what_is_no_struct_is_refused) {
    static const char *const names[] = {"", "1a", "a b", " a", "a ", "struct a", "int", "size_t", "for", "a;", "\"a\""};
    static const struct {
        const char *fields, *refusal;
    } refused[] = {
        {"", "line 1, column 1: a struct needs a field, as in \"double x;\", near the end"},
        {"int", "line 1, column 4: a field has no name here, near the end"},
        {"int;", "line 1, column 4: a field has no name here, near ';'"},
        {"int a", "line 1, column 6: a ';' is missing here, near the end"},
        {"int a; int b", "line 1, column 13: a ';' is missing here"},
        {"int a,;", "line 1, column 7: a field has no name here"},
        {"int a;;", "line 1, column 7: a type is missing here, near ';'"},
        {"int a; double a;", "line 1, column 15: two fields have this name, near 'a'"},
        {"int a : 3;", "line 1, column 7: bit-fields can't be passed by value"},
        {"int : 3;", "line 1, column 5: bit-fields can't be passed by value"},
        {"int a = 3;", "line 1, column 7: the fields of a struct have no defaults"},
        {"int a[];", "line 1, column 6: an array in a struct needs a length of 1 or more"},
        {"int a[0];", "an array in a struct needs a length of 1 or more"},
        {"int a[N];", "line 1, column 7: the length of an array must be one number"},
        {"int a[2][];", "line 1, column 9: an array in a struct needs a length of 1 or more"},
        {"int a(void);", "line 1, column 5: a field can't be a function"},
        {"void a;", "line 1, column 1: void is no type of a value"},
        {"void a[3];", "line 1, column 1: void is no type of a value"},
        {"struct itself a;", "line 1, column 8: struct itself is not known"},
        {"union u a;", "line 1, column 7: unions can't be passed by value"},
        {"struct { int a; } b;", "line 1, column 8: a struct can't be defined here"},
        {"char a[65537];", "line 1, column 6: the struct is larger than 65536 bytes: pass a pointer to it, near 'a'"},
        {"char a[4294967296][4294967296];", "the struct is larger than 65536 bytes"},
        {"char a[65536]; char b;", "line 1, column 21: the struct is larger than 65536 bytes"},
        {"alignas(16) int a;", "line 1, column 1: alignments are those of the types"},
        {"int a __attribute__((packed));", "line 1, column 22: this attribute changes how values are passed"},
        {"_Atomic int a;", "line 1, column 1: atomic types can't be passed"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        CHECK_EQ(coro_struct_register(names[i], "int a;"), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "the name of a struct must be a name in C");
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        CHECK_CONTAINS(struct_refusal_of(refused[i].fields), refused[i].refusal);
    CHECK_EQ(coro_struct_size("refused"), -ENOENT);
    CHECK_EQ(coro_struct_register(NULL, "int a;"), -EINVAL);
    CHECK_EQ(coro_struct_register("a", NULL), -EINVAL);
    CHECK_EQ(coro_struct_register("large", "char a[65535]; char b;"), 0);
}

TEST(K2_unknown_structs_and_fields_are_told) {
    CHECK_EQ(coro_struct_size("nowhere"), -ENOENT);
    CHECK_STR(coro_error_detail(), "no struct of this name is registered: nowhere");
    CHECK_EQ(coro_struct_offset("nowhere", "x"), -ENOENT);
    CHECK_EQ(coro_struct_register("here", "int x;"), 0);
    CHECK_EQ(coro_struct_offset("here", "y"), -ENOENT);
    CHECK_STR(coro_error_detail(), "the struct has no field of this name: y");
    CHECK_EQ(coro_struct_size(NULL), -EINVAL);
    CHECK_EQ(coro_struct_offset(NULL, "x"), -EINVAL);
    CHECK_EQ(coro_struct_offset("here", NULL), -EINVAL);
}

TEST(K2_a_struct_without_memory_is_not_registered) {
    for (int nth = 1;; nth++) {
        coro_test_fail_call("calloc", nth, ENOMEM);
        int code = coro_struct_register("texts", "const char *name, *const *list; char text[13]; short n;");
        coro_test_fail_call("calloc", 0, 0);
        if (code == 0) {
            CHECK(nth > 5);
            break;
        }
        CHECK_EQ(code, -ENOMEM);
        CHECK_EQ(coro_struct_size("texts"), -ENOENT);
    }
    CHECK_EQ(coro_struct_size("texts"), sizeof(struct texts));
}

/* Threads register the same structs at the same time: each gets in once. */
static void *register_many(void *unused) {
    char name[20], fields[40];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "many_%d", i);
        snprintf(fields, sizeof fields, "char a[%d]; int b;", i + 1);
        CHECK_EQ(coro_struct_register(name, fields), 0);
        CHECK_EQ(coro_struct_offset(name, "b"), (i + 4) / 4 * 4);
    }
    return unused;
}

TEST(K2_threads_register_structs) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&threads[i], NULL, register_many, NULL), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}
