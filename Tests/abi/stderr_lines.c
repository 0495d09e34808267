/* Row J7: lines on stderr that say whose they are. */
#define _GNU_SOURCE
#include "coroutines.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>

/* Has what goes to stderr come as packets: each is what one call has written. Returns where to read them. */
static int packets_of_stderr(void) {
    int ends[2], size = 1 << 20;
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    dup2(ends[1], 2);
    close(ends[1]);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return ends[0];
}

static char line[300000];

static const char *next_packet(int fd) {
    ssize_t length = recv(fd, line, sizeof line - 1, 0);
    if (length < 0) return NULL;
    line[length] = 0;
    return line;
}

/* "<id>:\t<date> text\n", with a date that is now. */
static void check_line(const char *actual, coro_t id, const char *expected) {
    char head[100], *end;
    struct tm date = {0};
    CHECK(actual != NULL);
    int length = snprintf(head, sizeof head, "%lld:\t", (long long)id);
    CHECK(strncmp(actual, head, (size_t)length) == 0);
    end = strptime(actual + length, "%a %b %e %H:%M:%S %Y", &date);
    CHECK(end != NULL && end - (actual + length) == 24);
    date.tm_isdst = -1;
    CHECK(llabs((long long)(time(NULL) - mktime(&date))) <= 3600 + 60); /* a clock may be put on between the two */
    CHECK_EQ(*end, ' ');
    size_t size = strlen(expected);
    CHECK_EQ(strlen(end + 1), size + 1);
    CHECK(memcmp(end + 1, expected, size) == 0);
    CHECK_EQ(end[1 + size], '\n');
}

TEST(J7_write_stderr_is_one_line_in_one_write) {
    int fd = packets_of_stderr();
    coro_write_stderr("hello");
    check_line(next_packet(fd), 0, "hello");
    coro_write_stderr("");
    check_line(next_packet(fd), 0, "");
    coro_write_stderr(NULL);
    check_line(next_packet(fd), 0, "(null)");
    coro_write_stderr("100 %d %s");
    check_line(next_packet(fd), 0, "100 %d %s");
    CHECK(next_packet(fd) == NULL);
}

static void *print_some(void *fd) {
    coro_print_stderr("%s %d%c", "answer", 42, '!');
    check_line(next_packet(AS_INT(fd)), coro_current(), "answer 42!");
    coro_write_stderr("text");
    check_line(next_packet(AS_INT(fd)), coro_current(), "text");
    return fd;
}

TEST(J7_print_stderr_begins_with_the_coroutines_id) {
    int fd = packets_of_stderr();
    print_some(AS_POINTER(fd));
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_join(coro_spawn(print_some, AS_POINTER(fd)), NULL, CORO_FOREVER), 0);
}

TEST(J7_lines_of_any_length_are_whole) {
    static char text[100001];
    int fd = packets_of_stderr();
    const size_t lengths[] = {100, 190, 254, 255, 256, 257, 4095, 4096, 5000, 100000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memset(text, 'a' + (int)i, lengths[i]);
        text[lengths[i]] = 0;
        coro_write_stderr(text);
        check_line(next_packet(fd), 0, text);
        coro_print_stderr("%s", text);
        check_line(next_packet(fd), 0, text);
        CHECK(next_packet(fd) == NULL);
    }
}

static void *print_on_small_stack(void *fd) {
    static char text[20001];
    memset(text, 'x', sizeof text - 1);
    coro_print_stderr("%s", text);
    check_line(next_packet(AS_INT(fd)), coro_current(), text);
    return fd;
}

TEST(J7_a_long_line_needs_no_large_stack) {
    if (is_watched()) test_skip("a tool takes stack");
    coro_options options = CORO_OPTIONS_INIT;
    options.stack_size = 16 * 1024;
    tzset(); /* the system's own reading of the time zone is not what is tried here */
    coro_t co = coro_spawn_with(print_on_small_stack, AS_POINTER(packets_of_stderr()), &options);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

TEST(J7_errno_is_kept_and_can_be_printed) {
    int fd = packets_of_stderr();
    errno = ENOENT;
    coro_write_stderr("x");
    CHECK_EQ(errno, ENOENT);
    check_line(next_packet(fd), 0, "x");
    errno = ENOENT;
    coro_print_stderr("%300s: %m", "file"); /* longer than what is tried first */
    CHECK_EQ(errno, ENOENT);
    CHECK_CONTAINS(next_packet(fd), "file: No such file or directory\n");
    close(2);
    errno = ENOENT;
    coro_print_stderr("lost");
    CHECK_EQ(errno, ENOENT);
    coro_write_stderr("lost");
    CHECK_EQ(errno, ENOENT);
}

TEST(J7_what_cannot_be_written_is_lost_without_harm) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    close(2);
    coro_write_stderr("to nobody");
    dup2(ends[1], 2);
    close(ends[0]);
    coro_write_stderr("to a pipe that nobody reads"); /* and no SIGPIPE comes */
    int fd = packets_of_stderr();
    coro_yield();
    coro_test_fail_call("write", 1, EIO);
    coro_write_stderr("failing");
    CHECK(next_packet(fd) == NULL);
    coro_write_stderr("next");
    check_line(next_packet(fd), 0, "next");
}

TEST(J7_without_memory_a_long_line_is_cut) {
    static char text[5001];
    int fd = packets_of_stderr();
    coro_yield(); /* there is a loop now */
    coro_test_fail_call("calloc", 1, ENOMEM);
    coro_write_stderr("short");
    check_line(next_packet(fd), 0, "short");
    coro_test_fail_call("calloc", 1, ENOMEM);
    memset(text, 'x', sizeof text - 1);
    coro_write_stderr(text);
    CHECK(next_packet(fd) != NULL);
    CHECK(strlen(line) >= 1000 && strlen(line) <= 1024);
    CHECK_STR(line + strlen(line) - 3, "xx\n");
}

static void write_in_release(void *argument) {
    (void)argument;
    coro_write_stderr("in release");
}

TEST(J7_works_where_none_may_suspend) {
    int fd = packets_of_stderr();
    coro_options options = CORO_OPTIONS_INIT;
    options.release = write_in_release;
    coro_shutdown(coro_new(do_nothing, NULL, &options));
    check_line(next_packet(fd), 0, "in release");
}

static void *fail_at_once(void *unused) {
    (void)unused;
    return coro_fail(-EIO, "for the notifier");
}

static void *compute_for_a_while(void *unused) {
    for (int64_t end = coro_get_now() + CORO_MS(200); coro_get_now() < end;) {}
    return unused;
}

/* What libcoro writes by itself, too: nobody reads stderr any more, and that ends no program. */
TEST(J7_no_line_of_libcoros_own_is_a_SIGPIPE) {
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(dup2(ends[1], 2), 2);
    close(ends[0]);
    close(ends[1]);
    CHECK_EQ(coro_join(coro_spawn(fail_at_once, NULL), NULL, CORO_FOREVER), -EIO);
    CHECK_EQ(coro_test_set_latency_unit(CORO_MS(20)), 0); /* its report, and the line that ends it */
    CHECK_EQ(coro_join(coro_spawn(compute_for_a_while, NULL), NULL, CORO_FOREVER), 0);
    coro_set_exit(7); /* "Exiting..." */
    CHECK_EQ(coro_event_loop(), 7);
}
