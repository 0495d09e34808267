/* A C library that knows of coroutines, for the tests: each function is a target. */
#include <coro.h>

#include <errno.h>
#include <string.h>

struct lua_point {
    double x;
    int y;
};

int8_t negated(int8_t small) {
    return (int8_t)-small;
}

uint64_t same_unsigned(uint64_t n) {
    return n;
}

int64_t same_signed(int64_t n) {
    return n;
}

bool is_odd(unsigned n) {
    return n % 2 == 1;
}

float half(float x) {
    return x / 2;
}

void nothing(void) {}

struct lua_point mirrored(struct lua_point point) {
    return (struct lua_point){-point.x, -point.y};
}

const char *greeting(bool known) {
    return known ? "hello" : NULL;
}

/* Waits before it looks at its text, which is a copy then. */
size_t length(const char *text, int times) {
    if (coro_sleep(CORO_MS(times)) != 0) return (size_t)-1;
    return text == NULL ? 0 : strlen(text) * (size_t)times;
}

int failing(int code) {
    coro_fail(code, "said by the target");
    return 1;
}

/* Sends the squares of 0 ..< n. */
void squares(coro_channel *channel, int n) {
    for (int64_t i = 0; i < n; i++) {
        int64_t square = i * i;
        int code = coro_channel_send(channel, &square);
        if (code != 0) {
            coro_fail(code, coro_error_detail());
            return;
        }
    }
    coro_channel_close(channel);
}

/* Spawns the target of that name, which may be Lua's, from a coroutine of C's, and waits for it in that. */
int doubled_by(const char *name, int n) {
    coro_t co = coro_spawn_named(name, n);
    int result = 0;
    int code = co < 0 ? (int)co : coro_join_result(co, &result, sizeof result, CORO_FOREVER);
    if (code != 0) coro_fail(code, coro_error_detail());
    return result * 2;
}
