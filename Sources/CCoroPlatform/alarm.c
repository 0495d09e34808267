/* A timer of the calling thread's that interrupts its system calls: SIGALRM, sent to the thread itself. */
#define _GNU_SOURCE
#include "system_call.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static struct {
    pthread_mutex_t lock;
    int users; /* threads that have an alarm */
    struct sigaction previous;
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local struct {
    timer_t timer;
    volatile bool is_on; /* a signal that was under way when it was turned off still comes */
    int64_t (*on_alarm)(bool interrupted_call);
    sigset_t mask; /* what was blocked before */
} own;

/* What marks a signal as ours: it carries this address. */
static char mark;

/* Whether the signal came while a system call blocked, which now returns EINTR: the kernel has noted that down already. */
static bool interrupted_call(const void *context) {
    const mcontext_t *machine = &((const ucontext_t *)context)->uc_mcontext;
#if defined(__x86_64__)
    static const unsigned char syscall_code[2] = {0x0f, 0x05};
    const unsigned char *next = (const unsigned char *)machine->gregs[REG_RIP];
    return machine->gregs[REG_RAX] == -EINTR && memcmp(next - 2, syscall_code, 2) == 0;
#elif defined(__aarch64__)
    static const uint32_t svc_0 = 0xd4000001;
    return (int64_t)machine->regs[0] == -EINTR && memcmp((const char *)machine->pc - 4, &svc_0, 4) == 0;
#endif
}

static void pass_on(int number, siginfo_t *info, void *context) {
    if (process.previous.sa_flags & SA_SIGINFO) {
        process.previous.sa_sigaction(number, info, context);
    } else if (process.previous.sa_handler == SIG_DFL) {
        signal(number, SIG_DFL);
        raise(number);
    } else if (process.previous.sa_handler != SIG_IGN) {
        process.previous.sa_handler(number);
    }
}

static void set_timer(int64_t delay) {
    struct itimerspec when = {.it_value = {.tv_sec = delay / 1000000000, .tv_nsec = delay % 1000000000}};
    timer_settime(own.timer, 0, &when, NULL);
}

static void handle(int number, siginfo_t *info, void *context) {
    int before = errno;
    if (info->si_code != SI_TIMER || info->si_value.sival_ptr != &mark) {
        pass_on(number, info, context);
    } else if (own.is_on) {
        int64_t next = own.on_alarm(interrupted_call(context));
        if (next > 0) set_timer(next);
    }
    errno = before;
}

static void install(void) {
    /* Without SA_RESTART: that calls are not started again is what it is for. */
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    pthread_mutex_lock(&process.lock);
    if (process.users++ == 0) sigaction(SIGALRM, &action, &process.previous);
    pthread_mutex_unlock(&process.lock);
}

/* What somebody else has installed meanwhile stays. */
static void uninstall(void) {
    struct sigaction current;
    pthread_mutex_lock(&process.lock);
    if (--process.users == 0 && sigaction(SIGALRM, NULL, &current) == 0 && current.sa_sigaction == handle) {
        sigaction(SIGALRM, &process.previous, NULL);
    }
    pthread_mutex_unlock(&process.lock);
}

static int create_timer(void) {
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM, .sigev_value.sival_ptr = &mark};
    event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
    return (int)CORO_CALL(timer_create, timer_create(CLOCK_MONOTONIC, &event, &own.timer));
}

int coro_alarm_begin(int64_t (*on_alarm)(bool interrupted_call)) {
    int result = create_timer();
    if (result < 0) return result;
    own.on_alarm = on_alarm;
    install();
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarm, &own.mask);
    return 0;
}

void coro_alarm_set(int64_t delay) {
    own.is_on = delay > 0;
    set_timer(delay);
}

/* Another thread's alarms are gone with the thread, and its hold on the lock, too. */
void coro_alarm_renew_in_forked_child(void) {
    pthread_mutex_init(&process.lock, NULL);
    if (process.users == 0) return;
    process.users = 1;
    if (own.on_alarm == NULL) {
        uninstall();
    } else if (create_timer() < 0) {
        own.on_alarm = NULL;
        own.is_on = false;
    }
}

void coro_alarm_end(void) {
    own.is_on = false;
    timer_delete(own.timer);
    own.on_alarm = NULL;
    if (sigismember(&own.mask, SIGALRM)) {
        sigset_t alarm;
        sigemptyset(&alarm);
        sigaddset(&alarm, SIGALRM);
        pthread_sigmask(SIG_BLOCK, &alarm, NULL);
    }
    uninstall();
}
