/* Functions that are made at run time, by libffi. */
#define _GNU_SOURCE
#include "coro_trampoline.h"
#include "system_call.h"
#include "thunks.h"

#include <ffi.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if !FFI_GO_CLOSURES
#error "this libffi has no Go closures for this processor"
#endif

extern const char coro_thunks[] __attribute__((visibility("hidden")));

/* A Go closure is not code, but what code has the static chain register point to. So the code can be the library's own, which
   nobody has to write. Its address is what libffi passes on as that of the closure. */
struct thunk_entry {
    ffi_go_closure closure;
    coro_entry *owner;
};
_Static_assert(sizeof(struct thunk_entry) == CORO_THUNK_ENTRY_SIZE, "the thunks count on it");

__attribute__((visibility("hidden"))) struct thunk_entry coro_thunk_entries[CORO_THUNK_COUNT];

static coro_entry_called handler;

/* A function returns an integer that is smaller than a register as a whole register, extended as its type says. */
static void store_small(const ffi_type *type, const void *from, void *to) {
    switch (type->type) {
    case FFI_TYPE_VOID: break;
    case FFI_TYPE_UINT8: *(ffi_arg *)to = *(const uint8_t *)from; break;
    case FFI_TYPE_SINT8: *(ffi_sarg *)to = *(const int8_t *)from; break;
    case FFI_TYPE_UINT16: *(ffi_arg *)to = *(const uint16_t *)from; break;
    case FFI_TYPE_SINT16: *(ffi_sarg *)to = *(const int16_t *)from; break;
    case FFI_TYPE_UINT32: *(ffi_arg *)to = *(const uint32_t *)from; break;
    case FFI_TYPE_SINT32: *(ffi_sarg *)to = *(const int32_t *)from; break;
    default: memcpy(to, from, type->size); break; /* a float, a small struct */
    }
}

static void pass(const ffi_cif *cif, void *result, void **arguments, coro_entry *entry) {
    coro_entry_called handle = __atomic_load_n(&handler, __ATOMIC_ACQUIRE);
    const ffi_type *type = cif->rtype;
    uint64_t small = 0;
    if (type->size < sizeof small || type->type == FFI_TYPE_VOID) {
        handle(entry, &small, arguments);
        store_small(type, &small, result);
    } else {
        memset(result, 0, type->size);
        handle(entry, result, arguments);
    }
}

static void pass_with_context(const ffi_cif *cif, void *result, void **arguments, coro_entry *entry) {
    void *all[cif->nargs + 1];
    all[0] = &entry->context;
    for (unsigned i = 0; i < cif->nargs; i++) all[i + 1] = arguments[i];
    pass(cif, result, all, entry);
}

static void arrive(const ffi_cif *cif, void *result, void **arguments, coro_entry *entry) {
    if (entry->has_context) {
        pass_with_context(cif, result, arguments, entry);
    } else {
        pass(cif, result, arguments, entry);
    }
}

static void arrive_by_thunk(ffi_cif *cif, void *result, void **arguments, void *thunk) {
    arrive(cif, result, arguments, ((struct thunk_entry *)thunk)->owner);
}

static void arrive_by_closure(ffi_cif *cif, void *result, void **arguments, void *entry) {
    arrive(cif, result, arguments, entry);
}

uint32_t coro_entry_thunk_count(void) {
    return CORO_THUNK_COUNT;
}

/* Why libffi had no memory to give: it does not say what the system has refused. */
static int why_refused(void) {
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *code = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) return errno;
    munmap(code, size);
    return ENOMEM;
}

typedef void (*function)(void);

int coro_entry_open(coro_entry *entry, uint32_t index) {
    if (index < CORO_THUNK_COUNT) {
        coro_thunk_entries[index].owner = entry;
        entry->function = (function)(uintptr_t)(coro_thunks + index * CORO_THUNK_SIZE);
        return 0;
    }
    int before = errno, fault = CORO_FAULT(ffi_closure_alloc);
    if (fault) return -fault;
    void *code = NULL;
    entry->closure = ffi_closure_alloc(sizeof(ffi_closure), &code);
    int error = entry->closure == NULL ? why_refused() : 0;
    errno = before;
    if (error) return -error;
    entry->function = (function)(uintptr_t)code;
    return 0;
}

static struct thunk_entry *thunk_of(const coro_entry *entry) {
    return coro_thunk_entries + ((uintptr_t)entry->function - (uintptr_t)coro_thunks) / CORO_THUNK_SIZE;
}

bool coro_entry_bind(coro_entry *entry, void *prepared, coro_entry_called called) {
    __atomic_store_n(&handler, called, __ATOMIC_RELEASE);
    if (entry->closure == NULL) return ffi_prep_go_closure(&thunk_of(entry)->closure, prepared, arrive_by_thunk) == FFI_OK;
    void *code = (void *)(uintptr_t)entry->function;
    return ffi_prep_closure_loc(entry->closure, prepared, arrive_by_closure, entry, code) == FFI_OK;
}
