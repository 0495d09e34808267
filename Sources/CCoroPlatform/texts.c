#define _GNU_SOURCE
#include "coro_system.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

const char *coro_system_error_name(int error) {
    return strerrorname_np(error);
}

const char *coro_system_error_text(int error) {
    return strerrordesc_np(error);
}

const char *coro_system_symbol(const void *address, bool exact, uintptr_t *offset) {
    Dl_info info;
    if (dladdr(address, &info) == 0 || info.dli_sname == NULL) return NULL;
    *offset = (uintptr_t)address - (uintptr_t)info.dli_saddr;
    return exact && *offset != 0 ? NULL : info.dli_sname;
}

void coro_system_write_all(int fd, const char *text, size_t n) {
    while (n > 0) {
        ssize_t written = write(fd, text, n);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text += written;
        n -= (size_t)written;
    }
}

char *coro_thread_text(void) {
    static _Thread_local char text[CORO_THREAD_TEXT_SIZE];
    return text;
}
