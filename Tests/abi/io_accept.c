/* Rows H8 and B8: accepting while no descriptor is free (known bugs 19 and 20), and accept4. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { LIMIT = 64 };

static address at;
static int listener;

static uint64_t accept_waits(void) {
    coro_stats stats = {.struct_size = sizeof stats};
    CHECK_EQ(coro_get_stats(&stats), 0);
    return stats.accept_waits;
}

static void lift_limit(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* Takes all numbers below LIMIT, which is the first that may not be had any more. To the test's end: then leaks are looked for,
   which takes descriptors. */
static void use_up_descriptors(void) {
    struct rlimit limit;
    for (int fd = 0; fd < LIMIT; fd++)
        if (fcntl(fd, F_GETFD) < 0) CHECK_EQ(dup(0), fd);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = LIMIT;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(atexit(lift_limit) == 0);
}

static void *accept_one(void *fd) {
    return AS_POINTER(coro_accept(AS_INT(fd), NULL, NULL));
}

static int raw_client(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&at.storage, at.length) == 0);
    return fd;
}

/* Listens, with a client in the queue and no descriptor to spare: the last can be closed to make room. */
static void set_up_shortage(void) {
    listener = make_listener(AF_INET, SOCK_STREAM, 8, &at);
    raw_client();
    use_up_descriptors();
}

static coro_t start_acceptor(void) {
    coro_t acceptor = spawn_one(accept_one, AS_POINTER(listener));
    let_others_run();
    CHECK(coro_is_alive(acceptor));
    CHECK_EQ(info_of(acceptor).wait_kind, CORO_WAIT_ROOM);
    CHECK_EQ(info_of(acceptor).wait_object, listener);
    coro_info info = info_of(acceptor);
    CHECK_CONTAINS(info.waiting, "waiting for room to accept from fd ");
    return acceptor;
}

/* By the clock that stands still nothing but the close can have woken it. */
TEST(H8_accept_without_a_free_descriptor_waits_until_one_is_closed) {
    coro_test_set_virtual_time(true);
    set_up_shortage();
    uint64_t before = accept_waits();
    coro_t acceptor = start_acceptor();
    CHECK_EQ(accept_waits(), before + 1);
    int64_t now = coro_get_now();
    CHECK_EQ(coro_close(LIMIT - 1), 0);
    CHECK_EQ(join_soon(acceptor), LIMIT - 1);
    CHECK_EQ(coro_get_now(), now);
    CHECK_EQ(coro_get_live_coros(), 0);
}

TEST(H8_accept_without_a_free_descriptor_notices_those_that_are_closed_otherwise) {
    coro_test_set_virtual_time(true);
    set_up_shortage();
    coro_t acceptor = start_acceptor();
    CHECK(close(LIMIT - 1) == 0);
    int64_t now = coro_get_now();
    CHECK_EQ(join_soon(acceptor), LIMIT - 1);
    CHECK_EQ(coro_get_now() - now, CORO_MS(100));
}

/* accept(2) fails for lack of a descriptor whether or not there is a connection: without one there is no shortage. */
TEST(H8_accept_without_a_free_descriptor_or_a_connection_waits_for_the_connection) {
    listener = make_listener(AF_INET, SOCK_STREAM, 8, &at);
    int client = coro_socket(AF_INET, SOCK_STREAM, 0);
    use_up_descriptors();
    coro_t acceptor = spawn_one(accept_one, AS_POINTER(listener));
    let_others_run();
    CHECK_EQ(info_of(acceptor).wait_kind, CORO_WAIT_READ);
    CHECK_EQ(accept_waits(), 0);
    CHECK_EQ(coro_connect(client, (struct sockaddr *)&at.storage, at.length), 0);
    let_others_run();
    CHECK_EQ(info_of(acceptor).wait_kind, CORO_WAIT_ROOM);
    CHECK_EQ(coro_close(LIMIT - 1), 0);
    CHECK_EQ(join_soon(acceptor), LIMIT - 1);
}

static void *accept_in_time(void *fd) {
    coro_timeout_t scope = coro_timeout_begin(CORO_MS(250));
    return AS_POINTER(coro_timeout_end(scope, coro_accept(AS_INT(fd), NULL, NULL)));
}

TEST(H8_accept_without_a_free_descriptor_is_interruptible_and_bounded) {
    coro_test_set_virtual_time(true);
    set_up_shortage();
    coro_t acceptor = start_acceptor();
    CHECK_EQ(coro_shutdown(acceptor), 0);
    CHECK_EQ(join_soon(acceptor), CORO_ESHUTDOWN);
    acceptor = start_acceptor();
    CHECK_EQ(coro_raise(acceptor, CORO_ETIMEOUT, 0), 0); /* not taken for its own time */
    CHECK_EQ(join_soon(acceptor), CORO_ETIMEOUT);
    int64_t now = coro_get_now();
    CHECK_EQ(join_soon(spawn_one(accept_in_time, AS_POINTER(listener))), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - now, CORO_MS(250));
    /* The connection is there still. */
    CHECK_EQ(coro_close(LIMIT - 1), 0);
    CHECK_EQ(coro_accept(listener, NULL, NULL), LIMIT - 1);
}

TEST(H8_accept_without_a_free_descriptor_ends_when_the_listener_is_closed) {
    coro_test_set_virtual_time(true);
    for (int round = 0; round < 2; round++) {
        if (round == 0) set_up_shortage();
        coro_t acceptor = start_acceptor();
        coro_t second = spawn_one(accept_one, AS_POINTER(listener));
        CHECK_EQ(join_soon(second), CORO_ESIMULTANEOUS);
        int64_t now = coro_get_now();
        CHECK_EQ(round == 0 ? coro_forget(listener) : coro_close(listener), 0);
        CHECK_EQ(join_soon(acceptor), CORO_ECLOSED);
        CHECK_EQ(coro_get_now(), now); /* at once */
    }
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* Room that was given to one who is then interrupted is another's. */
TEST(H8_room_that_an_interrupted_acceptor_was_woken_for_goes_to_the_next) {
    address other_at;
    coro_test_set_virtual_time(true);
    int other = make_listener(AF_UNIX, SOCK_STREAM, 8, &other_at), client = coro_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(coro_connect(client, (struct sockaddr *)&other_at.storage, other_at.length), 0);
    set_up_shortage();
    coro_t first = start_acceptor(), second = spawn_one(accept_one, AS_POINTER(other));
    let_others_run();
    int64_t now = coro_get_now();
    CHECK_EQ(coro_close(LIMIT - 1), 0);
    CHECK_EQ(coro_raise(first, CORO_EWAKEUP, 0), 0);
    CHECK_EQ(join_soon(first), CORO_EWAKEUP);
    CHECK_EQ(join_soon(second), LIMIT - 1);
    CHECK_EQ(coro_get_now(), now);
}

TEST(H8_every_lack_of_room_makes_accept_wait_and_no_other_error_does) {
    static const int lacking[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM}, others[] = {EINVAL, EPERM, EOPNOTSUPP, EBADF};
    coro_test_set_virtual_time(true);
    listener = make_listener(AF_INET, SOCK_STREAM, 8, &at);
    for (int i = 0; i < 4; i++) {
        int many[2], client = raw_client();
        CHECK_EQ(coro_test_fail_call("accept4", 1, lacking[i]), 0);
        int fd = i & 1 ? (coro_accept_many(listener, many, 2) == 1 ? many[0] : -1) : coro_accept(listener, NULL, NULL);
        CHECK(fd >= 0);
        CHECK_EQ(accept_waits(), (uint64_t)i + 1);
        CHECK_EQ(coro_close(fd), 0);
        close(client);
        CHECK_EQ(coro_test_fail_call("accept4", 1, others[i]), 0);
        CHECK_EQ(coro_accept(listener, NULL, NULL), -others[i]);
    }
}

static void lack_room_three_times(void) {
    coro_test_set_virtual_time(true);
    listener = make_listener(AF_INET, SOCK_STREAM, 8, &at);
    for (int i = 0; i < 3; i++) {
        raw_client();
        CHECK_EQ(coro_test_fail_call("accept4", 1, EMFILE), 0);
        CHECK(coro_accept(listener, NULL, NULL) >= 0);
        if (i > 0) CHECK_EQ(coro_test_step_time(CORO_SECONDS(11)), 0);
    }
}

TEST(H8_a_shortage_of_descriptors_is_told_of_once) {
    char output[2048];
    CHECK_EQ(run_in_child(lack_room_three_times, output, sizeof output), 0);
    char *first = strstr(output, "no room to accept from descriptor "), *second = first ? strstr(first + 1, "no room") : NULL;
    CHECK(first != NULL && second != NULL && strstr(second + 1, "no room") == NULL);
    CHECK_CONTAINS(output, "EMFILE");
    CHECK_CONTAINS(output, "ulimit -n");
}

/* -- a server at its limit -- */

enum { CLIENTS = 200 };

static void *echo(void *fd) {
    char buffer[32];
    ssize_t got;
    while ((got = coro_read(AS_INT(fd), buffer, sizeof buffer)) > 0)
        CHECK_EQ(coro_write(AS_INT(fd), buffer, (size_t)got), got);
    CHECK_EQ(coro_close(AS_INT(fd)), 0);
    return NULL;
}

static void *serve(void *unused) {
    int fd;
    while ((fd = coro_accept(listener, NULL, NULL)) >= 0) CHECK(coro_detach(spawn_one(echo, AS_POINTER(fd))) > 0);
    CHECK_EQ(fd, CORO_ECLOSED);
    return unused;
}

static int served;

static void *be_client(void *number) {
    char text[32], answer[32];
    int fd = coro_socket(AF_INET, SOCK_STREAM, 0), n = snprintf(text, sizeof text, "client %d", AS_INT(number));
    CHECK(fd >= 0);
    CHECK_EQ(coro_connect(fd, (struct sockaddr *)&at.storage, at.length), 0);
    CHECK_EQ(coro_write(fd, text, (size_t)n), n);
    CHECK_EQ(coro_recv_exact(fd, answer, (size_t)n), n);
    CHECK(memcmp(text, answer, (size_t)n) == 0);
    /* Until it has gone it keeps its place: with all places taken so, nobody is let in. */
    CHECK_EQ(coro_sleep(CORO_MS(20)), 0);
    CHECK_EQ(coro_close(fd), 0);
    served++;
    return NULL;
}

static void run_clients(void) {
    coro_t clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) clients[i] = spawn_one(be_client, AS_POINTER(i));
    for (int i = 0; i < CLIENTS; i++) join_soon(clients[i]);
    CHECK_EQ(served, CLIENTS);
}

/* Known bug 19. The clients are another process, which has descriptors enough. */
TEST(H8_a_server_at_its_limit_of_descriptors_serves_all_and_does_not_spin) {
    struct rlimit limit;
    listener = make_listener(AF_INET, SOCK_STREAM, 256, &at);
    pid_t child = fork();
    if (child == 0) {
        coro_close(listener);
        run_clients();
        _exit(0);
    }
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = LIMIT;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_EQ(coro_test_fail_call("accept4", 1000, EIO), 0); /* a server that spins gets there */
    coro_t server = spawn_one(serve, NULL);
    int status;
    CHECK_EQ(coro_waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(coro_test_fail_call("accept4", 0, 0), 0);
    uint64_t waits = accept_waits();
    CHECK(waits > 0); /* else this was no shortage */
    CHECK_EQ(coro_close(listener), 0);
    CHECK_EQ(join_soon(server), 0);
}

/* For as long as nobody closes anything: each 100 ms, and a hundred calls would have been made in 10 s. */
TEST(H8_a_server_whose_descriptors_are_all_in_use_looks_ten_times_a_second) {
    coro_test_set_virtual_time(true);
    set_up_shortage();
    coro_t acceptor = start_acceptor();
    uint64_t before = accept_waits();
    CHECK_EQ(coro_sleep(CORO_SECONDS(10)), 0);
    uint64_t waits = accept_waits() - before;
    CHECK(waits >= 99 && waits <= 101);
    CHECK_EQ(coro_close(LIMIT - 1), 0);
    CHECK_EQ(join_soon(acceptor), LIMIT - 1);
}

TEST(H8_making_descriptors_beyond_the_limit_is_an_error_that_says_what_to_do) {
    int ends[2];
    set_up_shortage();
    CHECK_EQ(coro_socket(AF_INET, SOCK_STREAM, 0), -EMFILE);
    CHECK_CONTAINS(coro_error_detail(), "ulimit -n");
    CHECK_EQ(coro_pipe(ends, 0), -EMFILE);
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, ends), -EMFILE);
    CHECK_EQ(coro_dup(listener), -EMFILE);
}

TEST(H8_accept4_has_the_flags_of_the_new_descriptor) {
    static const int flags[] = {0, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_CLOEXEC | SOCK_NONBLOCK};
    listener = make_listener(AF_INET, SOCK_STREAM, 8, &at);
    for (int i = 0; i < 4; i++) {
        address from = {.length = sizeof from.storage};
        raw_client();
        int fd = coro_accept4(listener, (struct sockaddr *)&from.storage, &from.length, flags[i]);
        CHECK(fd >= 0);
        CHECK_EQ(from.storage.ss_family, AF_INET);
        CHECK_EQ(fcntl(fd, F_GETFD), flags[i] & SOCK_CLOEXEC ? FD_CLOEXEC : 0);
        CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
        CHECK_EQ(coro_accept4(listener, NULL, NULL, flags[i] | 1), -EINVAL);
    }
}

/* Clients that come without end do not keep the caller from going on. */
CORO_TEST(H8_accepting_many_takes_256_at_most) {
    enum { CLIENTS = 300 };
    static int clients[CLIENTS], accepted[1000];
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 20);
    snprintf(name.sun_path + 1, 20, "coro many %d", (int)getpid());
    int server = coro_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(coro_bind(server, (struct sockaddr *)&name, length), 0);
    CHECK_EQ(coro_listen(server, CLIENTS), 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = coro_socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(coro_connect(clients[i], (struct sockaddr *)&name, length), 0);
    }
    CHECK_EQ(coro_accept_many(server, accepted, 1000), 256);
    CHECK_EQ(coro_accept_many(server, accepted + 256, 744), CLIENTS - 256);
    for (int i = 0; i < CLIENTS; i++) {
        CHECK_EQ(coro_close(clients[i]), 0);
        CHECK_EQ(coro_close(accepted[i]), 0);
    }
    CHECK_EQ(coro_close(server), 0);
}
