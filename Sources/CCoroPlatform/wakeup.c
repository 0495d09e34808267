#include "coro_bell.h"
#include "coro_poller.h"
#include "coro_process.h"
#include "system_call.h"

#include <sys/eventfd.h>
#include <unistd.h>

int coro_system_wakeup_create(void) {
    return coro_system_move_above_standard((int)CORO_CALL(eventfd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
}

void coro_system_wakeup_ring(int fd) {
    uint64_t one = 1;
    /* EAGAIN means that the counter is full: the thread will wake. */
    while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {}
}

void coro_bell_ring(coro_bell *bell) {
    coro_atomic_exchange(&bell->rung, 1);
    if (coro_atomic_exchange(&bell->asleep, 0) != 1) return;
    coro_system_wakeup_ring(__atomic_load_n(&bell->wakeup, __ATOMIC_ACQUIRE));
}

void coro_system_wakeup_clear(int fd) {
    uint64_t count;
    while (read(fd, &count, sizeof count) < 0 && errno == EINTR) {}
}
