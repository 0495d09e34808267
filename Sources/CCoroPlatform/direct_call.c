/* Calls of functions whose arguments all go in registers, without libffi.
   By the conventions of x86-64 (System V) and of AArch64, integers and pointers take their registers in their order, and so do
   floating-point numbers, those being others; so one call that fills all of them serves every mixture. A float is the lower
   half of its register, a small integer the lower part of it, extended as its type says. */
#include "coro_signature.h"

#include <string.h>

enum { INTEGERS = 6, DOUBLES = 8 };

static bool is_floating(uint32_t kind) {
    return kind == CORO_TYPE_FLOAT || kind == CORO_TYPE_DOUBLE;
}

static bool fits_register(uint32_t kind) {
    return kind != CORO_TYPE_LONG_DOUBLE && kind != CORO_TYPE_STRUCT;
}

bool coro_signature_is_direct(const coro_signature *signature) {
#if (defined(__x86_64__) && defined(__LP64__)) || (defined(__aarch64__) && defined(__LP64__) && !defined(__AARCH64EB__))
    int integers = 0, doubles = 0;
    for (uint32_t i = 0; i < signature->count; i++) {
        uint32_t kind = signature->parameters[i].type.kind;
        if (!fits_register(kind)) return false;
        *(is_floating(kind) ? &doubles : &integers) += 1;
    }
    return integers <= INTEGERS && doubles <= DOUBLES && fits_register(signature->result.kind);
#else
    (void)signature;
    return false;
#endif
}

#define LOAD(type) \
    __extension__({ \
        type value_; \
        memcpy(&value_, place, sizeof value_); \
        value_; \
    })

static inline uint64_t load_integer(uint32_t kind, const void *place) {
    switch (kind) {
    case CORO_TYPE_BOOL:
    case CORO_TYPE_UINT8: return LOAD(uint8_t);
    case CORO_TYPE_INT8: return (uint64_t)(int64_t)LOAD(int8_t);
    case CORO_TYPE_INT16: return (uint64_t)(int64_t)LOAD(int16_t);
    case CORO_TYPE_UINT16: return LOAD(uint16_t);
    case CORO_TYPE_INT32: return (uint64_t)(int64_t)LOAD(int32_t);
    case CORO_TYPE_UINT32: return LOAD(uint32_t);
    default: return LOAD(uint64_t);
    }
}

#define INTEGER_TYPES uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t
#define DOUBLE_TYPES double, double, double, double, double, double, double, double
#define INTEGERS_OF(i) (i)[0], (i)[1], (i)[2], (i)[3], (i)[4], (i)[5]
#define DOUBLES_OF(d) (d)[0], (d)[1], (d)[2], (d)[3], (d)[4], (d)[5], (d)[6], (d)[7]

void coro_signature_call_direct(const coro_signature *signature, void (*fn)(void), void *result, const void *block) {
    uint64_t integers[INTEGERS] = {0};
    double doubles[DOUBLES] = {0};
    int integer_count = 0, double_count = 0;
    for (uint32_t i = 0; i < signature->count; i++) {
        const coro_parameter *parameter = &signature->parameters[i];
        const char *place = (const char *)block + parameter->offset;
        if (is_floating(parameter->type.kind)) {
            memcpy(&doubles[double_count++], place, parameter->type.size);
        } else {
            integers[integer_count++] = load_integer(parameter->type.kind, place);
        }
    }
    uint64_t integer;
    if (is_floating(signature->result.kind)) {
        double number = ((double (*)(INTEGER_TYPES, DOUBLE_TYPES))fn)(INTEGERS_OF(integers), DOUBLES_OF(doubles));
        memcpy(result, &number, signature->result.size);
        return;
    }
    if (double_count > 0) {
        integer = ((uint64_t (*)(INTEGER_TYPES, DOUBLE_TYPES))fn)(INTEGERS_OF(integers), DOUBLES_OF(doubles));
    } else {
        integer = ((uint64_t (*)(INTEGER_TYPES))fn)(INTEGERS_OF(integers));
    }
    if (signature->result.size > 0) memcpy(result, &integer, signature->result.size);
}
