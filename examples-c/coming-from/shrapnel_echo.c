/*
 * The echo server of Shrapnel's tutorial, and its clients: a hundred at once, each of which sends 13 bytes ten times and
 * wants exactly those back.
 *
 *     $ ./shrapnel_echo
 *     100 clients, 1000 echoes, 13000 bytes
 */
#include "../must.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum { CLIENTS = 100, ROUNDS = 10, LENGTH = 13 };

static struct sockaddr_in address;
static int clients_left = CLIENTS, echoes, bytes;

static void *session(void *arg) {
    int fd = (int)(intptr_t)arg;
    char buffer[1024];
    ssize_t n;
    while ((n = coro_recv(fd, buffer, sizeof buffer, 0)) > 0) {
        if (coro_send(fd, buffer, (size_t)n, 0) < 0) break;
    }
    MUST(coro_close(fd));
    return NULL;
}

static void *serve(void *arg) {
    int listener = (int)(intptr_t)arg, fd;
    while ((fd = coro_accept(listener, NULL, NULL)) >= 0) {
        MUST(coro_detach(coro_spawn(session, (void *)(intptr_t)fd)));
    }
    return coro_fail(fd, "accept");
}

static void *client(void *arg) {
    char sent[LENGTH + 1], received[LENGTH];
    int fd = (int)MUST(coro_socket(AF_INET, SOCK_STREAM, 0));
    MUST(coro_connect(fd, (struct sockaddr *)&address, sizeof address));
    for (int i = 0; i < ROUNDS; i++) {
        snprintf(sent, sizeof sent, "%03d says %4d", (int)(intptr_t)arg, i);
        MUST(coro_send(fd, sent, LENGTH, 0));
        MUST(coro_recv_exact(fd, received, LENGTH));
        if (memcmp(sent, received, LENGTH) != 0) return coro_fail(-EPROTO, "that is not what was sent");
        echoes += 1;
        bytes += LENGTH;
    }
    MUST(coro_close(fd));
    if (--clients_left == 0) coro_set_exit(0);
    return NULL;
}

int main(void) {
    socklen_t length = sizeof address;
    int listener = (int)MUST(coro_socket(AF_INET, SOCK_STREAM, 0));
    address.sin_family = AF_INET; /* port 0: any that is free */
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(coro_bind(listener, (struct sockaddr *)&address, sizeof address));
    MUST(coro_listen(listener, 1024));
    MUST(coro_getsockname(listener, (struct sockaddr *)&address, &length));

    MUST(coro_detach(coro_spawn(serve, (void *)(intptr_t)listener)));
    for (intptr_t i = 0; i < CLIENTS; i++) MUST(coro_detach(coro_spawn(client, (void *)i)));
    coro_set_print_exit_string(false);
    int code = coro_event_loop();
    printf("%d clients, %d echoes, %d bytes\n", CLIENTS - clients_left, echoes, bytes);
    return code;
}
