#define _GNU_SOURCE
#include "processes.h"

#include "net.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

pid_t fork_exiting(int code) {
    pid_t pid = fork();
    if (pid == 0) _exit(code);
    CHECK(pid > 0);
    return pid;
}

pid_t fork_waiting(int fd, int code) {
    char byte;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        while (read(fd, &byte, 1) < 0) {}
        _exit(code);
    }
    CHECK(pid > 0);
    return pid;
}

pid_t fork_endless(void) {
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60); /* should the test die */
        for (;;) pause();
    }
    CHECK(pid > 0);
    return pid;
}

void kill_child(pid_t pid) {
    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

void *wait_for_child(void *pid) {
    return AS_POINTER(coro_waitpid(AS_INT(pid), NULL, 0));
}

coro_process_options shell(const char *script) {
    static const char *argv[] = {"sh", "-c", NULL, NULL};
    coro_process_options options = CORO_PROCESS_OPTIONS_INIT;
    argv[2] = script;
    options.argv = argv;
    return options;
}

coro_process_t start_shell(const char *script) {
    coro_process_options options = shell(script);
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    return process;
}

int finish(coro_process_t process) {
    int status = -1;
    CHECK_EQ(coro_process_wait(process, &status), 0);
    return status;
}

const char *read_all(int fd) {
    static char text[65536];
    size_t length = 0;
    ssize_t got;
    while ((got = coro_read(fd, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
    CHECK_EQ(got, 0);
    text[length] = 0;
    return text;
}

/* The state of a process if it is a child of ours, else 0. */
static char state_of_child(const char *number) {
    char path[300], text[512], state;
    int parent;
    snprintf(path, sizeof path, "/proc/%s/stat", number);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    const char *name_end = strrchr(text, ')');
    if (name_end == NULL || sscanf(name_end, ") %c %d", &state, &parent) != 2) return 0;
    return parent == getpid() ? state : 0;
}

void adopt_orphans(void) {
    CHECK_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

static int count(bool zombies_only) {
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    int found = 0;
    while ((entry = readdir(folder)) != NULL) {
        char state = isdigit((unsigned char)entry->d_name[0]) ? state_of_child(entry->d_name) : 0;
        if (state == 'Z' || (state != 0 && !zombies_only)) found++;
    }
    closedir(folder);
    return found;
}

int count_children(void) {
    return count(false);
}

int count_zombies(void) {
    return count(true);
}

void await_children_to_end(void) {
    while (count_children() > count_zombies()) usleep(1000);
}

const char *temporary_path(void) {
    static char path[64];
    snprintf(path, sizeof path, "/tmp/libcoro-test-%d", (int)getpid());
    return path;
}

void write_file(const char *path, const char *text, mode_t mode) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(fchmod(fd, mode), 0);
    CHECK_EQ(close(fd), 0);
}

coro_process_result run_with(coro_process_options options, const void *input, size_t n, int64_t timeout, int expected) {
    coro_process_result result = CORO_PROCESS_RESULT_INIT;
    int code = coro_process_run(&options, input, n, timeout, &result);
    if (code != expected) test_fail(__FILE__, __LINE__, "%s (%s)", coro_strerror(code), coro_error_detail());
    return result;
}

void expect_nothing_left(int descriptors) {
    CHECK_EQ(open_descriptors(), descriptors);
    CHECK_EQ(count_children(), 0);
}

int descriptors_at_rest(void) {
    CHECK(coro_loop_current() > 0); /* opens the poller */
    return open_descriptors();
}

static void *wait_for_process(void *process) {
    int status = -1, code = coro_process_wait((coro_process_t)(intptr_t)process, &status);
    return AS_POINTER(code < 0 ? code : status);
}

coro_t spawn_waiter(coro_process_t process) {
    return spawn_one(wait_for_process, (void *)(intptr_t)process);
}

coro_process_t start_reader(const char *script) {
    coro_process_options options = shell(script);
    options.in.mode = CORO_STDIO_PIPE;
    coro_process_t process = coro_process_start(&options);
    CHECK(process > 0);
    return process;
}
