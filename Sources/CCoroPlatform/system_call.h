/* How the files of this folder make a system call: -errno for an error, again after EINTR, and failing on demand. */
#ifndef CORO_SYSTEM_CALL_H
#define CORO_SYSTEM_CALL_H

#include "coro_system.h"

#include <errno.h>

#define CORO_NAME_CALL(name) CORO_CALL_##name,
enum coro_system_call { CORO_SYSTEM_CALLS(CORO_NAME_CALL) CORO_CALL_COUNT };

/* How many calls of this thread are set to fail: all that a call that is not looks at. */
extern _Thread_local int coro_faults_armed __attribute__((visibility("hidden"), tls_model("initial-exec")));
/* The errno that this call shall fail with; 0: it shall be made. */
int coro_fault_take(enum coro_system_call call) __attribute__((visibility("hidden")));

#define CORO_FAULT(name) (__builtin_expect(coro_faults_armed != 0, 0) ? coro_fault_take(CORO_CALL_##name) : 0)

#define CORO_CALL_ONCE(name, expression) \
    __extension__({ \
        int fault_ = CORO_FAULT(name); \
        ssize_t result_ = -fault_; \
        if (!fault_ && (result_ = (expression)) < 0) result_ = -errno; \
        result_; \
    })

#define CORO_CALL(name, expression) \
    __extension__({ \
        ssize_t answer_; \
        do answer_ = CORO_CALL_ONCE(name, expression); \
        while (answer_ == -EINTR); \
        answer_; \
    })

#endif
