#define _GNU_SOURCE
#include "harness.h"

#include <dlfcn.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { MAX_TESTS = 2000, SHARES = 2, TEST_SECONDS = 60, WATCHED_TEST_SECONDS = 300, SKIPPED = 77, PATIENCE_MS = 10000 };

static struct test {
    const char *name;
    test_function function;
} tests[MAX_TESTS];
static int test_count;

void test_register(const char *name, test_function function) {
    if (test_count == MAX_TESTS) abort();
    tests[test_count++] = (struct test){name, function};
}

void test_fail(const char *file, int line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    _exit(1);
}

/* A function, not only a macro: the text may be in a temporary, which lives to the end of the call. */
void test_check_text(const char *file, int line, const char *what, const char *actual, const char *expected) {
    if (strcmp(actual, expected) != 0) test_fail(file, line, "%s is \"%s\", not \"%s\"", what, actual, expected);
}

void test_skip(const char *why) {
    fprintf(stderr, "skipped: %s\n", why);
    _exit(SKIPPED);
}

static void *run_body(void *argument) {
    test_function *function = argument;
    (*function)();
    coro_set_exit(0);
    return NULL;
}

void test_run_in_loop(test_function function) {
    coro_set_print_exit_string(false);
    CHECK(coro_detach(coro_spawn(run_body, &function)) > 0);
    CHECK_EQ(coro_event_loop(), 0);
}

static char trace_text[4096];

void trace(const char *format, ...) {
    va_list arguments;
    size_t length = strlen(trace_text);
    va_start(arguments, format);
    vsnprintf(trace_text + length, sizeof trace_text - length - 1, format, arguments);
    va_end(arguments);
    strcat(trace_text, " ");
}

const char *traced(void) {
    return trace_text;
}

void run_until_idle(void) {
    coro_loop_options options = CORO_LOOP_OPTIONS_INIT;
    options.flags = CORO_LOOP_UNTIL_IDLE;
    CHECK_EQ(coro_event_loop_with(&options), 0);
}

extern void __asan_init(void) __attribute__((weak));

bool is_watched(void) {
    const char *preload = getenv("LD_PRELOAD"); /* Valgrind loads its part of a tool so */
    return __asan_init != NULL || (preload != NULL && strstr(preload, "vgpreload") != NULL);
}

int open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count - 3; /* ".", "..", and the folder's own */
}

bool polls_by_ring(void) {
    const char *name = coro_backend_name();
    return name != NULL && strcmp(name, "io_uring") == 0;
}

const char *call_that_waits(void) {
    return polls_by_ring() ? "io_uring_enter" : "epoll_wait";
}

int count_timers(void) {
    char line[256];
    int count = 0;
    FILE *file = fopen("/proc/self/timers", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) count += strncmp(line, "ID:", 3) == 0;
    if (file != NULL) fclose(file);
    return count;
}

int run_in_child(test_function function, char *output, size_t size) {
    int ends[2], status;
    size_t length = 0;
    ssize_t got;
    CHECK(pipe(ends) == 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        function();
        _exit(0);
    }
    close(ends[1]);
    while (length + 1 < size && (got = read(ends[0], output + length, size - 1 - length)) > 0) length += (size_t)got;
    output[length] = 0;
    close(ends[0]);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void run_here(const struct test *test) {
    alarm(is_watched() ? WATCHED_TEST_SECONDS : TEST_SECONDS);
    test->function();
    exit(0);
}

/* A child of this process; 0: there is none. */
static pid_t any_child(void) {
    int child = 0;
    FILE *children = fopen("/proc/thread-self/children", "r");
    if (children == NULL) return 0;
    if (fscanf(children, "%d", &child) != 1) child = 0;
    fclose(children);
    return child;
}

/* The processes that a test has left behind are ours now. They may be about to end; who does not is killed, because it would
   hold the output of the tests open. Returns how many those were. */
static int kill_what_is_left(void) {
    int killed = 0;
    for (int i = 0; i < PATIENCE_MS && any_child() != 0; i++)
        if (waitpid(-1, NULL, WNOHANG) == 0) usleep(1000);
    for (pid_t child; (child = any_child()) != 0; killed++) {
        fprintf(stderr, "left behind: process %d\n", (int)child);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    return killed;
}

/* In a child process; what it prints is shown by the parent's own output. */
static int run_apart(const struct test *test) {
    int status;
    fflush(NULL);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t child = fork();
    if (child == 0) run_here(test);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    if (WIFSIGNALED(status)) fprintf(stderr, "%s: signal %d (%s)\n", test->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
    int left = kill_what_is_left();
    int result = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    return result == 0 && left > 0 ? 1 : result;
}

struct counts {
    int passed, failed, skipped;
};

/* Those of the tests with that prefix that are this one's to run. */
static struct counts run_share(const char *prefix, int share) {
    struct counts counts = {0};
    for (int i = share; i < test_count; i += SHARES) {
        if (strncmp(tests[i].name, prefix, strlen(prefix)) != 0) continue;
        int status = run_apart(&tests[i]);
        if (status == SKIPPED) counts.skipped++;
        else if (status == 0) counts.passed++;
        else counts.failed++;
        if (status != 0) printf("%s %s\n", status == SKIPPED ? "skipped" : "FAILED", tests[i].name);
        fflush(stdout);
    }
    return counts;
}

/* Each share in a process of its own, which takes for its test's whatever processes are left. */
static int run_all(const char *prefix) {
    int shares[2];
    struct counts sum = {0}, counts;
    fflush(NULL);
    if (pipe2(shares, O_CLOEXEC) != 0) return 1;
    for (int share = 0; share < SHARES; share++) {
        pid_t child = fork();
        if (child < 0) return 1;
        if (child > 0) continue;
        /* Out of the way of tests that use numbers of their choice. */
        int report = fcntl(shares[1], F_DUPFD_CLOEXEC, 300);
        close(shares[0]);
        close(shares[1]);
        counts = run_share(prefix, share);
        _exit(write(report, &counts, sizeof counts) != sizeof counts);
    }
    close(shares[1]);
    for (int share = 0; share < SHARES; share++) {
        if (read(shares[0], &counts, sizeof counts) != sizeof counts) counts = (struct counts){.failed = 1};
        sum.passed += counts.passed, sum.failed += counts.failed, sum.skipped += counts.skipped;
    }
    close(shares[0]);
    printf("%d passed, %d failed, %d skipped\n", sum.passed, sum.failed, sum.skipped);
    return sum.failed > 0 || sum.passed == 0;
}

static void check_backend(void) {
    const char *name = coro_backend_name(), *wanted = getenv("CORO_BACKEND");
    if (name == NULL || strcmp(name, wanted) != 0) _exit(SKIPPED);
}

/* All tests by another backend, if it can be had. */
static int run_all_on(const char *backend) {
    char output[64];
    setenv("CORO_BACKEND", backend, 1);
    int status = run_in_child(check_backend, output, sizeof output);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return run_all("");
    fprintf(stderr, "skipped: no %s here\n", backend);
    return SKIPPED;
}

/* No argument: all tests, two at a time. --on BACKEND: all tests, with the loops' pollers by that. --list: their names.
   --prefix P: those whose names start with P. A name: that one. --here and a name: that one in this process, for debuggers. */
/* The loop of the first thread asks libdispatch, where that is in the process, for the main queue's descriptor, which is made
   then and stays: here it is before any test counts those that there are. */
static void open_main_queue(void) {
    int (*get_handle)(void);
    *(void **)&get_handle = dlsym(RTLD_DEFAULT, "_dispatch_get_main_queue_handle_4CF");
    if (get_handle) get_handle();
}

int main(int count, char **arguments) {
    open_main_queue();
    if (count == 1) return run_all("");
    if (count == 3 && strcmp(arguments[1], "--prefix") == 0) return run_all(arguments[2]);
    if (count == 3 && strcmp(arguments[1], "--on") == 0) return run_all_on(arguments[2]);
    bool here = count == 3 && strcmp(arguments[1], "--here") == 0;
    for (int i = 0; i < test_count; i++) {
        if (strcmp(arguments[1], "--list") == 0) puts(tests[i].name);
        else if (strcmp(arguments[count - 1], tests[i].name) != 0) continue;
        else if (here) run_here(&tests[i]);
        else return run_apart(&tests[i]);
    }
    return strcmp(arguments[1], "--list") != 0;
}
