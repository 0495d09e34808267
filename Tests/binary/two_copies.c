/* A second copy of the runtime in the process: not a word while one of them is used, a line on stderr when both are.
   Usage: two_copies COPY use|load */
#include <coro.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void *nothing(void *argument) {
    return argument;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    void *copy = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (copy == NULL) return fprintf(stderr, "%s\n", dlerror()), 3;
    coro_t (*spawn)(coro_fn, void *);
    *(void **)&spawn = dlsym(copy, "coro_spawn");
    if (spawn == NULL || spawn == coro_spawn) return fprintf(stderr, "it is no second copy\n"), 4;
    if (coro_join(coro_spawn(nothing, NULL), NULL, CORO_FOREVER) != 0) return 5;
    if (strcmp(arguments[2], "use") == 0) {
        if (spawn(nothing, NULL) != 1) return 6; /* the first of a loop of its own */
        if (spawn(nothing, NULL) != 2) return 7;
    }
    return 0;
}
