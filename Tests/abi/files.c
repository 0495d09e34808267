/* Files: what is read and written, and the errors. Everything is done by io_uring, and by threads. */
#define _GNU_SOURCE
#include "files.h"
#include "net.h"

#include <limits.h>

enum { MIB = 1 << 20 };

/* -- sizes -- */

static void one_byte(void) {
    char byte = 0;
    int fd = make_file("one", 0);
    CHECK_EQ(coro_pread(fd, &byte, 1, 0), 0);
    CHECK_EQ(coro_pwrite(fd, "x", 1, 0), 1);
    CHECK_EQ(coro_pread(fd, &byte, 1, 0), 1);
    CHECK_EQ(byte, 'x');
    CHECK_EQ(coro_pread(fd, &byte, 1, 1), 0);
    CHECK_EQ(coro_pread(fd, &byte, 0, 0), 0);
    CHECK_EQ(coro_pwrite(fd, "y", 0, 0), 0);
    CHECK_EQ(coro_close(fd), 0);
}

TEST(H16_one_byte_by_ring) { by_ring(one_byte); }
TEST(H16_one_byte_by_threads) { by_threads(one_byte); }

static void five_mebibytes(void) {
    const size_t size = 5 * MIB;
    char *buffer = malloc(size + 100);
    int fd = make_file("five", 0);
    pattern_fill(buffer, size, 0);
    CHECK_EQ(coro_pwrite(fd, buffer, size, 0), size);
    drop_cache(fd);
    memset(buffer, 0, size);
    CHECK_EQ(coro_pread(fd, buffer, size + 100, 0), size);
    pattern_check(buffer, size, 0);
    memset(buffer, 0, size);
    CHECK_EQ(coro_pread(fd, buffer, size + 100, 0), size); /* from memory */
    pattern_check(buffer, size, 0);
    CHECK_EQ(coro_close(fd), 0);
    free(buffer);
}

TEST(H16_five_mebibytes_by_ring) { by_ring(five_mebibytes); }
TEST(H16_five_mebibytes_by_threads) { by_threads(five_mebibytes); }

static uint32_t drawn = 1;
static uint32_t draw(void) {
    return drawn = drawn * 1664525 + 1013904223;
}

static void random_offsets(void) {
    const size_t size = MIB;
    char piece[5000];
    int fd = make_file("random", size);
    for (int i = 0; i < 100; i++) {
        size_t offset = draw() % size, length = draw() % sizeof piece;
        size_t expected = offset + length <= size ? length : size - offset;
        if (i % 10 == 0) drop_cache(fd);
        CHECK_EQ(coro_pread(fd, piece, length, (off_t)offset), expected);
        pattern_check(piece, expected, offset);
        pattern_fill(piece, length, offset + 1);
        CHECK_EQ(coro_pwrite(fd, piece, length, (off_t)offset), length);
        CHECK_EQ(coro_pread(fd, piece, length, (off_t)offset), length);
        pattern_check(piece, length, offset + 1);
        pattern_fill(piece, length, offset);
        CHECK_EQ(coro_pwrite(fd, piece, length, (off_t)offset), length);
        CHECK_EQ(coro_ftruncate(fd, (off_t)size), 0);
    }
    CHECK_EQ(coro_close(fd), 0);
}

TEST(H16_a_hundred_random_offsets_by_ring) { by_ring(random_offsets); }
TEST(H16_a_hundred_random_offsets_by_threads) { by_threads(random_offsets); }

static void vectors(void) {
    char first[3], second[5], more[10];
    struct iovec out[] = {{"abc", 3}, {"defgh", 5}}, in[] = {{first, 3}, {second, 5}, {more, 10}};
    int fd = make_file("vectors", 10);
    CHECK_EQ(coro_pwritev(fd, out, 2, 2), 8);
    CHECK_EQ(coro_preadv(fd, in, 2, 2), 8);
    CHECK(memcmp(first, "abc", 3) == 0 && memcmp(second, "defgh", 5) == 0);
    drop_cache(fd);
    CHECK_EQ(coro_preadv(fd, in, 3, 2), 8);
    CHECK(memcmp(first, "abc", 3) == 0 && memcmp(second, "defgh", 5) == 0);
    CHECK_EQ(coro_preadv(fd, in, 3, 10), 0);
    CHECK_EQ(coro_preadv(fd, NULL, 1, 0), -EINVAL);
    CHECK_EQ(coro_pwritev(fd, out, -1, 0), -EINVAL);
    CHECK_EQ(coro_pwritev(fd, out, IOV_MAX + 1, 0), -EINVAL);
    CHECK_EQ(coro_close(fd), 0);
}

TEST(H16_vectors_by_ring) { by_ring(vectors); }
TEST(H16_vectors_by_threads) { by_threads(vectors); }

/* Where the file is at, as with read(2) and write(2). */
static void streams(void) {
    const size_t size = 300000;
    char *content = malloc(size);
    int fd = make_file("stream", size);
    drop_cache(fd);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), size);
    CHECK_EQ(coro_read(fd, content, size), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    size_t done = 0;
    for (ssize_t got; (got = coro_read(fd, content + done, 70000)) > 0;) done += (size_t)got;
    CHECK_EQ(done, size);
    pattern_check(content, size, 0);
    CHECK_EQ(coro_recv_exact(fd, content, 1), CORO_EEOF);
    CHECK_EQ(coro_write(fd, "end", 3), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), size + 3);
    CHECK_EQ(coro_close(fd), 0);
    free(content);
}

TEST(H16_reading_and_writing_go_on_where_the_file_is_at_by_ring) { by_ring(streams); }
TEST(H16_reading_and_writing_go_on_where_the_file_is_at_by_threads) { by_threads(streams); }

/* -- many at a time: defect 30 of the original, which lost all but one -- */

enum { READERS = 64, PIECE = 8192 };

static int shared_fd, finished;
static void *read_piece(void *number) {
    char piece[PIECE];
    off_t offset = (off_t)AS_INT(number) * PIECE;
    for (int round = 0; round < 10; round++) {
        CHECK_EQ(coro_pread(shared_fd, piece, PIECE, offset), PIECE);
        pattern_check(piece, PIECE, (size_t)offset);
        CHECK_EQ(coro_pwrite(shared_fd, piece, PIECE, offset), PIECE);
        if (AS_INT(number) == 0) drop_cache(shared_fd);
    }
    finished++;
    return NULL;
}

static void many_at_a_time(void) {
    coro_t readers[READERS];
    coro_stats before = {.struct_size = sizeof before}, after = before;
    shared_fd = make_file("many", READERS * PIECE);
    drop_cache(shared_fd);
    CHECK_EQ(coro_get_stats(&before), 0);
    for (int i = 0; i < READERS; i++) readers[i] = spawn_one(read_piece, AS_POINTER(i));
    for (int i = 0; i < READERS; i++) CHECK_EQ(coro_join(readers[i], NULL, CORO_FOREVER), 0);
    CHECK_EQ(finished, READERS);
    CHECK_EQ(coro_get_stats(&after), 0);
    CHECK_EQ(after.file_operations - before.file_operations, READERS * 20 + 10);
    CHECK_EQ(coro_close(shared_fd), 0);
}

TEST(H16_many_operations_on_one_descriptor_by_ring) { by_ring(many_at_a_time); }
TEST(H16_many_operations_on_one_descriptor_by_threads) { by_threads(many_at_a_time); }

/* Known bug 73: a ring of 8 has 10,000 operations to do, 100 of them at a time. */
static void *write_often(void *number) {
    for (int i = 0; i < 100; i++) CHECK_EQ(coro_pwrite(shared_fd, "12345678", 8, (AS_INT(number) * 100 + i) * 8), 8);
    finished++;
    return NULL;
}

static void ten_thousand(void) {
    shared_fd = make_file("ten thousand", 0);
    for (int i = 0; i < 100; i++) go(write_often, AS_POINTER(i));
    while (finished < 100) CHECK_EQ(coro_sleep(CORO_US(100)), 0);
    struct stat status;
    CHECK_EQ(coro_fstat(shared_fd, &status), 0);
    CHECK_EQ(status.st_size, 80000);
    CHECK_EQ(coro_close(shared_fd), 0);
}

TEST(H16_small_ring_does_ten_thousand_operations) {
    coro_test_set_ring_size(8);
    by_ring(ten_thousand);
}

/* -- errors -- */

static void errors(void) {
    char byte, path[PATH_MAX + 10];
    struct stat status;
    int fd = make_file("file", 10), ends[2];
    int reader = coro_open("file", O_RDONLY, 0), directory = coro_open(".", O_RDONLY | O_DIRECTORY, 0);
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = 0;
    CHECK_EQ(coro_pipe(ends, 0), 0);
    CHECK_EQ(coro_pread(9999, &byte, 1, 0), -EBADF);
    CHECK_EQ(coro_pwrite(-1, &byte, 1, 0), -EBADF);
    CHECK_EQ(coro_fsync(9999), -EBADF);
    CHECK_EQ(coro_fstat(9999, &status), -EBADF);
    CHECK_EQ(coro_ftruncate(9999, 1), -EBADF);
    CHECK_EQ(coro_pwrite(reader, &byte, 1, 0), -EBADF);
    CHECK_EQ(coro_pwrite(fd, &byte, 1, INT64_MAX - 1), -EFBIG);
    CHECK_EQ(coro_pread(fd, &byte, 1, -1), -EINVAL);
    CHECK_EQ(coro_pwrite(fd, &byte, 1, -5), -EINVAL);
    CHECK_EQ(coro_ftruncate(fd, -1), -EINVAL);
    CHECK_EQ(coro_pread(directory, &byte, 1, 0), -EISDIR);
    CHECK_EQ(coro_read(directory, &byte, 1), -EISDIR);
    CHECK_EQ(coro_pread(ends[0], &byte, 1, 0), -ESPIPE);
    CHECK_EQ(coro_pwrite(ends[1], &byte, 1, 0), -ESPIPE);
    CHECK_EQ(coro_open("none", O_RDONLY, 0), -ENOENT);
    CHECK_CONTAINS(coro_error_detail(), "none");
    CHECK_EQ(coro_open("file/none", O_RDONLY, 0), -ENOTDIR);
    CHECK_EQ(coro_open(".", O_RDWR, 0), -EISDIR);
    CHECK_EQ(coro_open("file", O_CREAT | O_EXCL | O_RDWR, 0600), -EEXIST);
    CHECK_EQ(coro_open(path, O_RDONLY, 0), -ENAMETOOLONG);
    CHECK_EQ(coro_open(NULL, O_RDONLY, 0), -EINVAL);
    CHECK_EQ(coro_openat(9999, "file", O_RDONLY, 0), -EBADF);
    CHECK_EQ(coro_stat("none", &status), -ENOENT);
    CHECK_EQ(coro_stat("file", NULL), -EINVAL);
    CHECK_EQ(coro_unlink("none"), -ENOENT);
    CHECK_EQ(coro_unlink("."), -EISDIR);
    CHECK_EQ(coro_rmdir("file"), -ENOTDIR);
    CHECK_EQ(coro_mkdir("file", 0700), -EEXIST);
    CHECK_EQ(coro_rename("none", "other"), -ENOENT);
    CHECK_EQ(coro_rename("file", NULL), -EINVAL);
    CHECK_EQ(coro_link("file", "file"), -EEXIST);
    CHECK_EQ(coro_readlink("file", path, sizeof path), -EINVAL);
    CHECK_EQ(coro_close(fd), 0);
    CHECK_EQ(coro_pread(fd, &byte, 1, 0), CORO_ECLOSED);
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_close(ends[i]), 0);
    CHECK_EQ(coro_close(reader), 0);
    CHECK_EQ(coro_close(directory), 0);
}

TEST(H16_errors_are_the_systems_by_ring) { by_ring(errors); }
TEST(H16_errors_are_the_systems_by_threads) { by_threads(errors); }

/* -- directories -- */

static void check_status(const char *path, int fd) {
    struct stat expected, actual;
    CHECK_EQ(lstat(path, &expected), 0);
    CHECK_EQ(coro_lstat(path, &actual), 0);
    CHECK(memcmp(&expected, &actual, sizeof actual) == 0);
    CHECK_EQ(stat(path, &expected), 0);
    CHECK_EQ(coro_stat(path, &actual), 0);
    CHECK(memcmp(&expected, &actual, sizeof actual) == 0);
    CHECK_EQ(coro_fstat(fd, &actual), 0);
    CHECK(memcmp(&expected, &actual, sizeof actual) == 0);
}

static void names(void) {
    char target[64];
    struct dirent **entries = NULL;
    struct stat status;
    int fd = make_file("b", 10);
    CHECK_EQ(coro_mkdir("d", 0750), 0);
    CHECK_EQ(coro_stat("d", &status), 0);
    CHECK(S_ISDIR(status.st_mode));
    CHECK_EQ(coro_link("b", "c"), 0);
    CHECK_EQ(coro_symlink("b", "a"), 0);
    CHECK_EQ(coro_readlink("a", target, sizeof target), 1);
    CHECK_EQ(target[0], 'b');
    check_status("a", fd);
    check_status("c", fd);
    CHECK_EQ(coro_rename("c", "d/c"), 0);
    CHECK_EQ(coro_rmdir("d"), -ENOTEMPTY);
    CHECK_EQ(coro_scandir(".", &entries), 5);
    const char *expected[] = {".", "..", "a", "b", "d"};
    for (int i = 0; i < 5; i++) {
        CHECK_STR(entries[i]->d_name, expected[i]);
        free(entries[i]);
    }
    free(entries);
    CHECK_EQ(coro_scandir("none", &entries), -ENOENT);
    CHECK(entries == NULL);
    CHECK_EQ(coro_unlink("d/c"), 0);
    CHECK_EQ(coro_rmdir("d"), 0);
    CHECK_EQ(coro_stat("d", &status), -ENOENT);
    CHECK_EQ(coro_ftruncate(fd, 3), 0);
    CHECK_EQ(coro_fdatasync(fd), 0);
    CHECK_EQ(coro_fstat(fd, &status), 0);
    CHECK_EQ(status.st_size, 3);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(coro_close(fd), 0);
}

TEST(H16_directories_and_names_by_ring) { by_ring(names); }
TEST(H16_directories_and_names_by_threads) { by_threads(names); }
