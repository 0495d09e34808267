/*
 * 24: tail -f.
 *
 * Shows the last lines of a file, and then what is appended to it. The directory is watched (inotify), so that the file may be
 * truncated, or moved away and made anew, as log files are: what was still written to the old one is shown first. Where it was
 * read to is a matter of the file, not of the events: one that comes too often or too late does no harm.
 *
 *     $ ./24_tail /var/log/syslog
 *
 * checks/tail tests it.
 */
#include "must.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINES = 10, PIECE = 16384 };

static struct followed {
    const char *path;
    int fd; /* -1: there is no such file now */
} it = {.fd = -1};

/* Writes what the file has behind what was shown of it. */
static void show_new(void) {
    char buffer[PIECE];
    struct stat status;
    ssize_t n;
    if (it.fd < 0) return;
    if (fstat(it.fd, &status) == 0 && status.st_size < lseek(it.fd, 0, SEEK_CUR)) {
        fprintf(stderr, "%s: truncated\n", it.path);
        lseek(it.fd, 0, SEEK_SET);
    }
    while ((n = MUST(coro_read(it.fd, buffer, sizeof buffer))) > 0) MUST(coro_write(STDOUT_FILENO, buffer, (size_t)n));
}

/* Opens the file, if it is another than the one that is open. Returns whether it is. */
static bool open_anew(void) {
    struct stat old = {0}, now;
    bool had_one = it.fd >= 0 && fstat(it.fd, &old) == 0;
    if (stat(it.path, &now) != 0) return false; /* between being moved away and being made anew: another event will come */
    if (had_one && now.st_ino == old.st_ino && now.st_dev == old.st_dev) return false;
    int fd = open(it.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    if (had_one) {
        fprintf(stderr, "%s: replaced\n", it.path);
        MUST(coro_close(it.fd));
    }
    it.fd = fd;
    return true;
}

/* Leaves the file's position before its last lines. */
static void seek_last_lines(void) {
    char buffer[PIECE];
    off_t end = lseek(it.fd, 0, SEEK_END), start = end < PIECE ? 0 : end - PIECE;
    ssize_t n = pread(it.fd, buffer, (size_t)(end - start), start);
    int lines = 0;
    while (n > 0 && (lines += buffer[n - 1] == '\n') <= LINES) n--;
    lseek(it.fd, start + (n > 0 ? n : 0), SEEK_SET);
}

static void *follow(void *path) {
    char *copy = strdup(path);
    coro_watch_event event = CORO_WATCH_EVENT_INIT;
    coro_watch *watch = coro_watch_new();
    if (copy == NULL || watch == NULL) return coro_fail(-ENOMEM, coro_error_detail());
    it.path = path;
    /* First the watch, then the first look: nothing that happens in between is missed. */
    MUST(coro_watch_add(watch, dirname(copy), IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_ONLYDIR));
    if (open_anew()) seek_last_lines();
    else fprintf(stderr, "%s: not there yet\n", it.path);
    for (;;) {
        show_new();
        if (open_anew()) continue;
        if (coro_watch_next(watch, &event) != 0) break; /* told to end */
    }
    coro_watch_free(watch);
    free(copy);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: %s FILE\n", arguments[0]);
        return EXIT_FAILURE;
    }
    MUST(coro_detach(coro_spawn(follow, arguments[1])));
    return coro_event_loop(); /* until SIGINT or SIGTERM */
}
