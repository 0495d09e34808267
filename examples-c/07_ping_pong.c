/*
 * 07: Ping-pong.
 *
 * coro_park() waits until another coroutine calls coro_schedule() on this one, and returns the value given there. Every
 * other way of waiting for each other (queues, locks, conditions) can be built from these two.
 *
 *     $ ./07_ping_pong
 *     ping 1
 *         pong 1
 *     ping 2
 *         pong 2
 *     ping 3
 *         pong 3
 *     game over
 */
#include "must.h"

static coro_t ping_id, pong_id;

static void *ping(void *arg) {
    for (int ball = 1; ball <= 3; ball++) {
        printf("ping %d\n", ball);
        MUST(coro_schedule(pong_id, &ball));
        MUST(coro_park(NULL)); /* also keeps `ball` where it is while pong looks at it */
    }
    MUST(coro_schedule(pong_id, NULL));
    return NULL;
}

static void *pong(void *arg) {
    for (;;) {
        void *ball;
        MUST(coro_park(&ball));
        if (ball == NULL) break;
        printf("    pong %d\n", *(int *)ball);
        MUST(coro_schedule(ping_id, NULL));
    }
    puts("game over");
    return NULL;
}

int main(void) {
    pong_id = MUST(coro_spawn(pong, NULL)); /* first, so that it is parked when ping serves */
    ping_id = MUST(coro_spawn(ping, NULL));
    MUST(coro_join(ping_id, NULL, CORO_FOREVER));
    MUST(coro_join(pong_id, NULL, CORO_FOREVER));
    return 0;
}
