/* Types, and calls of functions with a signature of their own, by libffi. */
#include "coro_signature.h"

#include <ffi.h>
#include <stdlib.h>
#include <string.h>

static ffi_type *const described[] = {
    [CORO_TYPE_VOID] = &ffi_type_void,
    [CORO_TYPE_BOOL] = &ffi_type_uint8,
    [CORO_TYPE_INT8] = &ffi_type_sint8,
    [CORO_TYPE_UINT8] = &ffi_type_uint8,
    [CORO_TYPE_INT16] = &ffi_type_sint16,
    [CORO_TYPE_UINT16] = &ffi_type_uint16,
    [CORO_TYPE_INT32] = &ffi_type_sint32,
    [CORO_TYPE_UINT32] = &ffi_type_uint32,
    [CORO_TYPE_INT64] = &ffi_type_sint64,
    [CORO_TYPE_UINT64] = &ffi_type_uint64,
    [CORO_TYPE_FLOAT] = &ffi_type_float,
    [CORO_TYPE_DOUBLE] = &ffi_type_double,
    [CORO_TYPE_LONG_DOUBLE] = &ffi_type_longdouble,
    [CORO_TYPE_POINTER] = &ffi_type_pointer,
};

static coro_type of_description(uint32_t kind, const ffi_type *type) {
    return (coro_type){
        .kind = kind, .alignment = type->alignment, .size = kind == CORO_TYPE_VOID ? 0 : type->size, .described = type};
}

coro_type coro_type_of_kind(uint32_t kind) {
    return of_description(kind, described[kind]);
}

coro_type coro_type_of_struct(const coro_type *members, size_t count) {
    coro_type none = {.kind = CORO_TYPE_STRUCT};
    struct {
        ffi_type type;
        ffi_type *elements[];
    } *layout = count == 0 ? NULL : calloc(1, sizeof *layout + (count + 1) * sizeof(ffi_type *));
    if (layout == NULL) return none;
    for (size_t i = 0; i < count; i++) layout->elements[i] = (ffi_type *)members[i].described;
    layout->type.type = FFI_TYPE_STRUCT;
    layout->type.elements = layout->elements;
    /* This is what computes its size and alignment. */
    if (ffi_get_struct_offsets(FFI_DEFAULT_ABI, &layout->type, NULL) != FFI_OK) {
        free(layout);
        return none;
    }
    return of_description(CORO_TYPE_STRUCT, &layout->type);
}

void *coro_signature_prepare(const coro_signature *signature, uint32_t skip) {
    uint32_t count = signature->count - skip;
    struct {
        ffi_cif cif;
        ffi_type *types[];
    } *prepared = calloc(1, sizeof *prepared + count * sizeof(ffi_type *));
    if (prepared == NULL) return NULL;
    for (uint32_t i = 0; i < count; i++) prepared->types[i] = (ffi_type *)signature->parameters[skip + i].type.described;
    ffi_type *result = (ffi_type *)signature->result.described;
    if (ffi_prep_cif(&prepared->cif, FFI_DEFAULT_ABI, count, result, prepared->types) == FFI_OK) return prepared;
    free(prepared);
    return NULL;
}

void coro_signature_unprepare(void *prepared) {
    free(prepared);
}

void coro_signature_call(const coro_signature *signature, void (*fn)(void), void *result, void *const *arguments) {
    union {
        ffi_arg integer;
        unsigned char bytes[sizeof(ffi_arg)];
    } widened;
    size_t size = signature->result.size;
    /* libffi stores an integer that is smaller than a register as a whole register. */
    bool is_small = size > 0 && size < sizeof(ffi_arg) && signature->result.kind < CORO_TYPE_FLOAT;
    ffi_call(signature->prepared, fn, is_small ? &widened : result, (void **)arguments);
    if (!is_small) return;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    memcpy(result, widened.bytes + sizeof(ffi_arg) - size, size);
#else
    memcpy(result, widened.bytes, size);
#endif
}
