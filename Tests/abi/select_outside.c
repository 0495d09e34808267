/* Row I12: selects that wait for what comes from outside: descriptors, children. */
#include "forks.h"
#include "processes.h"
#include "select.h"

#include <pthread.h>
#include <sys/wait.h>

static void *select_two(void *of_call) {
    struct select_call *call = of_call;
    call->index = coro_select(call->cases, 2, CORO_FOREVER);
    return NULL;
}

static coro_t start(struct select_call *call) {
    call->index = -1;
    return start_now(select_two, call);
}

static void end_select(coro_t co, const struct select_call *call, int index, int error) {
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
    CHECK_EQ(call->index, index);
    CHECK_EQ(call->cases[index].error, error);
}

CORO_TEST(I12_a_descriptor_or_a_channel) {
    int fds[2], x = -1;
    char byte;
    int before = open_descriptors();
    coro_channel *channel = coro_channel_new(sizeof(int), 0);
    CHECK_EQ(coro_pipe(fds, 0), 0);
    struct select_call call = {.cases = {readable(fds[0]), receiving(channel, &x)}};
    CHECK_EQ(coro_try_select(call.cases, 2), -EAGAIN);
    CHECK_EQ(coro_write(fds[1], "a", 1), 1);
    CHECK_EQ(coro_try_select(call.cases, 2), 0);
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 0); /* still: nothing was read */
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
    for (int round = 0; round < 3; round++) {
        coro_t co = start(&call);
        CHECK_EQ(coro_channel_receivers(channel), 1);
        CHECK_EQ(coro_write(fds[1], "b", 1), 1);
        end_select(co, &call, 0, 0);
        CHECK_EQ(coro_channel_receivers(channel), 0);
        CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
        co = start(&call);
        CHECK_EQ(coro_channel_try_send(channel, &round), 0);
        end_select(co, &call, 1, 0);
        CHECK_EQ(x, round);
    }
    coro_t reader = start_now(select_two, &call); /* nobody waits for the descriptor any more but this */
    CHECK_EQ(coro_interrupt(reader, NULL), 0);
    CHECK_EQ(coro_write(fds[1], "c", 1), 1);
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
    CHECK_EQ(coro_join(reader, NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_channel_free(channel), 0);
    CHECK(open_descriptors() <= before + 2); /* the loop's own */
}

CORO_TEST(I12_both_directions_of_a_descriptor) {
    int fds[2];
    char bytes[4096] = {0};
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct select_call call = {.cases = {readable(fds[0]), writable(fds[0])}};
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 1);
    while (send(fds[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
    CHECK_EQ(coro_try_select(call.cases, 2), -EAGAIN);
    coro_t co = start(&call);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    end_select(co, &call, 0, 0);
    CHECK_EQ(coro_read(fds[0], bytes, 1), 1);
    co = start(&call);
    while (recv(fds[1], bytes, sizeof bytes, MSG_DONTWAIT) > 0) {}
    end_select(co, &call, 1, 0);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_select(call.cases, 1, CORO_FOREVER), 0); /* the end */
    CHECK_EQ(coro_close(fds[0]), 0);
}

CORO_TEST(I12_a_descriptor_is_closed) {
    int fds[2], x;
    coro_channel *channel = coro_channel_new(sizeof(int), 0);
    CHECK_EQ(coro_pipe(fds, 0), 0);
    struct select_call call = {.cases = {receiving(channel, &x), readable(fds[0])}};
    coro_t co = start(&call);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_channel_receivers(channel), 0);
    end_select(co, &call, 1, CORO_ECLOSED);
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 1);
    CHECK_EQ(call.cases[1].error, CORO_ECLOSED);
    call.cases[1].id = 12345;
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 1);
    CHECK_EQ(call.cases[1].error, -EBADF);
    call.cases[1].id = -1;
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 1);
    CHECK_EQ(call.cases[1].error, -EBADF);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_channel_free(channel), 0);
}

static void *read_one(void *fd) {
    char byte;
    CHECK_EQ(coro_read(AS_INT(fd), &byte, 1), 1);
    return NULL;
}

CORO_TEST(I12_one_waits_for_a_descriptor_at_a_time) {
    int fds[2], x;
    coro_channel *channel = coro_channel_new(sizeof(int), 0);
    CHECK_EQ(coro_pipe(fds, 0), 0);
    coro_t reader = start_now(read_one, AS_POINTER(fds[0]));
    struct select_call call = {.cases = {receiving(channel, &x), readable(fds[0])}};
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_error_other(), reader);
    CHECK_EQ(coro_channel_receivers(channel), 0);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_join(reader, NULL, CORO_FOREVER), 0);
    coro_t co = start(&call); /* and now the select is the one */
    char byte;
    CHECK_EQ(coro_read(fds[0], &byte, 1), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_error_other(), co);
    CHECK_EQ(coro_channel_try_send(channel, &(int){1}), 0);
    end_select(co, &call, 0, 0);
    call.cases[0] = readable(fds[0]); /* twice in one select: the first */
    co = start(&call);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    end_select(co, &call, 0, 0);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_channel_free(channel), 0);
}

/* A channel that is always ready does not keep a descriptor from being noticed, although the loop never comes round. */
CORO_TEST(I12_a_descriptor_beside_a_busy_channel_is_noticed) {
    int fds[2], x = 0, seen = 0;
    coro_channel *channel = coro_channel_new(sizeof(int), 1);
    CHECK_EQ(coro_pipe(fds, 0), 0);
    coro_select_case cases[] = {readable(fds[0]), receiving(channel, &x)};
    char byte;
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    CHECK_EQ(coro_read(fds[0], &byte, 1), 1);
    struct select_call call = {.cases = {cases[0], cases[1]}};
    coro_t co = start(&call); /* which has it known that the pipe is empty */
    CHECK_EQ(coro_channel_try_send(channel, &x), 0);
    end_select(co, &call, 1, 0);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    for (int i = 0; i < 1000 && !seen; i++) {
        CHECK_EQ(coro_channel_try_send(channel, &i), 0);
        seen = coro_select(cases, 2, CORO_FOREVER) == 0;
        if (!seen) continue;
        CHECK_EQ(coro_channel_try_receive(channel, &x), 0);
    }
    CHECK(seen);
    CHECK_EQ(coro_close(fds[0]), 0);
    CHECK_EQ(coro_close(fds[1]), 0);
    CHECK_EQ(coro_channel_free(channel), 0);
}

CORO_TEST(I12_a_child_ends) {
    int status, hold[2];
    CHECK_EQ(pipe(hold), 0);
    coro_channel *channel = coro_channel_new(0, 0);
    pid_t pid = fork_waiting(hold[0], 7);
    struct select_call call = {.cases = {receiving(channel, NULL), child(pid)}};
    CHECK_EQ(coro_try_select(call.cases, 2), -EAGAIN);
    int before = open_descriptors();
    coro_t co = start(&call);
    CHECK_EQ(coro_channel_try_send(channel, NULL), 0); /* the channel first */
    end_select(co, &call, 0, 0);
    CHECK(open_descriptors() <= before + 2); /* the loop's own */
    before = open_descriptors();
    co = start(&call);
    CHECK_EQ(open_descriptors(), before + 1);
    coro_info info = info_of(co);
    CHECK_CONTAINS(info.waiting, "waiting for process ");
    CHECK_EQ(write(hold[1], "x", 1), 1);
    end_select(co, &call, 1, 0);
    CHECK_EQ(open_descriptors(), before);
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 1); /* only looked at */
    CHECK_EQ(coro_waitpid(pid, &status, WNOHANG), pid);
    CHECK_EQ(WEXITSTATUS(status), 7);
    CHECK_EQ(coro_select(call.cases, 2, CORO_FOREVER), 1);
    CHECK_EQ(call.cases[1].error, -ECHILD);
    close(hold[0]);
    close(hold[1]);
    CHECK_EQ(coro_channel_free(channel), 0);
}

CORO_TEST(I12_a_child_that_cannot_be_waited_for_leaves_nothing_behind) {
    int x;
    coro_channel *channel = coro_channel_new(sizeof(int), 0);
    pid_t pid = fork_endless();
    coro_select_case cases[] = {receiving(channel, &x), child(pid)};
    coro_test_fail_call("pidfd_open", 1, EMFILE);
    CHECK_EQ(coro_select(cases, 2, CORO_FOREVER), -EMFILE);
    CHECK_EQ(coro_channel_receivers(channel), 0);
    int before = open_descriptors();
    for (int n = 1; n <= 3; n++) {
        coro_test_fail_call(n == 1 ? "epoll_ctl" : "calloc", 1, n == 1 ? ENOSPC : ENOMEM);
        int code = coro_select(cases, 2, CORO_MS(1));
        CHECK(code == -ENOSPC || code == -ENOMEM || code == CORO_ETIMEOUT);
        coro_test_fail_call("calloc", 0, 0);
        coro_test_fail_call("epoll_ctl", 0, 0);
        CHECK_EQ(coro_channel_receivers(channel), 0);
        CHECK(open_descriptors() <= before + 2);
    }
    kill_child(pid);
    CHECK_EQ(coro_channel_free(channel), 0);
}

/* -- fork, and the end of a thread -- */

CORO_TEST(I12_a_select_goes_on_in_both_processes_after_a_fork) {
    int fds[2], hold[2];
    CHECK_EQ(coro_pipe(fds, 0), 0);
    CHECK_EQ(pipe(hold), 0);
    struct select_call call = {.cases = {readable(fds[0]), {0}}};
    coro_t co = start(&call);
    pid_t other = fork_waiting(hold[0], 3);
    struct select_call of_child = {.cases = {child(other), {0}}};
    coro_t waiter = start(&of_child);
    fflush(NULL);
    pid_t forked = fork();
    CHECK(forked >= 0);
    if (forked == 0) {
        alarm(40);
        end_select(waiter, &of_child, 0, -ECHILD); /* it is not this one's child */
        CHECK_EQ(coro_close(fds[0]), 0);
        end_select(co, &call, 0, CORO_ECLOSED);
        finish_child();
    }
    expect_child(forked);
    CHECK_EQ(coro_write(fds[1], "x", 1), 1);
    end_select(co, &call, 0, 0);
    CHECK_EQ(write(hold[1], "x", 1), 1);
    end_select(waiter, &of_child, 0, 0);
    CHECK_EQ(coro_waitpid(other, NULL, WNOHANG), other);
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_close(fds[i]) + close(hold[i]), 0);
}

static struct select_call left_behind;

static void *leave_a_select_behind(void *pid) {
    left_behind.cases[0] = child((pid_t)AS_INT(pid));
    left_behind.cases[1] = joining(start_now(park, NULL));
    start_now(select_two, &left_behind);
    return NULL;
}

TEST(I12_a_thread_that_ends_selects_no_more) {
    pthread_t thread;
    pid_t pid = fork_endless();
    int before = open_descriptors();
    CHECK_EQ(pthread_create(&thread, NULL, leave_a_select_behind, AS_POINTER(pid)), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(open_descriptors(), before);
    kill_child(pid);
}
