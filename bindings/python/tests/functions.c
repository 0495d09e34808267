/* C functions for the tests of the bindings to run as targets. */
#include <coro.h>

#include <stdlib.h>
#include <string.h>

typedef struct point {
    double x, y;
    int8_t tag;
    char name[3];
} point;

int8_t add_small(int8_t a, int8_t b) { return (int8_t)(a + b); }
uint64_t largest(void) { return UINT64_MAX; }
bool is_even(int n) { return n % 2 == 0; }
float half(float x) { return x / 2; }
long double third(long double x) { return x / 3; }
int area(int width, int height) { return width * height; }
const char *shortest(const char *a, const char *b) { return strlen(a) <= strlen(b) ? "first" : "second"; }
void *same(void *pointer) { return pointer; }
void nothing(void) {}

point scaled(point p, double by) {
    p.x *= by;
    p.y *= by;
    p.tag = (int8_t)-p.tag;
    return p;
}

/* Waits, and has its text then still. */
int length_after(int64_t ns, const char *text) {
    int error = coro_sleep(ns);
    return error < 0 ? error : (int)strlen(text);
}

/* Fails with what broke its sleep off. */
int sleeper(int64_t ns) {
    int error = coro_sleep(ns);
    if (error < 0) coro_fail(error, "somebody broke it off");
    return 1;
}

int failing(int code, const char *message) {
    coro_fail(code, message);
    return 1;
}

/* Sends 1 to n, with a pause before each, and closes the channel. */
int produce(coro_channel *channel, int n, int64_t pause) {
    for (int i = 1; i <= n; i++) {
        int error = coro_sleep(pause);
        if (error == 0) error = coro_channel_send(channel, &i);
        if (error < 0) return error;
    }
    return coro_channel_close(channel);
}

/* The sum of what comes. */
int sum_of(coro_channel *channel) {
    int sum = 0, n;
    while (coro_channel_receive(channel, &n) == 0) sum += n;
    return sum;
}

/* Calls back in a coroutine that may suspend, and does. */
int call_back(int (*function)(int), int n) {
    int error = coro_yield();
    return error < 0 ? error : function(n);
}

/* Spawns a target by its name, with an int, and joins it. */
int run_named(const char *name, int n) {
    int result = 0;
    int error = coro_join_result(coro_spawn_named(name, n), &result, sizeof result, CORO_FOREVER);
    if (error < 0) coro_fail(error, coro_error_detail());
    return result;
}
