/*
 * 17: Time limits.
 *
 * A scope, from coro_timeout_begin() to coro_timeout_end(), bounds whatever is done in it, however many calls that are.
 * Code in between hands CORO_EINTERRUPTED on like any error; the end of the scope whose time it was makes it
 * CORO_ETIMEOUT. So everybody can tell a limit of his own from one that was set around him. On a thread's own stack a
 * scope bounds plain system calls, too.
 *
 *     $ ./17_timeouts
 *     half a message: CORO_ETIMEOUT
 *     the inner is shorter: inner CORO_ETIMEOUT, outer 0
 *     the outer is shorter: inner CORO_EINTERRUPTED, outer CORO_ETIMEOUT
 *     slow: CORO_ETIMEOUT
 *     quick: 0, "done"
 *     failing: EPROTO, "not my protocol"
 *     read(2) in main: CORO_ETIMEOUT
 */
#include "must.h"

#include <errno.h>
#include <unistd.h>

/* A message is a byte that says how many follow, and those. Knows nothing of limits: it hands errors on. */
static ssize_t receive_message(int fd, char *body) {
    unsigned char length;
    ssize_t n = coro_recv_exact(fd, &length, 1);
    return n < 0 ? n : coro_recv_exact(fd, body, length);
}

/* Two calls, one limit. The peer says "3 bytes follow" and sends one. */
static void bound_two_calls(void) {
    int fds[2];
    char body[256];
    MUST(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    MUST(coro_write(fds[1], "\3a", 2));

    coro_timeout_t limit = MUST(coro_timeout_begin(CORO_MS(50)));
    int64_t n = receive_message(fds[0], body);
    n = coro_timeout_end(limit, n);

    printf("half a message: %s\n", coro_error_name((int)n));
    MUST(coro_close(fds[0]));
    MUST(coro_close(fds[1]));
}

/* Each scope knows its own time. */
static void nest(const char *which, int64_t outer_time, int64_t inner_time) {
    coro_timeout_t outer = MUST(coro_timeout_begin(outer_time));
    coro_timeout_t inner = MUST(coro_timeout_begin(inner_time));
    int64_t error = coro_timeout_end(inner, coro_sleep(CORO_FOREVER));
    int64_t passed_on = error == CORO_ETIMEOUT ? 0 : error; /* one's own is dealt with, another's is handed on */
    printf("%s: inner %s, ", which, coro_error_name((int)error));
    printf("outer %s\n", coro_error_name((int)coro_timeout_end(outer, passed_on)));
}

static void *slow(void *arg) {
    int error = coro_sleep(CORO_FOREVER);
    return coro_fail(error, NULL);
}

static void *quick(void *arg) {
    MUST(coro_yield());
    return "done";
}

static void *failing(void *arg) {
    return coro_fail(-EPROTO, "not my protocol");
}

/* A scope around one function, which runs here, and not in a coroutine of its own. */
static void bound_functions(void) {
    void *result;
    printf("slow: %s\n", coro_error_name(coro_with_timeout(CORO_MS(50), slow, NULL, NULL)));
    int code = coro_with_timeout(CORO_SECONDS(1000), quick, NULL, &result);
    printf("quick: %s, \"%s\"\n", coro_error_name(code), (char *)result);
    code = coro_with_timeout(CORO_SECONDS(1000), failing, NULL, NULL);
    printf("failing: %s, \"%s\"\n", coro_error_name(code), coro_error_detail());
}

static void *run(void *arg) {
    bound_two_calls();
    nest("the inner is shorter", CORO_SECONDS(1000), CORO_MS(50));
    nest("the outer is shorter", CORO_MS(50), CORO_SECONDS(1000));
    bound_functions();
    return NULL;
}

int main(void) {
    coro_t co = MUST(coro_spawn(run, NULL));
    MUST(coro_join(co, NULL, CORO_FOREVER));

    int fds[2]; /* an ordinary pipe, and an ordinary read: it fails with EINTR when the time is up */
    char c;
    if (pipe(fds) < 0) return 1;
    coro_timeout_t limit = MUST(coro_timeout_begin(CORO_MS(50)));
    ssize_t n = read(fds[0], &c, 1);
    printf("read(2) in main: %s\n", coro_error_name((int)coro_timeout_end(limit, n < 0 ? -errno : n)));
    return 0;
}
