/* Types of values, and functions with a signature of their own: what libffi does for libcoro. */
#ifndef CORO_SIGNATURE_H
#define CORO_SIGNATURE_H

#include "coro_nullability.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value is, as far as passing it goes. */
#define CORO_TYPE_VOID 0
#define CORO_TYPE_BOOL 1
#define CORO_TYPE_INT8 2
#define CORO_TYPE_UINT8 3
#define CORO_TYPE_INT16 4
#define CORO_TYPE_UINT16 5
#define CORO_TYPE_INT32 6
#define CORO_TYPE_UINT32 7
#define CORO_TYPE_INT64 8
#define CORO_TYPE_UINT64 9
#define CORO_TYPE_FLOAT 10
#define CORO_TYPE_DOUBLE 11
#define CORO_TYPE_LONG_DOUBLE 12
#define CORO_TYPE_POINTER 13
#define CORO_TYPE_STRUCT 14

typedef struct coro_type {
    uint32_t kind; /* CORO_TYPE_... */
    uint32_t alignment;
    size_t size;                     /* of void: 0 */
    const void *_Nullable described; /* libffi's description, which lives for the process */
} coro_type;

/* A type that is no struct. kind: one of the above that is in range. */
coro_type coro_type_of_kind(uint32_t kind);

/* A struct of these members, in their order. Its description is allocated for the process; without memory, or when there are no
   members, `described` is NULL. */
coro_type coro_type_of_struct(const coro_type *_Nullable members, size_t count);

/* Whose the argument is. */
#define CORO_ARGUMENT_PASSED 0 /* as it is */
#define CORO_ARGUMENT_COPIED 1 /* a text, of which a copy is passed */
#define CORO_ARGUMENT_OWNED 2  /* free(3) is called with it at the end */

typedef struct coro_parameter {
    coro_type type;
    char *_Nullable name;         /* owned; NULL: it has none */
    const void *_Nullable value;  /* owned: its default, of its type; NULL: it has none. A text follows its pointer there */
    uint32_t ownership;           /* CORO_ARGUMENT_... */
    uint32_t offset;              /* where it is in a block of arguments */
} coro_parameter;

/* A function's signature. */
typedef struct coro_signature {
    char *_Nullable name;                     /* owned; NULL: it has none */
    char *_Nullable text;                     /* owned: the prototype, in one spelling */
    coro_parameter *_Nullable parameters;     /* owned */
    void *_Nullable prepared;                 /* owned: by coro_signature_prepare() */
    coro_type result;
    uint32_t count;                           /* of parameters */
    uint32_t size;                            /* of a block of arguments, which is aligned as malloc(3) does */
} coro_signature;

/* Has libffi prepare calls of that signature, leaving out the first `skip` parameters: a ffi_cif, to be given back to
   coro_signature_unprepare(). NULL: without memory, or libffi can't. */
void *_Nullable coro_signature_prepare(const coro_signature *_Nonnull signature, uint32_t skip);
void coro_signature_unprepare(void *_Nullable prepared);

/* Calls fn with the arguments that `arguments` point to. Its result is stored at `result`, with its own size, small integers
   too. */
void coro_signature_call(const coro_signature *_Nonnull signature, void (*_Nonnull fn)(void), void *_Nullable result,
                         void *_Nullable const *_Nullable arguments);

/* Whether functions of that signature can be called without libffi: their arguments all fit registers, and so does the
   result. */
bool coro_signature_is_direct(const coro_signature *_Nonnull signature);

/* As coro_signature_call, for such a signature, which need not be prepared, with the arguments of a block. */
void coro_signature_call_direct(const coro_signature *_Nonnull signature, void (*_Nonnull fn)(void), void *_Nullable result,
                                const void *_Nonnull block);

/* The arguments of a variadic function. */
typedef struct coro_argument_list coro_argument_list;

/* Stores arguments of the parameters' types, as C passes them to variadic functions, into a block; of a struct its address is
   passed. -1, or the parameter that is a struct, where a NULL was. */
int32_t coro_arguments_read(const coro_signature *_Nonnull signature, void *_Nonnull block,
                            coro_argument_list *_Nonnull arguments);

/* How many bytes there are in the texts of a block that are copied. */
size_t coro_arguments_text_size(const coro_signature *_Nonnull signature, const void *_Nonnull block);

/* Replaces those texts by copies at `copies`, where there is room for all. */
void coro_arguments_copy_texts(const coro_signature *_Nonnull signature, void *_Nonnull block, char *_Nonnull copies);

/* Numbers as a long double, which Swift does not have everywhere. */
void coro_store_long_double(void *_Nonnull place, double value);
void coro_store_long_double_of_signed(void *_Nonnull place, int64_t value);
void coro_store_long_double_of_unsigned(void *_Nonnull place, uint64_t value);

#endif
