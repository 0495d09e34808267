/* The handler of memory faults: it must run on a stack of its own, because the one it is about has none left. */
#define _GNU_SOURCE
#include "coro_memory.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

static void (*on_overflow)(const void *);
static struct sigaction previous;

static void handle(int number, siginfo_t *info, void *context) {
    on_overflow(info->si_addr);
    bool handled = previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN;
    if (handled && previous.sa_flags & SA_SIGINFO) {
        previous.sa_sigaction(number, info, context);
    } else if (handled) {
        previous.sa_handler(number);
    } else {
        /* The access is made again when this returns, and does then what it would have done without us. */
        sigaction(number, &previous, NULL);
        /* A signal that somebody sent comes no second time by itself. */
        if (info->si_code <= 0) raise(number);
    }
}

static int installed_result;

static void install(void) {
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGSEGV, &action, &previous) != 0) installed_result = -errno;
}

int coro_fault_handler_install(void (*overflow)(const void *)) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    on_overflow = overflow;
    pthread_once(&once, install);
    return installed_result;
}

enum { FAULT_STACK_SIZE = 64 * 1024 };

void *coro_fault_stack_attach(void) {
    stack_t current;
    if (sigaltstack(NULL, &current) != 0 || !(current.ss_flags & SS_DISABLE)) return NULL;
    stack_t own = {.ss_sp = malloc(FAULT_STACK_SIZE), .ss_size = FAULT_STACK_SIZE};
    if (own.ss_sp == NULL) return NULL;
    if (sigaltstack(&own, NULL) != 0) {
        free(own.ss_sp);
        return NULL;
    }
    return own.ss_sp;
}

void coro_fault_stack_detach(void *stack) {
    stack_t current;
    if (stack == NULL) return;
    if (sigaltstack(NULL, &current) == 0 && current.ss_sp == stack) {
        stack_t none = {.ss_flags = SS_DISABLE};
        sigaltstack(&none, NULL);
    }
    free(stack);
}
