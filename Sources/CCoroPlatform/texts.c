#define _GNU_SOURCE
#include "coro_context.h"
#include "coro_system.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
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

static const void *module_base(const void *address) {
    Dl_info info;
    return dladdr(address, &info) == 0 ? NULL : info.dli_fbase;
}

coro_code_place coro_system_code_place(const void *return_address) {
    const void *own = module_base((const void *)coro_context_switch);
    coro_code_place place = {.own_is_library = own != module_base((const void *)getauxval(AT_PHDR))};
    Dl_info info;
    if (return_address == NULL || dladdr((const char *)return_address - 1, &info) == 0) return place;
    place.symbol = info.dli_sname;
    place.symbol_offset = (uintptr_t)return_address - (uintptr_t)info.dli_saddr;
    place.module = info.dli_fname;
    place.module_offset = (uintptr_t)return_address - (uintptr_t)info.dli_fbase;
    place.is_own = info.dli_fbase == own;
    return place;
}

void coro_system_date(char *text) {
    time_t now = time(NULL);
    char date[CORO_DATE_SIZE] = "";
    if (ctime_r(&now, date) == NULL) date[0] = 0;
    date[strcspn(date, "\n")] = 0;
    strcpy(text, date);
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
