/* The words of C's declarations with what they mean to this machine's compiler, and numbers. */
#define _GNU_SOURCE
#include "coro_words.h"
#include "coro_signature.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <uchar.h>
#include <wchar.h>

#define KIND_OF_INTEGER(size, is_signed)                                                       \
    ((size) == 1 ? ((is_signed) ? CORO_TYPE_INT8 : CORO_TYPE_UINT8)                            \
                 : (size) == 2 ? ((is_signed) ? CORO_TYPE_INT16 : CORO_TYPE_UINT16)            \
                               : (size) == 4 ? ((is_signed) ? CORO_TYPE_INT32 : CORO_TYPE_UINT32) \
                                             : ((is_signed) ? CORO_TYPE_INT64 : CORO_TYPE_UINT64))

#define INTEGER(name) {#name, NULL, KIND_OF_INTEGER(sizeof(name), (name)-1 < (name)1), CORO_WORD_TYPE}
#define POINTER(name) {name, NULL, CORO_TYPE_POINTER, CORO_WORD_TYPE}
#define IDENTIFIER(name) {name, NULL, CORO_TYPE_INT64, CORO_WORD_TYPE} /* of coro.h */
#define PART(text, part) {text, NULL, part, CORO_WORD_PART}
#define QUALIFIER(text, qualifier) {text, NULL, qualifier, CORO_WORD_QUALIFIER}
#define IGNORED(text) {text, NULL, 0, CORO_WORD_IGNORED}
#define ATTRIBUTE(text) {text, NULL, 0, CORO_WORD_ATTRIBUTE}
#define TAG(text, tag) {text, NULL, tag, CORO_WORD_TAG}
#define REFUSED(text, reason) {text, reason, 0, CORO_WORD_REFUSED}

static const char complex_numbers[] = "complex numbers can't be passed: pass their parts, or a pointer";
static const char wide_numbers[] = "numbers of this type can't be passed: pass a pointer to one";
static const char vectors[] = "vectors can't be passed: pass a pointer to one";
static const char atomics[] = "atomic types can't be passed: pass a pointer to void";
static const char statements[] = "this word of C has no place in a declaration of a function or a field";
static const char types_of[] = "the types of expressions are not known to libcoro: write the type itself";

static const coro_word words[] = {
    PART("void", CORO_PART_VOID), PART("bool", CORO_PART_BOOL), PART("_Bool", CORO_PART_BOOL), PART("char", CORO_PART_CHAR),
    PART("short", CORO_PART_SHORT), PART("int", CORO_PART_INT), PART("long", CORO_PART_LONG),
    PART("signed", CORO_PART_SIGNED), PART("__signed", CORO_PART_SIGNED), PART("__signed__", CORO_PART_SIGNED),
    PART("unsigned", CORO_PART_UNSIGNED), PART("float", CORO_PART_FLOAT), PART("double", CORO_PART_DOUBLE),

    QUALIFIER("const", CORO_QUALIFIER_CONST), QUALIFIER("__const", CORO_QUALIFIER_CONST),
    QUALIFIER("__const__", CORO_QUALIFIER_CONST), QUALIFIER("volatile", CORO_QUALIFIER_VOLATILE),
    QUALIFIER("__volatile", CORO_QUALIFIER_VOLATILE), QUALIFIER("__volatile__", CORO_QUALIFIER_VOLATILE),
    QUALIFIER("restrict", CORO_QUALIFIER_RESTRICT), QUALIFIER("__restrict", CORO_QUALIFIER_RESTRICT),
    QUALIFIER("__restrict__", CORO_QUALIFIER_RESTRICT),

    IGNORED("extern"), IGNORED("static"), IGNORED("inline"), IGNORED("__inline"), IGNORED("__inline__"), IGNORED("_Noreturn"),
    IGNORED("noreturn"), IGNORED("register"), IGNORED("__extension__"), IGNORED("_Nonnull"), IGNORED("_Nullable"),
    IGNORED("_Null_unspecified"), IGNORED("__nonnull"), IGNORED("CORO_NULLABLE"), IGNORED("CORO_NONNULL"),
    IGNORED("CORO_UNUSED"), ATTRIBUTE("__attribute__"), ATTRIBUTE("__attribute"),

    TAG("struct", CORO_TAG_STRUCT), TAG("union", CORO_TAG_UNION), TAG("enum", CORO_TAG_ENUM),

    INTEGER(int8_t), INTEGER(int16_t), INTEGER(int32_t), INTEGER(int64_t), INTEGER(uint8_t), INTEGER(uint16_t),
    INTEGER(uint32_t), INTEGER(uint64_t), INTEGER(int_least8_t), INTEGER(int_least16_t), INTEGER(int_least32_t),
    INTEGER(int_least64_t), INTEGER(uint_least8_t), INTEGER(uint_least16_t), INTEGER(uint_least32_t), INTEGER(uint_least64_t),
    INTEGER(int_fast8_t), INTEGER(int_fast16_t), INTEGER(int_fast32_t), INTEGER(int_fast64_t), INTEGER(uint_fast8_t),
    INTEGER(uint_fast16_t), INTEGER(uint_fast32_t), INTEGER(uint_fast64_t), INTEGER(intptr_t), INTEGER(uintptr_t),
    INTEGER(intmax_t), INTEGER(uintmax_t), INTEGER(size_t), INTEGER(ssize_t), INTEGER(ptrdiff_t), INTEGER(wchar_t),
    INTEGER(wint_t), INTEGER(char16_t), INTEGER(char32_t), {"char8_t", NULL, CORO_TYPE_UINT8, CORO_WORD_TYPE},
    INTEGER(off_t), INTEGER(off64_t), INTEGER(loff_t), INTEGER(time_t), INTEGER(clock_t), INTEGER(clockid_t),
    INTEGER(suseconds_t), INTEGER(useconds_t), INTEGER(pid_t), INTEGER(uid_t), INTEGER(gid_t), INTEGER(id_t), INTEGER(mode_t),
    INTEGER(dev_t), INTEGER(ino_t), INTEGER(ino64_t), INTEGER(nlink_t), INTEGER(blksize_t), INTEGER(blkcnt_t),
    INTEGER(fsblkcnt_t), INTEGER(fsfilcnt_t), INTEGER(key_t), INTEGER(socklen_t), INTEGER(sa_family_t), INTEGER(in_addr_t),
    INTEGER(in_port_t), INTEGER(rlim_t), INTEGER(sig_atomic_t), INTEGER(pthread_t), INTEGER(u_char), INTEGER(u_short),
    INTEGER(u_int), INTEGER(u_long), INTEGER(u_int8_t), INTEGER(u_int16_t), INTEGER(u_int32_t), INTEGER(u_int64_t),

    IDENTIFIER("coro_t"), IDENTIFIER("coro_timeout_t"), IDENTIFIER("coro_local_t"), IDENTIFIER("coro_process_t"),
    IDENTIFIER("coro_target_t"), IDENTIFIER("coro_trampoline_t"), IDENTIFIER("coro_loop_t"),
    POINTER("coro_fn"), POINTER("coro_notifier"), POINTER("coro_latency_reporter"), POINTER("coro_once_fn"),
    POINTER("coro_fd_handler"), POINTER("coro_producer"), POINTER("coro_consumer"), POINTER("coro_signal_handler"),
    POINTER("coro_function"), POINTER("coro_handler"),

    REFUSED("_Complex", complex_numbers), REFUSED("__complex__", complex_numbers), REFUSED("__complex", complex_numbers),
    REFUSED("complex", complex_numbers), REFUSED("_Imaginary", complex_numbers),
    REFUSED("__int128", wide_numbers), REFUSED("__int128_t", wide_numbers), REFUSED("__uint128_t", wide_numbers),
    REFUSED("_BitInt", wide_numbers), REFUSED("__float128", wide_numbers), REFUSED("_Float128", wide_numbers),
    REFUSED("_Float16", wide_numbers), REFUSED("__fp16", wide_numbers), REFUSED("__bf16", wide_numbers),
    REFUSED("_Decimal32", wide_numbers), REFUSED("_Decimal64", wide_numbers), REFUSED("_Decimal128", wide_numbers),
    REFUSED("__vector", vectors), REFUSED("_Atomic", atomics), REFUSED("typeof", types_of), REFUSED("typeof_unqual", types_of),
    REFUSED("__typeof__", types_of), REFUSED("__typeof", types_of), REFUSED("__auto_type", types_of), REFUSED("auto", types_of),
    REFUSED("decltype", types_of), REFUSED("_Generic", types_of),
    REFUSED("va_list", "a va_list can't be kept for a coroutine: write the types of the arguments"),
    REFUSED("__builtin_va_list", "a va_list can't be kept for a coroutine: write the types of the arguments"),
    REFUSED("typedef", "this defines a type, and no function: leave out `typedef`"),
    REFUSED("_Alignas", "alignments are those of the types: leave this out"),
    REFUSED("alignas", "alignments are those of the types: leave this out"),
    REFUSED("_Thread_local", "this is a variable of a thread, and no function"),
    REFUSED("thread_local", "this is a variable of a thread, and no function"),
    REFUSED("__asm__", "names for the assembler are not known to libcoro: leave this out"),
    REFUSED("asm", "names for the assembler are not known to libcoro: leave this out"),
    REFUSED("constexpr", statements), REFUSED("break", statements), REFUSED("case", statements),
    REFUSED("continue", statements),
    REFUSED("default", statements), REFUSED("do", statements), REFUSED("else", statements), REFUSED("for", statements),
    REFUSED("goto", statements), REFUSED("if", statements), REFUSED("return", statements), REFUSED("sizeof", statements),
    REFUSED("switch", statements), REFUSED("while", statements), REFUSED("_Static_assert", statements),
    REFUSED("_Alignof", statements), REFUSED("true", statements), REFUSED("false", statements), REFUSED("NULL", statements),
    REFUSED("nullptr", statements), REFUSED("CORO_DEFAULT", "CORO_DEFAULT(...) stands behind a parameter"),
};

const coro_word *coro_word_find(const char *text, size_t length) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(words[i].text, text, length) == 0 && words[i].text[length] == 0) return &words[i];
    return NULL;
}

/* Attributes that change how values are passed, or how large they are. */
static const char *const effective_attributes[] = {
    "aarch64_vector_pcs", "address_space", "aligned", "cdecl", "ext_vector_type", "fastcall", "mode", "ms_abi", "ms_struct",
    "neon_vector_type", "packed", "pcs", "preserve_all", "preserve_most", "preserve_none", "regcall", "regparm",
    "scalar_storage_order", "sseregparm", "stdcall", "swiftasynccall", "swiftcall", "thiscall", "transparent_union",
    "vector_size", "vectorcall",
};

bool coro_attribute_has_effect(const char *text, size_t length) {
    if (length > 4 && strncmp(text, "__", 2) == 0 && strncmp(text + length - 2, "__", 2) == 0) {
        text += 2;
        length -= 4;
    }
    for (size_t i = 0; i < sizeof effective_attributes / sizeof *effective_attributes; i++)
        if (strncmp(effective_attributes[i], text, length) == 0 && effective_attributes[i][length] == 0) return true;
    return false;
}

uint32_t coro_type_of_integer(size_t size, bool is_signed) {
    return KIND_OF_INTEGER(size, is_signed);
}

bool coro_char_is_signed(void) {
    return (char)-1 < (char)1;
}

static bool store(long double number, uint32_t type, void *value) {
    float single = (float)number;
    double twice = (double)number;
    switch (type) {
    case CORO_TYPE_FLOAT: memcpy(value, &single, sizeof single); return !isinf(single);
    case CORO_TYPE_DOUBLE: memcpy(value, &twice, sizeof twice); return !isinf(twice);
    default: memcpy(value, &number, sizeof number); return !isinf(number);
    }
}

/* It has the type that its suffix says before it is converted, as in C. */
int coro_read_floating(const char *text, size_t length, bool is_negative, uint32_t type, void *value) {
    char suffix = (char)(text[length - 1] | 0x20);
    if (length > 1 && (text[1] | 0x20) == 'x' && !memchr(text, 'p', length) && !memchr(text, 'P', length)) return -EINVAL;
    locale_t c = newlocale(LC_ALL_MASK, "C", NULL); /* glibc and musl have it, and allocate nothing */
    char *end;
    bool has_suffix = suffix == 'f' || suffix == 'l';
    long double number = suffix == 'f'   ? strtof_l(text, &end, c)
                         : suffix == 'l' ? strtold_l(text, &end, c)
                                         : strtod_l(text, &end, c);
    freelocale(c);
    if (end + has_suffix != text + length) return -EINVAL;
    return store(is_negative ? -number : number, type, value) ? 0 : -ERANGE;
}

bool coro_store_integer_as_floating(uint64_t magnitude, bool is_negative, uint32_t type, void *value) {
    long double number = (long double)magnitude;
    long double stored = type == CORO_TYPE_FLOAT ? (float)number : type == CORO_TYPE_DOUBLE ? (double)number : number;
    /* 2^64 and above can't come of a whole number that is exact. */
    if (stored >= 18446744073709551616.0L || (uint64_t)stored != magnitude) return false;
    return store(is_negative ? 0 - number : number, type, value); /* which is never -0 */
}
