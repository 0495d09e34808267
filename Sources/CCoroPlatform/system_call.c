#include "system_call.h"

#include <string.h>

_Thread_local int coro_faults_armed;
static _Thread_local struct { int countdown, error; } faults[CORO_CALL_COUNT];

#define NAME_TEXT(name) #name,
static const char *const names[] = {CORO_SYSTEM_CALLS(NAME_TEXT)};

int coro_fault_take(enum coro_system_call call) {
    if (faults[call].countdown == 0 || --faults[call].countdown > 0) return 0;
    coro_faults_armed--;
    return faults[call].error;
}

int coro_system_fail_call(const char *name, int n, int error) {
    if (n < 0 || (n > 0 && (error <= 0 || error > 4095))) return -EINVAL;
    for (int call = 0; call < CORO_CALL_COUNT; call++) {
        if (strcmp(names[call], name) != 0) continue;
        coro_faults_armed += (n > 0) - (faults[call].countdown > 0);
        faults[call].countdown = n;
        faults[call].error = error;
        return 0;
    }
    return -EINVAL;
}
