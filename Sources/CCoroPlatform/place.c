/* Where a thread is: its stack, which it walks itself in a signal handler, or the system call it is blocked in. */
#define _GNU_SOURCE
#include "watchdog.h"
#include "coro_tools.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

size_t coro_watchdog_peek(void *to, const void *from, size_t size) {
    size_t done = 0;
    while (done < size) { /* page by page: what crosses into one that is not there would not be read at all */
        uintptr_t next = (uintptr_t)from + done;
        size_t here = 4096 - next % 4096;
        if (here > size - done) here = size - done;
        struct iovec local = {.iov_base = (char *)to + done, .iov_len = here};
        struct iovec remote = {.iov_base = (void *)next, .iov_len = here};
        if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)here) break;
        done += here;
    }
    return done;
}

const char *coro_watchdog_module(const void *address, uintptr_t *offset) {
    Dl_info info;
    if (dladdr(address, &info) == 0 || info.dli_fname == NULL) return NULL;
    const char *slash = strrchr(info.dli_fname, '/');
    *offset = (uintptr_t)address - (uintptr_t)info.dli_fbase;
    return slash == NULL ? info.dli_fname : slash + 1;
}

/* -- what the system says of a thread -- */

static bool read_task_file(int32_t thread, const char *name, char *text, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/%s", thread, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t length = read(fd, text, size - 1);
    close(fd);
    text[length > 0 ? length : 0] = 0;
    return length > 0;
}

typedef struct task {
    char state;          /* 'R', 'S', 'D', ...; 0: not known */
    uint64_t blocked;    /* signals */
    uint64_t given_up;   /* how often it gave up its processor */
} task;

static uint64_t field(const char *text, const char *name, int base) {
    const char *found = strstr(text, name);
    return found == NULL ? 0 : strtoull(found + strlen(name), NULL, base);
}

static task look_at(int32_t thread) {
    char text[4096];
    task seen = {0};
    if (!read_task_file(thread, "status", text, sizeof text)) return seen;
    const char *state = strstr(text, "\nState:\t");
    if (state != NULL) seen.state = state[8];
    seen.blocked = field(text, "\nSigBlk:\t", 16);
    seen.given_up = field(text, "\nvoluntary_ctxt_switches:\t", 10);
    return seen;
}

/* -- one that runs -- */

enum { OWN_FRAMES = 6, PATIENCE_MS = 100 };

static struct {
    uint32_t state;
    int32_t thread;
    int32_t count;
    const void *frames[CORO_PLACE_FRAMES];
} walk;
enum { WALK_IDLE, WALK_WANTED, WALK_BEGUN, WALK_DONE };

static struct sigaction action_before;
static bool action_is_ours;

static const void *interrupted_at(const void *context) {
    const ucontext_t *interrupted = context;
#if defined(__x86_64__)
    return (const void *)interrupted->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (const void *)interrupted->uc_mcontext.pc;
#endif
}

static void keep_frames(void *const *all, int count, const void *pc) {
    int first = 0;
    while (first < count && all[first] != pc) first++;
    if (first == count) first = count = 0; /* the signal's own frame was not passed */
    walk.frames[0] = pc;
    walk.count = 1;
    for (int i = first + 1; i < count && walk.count < CORO_PLACE_FRAMES; i++) walk.frames[walk.count++] = all[i];
}

static void walk_stack(int number, siginfo_t *info, void *context) {
    void *all[CORO_PLACE_FRAMES + OWN_FRAMES];
    uint32_t wanted = WALK_WANTED;
    (void)number, (void)info;
    if (coro_watch_thread_id() != walk.thread) return;
    if (!__atomic_compare_exchange_n(&walk.state, &wanted, WALK_BEGUN, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
    int before = errno;
    keep_frames(all, backtrace(all, CORO_PLACE_FRAMES + OWN_FRAMES), interrupted_at(context));
    __atomic_store_n(&walk.state, WALK_DONE, __ATOMIC_RELEASE);
    coro_futex_wake(&walk.state);
    errno = before;
}

/* SIGURG: what it does by default is nothing, so that one that comes too late does no harm. false: the program uses it. */
static bool set_action(void) {
    struct sigaction ours = {.sa_sigaction = walk_stack, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigfillset(&ours.sa_mask);
    if (sigaction(SIGURG, NULL, &action_before) != 0) return false;
    if (action_before.sa_handler != SIG_DFL && action_before.sa_handler != SIG_IGN) return false;
    action_is_ours = true;
    return sigaction(SIGURG, &ours, NULL) == 0;
}

/* Not over one that the program has set meanwhile. */
static void restore_action(void) {
    struct sigaction now;
    if (sigaction(SIGURG, NULL, &now) == 0 && now.sa_sigaction == walk_stack) sigaction(SIGURG, &action_before, NULL);
    action_is_ours = false;
}

void coro_place_forked(void) {
    if (action_is_ours) restore_action();
    walk.state = WALK_IDLE;
}

/* The first call of backtrace() loads a library: not in a signal handler. */
static void prepare_backtrace(void) {
    static bool done;
    void *one;
    if (!done) done = backtrace(&one, 1) > 0;
}

/* Waits for the thread to have walked its stack; whether it has. */
static bool await_walk(void) {
    struct timespec little = {.tv_nsec = 1000000};
    uint32_t state = WALK_WANTED;
    coro_watchdog_allow_fork();
    for (int i = 0; i < PATIENCE_MS && state != WALK_DONE; i++) {
        coro_futex_wait(&walk.state, state, &little);
        state = __atomic_load_n(&walk.state, __ATOMIC_ACQUIRE);
    }
    coro_watchdog_forbid_fork();
    return state == WALK_DONE;
}

static void interrupt(int32_t thread, coro_place *place) {
    if (__atomic_load_n(&walk.state, __ATOMIC_ACQUIRE) == WALK_BEGUN) return;
    prepare_backtrace();
    walk.thread = thread;
    __atomic_store_n(&walk.state, WALK_WANTED, __ATOMIC_RELEASE);
    if (set_action() && syscall(SYS_tgkill, getpid(), thread, SIGURG) == 0 && await_walk()) {
        place->count = place->certain = walk.count;
        memcpy(place->frames, walk.frames, sizeof walk.frames);
    }
    if (action_is_ours) restore_action();
    /* One that comes too late finds nothing to do; one that has begun still writes its frames, and no other begins before that
       is done. */
    uint32_t left = WALK_WANTED;
    __atomic_compare_exchange_n(&walk.state, &left, WALK_IDLE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* -- one that is blocked -- */

enum { CODE_BEFORE = 8 };

/* Whether a call instruction ends at the end of code, which is CODE_BEFORE bytes long. */
static bool ends_in_call(const unsigned char *code) {
    const unsigned char *end = code + CODE_BEFORE;
#if defined(__x86_64__)
    if (end[-5] == 0xe8) return true; /* relative */
    /* Indirect, FF /2: by register, or memory with no, an 8-bit or a 32-bit displacement, each perhaps with a SIB byte. */
    for (int length = 2; length <= 7; length++) {
        const unsigned char *call = end - length;
        if (call[0] != 0xff || (call[1] >> 3 & 7) != 2) continue;
        int mode = call[1] >> 6, memory = call[1] & 7;
        bool wide = mode == 2 || (mode == 0 && memory == 5);
        if (length == 2 + (mode != 3 && memory == 4) + (mode == 1) + 4 * wide) return true;
    }
    return false;
#elif defined(__aarch64__)
    uint32_t instruction;
    memcpy(&instruction, end - 4, sizeof instruction);
    return instruction >> 26 == 0x25 /* BL */ || (instruction & 0xfffffc1f) == 0xd63f0000 /* BLR */;
#endif
}

static bool is_return_address(const void *address) {
    unsigned char code[CODE_BEFORE];
    uintptr_t offset;
    if ((uintptr_t)address < 65536 || coro_watchdog_peek(code, (const char *)address - sizeof code, sizeof code) != sizeof code)
        return false;
    return ends_in_call(code) && coro_watchdog_module(address, &offset) != NULL;
}

static void search_stack(const char *from, const char *top, coro_place *place) {
    const void *words[64];
    while (from < top && place->count < CORO_PLACE_FRAMES) {
        size_t size = (size_t)(top - from) < sizeof words ? (size_t)(top - from) : sizeof words;
        size_t got = coro_watchdog_peek(words, from, size) / sizeof words[0];
        for (size_t i = 0; i < got && place->count < CORO_PLACE_FRAMES; i++)
            if (is_return_address(words[i])) place->frames[place->count++] = words[i];
        if (got * sizeof words[0] < size) return;
        from += size;
    }
}

/* The system's line is "0 0x3 0x7ff... ... 0x<stack pointer> 0x<program counter>", or "running". */
static bool find_call(int32_t thread, coro_place *place, const char **stack) {
    char text[256];
    if (!read_task_file(thread, "syscall", text, sizeof text)) return false;
    char *last = strrchr(text, ' ');
    if (last == NULL) return false;
    place->frames[0] = (const void *)(uintptr_t)strtoull(last, NULL, 16);
    *last = 0;
    last = strrchr(text, ' ');
    if (last == NULL) return false;
    *stack = (const char *)(uintptr_t)strtoull(last, NULL, 16);
    place->call = strtoll(text, NULL, 10);
    place->blocked = true;
    place->count = place->certain = 1;
    return true;
}

void coro_watchdog_locate(int32_t thread, bool interruptible, const void *bottom, const void *top, coro_place *place) {
    enum { BETWEEN_LOOKS_NS = 2000000, MOST_SEARCHED = 32 * 1024 };
    const char *stack;
    memset(place, 0, sizeof *place);
    if (coro_tools_on_valgrind()) return; /* where Valgrind is, is not where the program is */
    task seen = look_at(thread);
    if (seen.state == 'S' || seen.state == 'D') {
        if (!find_call(thread, place, &stack) || stack < (const char *)bottom || stack >= (const char *)top) return;
        size_t above = (size_t)((const char *)top - stack);
        search_stack(stack, stack + (above < MOST_SEARCHED ? above : MOST_SEARCHED), place);
    } else if (seen.state == 'R' && interruptible && (seen.blocked >> (SIGURG - 1) & 1) == 0) {
        /* One that sleeps a little again and again may be seen between two sleeps; the signal would end the next. */
        coro_watchdog_pause(BETWEEN_LOOKS_NS);
        task again = look_at(thread);
        if (again.state == 'R' && again.given_up == seen.given_up) interrupt(thread, place);
    }
}
