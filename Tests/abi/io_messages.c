/* Rows H5 and H6: messages with what is beside their bytes, descriptors above all; known bug 24. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Whether two descriptors refer to the same open pipe. */
static bool are_same(int a, int b) {
    struct stat one, other;
    CHECK(fstat(a, &one) == 0 && fstat(b, &other) == 0);
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

typedef struct receipt {
    int fd, room;
    int fds[300], count;
    char data[64];
} receipt;

static void *receive_fds(void *of_receipt) {
    receipt *receipt = of_receipt;
    receipt->count = 77;
    return AS_POINTER(coro_recv_fds(receipt->fd, receipt->fds, receipt->room, &receipt->count, receipt->data, 64));
}

TEST(H5_descriptors_are_passed_on) {
    CHECK(coro_loop_current() > 0);
    int before = open_descriptors();
    for (int i = 0; i < 3; i++) {
        int fds[2], ends[2];
        char byte;
        CHECK_EQ(coro_socketpair(AF_UNIX, types[i], 0, fds), 0);
        CHECK_EQ(coro_pipe(ends, O_CLOEXEC), 0);
        receipt got = {.fd = fds[1], .room = 2};
        coro_t receiver = spawn_one(receive_fds, &got);
        let_others_run();
        CHECK_EQ(coro_send_fds(fds[0], ends, 2, "two ends", 9), 9);
        CHECK_EQ(join_soon(receiver), 9);
        CHECK_STR(got.data, "two ends");
        CHECK_EQ(got.count, 2);
        for (int k = 0; k < 2; k++) {
            CHECK(got.fds[k] != ends[k] && are_same(got.fds[k], ends[k]));
            CHECK_EQ(fcntl(got.fds[k], F_GETFD), FD_CLOEXEC);
            CHECK_EQ(coro_close(ends[k]), 0);
        }
        CHECK_EQ(coro_write(got.fds[1], "x", 1), 1);
        CHECK_EQ(coro_read(got.fds[0], &byte, 1), 1);
        CHECK_EQ(coro_close(got.fds[0]) + coro_close(got.fds[1]), 0);
        /* Data without descriptors, and with room for none. */
        CHECK_EQ(coro_send_fds(fds[0], NULL, 0, "none", 5), 5);
        got.room = 0;
        CHECK_EQ(join_soon(spawn_one(receive_fds, &got)), 5);
        CHECK_EQ(got.count, 0);
        CHECK_EQ(coro_close(fds[0]), 0);
        if (types[i] != SOCK_DGRAM) CHECK_EQ(join_soon(spawn_one(receive_fds, &got)), 0);
        CHECK_EQ(coro_close(fds[1]), 0);
        CHECK_EQ(open_descriptors(), before);
    }
}

/* A number that comes with a message is a new descriptor, whatever was known of it. */
TEST(H4_a_received_descriptor_inherits_nothing) {
    int fds[2], ends[2], old[2];
    unix_pair(fds);
    CHECK_EQ(coro_pipe(ends, O_CLOEXEC), 0);
    for (int i = 0; i < 2; i++) {
        unix_pair(old);
        coro_t reader = spawn_one(read_one, AS_POINTER(old[0]));
        let_others_run();
        CHECK(close(old[0]) == 0 && close(old[1]) == 0); /* behind our back */
        CHECK_EQ(coro_send_fds(fds[0], ends, 1, "1", 1), 1);
        int received = -1;
        if (i == 0) {
            receipt got = {.fd = fds[1], .room = 1};
            CHECK_EQ(join_soon(spawn_one(receive_fds, &got)), 1);
            received = got.fds[0];
        } else {
            char byte, control[CMSG_SPACE(sizeof(int))];
            struct iovec one = {&byte, 1};
            struct msghdr message = {NULL, 0, &one, 1, control, sizeof control, 0};
            CHECK_EQ(coro_recvmsg(fds[1], &message, 0), 1);
            memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof received);
            CHECK_EQ(fcntl(received, F_GETFD), FD_CLOEXEC);
        }
        CHECK_EQ(received, old[0]);
        CHECK_EQ(join_soon(reader), CORO_ECLOSED);
        reader = spawn_one(read_one, AS_POINTER(received));
        let_others_run();
        CHECK_EQ(coro_write(ends[1], "x", 1), 1);
        CHECK_EQ(join_soon(reader), 1);
        CHECK_EQ(coro_close(received), 0);
    }
}

static int many_fds[300];

static void open_many(int count) {
    for (int i = 0; i < count; i++) many_fds[i] = 0;
}

TEST(H5_as_many_descriptors_as_a_message_takes) {
    int fds[2], before;
    unix_pair(fds);
    open_many(253);
    CHECK(coro_loop_current() > 0);
    before = open_descriptors();
    CHECK_EQ(coro_send_fds(fds[0], many_fds, 253, "x", 1), 1);
    CHECK_EQ(coro_send_fds(fds[0], many_fds, 254, "x", 1), -EINVAL);
    receipt got = {.fd = fds[1], .room = 253};
    CHECK_EQ(join_soon(spawn_one(receive_fds, &got)), 1);
    CHECK_EQ(got.count, 253);
    for (int i = 0; i < 253; i++) CHECK_EQ(coro_close(got.fds[i]), 0);
    CHECK_EQ(open_descriptors(), before);
}

/* Known bug 24: what is not delivered is closed. */
TEST(H5_descriptors_that_there_is_no_room_for_do_not_leak) {
    int fds[2], before;
    unix_pair(fds);
    CHECK(coro_loop_current() > 0);
    before = open_descriptors();
    for (int room = 0; room < 3; room++) {
        receipt got = {.fd = fds[1], .room = room};
        CHECK_EQ(coro_send_fds(fds[0], many_fds, 3, "data", 5), 5);
        CHECK_EQ(coro_recv_fds(fds[1], got.fds, room, &got.count, got.data, 64), -EMSGSIZE);
        CHECK_EQ(coro_error_progress(), 5);
        CHECK_STR(got.data, "data");
        CHECK_EQ(got.count, 0);
        CHECK_EQ(open_descriptors(), before);
    }
}

TEST(H5_descriptors_beyond_the_limit_do_not_leak) {
    struct rlimit limit;
    int fds[2], before;
    unix_pair(fds);
    CHECK(coro_loop_current() > 0);
    before = open_descriptors();
    CHECK_EQ(coro_send_fds(fds[0], many_fds, 253, "data", 5), 5);
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    rlim_t usual = limit.rlim_cur;
    limit.rlim_cur = 100;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    receipt got = {.fd = fds[1], .room = 253};
    CHECK_EQ(coro_recv_fds(fds[1], got.fds, 253, &got.count, got.data, 64), -EMFILE);
    CHECK_CONTAINS(coro_error_detail(), "ulimit -n");
    CHECK_EQ(coro_error_progress(), 5);
    CHECK_EQ(got.count, 0);
    limit.rlim_cur = usual;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK_EQ(open_descriptors(), before);
}

/* Several parts with descriptors in one message, as other programs may send. */
TEST(H5_descriptors_in_several_parts_of_a_message_all_arrive) {
    int fds[2], before;
    union {
        char bytes[2 * CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr aligned;
    } control = {{0}};
    unix_pair(fds);
    CHECK(coro_loop_current() > 0);
    before = open_descriptors();
    for (int room = 3; room <= 4; room++) {
        struct iovec one = {"x", 1};
        struct msghdr message = {NULL, 0, &one, 1, control.bytes, sizeof control.bytes, 0};
        struct cmsghdr *part = CMSG_FIRSTHDR(&message);
        for (int i = 0; i < 2; i++, part = CMSG_NXTHDR(&message, part)) {
            part->cmsg_level = SOL_SOCKET;
            part->cmsg_type = SCM_RIGHTS;
            part->cmsg_len = CMSG_LEN(2 * sizeof(int));
            memcpy(CMSG_DATA(part), fds, 2 * sizeof(int));
        }
        CHECK_EQ(coro_sendmsg(fds[0], &message, 0), 1);
        receipt got = {.fd = fds[1], .room = room};
        ssize_t result = coro_recv_fds(fds[1], got.fds, room, &got.count, got.data, 64);
        CHECK_EQ(result, room == 4 ? 1 : -EMSGSIZE);
        CHECK_EQ(got.count, room == 4 ? 4 : 0);
        for (int i = 0; i < got.count; i++) {
            CHECK(are_same(got.fds[i], fds[i & 1]));
            CHECK_EQ(coro_close(got.fds[i]), 0);
        }
        CHECK_EQ(open_descriptors(), before);
    }
}

/* A socket may be set to bring a descriptor of the sender's process with each message: it is not asked for here. */
TEST(H5_a_descriptor_of_the_senders_process_does_not_leak) {
    enum { PASS_PIDFD = 76 }; /* SO_PASSPIDFD, Linux 6.5 */
    int fds[2], on = 1, before;
    unix_pair(fds);
    if (coro_setsockopt(fds[1], SOL_SOCKET, PASS_PIDFD, &on, sizeof on) != 0) test_skip("no SO_PASSPIDFD");
    CHECK(coro_loop_current() > 0);
    before = open_descriptors();
    CHECK_EQ(coro_send_fds(fds[0], fds, 1, "x", 1), 1);
    receipt got = {.fd = fds[1], .room = 2};
    CHECK_EQ(join_soon(spawn_one(receive_fds, &got)), 1);
    CHECK_EQ(got.count, 1);
    CHECK(are_same(got.fds[0], fds[0]));
    CHECK_EQ(coro_close(got.fds[0]), 0);
    CHECK_EQ(open_descriptors(), before);
}

TEST(H5_passing_descriptors_checks_its_arguments) {
    int fds[2], count = 7, bad = 999;
    char data[4];
    unix_pair(fds);
    CHECK_EQ(coro_send_fds(fds[0], fds, 1, NULL, 1), -EINVAL);
    CHECK_EQ(coro_send_fds(fds[0], fds, 1, "", 0), -EINVAL);
    CHECK_EQ(coro_send_fds(fds[0], NULL, 1, "x", 1), -EINVAL);
    CHECK_EQ(coro_send_fds(fds[0], fds, -1, "x", 1), -EINVAL);
    CHECK_EQ(coro_send_fds(fds[0], &bad, 1, "x", 1), -EBADF);
    CHECK_EQ(coro_send_fds(-1, fds, 1, "x", 1), -EBADF);
    CHECK_EQ(coro_recv_fds(fds[0], fds, 2, NULL, data, 4), -EINVAL);
    CHECK_EQ(coro_recv_fds(fds[0], fds, 2, &count, NULL, 4), -EINVAL);
    CHECK_EQ(coro_recv_fds(fds[0], fds, 2, &count, data, 0), -EINVAL);
    CHECK_EQ(coro_recv_fds(fds[0], NULL, 2, &count, data, 4), -EINVAL);
    CHECK_EQ(coro_recv_fds(fds[0], fds, -2, &count, data, 4), -EINVAL);
    CHECK_EQ(count, 0);
    CHECK_EQ(coro_recvmsg(fds[0], NULL, 0), -EINVAL);
    CHECK_EQ(coro_sendmsg(fds[0], NULL, 0), -EINVAL);
    struct msghdr message = {.msg_iov = NULL, .msg_iovlen = 1};
    CHECK_EQ(coro_sendmsg(fds[0], &message, 0), -EINVAL);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_send_fds(fds[0], fds, 1, "x", 1), -EPIPE);
}

static void *send_a_megabyte(void *fd) {
    static char bytes[1 << 20];
    pattern_fill(bytes, sizeof bytes, 0);
    ssize_t sent = coro_send_fds(AS_INT(fd), &(int){AS_INT(fd)}, 1, bytes, sizeof bytes);
    if (sent < 0) trace("%d", (int)coro_error_progress());
    return AS_POINTER(sent);
}

/* They go with the first byte, and once. */
TEST(H5_descriptors_go_with_the_first_of_all_bytes) {
    int fds[2];
    unix_pair(fds);
    coro_t sender = spawn_one(send_a_megabyte, AS_POINTER(fds[0]));
    size_t got = 0;
    int descriptors = 0;
    while (got < 1 << 20) {
        char data[4096];
        int received, count;
        ssize_t n = coro_recv_fds(fds[1], &received, 1, &count, data, sizeof data);
        CHECK(n > 0);
        pattern_check(data, (size_t)n, got);
        CHECK_EQ(count, got == 0 ? 1 : 0);
        if (count > 0) CHECK_EQ(coro_close(received), 0);
        descriptors += count;
        got += (size_t)n;
    }
    CHECK_EQ(descriptors, 1);
    CHECK_EQ(join_soon(sender), 1 << 20);
    sender = spawn_one(send_a_megabyte, AS_POINTER(fds[0]));
    let_others_run();
    CHECK_EQ(coro_shutdown(sender), 0);
    CHECK_EQ(join_soon(sender), CORO_ESHUTDOWN);
    char expected[32];
    snprintf(expected, sizeof expected, "%zu ", drain(fds[1]));
    CHECK_CONTAINS(traced(), expected);
}

/* -- recvmsg and sendmsg -- */

static void *receive_message(void *fd) {
    char bytes[16] = "", more[16] = "";
    struct iovec two[] = {{bytes, 4}, {more, 15}};
    address from = {.length = 0};
    struct msghdr message = {.msg_name = &from.storage, .msg_namelen = sizeof from.storage, .msg_iov = two, .msg_iovlen = 2};
    ssize_t got = coro_recvmsg(AS_INT(fd), &message, 0);
    trace("%s+%s/%d/%s", bytes, more, (int)message.msg_namelen, message.msg_flags & MSG_TRUNC ? "cut" : "whole");
    return AS_POINTER(got);
}

TEST(H6_recvmsg_and_sendmsg_have_addresses_and_flags) {
    static const int families[] = {AF_INET, AF_INET6, AF_UNIX};
    for (int i = 0; i < 3; i++) {
        address at = loopback(families[i]), from = loopback(families[i]);
        int receiver = coro_socket(families[i], SOCK_DGRAM, 0), sender = coro_socket(families[i], SOCK_DGRAM, 0);
        CHECK_EQ(coro_bind(receiver, (struct sockaddr *)&at.storage, at.length), 0);
        CHECK_EQ(coro_bind(sender, (struct sockaddr *)&from.storage, from.length), 0);
        at.length = sizeof at.storage;
        CHECK_EQ(coro_getsockname(receiver, (struct sockaddr *)&at.storage, &at.length), 0);
        struct iovec two[] = {{"abcde", 5}, {"fgh", 3}};
        struct msghdr message = {.msg_name = &at.storage, .msg_namelen = at.length, .msg_iov = two, .msg_iovlen = 2};
        coro_t waiter = spawn_one(receive_message, AS_POINTER(receiver));
        let_others_run();
        CHECK_EQ(coro_sendmsg(sender, &message, 0), 8);
        CHECK_EQ(join_soon(waiter), 8);
        char expected[64];
        snprintf(expected, sizeof expected, "abcd+efgh/%d/whole", (int)from.length);
        CHECK_CONTAINS(traced(), expected);
        /* An empty message is one. */
        message.msg_iovlen = 0;
        CHECK_EQ(coro_sendmsg(sender, &message, 0), 0);
        CHECK_EQ(join_soon(spawn_one(receive_message, AS_POINTER(receiver))), 0);
        two[0] = (struct iovec){"012345678901234567890123456789", 30};
        message.msg_iovlen = 2;
        CHECK_EQ(coro_sendmsg(sender, &message, 0), 33);
        CHECK_EQ(join_soon(spawn_one(receive_message, AS_POINTER(receiver))), 19);
        CHECK_CONTAINS(traced(), "/cut");
        CHECK_EQ(coro_close(receiver) + coro_close(sender), 0);
    }
}

static struct msghdr megabyte;

static void *send_megabyte(void *fd) {
    return AS_POINTER(coro_sendmsg(AS_INT(fd), &megabyte, 0));
}

TEST(H5_sendmsg_sends_all_on_a_stream) {
    static char bytes[1 << 20];
    static struct iovec elements[1 << 12];
    int fds[2];
    pattern_fill(bytes, sizeof bytes, 0);
    for (int i = 0; i < 1 << 12; i++) elements[i] = (struct iovec){bytes + i * 256, 256};
    megabyte = (struct msghdr){.msg_iov = elements, .msg_iovlen = 1 << 12};
    for (int i = 0; i < 2; i++) {
        if (i == 0) unix_pair(fds);
        else tcp_pair(fds);
        transfer in = {fds[1], sizeof bytes, 5000, false};
        coro_t receiver = spawn_one(receive_pattern, &in);
        CHECK_EQ(join_soon(spawn_one(send_megabyte, AS_POINTER(fds[0]))), sizeof bytes);
        join_soon(receiver);
        CHECK_EQ(coro_close(fds[1]), 0);
    }
    CHECK(elements[0].iov_base == bytes && elements[0].iov_len == 256);
}

/* An interrupted or timed-out receiver takes nothing with it. */
TEST(H6_recvmsg_and_recv_fds_lose_nothing_when_interrupted) {
    int fds[2];
    unix_pair(fds);
    for (int order = 0; order < 2; order++) {
        receipt got = {.fd = fds[1], .room = 1};
        coro_t receiver = spawn_one(receive_fds, &got);
        let_others_run();
        if (order == 0) CHECK_EQ(coro_send_fds(fds[0], fds, 1, "x", 1), 1);
        CHECK_EQ(coro_raise(receiver, CORO_EWAKEUP, 0), 0);
        if (order == 1) CHECK_EQ(coro_send_fds(fds[0], fds, 1, "x", 1), 1);
        CHECK_EQ(join_soon(receiver), CORO_EWAKEUP);
        CHECK_EQ(got.count, 0);
        CHECK_EQ(join_soon(spawn_one(receive_fds, &got)), 1);
        CHECK_EQ(got.count, 1);
        CHECK_EQ(coro_close(got.fds[0]), 0);
    }
}
