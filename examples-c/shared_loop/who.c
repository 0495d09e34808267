/* The list of all coroutines: those of both languages are in one table, and it makes no difference who asks. */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void print_one(FILE *out, coro_t co) {
    coro_info info = {.struct_size = sizeof info};
    if (coro_get_info(co, &info) < 0) return;
    const char *language = supervisor_owns(co) ? "Swift" : "C";
    fprintf(out, "%6lld  %-5s  %-28s  %s\n", (long long)co, language, info.name, info.waiting);
}

/* Into memory: what is written to the client while others run would be true of no single moment. */
static int print_all(FILE *out) {
    int swift = 0, count = coro_all(NULL, 0);
    coro_t *ids = malloc((size_t)count * sizeof *ids);
    if (ids == NULL) return -ENOMEM;
    coro_all(ids, count);
    fprintf(out, "%6s  %-5s  %-28s  %s\n", "id", "in", "name", "state");
    for (int i = 0; i < count; i++) {
        swift += supervisor_owns(ids[i]);
        print_one(out, ids[i]);
    }
    fprintf(out, "total %d: %d in C, %d in Swift\n", count, count - swift, swift);
    free(ids);
    return 0;
}

ssize_t who_write(int fd) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) return -errno;
    ssize_t result = print_all(out);
    if (fclose(out) != 0 && result == 0) result = -errno;
    if (result == 0) result = coro_write(fd, text, size);
    free(text);
    return result;
}
