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

enum { MAX_EVENTS = 256, WORDS = REQUEST_SIZE / 8, PATIENCE_MS = 5000 };

struct client {
    int fd;
    int got;
    int64_t asked;
    /* What the request is made from: no two are alike. */
    uint64_t seed;
    uint64_t request[WORDS];
    /* With room for bytes too many. */
    uint64_t answer[WORDS + 1];
};

struct load {
    int poller;
    int count;
    /* How many wait for an answer. */
    int asking;
    long requests;
    int64_t end;
    long histogram[LATENCY_BUCKETS];
    struct client clients[];
};

static int64_t now_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool fail(const char *what) {
    return fprintf(stderr, "echo_bench: %s: %s\n", what, strerror(errno)), false;
}

static bool complain(const char *of) {
    return fprintf(stderr, "echo_bench: %s\n", of), false;
}

static bool ask(struct load *load, struct client *client, int64_t now) {
    for (int i = 0; i < WORDS; i++) client->request[i] = (client->seed += 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
    client->got = 0;
    client->asked = now;
    load->asking++;
    return send(client->fd, client->request, REQUEST_SIZE, MSG_NOSIGNAL) == REQUEST_SIZE || fail("sending a request");
}

static int bucket(int64_t ns) {
    if (ns < LATENCY_STEPS) return ns < 0 ? 0 : (int)ns;
    int power = 63 - __builtin_clzll((unsigned long long)ns);
    return (power - 5) * LATENCY_STEPS + (int)(ns >> (power - 5));
}

static double bucket_us(int index) {
    if (index < LATENCY_STEPS) return index / 1e3;
    return (double)((int64_t)(index % LATENCY_STEPS + LATENCY_STEPS) << (index / LATENCY_STEPS - 1)) / 1e3;
}

double load_latency(const long histogram[LATENCY_BUCKETS], double share) {
    long all = 0, before = 0;
    int index = 0;
    for (int i = 0; i < LATENCY_BUCKETS; i++) all += histogram[i];
    while (index < LATENCY_BUCKETS - 1 && (double)(before += histogram[index]) < share * (double)all) index++;
    return bucket_us(index);
}

void load_add_latencies(const struct load *load, long histogram[LATENCY_BUCKETS]) {
    for (int i = 0; i < LATENCY_BUCKETS; i++) histogram[i] += load->histogram[i];
}

/* Takes what has come; if that is the answer, checks it, and asks again if there is time. */
static bool take(struct load *load, struct client *client) {
    ssize_t n = recv(client->fd, (char *)client->answer + client->got, sizeof client->answer - (size_t)client->got, 0);
    if (n < 0 && errno == EAGAIN) return true;
    if (n < 0) return fail("receiving an answer");
    if (n == 0) return complain("the server has closed a connection");
    client->got += (int)n;
    if (client->got < REQUEST_SIZE) return true;
    if (client->got > REQUEST_SIZE || memcmp(client->answer, client->request, REQUEST_SIZE) != 0)
        return complain("an answer is not the request");
    int64_t now = now_ns(CLOCK_MONOTONIC);
    load->asking--;
    load->requests++;
    load->histogram[bucket(now - client->asked)]++;
    return now >= load->end || ask(load, client, now);
}

static bool run(struct load *load, int64_t start, int64_t duration) {
    struct epoll_event events[MAX_EVENTS];
    load->requests = load->asking = 0;
    load->end = start + duration;
    for (int i = 0; i < load->count; i++)
        if (!ask(load, &load->clients[i], now_ns(CLOCK_MONOTONIC))) return false;
    while (load->asking > 0) {
        int count = epoll_wait(load->poller, events, MAX_EVENTS, PATIENCE_MS);
        if (count == 0) return complain("the server has not answered for 5 seconds");
        for (int i = 0; i < count; i++)
            if (!take(load, events[i].data.ptr)) return false;
    }
    return true;
}

bool load_run(struct load *load, double seconds, clockid_t server, struct load_count *count) {
    int64_t cpu = now_ns(server), start = now_ns(CLOCK_MONOTONIC);
    if (!run(load, start, (int64_t)(seconds * 1e9))) return false;
    count->wall_ns = (double)(now_ns(CLOCK_MONOTONIC) - start);
    count->server_ns = (double)(now_ns(server) - cpu);
    count->requests = load->requests;
    return true;
}

static bool connect_one(struct load *load, struct client *client, int port, int number) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = client};
    int on = 1, fd = client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    client->seed = (uint64_t)number << 40;
    if (fd < 0) return fail("socket");
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return fail("connect");
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return fail("setsockopt");
    return epoll_ctl(load->poller, EPOLL_CTL_ADD, fd, &event) == 0 || fail("epoll_ctl");
}

struct load *load_open(int port, int connections) {
    struct load *load = calloc(1, sizeof *load + (size_t)connections * sizeof load->clients[0]);
    if (load == NULL) return fail("preparing the clients"), NULL;
    load->count = connections;
    load->poller = epoll_create1(EPOLL_CLOEXEC);
    bool connected = load->poller >= 0 || fail("epoll_create1");
    for (int i = 0; i < connections; i++) {
        load->clients[i].fd = -1;
        connected = connected && connect_one(load, &load->clients[i], port, i);
    }
    if (connected) return load;
    load_close(load);
    return NULL;
}

void load_close(struct load *load) {
    struct linger reset = {.l_onoff = 1};
    for (int i = 0; i < load->count; i++) {
        if (load->clients[i].fd < 0) continue;
        /* By a reset: thousands of connections in the state after an orderly end would be in the way of what comes next. */
        setsockopt(load->clients[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(load->clients[i].fd);
    }
    if (load->poller >= 0) close(load->poller);
    free(load);
}
