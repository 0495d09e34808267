/*
 * From jschwinger23/coroutine's tests: a server that waits for datagrams on a UNIX socket, and a heartbeat beside it.
 *
 *     $ ./coroutine_recvfrom
 *     after 0.0 s: heartbeat
 *     after 0.5 s: received "ping"
 *     after 1.0 s: heartbeat
 *     after 1.5 s: received "ping"
 *     after 2.0 s: heartbeat
 *     after 2.5 s: received "stop"
 */
#include "../must.h"

#include <string.h>
#include <sys/un.h>

static struct sockaddr_un address;
static socklen_t length = sizeof address;
static int64_t began;

static void print_time(void) {
    printf("after %.1f s: ", (double)(coro_get_now() - began) / (double)CORO_SECONDS(1));
}

static void *server(void *arg) {
    int fd = *(int *)arg;
    char buffer[100] = "";
    while (strcmp(buffer, "stop") != 0) {
        ssize_t n = MUST(coro_recvfrom(fd, buffer, sizeof buffer - 1, 0, NULL, NULL));
        buffer[n] = '\0';
        print_time();
        printf("received \"%s\"\n", buffer);
    }
    return NULL;
}

static void *heartbeat(void *arg) {
    do {
        print_time();
        puts("heartbeat");
    } while (coro_sleep(CORO_SECONDS(1)) == 0);
    return coro_fail(CORO_ESHUTDOWN, NULL);
}

int main(void) {
    coro_test_set_virtual_time(true); /* so that the times above are exact */
    began = coro_get_now();

    int fd = (int)MUST(coro_socket(AF_UNIX, SOCK_DGRAM, 0)), client = (int)MUST(coro_socket(AF_UNIX, SOCK_DGRAM, 0));
    address.sun_family = AF_UNIX;
    MUST(coro_bind(fd, (struct sockaddr *)&address, sizeof address.sun_family)); /* the system chooses the name */
    MUST(coro_getsockname(fd, (struct sockaddr *)&address, &length));

    coro_t receiving = MUST(coro_new(server, &fd, NULL)), beating = MUST(coro_new(heartbeat, NULL, NULL));
    MUST(coro_start_now(receiving));
    MUST(coro_start_now(beating));
    for (int i = 0; i < 3; i++) {
        MUST(coro_sleep(i == 0 ? CORO_MS(500) : CORO_SECONDS(1)));
        MUST(coro_sendto(client, i < 2 ? "ping" : "stop", 4, 0, (struct sockaddr *)&address, length));
    }
    MUST(coro_join(receiving, NULL, CORO_FOREVER));
    MUST(coro_shutdown(beating));
    MUST(coro_detach(beating));
    return 0;
}
