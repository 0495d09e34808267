/* Unix stream servers and clients by path. */
#include "coroutines.h"
#include "net.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static char directory[] = "/tmp/coro-unix-XXXXXX", path[64];

static void make_path(void) {
    CHECK(mkdtemp(directory) != NULL);
    snprintf(path, sizeof path, "%s/socket", directory);
}

static void remove_path(void) {
    unlink(path);
    CHECK_EQ(rmdir(directory), 0);
}

static void use_server(const char *at) {
    char buffer[4];
    int before = open_descriptors();
    int server = coro_unix_listen(at, 0), fd = coro_unix_connect(at);
    CHECK(server >= 0 && fd >= 0);
    int peer = coro_accept(server, NULL, NULL);
    CHECK(peer >= 0);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    CHECK_EQ(coro_write(fd, "ping", 4), 4);
    CHECK_EQ(coro_recv_exact(peer, buffer, 4), 4);
    CHECK_EQ(coro_unix_listen(at, 0), -EADDRINUSE); /* somebody listens */
    CHECK_CONTAINS(coro_error_detail(), at);
    for (int i = 0; i < 3; i++) CHECK_EQ(coro_close((int[]){server, fd, peer}[i]), 0);
    CHECK(open_descriptors() - before <= 2); /* the loop's own */
}

CORO_TEST(connect_unix_by_path) {
    make_path();
    use_server(path);
    struct stat status;
    CHECK_EQ(lstat(path, &status), 0);
    CHECK_EQ(coro_unix_connect(path), -ECONNREFUSED);
    use_server(path); /* what the first has left is replaced */
    remove_path();
    CHECK_EQ(coro_unix_connect(path), -ENOENT);
    CHECK_CONTAINS(coro_error_detail(), path);
}

CORO_TEST(connect_unix_by_an_abstract_name) {
    char name[64];
    snprintf(name, sizeof name, "@coro test %d", (int)getpid());
    use_server(name);
    use_server(name);
    CHECK_EQ(coro_unix_connect(name), -ECONNREFUSED);
}

TEST(connect_unix_on_the_threads_own_stack) {
    make_path();
    use_server(path);
    remove_path();
}

CORO_TEST(connect_unix_other_files_are_left_alone) {
    make_path();
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    CHECK_EQ(coro_unix_listen(path, 0), -EADDRINUSE);
    CHECK_EQ(coro_unix_connect(path), -ECONNREFUSED);
    CHECK_EQ(unlink(path), 0);
    close(file);
    /* A datagram socket that is in use. */
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    int datagrams = coro_socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_EQ(coro_bind(datagrams, (struct sockaddr *)&at, sizeof at), 0);
    CHECK_EQ(coro_unix_connect(path), -EPROTOTYPE);
    CHECK_EQ(coro_unix_listen(path, 0), -EADDRINUSE);
    CHECK_EQ(access(path, F_OK), 0);
    remove_path();
}

CORO_TEST(connect_unix_paths_have_a_limit) {
    char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 2];
    memset(name, 'x', sizeof name);
    name[sizeof name - 2] = 0;
    CHECK_EQ(coro_unix_connect(name), -ENAMETOOLONG); /* 108 bytes */
    CHECK_CONTAINS(coro_error_detail(), "at most 107 bytes");
    CHECK_EQ(coro_unix_listen(name, 0), -ENAMETOOLONG);
    name[sizeof name - 3] = 0;
    CHECK_EQ(coro_unix_connect(name), -ENOENT);
    CHECK_EQ(coro_unix_connect(""), -EINVAL);
    CHECK_EQ(coro_unix_connect("@"), -EINVAL);
    CHECK_EQ(coro_unix_listen(NULL, 0), -EINVAL);
    CHECK_EQ(coro_unix_connect(NULL), -EINVAL);
}

static void *connect_by_path(void *unused) {
    (void)unused;
    return AS_POINTER(coro_unix_connect(path));
}

CORO_TEST(connect_unix_waits_while_the_backlog_is_full) {
    make_path();
    int server = coro_unix_listen(path, 1), before;
    CHECK(coro_unix_connect(path) >= 0);
    CHECK(coro_unix_connect(path) >= 0);
    CHECK_EQ(coro_sleep(1), 0);
    before = open_descriptors();
    coro_t caller = spawn_one(connect_by_path, NULL);
    for (int i = 0; i < 5; i++) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    CHECK(coro_is_alive(caller));
    CHECK_EQ(coro_shutdown(caller), 0);
    CHECK_EQ(join_soon(caller), CORO_ESHUTDOWN);
    CHECK_EQ(open_descriptors(), before);
    caller = spawn_one(connect_by_path, NULL);
    CHECK(coro_accept(server, NULL, NULL) >= 0);
    CHECK(join_soon(caller) >= 0);
    remove_path();
}

enum { RIVALS = 6 };

/* Listens when `start` ends, writes whether that was possible, and stays until `end` ends. */
static void listen_as_rival(int start, int answers, int end) {
    char byte;
    while (read(start, &byte, 1) > 0) {}
    int fd = coro_unix_listen(path, 0);
    byte = fd >= 0 ? '1' : fd == -EADDRINUSE ? '0' : '?';
    CHECK_EQ(write(answers, &byte, 1), 1);
    while (read(end, &byte, 1) > 0) {}
    _exit(0);
}

static void check_one_winner(void) {
    int start[2], answers[2], end[2], winners = 0;
    CHECK(pipe(start) == 0 && pipe(answers) == 0 && pipe(end) == 0);
    for (int i = 0; i < RIVALS; i++) {
        if (fork() != 0) continue;
        close(start[1]);
        close(end[1]);
        listen_as_rival(start[0], answers[1], end[0]);
    }
    close(start[1]);
    for (int i = 0; i < RIVALS; i++) {
        char answer = 0;
        CHECK_EQ(read(answers[0], &answer, 1), 1);
        CHECK(answer != '?');
        winners += answer == '1';
    }
    close(end[1]);
    for (int i = 0; i < RIVALS; i++) CHECK(wait(NULL) > 0);
    CHECK_EQ(winners, 1);
    for (int i = 0; i < 5; i++) close((int[]){start[0], answers[0], answers[1], end[0], -1}[i]);
}

/* Each finds the file of one that is gone, and none takes another's for that. */
TEST(connect_unix_of_servers_that_start_at_once_one_listens) {
    make_path();
    for (int i = 0; i < 100; i++) {
        struct sockaddr_un at = {.sun_family = AF_UNIX};
        snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
        unlink(path);
        int gone = socket(AF_UNIX, SOCK_STREAM, 0);
        CHECK_EQ(bind(gone, (struct sockaddr *)&at, sizeof at), 0);
        close(gone);
        check_one_winner();
    }
    remove_path();
}

/* Whoever may read the directory can lock it: that keeps nobody from listening. */
CORO_TEST(connect_unix_directory_that_others_have_locked_is_no_obstacle) {
    make_path();
    int holder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_EQ(flock(holder, LOCK_EX), 0);
    int server = coro_unix_listen(path, 0);
    CHECK(server >= 0);
    CHECK_EQ(coro_close(server), 0);
    close(holder);
    remove_path();
}
