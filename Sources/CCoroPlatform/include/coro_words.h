/* The words of C's declarations, and numbers as C writes them: for libcoro's parser of prototypes. */
#ifndef CORO_WORDS_H
#define CORO_WORDS_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a word is. */
#define CORO_WORD_TYPE 1       /* a type by itself. value: its CORO_TYPE_... */
#define CORO_WORD_PART 2       /* a type, or a part of one, as `long`. value: CORO_PART_... */
#define CORO_WORD_QUALIFIER 3  /* value: CORO_QUALIFIER_... */
#define CORO_WORD_IGNORED 4    /* does not matter to who calls, as `inline` */
#define CORO_WORD_ATTRIBUTE 5  /* the same, with something in parentheses after it */
#define CORO_WORD_TAG 6        /* value: CORO_TAG_... */
#define CORO_WORD_REFUSED 7    /* no name in C, and nothing that is taken. reason: why */

/* Parts of types: how often each is there is counted in four bits of its own. */
#define CORO_PART_VOID 0x1
#define CORO_PART_BOOL 0x10
#define CORO_PART_CHAR 0x100
#define CORO_PART_SHORT 0x1000
#define CORO_PART_INT 0x10000
#define CORO_PART_LONG 0x100000
#define CORO_PART_SIGNED 0x1000000
#define CORO_PART_UNSIGNED 0x10000000
#define CORO_PART_FLOAT 0x100000000
#define CORO_PART_DOUBLE 0x1000000000

#define CORO_QUALIFIER_CONST 1
#define CORO_QUALIFIER_VOLATILE 2
#define CORO_QUALIFIER_RESTRICT 4

#define CORO_TAG_STRUCT 1
#define CORO_TAG_UNION 2
#define CORO_TAG_ENUM 3

typedef struct coro_word {
    const char *_Nonnull text;
    const char *_Nullable reason;
    uint64_t value;
    uint32_t kind; /* CORO_WORD_... */
} coro_word;

/* The word of these bytes; NULL: it is none of C's. */
const coro_word *_Nullable coro_word_find(const char *_Nonnull text, size_t length);

/* Whether an attribute of that name changes how a function is called, or a value passed. */
bool coro_attribute_has_effect(const char *_Nonnull text, size_t length);

/* The integer type of that many bytes: CORO_TYPE_... */
uint32_t coro_type_of_integer(size_t size, bool is_signed);
bool coro_char_is_signed(void);

/* Reads a floating-point number of that many bytes, whatever the locale, and stores it as that type (CORO_TYPE_FLOAT,
   ..._DOUBLE or ..._LONG_DOUBLE). Returns 0, -EINVAL if it is none, or -ERANGE if it is too large for that type. */
int coro_read_floating(const char *_Nonnull text, size_t length, bool is_negative, uint32_t type, void *_Nonnull value);
/* Stores an integer as that type. False: it can't do so exactly. */
bool coro_store_integer_as_floating(uint64_t magnitude, bool is_negative, uint32_t type, void *_Nonnull value);

#endif
