/* Row H15: files and directories are watched. */
#define _GNU_SOURCE
#include "net.h"
#include "coroutines.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/stat.h>

static char directory[] = "/tmp/coro_watch_XXXXXX";
static coro_watch *watch;

static const char *in_directory(const char *name) {
    static char paths[4][300];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void clean(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    if (system(command) != 0) _exit(1);
}

static void begin(void) {
    CHECK(mkdtemp(directory) != NULL);
    atexit(clean);
    watch = coro_watch_new();
    CHECK(watch != NULL);
}

static void write_file(const char *name, const char *text) {
    int fd = open(in_directory(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(close(fd), 0);
}

static coro_watch_event next_event(void) {
    coro_watch_event event = CORO_WATCH_EVENT_INIT;
    memset(event.name, 'x', sizeof event.name);
    CHECK_EQ(coro_watch_next(watch, &event), 0);
    CHECK_EQ(event.reserved, 0);
    return event;
}

static void expect(int id, uint32_t mask, const char *name) {
    coro_watch_event event = next_event();
    CHECK_EQ(event.id, id);
    CHECK_EQ(event.mask, mask);
    CHECK_STR(event.name, name);
}

static void expect_nothing(void) {
    coro_watch_event event = CORO_WATCH_EVENT_INIT;
    CHECK_EQ(coro_watch_try_next(watch, &event), -EAGAIN);
}

TEST(H15_what_happens_in_a_directory_is_told_in_order) {
    begin();
    int id = coro_watch_add(watch, directory, IN_CREATE | IN_MODIFY | IN_DELETE | IN_CLOSE_WRITE);
    CHECK(id > 0);
    expect_nothing();
    write_file("a", "text");
    CHECK_EQ(mkdir(in_directory("longer name of a directory"), 0700), 0);
    CHECK_EQ(unlink(in_directory("a")), 0);
    expect(id, IN_CREATE, "a");
    expect(id, IN_MODIFY, "a");
    expect(id, IN_CLOSE_WRITE, "a");
    expect(id, IN_CREATE | IN_ISDIR, "longer name of a directory");
    expect(id, IN_DELETE, "a");
    expect_nothing();
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = 0;
    write_file(longest, "");
    expect(id, IN_CREATE, longest);
    expect(id, IN_CLOSE_WRITE, longest);
    CHECK_EQ(coro_watch_free(watch), 0);
}

static void *note_events(void *unused) {
    coro_watch_event event = CORO_WATCH_EVENT_INIT;
    int code;
    while ((code = coro_watch_next(watch, &event)) == 0) trace("%s", event.name);
    (void)unused;
    return AS_POINTER(code);
}

TEST(H15_a_waiter_is_woken_and_others_run_meanwhile) {
    begin();
    CHECK(coro_watch_add(watch, directory, IN_CREATE) > 0);
    coro_t watcher = spawn_one(note_events, NULL);
    let_others_run();
    CHECK_STR(traced(), "");
    CHECK_EQ(coro_watch_next(watch, &(coro_watch_event)CORO_WATCH_EVENT_INIT), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_error_other(), watcher);
    write_file("one", "");
    let_others_run();
    write_file("two", "");
    let_others_run();
    CHECK_STR(traced(), "one two ");
    CHECK_EQ(coro_shutdown(watcher), 0);
    CHECK_EQ(join_soon(watcher), CORO_ESHUTDOWN);
    write_file("three", ""); /* an interruption loses nothing, and neither does a free that comes too late */
    watcher = spawn_one(note_events, NULL);
    let_others_run();
    CHECK_STR(traced(), "one two three ");
    int before = open_descriptors();
    CHECK_EQ(coro_watch_free(watch), 0);
    CHECK_EQ(join_soon(watcher), CORO_ECLOSED);
    CHECK_EQ(open_descriptors(), before - 1);
}

TEST(H15_the_two_halves_of_a_rename_have_one_cookie) {
    begin();
    CHECK_EQ(mkdir(in_directory("sub"), 0700), 0);
    write_file("old", "");
    int from = coro_watch_add(watch, directory, IN_MOVE), to = coro_watch_add(watch, in_directory("sub"), IN_MOVE);
    CHECK(from > 0 && to > 0 && from != to);
    CHECK_EQ(rename(in_directory("old"), in_directory("sub/new")), 0);
    coro_watch_event first = next_event(), second = next_event();
    CHECK_EQ(first.id, from);
    CHECK_EQ(first.mask, IN_MOVED_FROM);
    CHECK_STR(first.name, "old");
    CHECK_EQ(second.id, to);
    CHECK_EQ(second.mask, IN_MOVED_TO);
    CHECK_STR(second.name, "new");
    CHECK(first.cookie != 0);
    CHECK_EQ(first.cookie, second.cookie);
    CHECK_EQ(coro_watch_free(watch), 0);
}

TEST(H15_removed_by_hand_or_because_the_file_is_gone) {
    begin();
    write_file("a", "");
    write_file("b", "");
    int a = coro_watch_add(watch, in_directory("a"), IN_ATTRIB | IN_DELETE_SELF);
    int b = coro_watch_add(watch, in_directory("b"), IN_ATTRIB | IN_DELETE_SELF);
    CHECK_EQ(coro_watch_add(watch, in_directory("b"), IN_ATTRIB | IN_DELETE_SELF), b);
    CHECK_EQ(coro_watch_remove(watch, a), 0);
    CHECK_EQ(coro_watch_remove(watch, a), -EINVAL);
    CHECK_CONTAINS(coro_error_detail(), "no file is watched");
    expect(a, IN_IGNORED, "");
    CHECK_EQ(unlink(in_directory("a")), 0);
    CHECK_EQ(unlink(in_directory("b")), 0);
    expect(b, IN_ATTRIB, "");
    expect(b, IN_DELETE_SELF, "");
    expect(b, IN_IGNORED, "");
    CHECK_EQ(coro_watch_remove(watch, b), -EINVAL);
    CHECK_EQ(coro_watch_free(watch), 0);
}

static int most_queued(void) {
    int number = 0;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    if (file == NULL || fscanf(file, "%d", &number) != 1) number = 0;
    if (file != NULL) fclose(file);
    return number;
}

TEST(H15_lost_events_are_reported) {
    int most = most_queued(), count = 0;
    if (most <= 0 || most > 100000) test_skip("the queue of inotify is of no usual size");
    begin();
    int id = coro_watch_add(watch, directory, IN_ATTRIB);
    write_file("a", "");
    write_file("b", "");
    int a = open(in_directory("a"), O_WRONLY | O_CLOEXEC), b = open(in_directory("b"), O_WRONLY | O_CLOEXEC);
    for (int i = 0; i <= most; i++) CHECK_EQ(fchmod(i % 2 ? a : b, 0600), 0); /* the same twice in a row would be one event */
    for (;; count++) {
        coro_watch_event event = next_event();
        if (event.mask == IN_Q_OVERFLOW) {
            CHECK_EQ(event.id, -1);
            CHECK_STR(event.name, "");
            break;
        }
        CHECK_EQ(event.id, id);
        CHECK_STR(event.name, count % 2 ? "a" : "b");
    }
    CHECK_EQ(count, most);
    expect_nothing();
    CHECK_EQ(coro_watch_free(watch), 0);
}

static void *use_anothers_watch(void *unused) {
    coro_watch_event event = CORO_WATCH_EVENT_INIT;
    CHECK_EQ(coro_watch_next(watch, &event), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_watch_add(watch, directory, IN_CREATE), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_watch_free(watch), CORO_EWRONGTHREAD);
    return unused;
}

TEST(H15_a_watchs_errors) {
    pthread_t thread;
    coro_watch_event event = CORO_WATCH_EVENT_INIT;
    begin();
    CHECK_EQ(coro_watch_add(watch, in_directory("nothing"), IN_CREATE), -ENOENT);
    CHECK_CONTAINS(coro_error_detail(), "/nothing");
    CHECK_EQ(coro_watch_add(watch, directory, 0), -EINVAL);
    CHECK_EQ(coro_watch_add(watch, NULL, IN_CREATE), -EINVAL);
    CHECK_EQ(coro_watch_add(NULL, directory, IN_CREATE), -EINVAL);
    CHECK_EQ(coro_watch_remove(NULL, 1), -EINVAL);
    CHECK_EQ(coro_watch_next(NULL, &event), -EINVAL);
    CHECK_EQ(coro_watch_next(watch, NULL), -EINVAL);
    event.struct_size = 1;
    CHECK_EQ(coro_watch_try_next(watch, &event), -EINVAL);
    CHECK_EQ(coro_watch_fd(NULL), -EINVAL);
    CHECK_EQ(coro_watch_free(NULL), 0);
    CHECK_EQ(coro_test_fail_call("inotify_add_watch", 1, ENOSPC), 0);
    CHECK_EQ(coro_watch_add(watch, directory, IN_CREATE), -ENOSPC);
    CHECK_CONTAINS(coro_error_detail(), "max_user_watches");
    CHECK_EQ(pthread_create(&thread, NULL, use_anothers_watch, NULL), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(coro_watch_free(watch), 0);
}

TEST(H15_a_watch_that_can_not_be_made_leaves_nothing) {
    coro_watch_free(coro_watch_new());
    int before = open_descriptors();
    CHECK_EQ(coro_test_fail_call("inotify_init1", 1, EMFILE), 0);
    CHECK(coro_watch_new() == NULL);
    CHECK_CONTAINS(coro_error_detail(), "max_user_instances");
    for (int n = 1; n < 3; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        CHECK(coro_watch_new() == NULL);
        CHECK_EQ(open_descriptors(), before);
    }
}
