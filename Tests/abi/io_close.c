/* Rows H3 and H4: descriptors that are closed, and numbers that mean another file later. */
#define _GNU_SOURCE
#include "net.h"

#include <fcntl.h>
#include <sys/un.h>

static void *write_much(void *fd) {
    static char zeroes[1 << 20];
    return AS_POINTER(coro_write(AS_INT(fd), zeroes, sizeof zeroes));
}

static void *read_and_name_closer(void *fd) {
    char byte;
    CHECK_EQ(coro_read(AS_INT(fd), &byte, 1), CORO_ECLOSED);
    return AS_POINTER(coro_error_other());
}

static void *write_and_name_closer(void *fd) {
    static char zeroes[1 << 20];
    CHECK_EQ(coro_write(AS_INT(fd), zeroes, sizeof zeroes), CORO_ECLOSED);
    return AS_POINTER(coro_error_other());
}

static void *close_it(void *fd) {
    return AS_POINTER(coro_close(AS_INT(fd)));
}

TEST(H3_close_wakes_both_directions_and_names_the_closer) {
    int fds[2];
    unix_pair(fds);
    coro_t reader = spawn_one(read_and_name_closer, AS_POINTER(fds[0]));
    coro_t writer = spawn_one(write_and_name_closer, AS_POINTER(fds[0]));
    let_others_run();
    coro_t closer = spawn_one(close_it, AS_POINTER(fds[0]));
    CHECK_EQ(join_soon(closer), 0);
    CHECK_EQ(join_soon(reader), closer);
    CHECK_EQ(join_soon(writer), closer);
}

TEST(H3_closed_by_main_is_closed_by_no_coroutine) {
    int fds[2];
    unix_pair(fds);
    coro_t reader = spawn_one(read_and_name_closer, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(join_soon(reader), 0);
}

/* Known bug 4: somebody waits at the listener that is closed; its number listens again later. */
static void *accept_one(void *fd) {
    return AS_POINTER(coro_accept(AS_INT(fd), NULL, NULL));
}

TEST(H3_a_listener_is_closed_under_who_accepts_and_its_number_used_again) {
    address at;
    int listener = make_listener(AF_INET, SOCK_STREAM, 4, &at);
    coro_t acceptor = spawn_one(accept_one, AS_POINTER(listener));
    let_others_run();
    CHECK_EQ(coro_close(listener), 0);
    CHECK_EQ(join_soon(acceptor), CORO_ECLOSED);
    int again = make_listener(AF_INET, SOCK_STREAM, 4, &at);
    CHECK_EQ(again, listener);
    acceptor = spawn_one(accept_one, AS_POINTER(again));
    let_others_run();
    int client = coro_socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(coro_connect(client, (struct sockaddr *)&at.storage, at.length), 0);
    CHECK(join_soon(acceptor) >= 0);
}

TEST(H3_later_operations_name_the_closer) {
    int fds[2];
    char byte;
    unix_pair(fds);
    coro_t closer = spawn_one(close_it, AS_POINTER(fds[0]));
    CHECK_EQ(join_soon(closer), 0);
    CHECK_EQ(coro_read(fds[0], &byte, 1), CORO_ECLOSED);
    CHECK_EQ(coro_error_other(), closer);
    CHECK_EQ(coro_close(fds[0]), 0); /* closed already: this closes nothing */
    CHECK_EQ(coro_write(fds[0], &byte, 1), CORO_ECLOSED);
    CHECK_EQ(coro_error_other(), closer);
}

TEST(H3_later_operations_find_it_closed) {
    int fds[2];
    char byte;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    unix_pair(fds);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_read(fds[0], &byte, 1), CORO_ECLOSED);
    CHECK_EQ(coro_write(fds[0], &byte, 1), CORO_ECLOSED);
    CHECK_EQ(coro_recv(fds[0], &byte, 1, 0), CORO_ECLOSED);
    CHECK_EQ(coro_send(fds[0], &byte, 1, 0), CORO_ECLOSED);
    CHECK_EQ(coro_recvfrom(fds[0], &byte, 1, 0, NULL, NULL), CORO_ECLOSED);
    CHECK_EQ(coro_sendto(fds[0], &byte, 1, 0, NULL, 0), CORO_ECLOSED);
    CHECK_EQ(coro_recv_exact(fds[0], &byte, 1), CORO_ECLOSED);
    CHECK_EQ(coro_wait_for(fds[0], CORO_READ), CORO_ECLOSED);
    CHECK_EQ(coro_accept(fds[0], NULL, NULL), CORO_ECLOSED);
    CHECK_EQ(coro_connect(fds[0], (struct sockaddr *)&name, sizeof name), CORO_ECLOSED);
    CHECK_EQ(coro_listen(fds[0], 1), CORO_ECLOSED);
    CHECK_EQ(coro_shutdown_socket(fds[0], SHUT_WR), CORO_ECLOSED);
    CHECK_EQ(coro_dup(fds[0]), CORO_ECLOSED);
    CHECK(coro_fdopen(fds[0], "r") == NULL);
    CHECK_CONTAINS(coro_error_detail(), "closed");
}

TEST(H3_close_is_idempotent) {
    int fds[2], raw[2];
    unix_pair(fds);
    for (int round = 0; round < 3; round++) CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_close(-1), -EBADF);
    CHECK_EQ(coro_close(700), -EBADF); /* never open */
    /* The same for what was not made here, and is closed before anything else is done with it. */
    blocking_pipe(raw);
    CHECK_EQ(coro_close(raw[0]), 0);
    CHECK_EQ(coro_close(raw[0]), 0);
    CHECK_EQ(dup2(raw[1], 800), 800);
    CHECK_EQ(coro_close(800), 0);
    CHECK_EQ(coro_close(800), 0);
}

/* Closing takes nothing that the number means now. */
TEST(H4_a_number_that_was_closed_here_may_be_opened_elsewhere) {
    int fds[2], raw[2];
    char byte;
    unix_pair(fds);
    CHECK_EQ(coro_close(fds[0]), 0);
    blocking_pipe(raw);
    CHECK_EQ(raw[0], fds[0]);
    CHECK_EQ(coro_write(raw[1], "x", 1), 1);
    CHECK_EQ(coro_read(raw[0], &byte, 1), 1);
    CHECK_EQ(coro_close(raw[0]), 0);
}

/* Known bug 1: both are ready in one look at the descriptors, and the first to run closes what the second waits for, and
   opens another file of the same number. */
static int victim_fd;

static void *close_the_other_and_open_anew(void *fd) {
    static int fresh[2];
    char byte;
    CHECK_EQ(coro_read(AS_INT(fd), &byte, 1), 1);
    CHECK_EQ(coro_close(victim_fd), 0);
    unix_pair(fresh);
    CHECK_EQ(fresh[0], victim_fd);
    CHECK_EQ(coro_write(fresh[1], "n", 1), 1);
    return fresh;
}

TEST(H4_a_woken_reader_does_not_read_from_the_next_file_of_that_number) {
    int first[2], second[2], *fresh;
    char byte;
    unix_pair(first);
    unix_pair(second);
    victim_fd = second[0];
    coro_t closer = spawn_one(close_the_other_and_open_anew, AS_POINTER(first[0]));
    coro_t victim = spawn_one(read_one, AS_POINTER(second[0]));
    let_others_run();
    CHECK_EQ(write(first[1], "x", 1), 1); /* ready first, so that its reader runs first */
    CHECK_EQ(write(second[1], "y", 1), 1);
    CHECK_EQ(coro_join(closer, (void **)&fresh, CORO_SECONDS(30)), 0);
    CHECK_EQ(join_soon(victim), CORO_ECLOSED);
    CHECK_EQ(coro_read(fresh[0], &byte, 1), 1);
    CHECK_EQ(byte, 'n'); /* and the new file's data is all there */
}

/* The same for accept: another listener must not lose a connection to it. */
static void *close_the_listener_and_open_anew(void *fd) {
    static address at;
    char byte;
    CHECK_EQ(coro_read(AS_INT(fd), &byte, 1), 1);
    CHECK_EQ(coro_close(victim_fd), 0);
    CHECK_EQ(make_listener(AF_UNIX, SOCK_STREAM, 4, &at), victim_fd);
    int client = coro_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(coro_connect(client, (struct sockaddr *)&at.storage, at.length), 0);
    return NULL;
}

TEST(H4_a_woken_acceptor_does_not_accept_from_the_next_listener) {
    int first[2];
    address at;
    unix_pair(first);
    victim_fd = make_listener(AF_UNIX, SOCK_STREAM, 4, &at);
    coro_t closer = spawn_one(close_the_listener_and_open_anew, AS_POINTER(first[0]));
    coro_t victim = spawn_one(accept_one, AS_POINTER(victim_fd));
    let_others_run();
    CHECK_EQ(write(first[1], "x", 1), 1);
    int client = coro_socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(coro_connect(client, (struct sockaddr *)&at.storage, at.length), 0);
    join_soon(closer);
    CHECK_EQ(join_soon(victim), CORO_ECLOSED);
    CHECK(coro_accept(victim_fd, NULL, NULL) >= 0);
}

/* A waiter that is woken by close must not be confused by the number's new meaning either. */
TEST(H4_a_new_file_of_the_number_has_waiters_of_its_own) {
    int fds[2], fresh[2];
    unix_pair(fds);
    coro_t old = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    int copy = dup(fds[0]); /* keeps the old file alive: its events still come, known bug 2 */
    CHECK_EQ(coro_close(fds[0]), 0);
    unix_pair(fresh);
    CHECK_EQ(fresh[0], fds[0]);
    coro_t new = spawn_one(read_one, AS_POINTER(fresh[0])); /* and not "somebody waits already" */
    CHECK_EQ(join_soon(old), CORO_ECLOSED);
    let_others_run();
    CHECK_EQ(write(fds[1], "x", 1), 1);
    let_others_run();
    CHECK(coro_is_alive(new));
    CHECK_EQ(coro_write(fresh[1], "z", 1), 1);
    CHECK_EQ(join_soon(new), 1);
    close(copy);
}

static void *wait_to_read(void *fd) {
    return AS_POINTER(coro_wait_for(AS_INT(fd), CORO_READ));
}

/* A registration that outlives its number, because a duplicate keeps the file open and nobody told us: what it reports is not
   about the next file of that number. */
TEST(H4_an_event_of_an_earlier_file_wakes_nobody) {
    int fds[2], fresh[2];
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    coro_shutdown(reader);
    CHECK_EQ(join_soon(reader), CORO_ESHUTDOWN);
    int copy = dup(fds[0]);
    close(fds[0]);
    unix_pair(fresh);
    CHECK_EQ(fresh[0], fds[0]);
    coro_t waiter = spawn_one(wait_to_read, AS_POINTER(fresh[0]));
    let_others_run();
    CHECK_EQ(write(fds[1], "x", 1), 1);
    let_others_run();
    CHECK(coro_is_alive(waiter));
    CHECK_EQ(coro_write(fresh[1], "y", 1), 1);
    CHECK_EQ(join_soon(waiter), 0);
    close(copy);
}

TEST(H3_forget_gives_up_a_descriptor_without_closing_it) {
    int fds[2];
    char byte;
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    coro_t writer = spawn_one(write_much, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_forget(fds[0]), 0);
    CHECK_EQ(join_soon(reader), CORO_ECLOSED);
    CHECK_EQ(join_soon(writer), CORO_ECLOSED);
    CHECK(fcntl(fds[0], F_GETFD) >= 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1); /* it may be used again */
    CHECK_EQ(coro_forget(fds[0]), 0);
    CHECK_EQ(close(fds[0]), 0);
    CHECK_EQ(coro_forget(fds[0]), -EBADF);
    CHECK_EQ(coro_forget(-1), -EBADF);
}

/* Known bug 5: closed without our knowledge after a wait that was broken off. */
TEST(H3_closed_behind_our_back_after_a_wait_is_no_danger) {
    int fds[2];
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    coro_shutdown(reader);
    CHECK_EQ(join_soon(reader), CORO_ESHUTDOWN);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    close(fds[0]);
    for (int i = 0; i < 1000; i++) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(read_one(AS_POINTER(fds[0])) == NULL, 0);
}

/* Closed, and its number given to another file, while somebody waits: the contract forbids it, but it must not hang. */
TEST(H4_closed_behind_our_back_a_waiter_gets_an_error) {
    int fds[2];
    unix_pair(fds);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    close(fds[0]);
    CHECK_EQ(join_soon(reader), -EBADF);
}

TEST(H4_reused_behind_our_back_a_waiter_is_not_hung) {
    int fds[2], other[2];
    unix_pair(fds);
    unix_pair(other);
    coro_t reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(dup2(other[0], fds[0]), fds[0]);
    CHECK_EQ(write(other[1], "x", 1), 1);
    CHECK_EQ(join_soon(reader), 1);
}

static bool stop;

static void *tick(void *unused) {
    while (!stop) CHECK_EQ(coro_sleep(CORO_MS(5)), 0);
    return unused;
}

/* The same in a program that never sleeps for long. */
TEST(H4_reused_behind_our_back_a_waiter_is_not_hung_in_a_busy_loop) {
    int fds[2], other[2];
    unix_pair(fds);
    unix_pair(other);
    coro_t ticker = spawn_one(tick, NULL), reader = spawn_one(read_one, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(dup2(other[0], fds[0]), fds[0]);
    CHECK_EQ(write(other[1], "x", 1), 1);
    void *result;
    CHECK_EQ(coro_join(reader, &result, CORO_SECONDS(5)), 0);
    CHECK_EQ(AS_INT(result), 1);
    stop = true;
    join_soon(ticker);
}

static int udp;

static void *close_when_told(void *unused) {
    char byte;
    CHECK_EQ(coro_recv(udp, &byte, 1, 0), -ECONNREFUSED);
    CHECK_EQ(coro_close(udp), 0);
    return unused;
}

static void *wait_to_write(void *fd) {
    return AS_POINTER(coro_wait_for(AS_INT(fd), CORO_WRITE));
}

/* Known bug 9: an error of a UDP socket is an event for both directions, and the first that hears of it closes. */
TEST(H3_closing_on_an_event_of_both_directions) {
    for (int i = 0; i < 2; i++) {
        address at = loopback(AF_INET);
        int nobody = coro_socket(AF_INET, SOCK_DGRAM, 0), least = 1;
        CHECK_EQ(coro_bind(nobody, (struct sockaddr *)&at.storage, at.length), 0);
        at.length = sizeof at.storage;
        CHECK_EQ(coro_getsockname(nobody, (struct sockaddr *)&at.storage, &at.length), 0);
        CHECK_EQ(coro_close(nobody), 0);
        udp = coro_socket(AF_INET, SOCK_DGRAM, 0);
        CHECK_EQ(coro_setsockopt(udp, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
        CHECK_EQ(coro_connect(udp, (struct sockaddr *)&at.storage, at.length), 0);
        coro_t closer = spawn_one(close_when_told, NULL);
        let_others_run();
        CHECK(send(udp, "x", 1, MSG_DONTWAIT) == 1);
        coro_t writer = spawn_one(wait_to_write, AS_POINTER(udp));
        CHECK_EQ(join_soon(closer), 0);
        int code = join_soon(writer);
        CHECK(code == 0 || code == CORO_ECLOSED);
        CHECK_EQ(coro_get_live_coros(), 0);
    }
}

/* Known bug 11: nothing that was shut down, and whose peer has gone, keeps the loop going. */
TEST(H3_a_loop_ends_after_shutdown_and_close_of_the_peer) {
    int fds[2];
    tcp_pair(fds);
    coro_detach(spawn_one(read_one, AS_POINTER(fds[0])));
    let_others_run();
    CHECK_EQ(coro_shutdown_socket(fds[0], SHUT_WR), 0);
    CHECK_EQ(coro_close(fds[1]), 0);
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_EQ(coro_close(fds[0]), 0);
    run_until_idle();
}
