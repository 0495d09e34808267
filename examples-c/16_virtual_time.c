/*
 * 16: Testing with virtual time.
 *
 * How do you test code that tries again after 1, 2, 4, ... seconds? On virtual time the clock stands still while
 * coroutines run, and jumps ahead when all of them wait: four minutes pass at once, and exactly.
 *
 *     $ ./16_virtual_time
 *     after   0 s: attempt 1
 *     after   1 s: attempt 2
 *     after   3 s: attempt 3
 *     after   7 s: attempt 4
 *     after  15 s: attempt 5
 *     after  31 s: attempt 6
 *     after  63 s: attempt 7
 *     after 127 s: attempt 8
 *     after 255 s: attempt 9
 *     connected after 255 s, which took less than one
 */
#include "must.h"

#include <errno.h>
#include <time.h>

static int64_t began;

static long long seconds_since_start(void) {
    return (coro_get_now() - began) / CORO_SECONDS(1);
}

/* What stands in for the unreliable world. */
static int try_to_connect(int attempt) {
    printf("after %3lld s: attempt %d\n", seconds_since_start(), attempt);
    return attempt < 9 ? -ECONNREFUSED : 0;
}

/* What is tested. */
static void *connect_with_patience(void *arg) {
    int64_t pause = CORO_SECONDS(1);
    for (int attempt = 1; try_to_connect(attempt) < 0; attempt++) {
        MUST(coro_sleep(pause));
        pause *= 2;
    }
    return NULL;
}

int main(void) {
    time_t real = time(NULL);
    coro_test_set_virtual_time(true);
    began = coro_get_now();
    coro_t co = MUST(coro_spawn(connect_with_patience, NULL));
    MUST(coro_join(co, NULL, CORO_FOREVER));
    bool quick = time(NULL) - real <= 1; /* time(2) counts whole seconds: one may have just passed */
    printf("connected after %lld s, which took %s than one\n", seconds_since_start(), quick ? "less" : "more");
    return 0;
}
