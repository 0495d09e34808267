/* What the C servers share. Each listens on a port of its own, says on stdout which, and what serves there; then it echoes
   whatever comes on any number of connections, until it is killed. */
#ifndef SERVER_H
#define SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* What a connection reads into at once. */
enum { BUFFER_SIZE = 2048, BACKLOG = 1024 };

/* Ends the program when a call failed that a server can't do without. */
static inline void fatal(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static inline struct sockaddr_in any_port(void) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline void announce(const struct sockaddr_in *address, const char *by) {
    printf("%d %s\n", ntohs(address->sin_port), by);
    fflush(stdout);
}

#endif
