/* Connections by name and port: coro_tcp_connect() races the addresses of a host, coro_tcp_listen(). */
#define _GNU_SOURCE
#include "coroutines.h"
#include "gate.h"
#include "net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

/* -- a resolver that knows hosts by their addresses: "::1,127.0.0.1" -- */

static gate *resolver_gate; /* NULL: it answers at once */

static int resolve(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res) {
    char addresses[200];
    struct addrinfo numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    if (resolver_gate != NULL) pass_gate(resolver_gate);
    snprintf(addresses, sizeof addresses, "%s", node);
    for (char *rest = addresses, *each; (each = strsep(&rest, ",")) != NULL; res = &(*res)->ai_next) {
        int error = getaddrinfo(each, service, &numeric, res);
        if (error != 0) return error;
    }
    return 0;
}

/* -- servers -- */

static int listen_at(const char *host, int port, int backlog) {
    int fd = coro_tcp_listen(host, port, backlog);
    if (fd < 0) test_fail(__FILE__, __LINE__, "listen at %s: %s", host, coro_error_detail());
    return fd;
}

static void check_connected(int fd, int server) {
    char buffer[4];
    int peer = coro_accept(server, NULL, NULL);
    CHECK(peer >= 0);
    CHECK_EQ(coro_write(fd, "ping", 4), 4);
    CHECK_EQ(coro_recv_exact(peer, buffer, 4), 4);
    CHECK_EQ(coro_close(peer), 0);
}

static void check_options(int fd) {
    int on = 0;
    socklen_t size = sizeof on;
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(coro_getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &size), 0);
    CHECK(on);
}

static void connect_and_listen(void) {
    int before = open_descriptors();
    int server = listen_at("127.0.0.1", 0, 0), port = coro_tcp_port(server);
    CHECK(port > 0);
    int fd = coro_tcp_connect("127.0.0.1", port);
    CHECK(fd >= 0);
    check_connected(fd, server);
    check_options(fd);
    coro_test_set_resolver(resolve);
    int other = coro_tcp_connect("127.0.0.1,127.0.0.2", port);
    CHECK(other >= 0);
    int peer = coro_accept(server, NULL, NULL);
    check_options(peer); /* inherited */
    for (int i = 0; i < 4; i++) CHECK_EQ(coro_close((int[]){server, fd, other, peer}[i]), 0);
    CHECK(open_descriptors() - before <= 2); /* the loop's own */
}

TEST(connect_and_listen_on_the_threads_own_stack) { connect_and_listen(); }

CORO_TEST(connect_and_listen_in_a_coroutine) { connect_and_listen(); }

CORO_TEST(connect_checks_its_arguments) {
    CHECK_EQ(coro_tcp_connect(NULL, 80), -EINVAL);
    CHECK_EQ(coro_tcp_connect("127.0.0.1", 0), -EINVAL);
    CHECK_EQ(coro_tcp_connect("127.0.0.1", 65536), -EINVAL);
    CHECK_EQ(coro_tcp_listen(NULL, -1, 0), -EINVAL);
    CHECK_EQ(coro_tcp_listen(NULL, 65536, 0), -EINVAL);
    CHECK_EQ(coro_tcp_port(-1), -EBADF);
    CHECK_EQ(coro_tcp_port(0), -ENOTSOCK);
    coro_test_set_resolver(resolve);
    CHECK_EQ(coro_tcp_connect("no address", 80), CORO_EAI_NONAME);
    CHECK_EQ(coro_tcp_listen("no address", 80, 0), CORO_EAI_NONAME);
}

/* -- servers of both families -- */

CORO_TEST(connect_to_a_server_for_all_addresses) {
    int server = listen_at(NULL, 0, 5), port = coro_tcp_port(server);
    for (int i = 0; i < 2; i++) {
        int fd = coro_tcp_connect(i == 0 ? "127.0.0.1" : "::1", port);
        CHECK(fd >= 0);
        check_connected(fd, server);
    }
}

CORO_TEST(connect_to_a_server_without_ipv6) {
    CHECK_EQ(coro_test_fail_call("socket", 1, EAFNOSUPPORT), 0);
    int server = listen_at(NULL, 0, 5);
    int fd = coro_tcp_connect("127.0.0.1", coro_tcp_port(server));
    CHECK(fd >= 0);
    check_connected(fd, server);
}

CORO_TEST(connect_listening_at_a_port_that_is_taken_is_an_error) {
    int server = listen_at("127.0.0.1", 0, 0), port = coro_tcp_port(server), before;
    char where[40];
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0); /* opens what the loop itself needs */
    before = open_descriptors();
    CHECK_EQ(coro_tcp_listen("127.0.0.1", port, 0), -EADDRINUSE);
    snprintf(where, sizeof where, "listening at 127.0.0.1:%d", port);
    CHECK_STR(coro_error_detail(), where);
    coro_test_set_resolver(resolve);
    CHECK_EQ(coro_tcp_listen("127.0.0.1,127.0.0.2", port, 0), -EADDRINUSE);
    CHECK_EQ(open_descriptors(), before);
    CHECK(coro_tcp_listen("192.0.2.1,127.0.0.2", port, 0) >= 0); /* the first is not this machine's */
    CHECK_EQ(coro_tcp_listen("192.0.2.1", port, 0), -EADDRNOTAVAIL);
}

/* -- several addresses -- */

/* A port of which nobody listens, in either family. */
static int unused_port(void) {
    int server = listen_at(NULL, 0, 0), port = coro_tcp_port(server);
    CHECK_EQ(coro_close(server), 0);
    return port;
}

CORO_TEST(connect_refused_lists_all_attempts_in_their_order) {
    char all[300];
    int before, port = unused_port();
    coro_test_set_resolver(resolve);
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
    before = open_descriptors();
    CHECK_EQ(coro_tcp_connect("127.0.0.1,127.0.0.2,127.0.0.3,::1", port), -ECONNREFUSED);
    snprintf(all, sizeof all,
             "tried 127.0.0.1:%d: ECONNREFUSED, [::1]:%d: ECONNREFUSED, 127.0.0.2:%d: ECONNREFUSED, 127.0.0.3:%d: ECONNREFUSED",
             port, port, port, port);
    CHECK_STR(coro_error_detail(), all);
    CHECK_EQ(open_descriptors(), before);
    /* That there is no way to an address says least. */
    CHECK_EQ(coro_test_fail_call("connect", 1, ENETUNREACH), 0);
    CHECK_EQ(coro_tcp_connect("::1,127.0.0.1", port), -ECONNREFUSED);
    CHECK_CONTAINS(coro_error_detail(), "ENETUNREACH");
    CHECK_EQ(coro_test_fail_call("connect", 1, ENETUNREACH), 0);
    CHECK_EQ(coro_tcp_connect("127.0.0.1", port), -ENETUNREACH);
}

CORO_TEST(connect_goes_on_at_once_after_a_refusal) {
    int server = listen_at("127.0.0.1", 0, 0);
    coro_test_set_resolver(resolve);
    CHECK_EQ(coro_test_set_virtual_time(true), 0);
    int64_t before = coro_get_now();
    int fd = coro_tcp_connect("::1,127.0.0.2,127.0.0.1", coro_tcp_port(server));
    CHECK(fd >= 0);
    CHECK_EQ(coro_get_now(), before);
    check_connected(fd, server);
}

/* A server that does not answer: its backlog is full. */
static int make_mute(const char *host, int port) {
    int server = listen_at(host, port, 1);
    for (int i = 0; i < 8; i++) {
        struct sockaddr_storage at;
        socklen_t length = sizeof at;
        int fd = socket(strchr(host, ':') ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        CHECK_EQ(getsockname(server, (struct sockaddr *)&at, &length), 0);
        CHECK(connect(fd, (struct sockaddr *)&at, length) == 0 || errno == EINPROGRESS);
    }
    return server;
}

CORO_TEST(connect_tries_the_next_address_when_one_does_not_answer) {
    int server = listen_at("127.0.0.1", 0, 0), port = coro_tcp_port(server);
    make_mute("::1", port);
    make_mute("127.0.0.2", port);
    coro_test_set_resolver(resolve);
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
    int before = open_descriptors();
    CHECK_EQ(coro_test_set_virtual_time(true), 0);
    int64_t began = coro_get_now();
    int fd = coro_tcp_connect("::1,127.0.0.1", port);
    CHECK(fd >= 0);
    CHECK_EQ(coro_get_now(), began + CORO_MS(250));
    check_connected(fd, server);
    began = coro_get_now();
    int other = coro_tcp_connect("::1,127.0.0.2,127.0.0.1", port);
    CHECK(other >= 0);
    CHECK_EQ(coro_get_now(), began + CORO_MS(500));
    check_connected(other, server);
    began = coro_get_now();
    int third = coro_tcp_connect("::1,127.0.0.3,127.0.0.1", port); /* the second is refused: the third at once */
    CHECK(third >= 0);
    CHECK_EQ(coro_get_now(), began + CORO_MS(250));
    check_connected(third, server);
    CHECK_EQ(open_descriptors(), before + 3);
}

static int mute_port;

static void *connect_to_mute(void *host) {
    return AS_POINTER(coro_tcp_connect(host, mute_port));
}

CORO_TEST(connect_interrupted_leaves_nothing_behind) {
    static const char hosts[] = "::1,127.0.0.2";
    gate gate = new_gate();
    mute_port = coro_tcp_port(make_mute("::1", 0));
    make_mute("127.0.0.2", mute_port);
    coro_test_set_resolver(resolve);
    resolver_gate = &gate;
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
    int before = open_descriptors();
    CHECK_EQ(coro_test_set_virtual_time(true), 0);
    for (int phase = 0; phase < 4; phase++) { /* during the look-up, with one attempt, with both, and when it is over */
        coro_t caller = spawn_one(connect_to_mute, (void *)hosts);
        await_runs(&gate, phase + 1);
        if (phase > 0) open_gate(&gate, phase == 1 ? 2 : 1); /* also what was left of phase 0 */
        if (phase > 0) CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
        if (phase > 0) CHECK_EQ(coro_sleep(phase == 1 ? CORO_MS(10) : CORO_MS(300)), 0);
        CHECK_EQ(coro_shutdown(caller), 0);
        CHECK_EQ(join_soon(caller), CORO_ESHUTDOWN);
        CHECK_EQ(open_descriptors(), before);
    }
    open_gate(&gate, 1);
    CHECK_EQ(coro_with_timeout(CORO_SECONDS(1), connect_to_mute, (void *)hosts, NULL), CORO_ETIMEOUT);
    CHECK_EQ(open_descriptors(), before);
}

CORO_TEST(connect_lack_of_descriptors_is_an_error) {
    int server = listen_at("127.0.0.1", 0, 0), port = coro_tcp_port(server);
    mute_port = coro_tcp_port(make_mute("::1", 0));
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
    int before = open_descriptors();
    CHECK_EQ(coro_test_fail_call("socket", 1, EMFILE), 0);
    CHECK_EQ(coro_tcp_connect("127.0.0.1", port), -EMFILE);
    CHECK_EQ(coro_test_fail_call("epoll_create1", 1, EMFILE), 0);
    CHECK_EQ(coro_tcp_connect("::1", mute_port), -EMFILE);
    CHECK_EQ(coro_test_fail_call("epoll_ctl", 1, ENOSPC), 0);
    CHECK_EQ(coro_tcp_connect("::1", mute_port), -ENOSPC);
    if (!polls_by_ring()) { /* the loop's own registration */
        CHECK_EQ(coro_test_fail_call("epoll_ctl", 2, ENOSPC), 0);
        CHECK_EQ(coro_tcp_connect("::1", mute_port), -ENOSPC);
    }
    CHECK_EQ(open_descriptors(), before);
}
