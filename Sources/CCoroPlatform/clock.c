#define _GNU_SOURCE
#include "coro_system.h"

#include <errno.h>
#include <time.h>

static int64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t coro_system_clock(void) {
    return read_clock(CLOCK_MONOTONIC);
}

int64_t coro_system_wall_clock(void) {
    return read_clock(CLOCK_REALTIME);
}

void coro_system_block_for(int64_t ns) {
    struct timespec left = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {}
}
