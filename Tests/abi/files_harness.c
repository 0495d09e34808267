#define _GNU_SOURCE
#include "files.h"
#include "net.h"

#include <ftw.h>

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where) {
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void run_in_directory(test_function body, const char *engine) {
    char path[] = "/var/tmp/libcoro-test-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    CHECK_EQ(chdir(path), 0);
    const char *name = coro_file_engine_name();
    if (name == NULL || strcmp(name, engine) != 0) {
        rmdir(path);
        test_skip("no io_uring here");
    }
    int before = open_descriptors();
    test_run_in_loop(body);
    CHECK_EQ(open_descriptors(), before);
    CHECK_EQ(coro_get_live_coros(), 0);
    CHECK_STR(coro_file_engine_name(), engine);
    CHECK_EQ(chdir("/"), 0);
    CHECK_EQ(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void by_ring(test_function body) {
    run_in_directory(body, "io_uring");
}

void by_threads(test_function body) {
    CHECK_EQ(coro_test_fail_call("io_uring_setup", 1, EPERM), 0);
    run_in_directory(body, "threads");
}

int make_file(const char *path, size_t size) {
    int fd = coro_open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    char *content = malloc(size + 1);
    pattern_fill(content, size, 0);
    CHECK_EQ(coro_write(fd, content, size), size);
    free(content);
    return fd;
}

void drop_cache(int fd) {
    CHECK_EQ(coro_fsync(fd), 0);
    CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
}
