/* As little work as asking and checking takes, so that the server, on the other core, is what there is too little of. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_EVENTS = 256, WORDS = REQUEST_SIZE / 8, STEPS = 32, BUCKETS = 64 * STEPS };

struct client {
    int fd;
    int got;
    int64_t asked;
    /* What the request is made from: no two are alike. */
    uint64_t seed;
    uint64_t request[WORDS];
    /* With room for a byte too many. */
    uint64_t answer[WORDS + 1];
};

struct clients {
    struct client *all;
    int count, poller;
    long requests;
    /* How long requests took: each power of two in STEPS equal steps. */
    long histogram[BUCKETS];
};

static int64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool fail(const char *what) {
    return fprintf(stderr, "echo_bench: %s: %s\n", what, strerror(errno)), false;
}

static bool ask(struct client *client, int64_t now) {
    for (int i = 0; i < WORDS; i++) client->request[i] = (client->seed += 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
    client->got = 0;
    client->asked = now;
    if (send(client->fd, client->request, REQUEST_SIZE, MSG_NOSIGNAL) == REQUEST_SIZE) return true;
    return fail("sending a request");
}

static int bucket(int64_t ns) {
    if (ns < STEPS) return ns < 0 ? 0 : (int)ns;
    int power = 63 - __builtin_clzll((unsigned long long)ns);
    return (power - 4) * STEPS + (int)(ns >> (power - 5)) - STEPS;
}

static double bucket_us(int index) {
    if (index < STEPS) return index / 1e3;
    return (double)((int64_t)(index % STEPS + STEPS) << (index / STEPS - 1)) / 1e3;
}

static double quantile(const struct clients *clients, double share) {
    long before = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((double)(before += clients->histogram[i]) >= share * (double)clients->requests) return bucket_us(i);
    return 0;
}

/* Takes what has come; if that is the answer, checks it and asks again. */
static bool take(struct clients *clients, struct client *client) {
    ssize_t n = recv(client->fd, (char *)client->answer + client->got, sizeof client->answer - (size_t)client->got, 0);
    if (n < 0 && errno == EAGAIN) return true;
    if (n <= 0) return n == 0 ? (fputs("echo_bench: the server has closed a connection\n", stderr), false) : fail("recv");
    client->got += (int)n;
    if (client->got < REQUEST_SIZE) return true;
    if (client->got > REQUEST_SIZE || memcmp(client->answer, client->request, REQUEST_SIZE) != 0)
        return fputs("echo_bench: an answer is not the request\n", stderr), false;
    int64_t now = now_ns(CLOCK_MONOTONIC);
    clients->requests++;
    clients->histogram[bucket(now - client->asked)]++;
    return ask(client, now);
}

/* Lets all of them ask for so long. */
static bool run(struct clients *clients, int64_t duration) {
    struct epoll_event events[MAX_EVENTS];
    int64_t start = now_ns(CLOCK_MONOTONIC);
    clients->requests = 0;
    memset(clients->histogram, 0, sizeof clients->histogram);
    while (now_ns(CLOCK_MONOTONIC) - start < duration) {
        int count = epoll_wait(clients->poller, events, MAX_EVENTS, 5000);
        if (count == 0) return fputs("echo_bench: the server has not answered for 5 seconds\n", stderr), false;
        for (int i = 0; i < count; i++)
            if (!take(clients, events[i].data.ptr)) return false;
    }
    return true;
}

static bool connect_one(struct clients *clients, struct client *client, int port, int number) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = client};
    int on = 1;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client->seed = (uint64_t)number << 40;
    if (client->fd < 0) return fail("socket");
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) != 0) return fail("connect");
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* Closed by a reset: thousands of connections in the state after an orderly end would be in the next round's way. */
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
    if (epoll_ctl(clients->poller, EPOLL_CTL_ADD, client->fd, &event) != 0) return fail("epoll_ctl");
    return true;
}

static bool measure(struct clients *clients, int port, double seconds, clockid_t server, struct load_result *result) {
    for (int i = 0; i < clients->count; i++)
        if (!connect_one(clients, &clients->all[i], port, i)) return false;
    for (int i = 0; i < clients->count; i++)
        if (!ask(&clients->all[i], now_ns(CLOCK_MONOTONIC))) return false;
    if (!run(clients, (int64_t)(seconds / 5 * 1e9))) return false;
    int64_t cpu = now_ns(server), start = now_ns(CLOCK_MONOTONIC);
    if (!run(clients, (int64_t)(seconds * 1e9))) return false;
    double took = (double)(now_ns(CLOCK_MONOTONIC) - start), used = (double)(now_ns(server) - cpu);
    *result = (struct load_result){.requests_per_second = (double)clients->requests / took * 1e9,
                                   .server_ns = used / (double)clients->requests,
                                   .server_busy = used / took,
                                   .p50_us = quantile(clients, 0.5),
                                   .p99_us = quantile(clients, 0.99)};
    return true;
}

bool load(int port, int connections, double seconds, clockid_t server, struct load_result *result) {
    static struct clients clients;
    clients.all = calloc((size_t)connections, sizeof *clients.all);
    clients.count = connections;
    clients.poller = epoll_create1(EPOLL_CLOEXEC);
    if (clients.all == NULL || clients.poller < 0) return fail("preparing the clients");
    bool done = measure(&clients, port, seconds, server, result);
    for (int i = 0; i < connections && clients.all[i].fd > 0; i++) close(clients.all[i].fd);
    close(clients.poller);
    free(clients.all);
    return done;
}
