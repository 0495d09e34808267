/* The arguments of a call of a target: from variadic functions, which Swift can't define, and the texts among them. */
#include "coro_signature.h"

#include <stdarg.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

struct coro_argument_list {
    va_list list;
};

#define STORE(type, promoted) \
    do { \
        type value_ = (type)va_arg(arguments->list, promoted); \
        memcpy(place, &value_, sizeof value_); \
    } while (0)

/* Stores the next one. false: it is a struct whose address is NULL. */
static inline bool read_one(const coro_type *type, void *place, coro_argument_list *arguments) {
    switch (type->kind) {
    case CORO_TYPE_BOOL: STORE(bool, int); break;
    case CORO_TYPE_INT8: STORE(int8_t, int); break;
    case CORO_TYPE_UINT8: STORE(uint8_t, int); break;
    case CORO_TYPE_INT16: STORE(int16_t, int); break;
    case CORO_TYPE_UINT16: STORE(uint16_t, int); break;
    case CORO_TYPE_INT32: STORE(int32_t, int32_t); break;
    case CORO_TYPE_UINT32: STORE(uint32_t, uint32_t); break;
    case CORO_TYPE_INT64: STORE(int64_t, int64_t); break;
    case CORO_TYPE_UINT64: STORE(uint64_t, uint64_t); break;
    case CORO_TYPE_FLOAT: STORE(float, double); break;
    case CORO_TYPE_DOUBLE: STORE(double, double); break;
    case CORO_TYPE_LONG_DOUBLE: STORE(long double, long double); break;
    case CORO_TYPE_POINTER: STORE(void *, void *); break;
    default: {
        const void *value = va_arg(arguments->list, const void *);
        if (value == NULL) return false;
        memcpy(place, value, type->size);
    }
    }
    return true;
}

int32_t coro_arguments_read(const coro_signature *signature, void *block, coro_argument_list *arguments) {
    for (uint32_t i = 0; i < signature->count; i++) {
        const coro_parameter *parameter = &signature->parameters[i];
        if (!read_one(&parameter->type, (char *)block + parameter->offset, arguments)) return (int32_t)i;
    }
    return -1;
}

/* The text that an argument is, if it is one to be copied. */
static inline const char *text_in(const coro_parameter *parameter, const void *block) {
    const char *text = NULL;
    if (parameter->ownership == CORO_ARGUMENT_COPIED) memcpy(&text, (const char *)block + parameter->offset, sizeof text);
    return text;
}

size_t coro_arguments_text_size(const coro_signature *signature, const void *block) {
    size_t size = 0;
    for (uint32_t i = 0; i < signature->count; i++) {
        const char *text = text_in(&signature->parameters[i], block);
        if (text != NULL) size += strlen(text) + 1;
    }
    return size;
}

void coro_arguments_copy_texts(const coro_signature *signature, void *block, char *copies) {
    for (uint32_t i = 0; i < signature->count; i++) {
        const coro_parameter *parameter = &signature->parameters[i];
        const char *text = text_in(parameter, block);
        if (text == NULL) continue;
        size_t size = strlen(text) + 1;
        memcpy(copies, text, size);
        memcpy((char *)block + parameter->offset, &copies, sizeof copies);
        copies += size;
    }
}

void coro_store_long_double(void *place, double value) {
    long double stored = value;
    memcpy(place, &stored, sizeof stored);
}

void coro_store_long_double_of_signed(void *place, int64_t value) {
    long double stored = value;
    memcpy(place, &stored, sizeof stored);
}

void coro_store_long_double_of_unsigned(void *place, uint64_t value) {
    long double stored = value;
    memcpy(place, &stored, sizeof stored);
}

/* -- the variadic functions of coro.h -- */

typedef int64_t coro_t;
typedef int64_t coro_target_t;
extern coro_t coro_new_target(coro_target_t target, ...);
extern coro_t coro_spawn_target(coro_target_t target, ...);
extern coro_t coro_start_now_target(coro_target_t target, ...);
extern coro_t coro_new_named(const char *name, ...);
extern coro_t coro_spawn_named(const char *name, ...);
extern coro_t coro_start_now_named(const char *name, ...);

/* Ours, in Swift. site: the address after the user's call. */
extern coro_t coro_target_new(coro_target_t target, coro_argument_list *arguments, const void *site);
extern coro_t coro_target_spawn(coro_target_t target, coro_argument_list *arguments, const void *site);
extern coro_t coro_target_start_now(coro_target_t target, coro_argument_list *arguments, const void *site);
extern coro_t coro_named_new(const char *name, coro_argument_list *arguments, const void *site);
extern coro_t coro_named_spawn(const char *name, coro_argument_list *arguments, const void *site);
extern coro_t coro_named_start_now(const char *name, coro_argument_list *arguments, const void *site);

#define VARIADIC(function, implementation, type, which) \
    EXPORTED coro_t function(type which, ...) { \
        coro_argument_list arguments; \
        va_start(arguments.list, which); \
        coro_t co = implementation(which, &arguments, __builtin_return_address(0)); \
        va_end(arguments.list); \
        return co; \
    }

VARIADIC(coro_new_target, coro_target_new, coro_target_t, target)
VARIADIC(coro_spawn_target, coro_target_spawn, coro_target_t, target)
VARIADIC(coro_start_now_target, coro_target_start_now, coro_target_t, target)
VARIADIC(coro_new_named, coro_named_new, const char *, name)
VARIADIC(coro_spawn_named, coro_named_spawn, const char *, name)
VARIADIC(coro_start_now_named, coro_named_start_now, const char *, name)
