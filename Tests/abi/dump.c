/* Row G8, and coro_dump: all coroutines and their stacks, for people. */
#include "coroutines.h"

#include <fcntl.h>
#include <sys/wait.h>

static char text[1 << 20];

/* What coro_dump writes: it is written to a file, as a pipe may be too small for it. */
static const char *dumped(void) {
    FILE *file = tmpfile();
    CHECK(file != NULL);
    int before = open_descriptors();
    CHECK_EQ(coro_dump(fileno(file)), 0);
    CHECK_EQ(open_descriptors(), before);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return text;
}

static coro_t named(const char *name, coro_fn function, void *argument, uint32_t flags) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = name;
    options.flags = flags;
    return coro_spawn_with(function, argument, &options);
}

static void *join(void *co) {
    coro_join((coro_t)(intptr_t)co, NULL, CORO_FOREVER);
    return NULL;
}

CORO_TEST(G8_dump_tells_who_is_there_and_what_they_wait_for) {
    char expected[100];
    coro_test_set_virtual_time(true);
    coro_set_name(coro_current(), "tester");
    coro_t parked = named("patient", park, NULL, CORO_START_NOW);
    coro_t joiner = named("friend", join, (void *)(intptr_t)parked, CORO_START_NOW | CORO_DETACHED);
    coro_t unborn = coro_new(do_nothing, NULL, NULL);
    coro_set_name(unborn, "unborn");
    coro_test_step_time(CORO_MS(2500));
    const char *dump = dumped();
    CHECK(strncmp(dump, "coro #0 (main): running the loop\n    ", 37) == 0);
    snprintf(expected, sizeof expected, "\ncoro #%lld (tester): running; ", (long long)coro_current());
    CHECK_CONTAINS(dump, expected);
    snprintf(expected, sizeof expected, "\ncoro #%lld (patient): parked; 2.5 s old, 1 switch, created before ",
             (long long)parked);
    CHECK_CONTAINS(dump, expected);
    snprintf(expected, sizeof expected, "\ncoro #%lld (friend): joining #%lld; 2.5 s old, 1 switch, created before ",
             (long long)joiner, (long long)parked);
    CHECK_CONTAINS(dump, expected);
    CHECK_CONTAINS(strstr(dump, "(friend)"), ", detached\n    ");
    /* Nothing below one that never ran; and it is the last. */
    snprintf(expected, sizeof expected, "\ncoro #%lld (unborn): not started; 2.5 s old, 0 switches, created before ",
             (long long)unborn);
    CHECK_CONTAINS(dump, expected);
    CHECK(strstr(strstr(dump, "(unborn)"), "\n    ") == NULL);
    CHECK(strstr(dump, ", ran ") == NULL);
}

CORO_TEST(G8_dump_has_the_stacks_that_where_tells) {
    char where[1000], *line, *rest = where;
    coro_t co = named("patient", park, NULL, CORO_START_NOW);
    CHECK(coro_where_text(co, where, sizeof where) > 0);
    const char *block = strstr(dumped(), "(patient)");
    CHECK(block != NULL);
    block = strchr(block, '\n') + 1;
    while ((line = strsep(&rest, " ")) != NULL) {
        char expected[200];
        snprintf(expected, sizeof expected, "    %.*s\n", (int)strlen(line) - 2, line + 1);
        CHECK(strncmp(block, expected, strlen(expected)) == 0);
        block += strlen(expected);
    }
    CHECK(*block == 0 || *block == 'c');
}

/* All of them, each once, by ascending id, however many: they lie in a hash table. */
CORO_TEST(G8_dump_is_by_ascending_id) {
    enum { COUNT = 300 };
    int64_t id, last = -1;
    int seen = 0;
    /* Ids that go once round the table lie in it in no order. */
    for (int i = 0; i < 400; i++) coro_shutdown(coro_detach(coro_new(do_nothing, NULL, NULL)));
    coro_t first = coro_spawn(do_nothing, NULL);
    for (int i = 1; i < COUNT; i++) coro_new(do_nothing, NULL, NULL);
    for (int i = 0; i < COUNT; i += 7) coro_shutdown(first + i);
    for (const char *at = dumped(); at != NULL; at = strstr(at, "\ncoro #")) {
        at += *at == '\n';
        CHECK_EQ(sscanf(at, "coro #%ld", &id), 1);
        CHECK(id > last);
        if (id != 0) CHECK_EQ(coro_get_by_id(id), id);
        last = id;
        seen++;
    }
    CHECK_EQ(seen, 1 + coro_all(NULL, 0));
    CHECK_CONTAINS(text, "\n43 more have ended, and were neither joined nor detached\n");
}

CORO_TEST(G8_dump_cuts_a_line_that_is_too_long) {
    static char name[5000];
    memset(name, 'n', sizeof name - 1);
    coro_t co = named("patient", park, NULL, CORO_START_NOW), next = named("next", park, NULL, CORO_START_NOW);
    coro_set_name(co, name);
    const char *dump = dumped();
    CHECK_CONTAINS(dump, "nnnn\n    ");
    CHECK_CONTAINS(dump, " (next): parked");
    for (const char *line = dump; *line != 0; line = strchr(line, '\n') + 1) CHECK(strchr(line, '\n') - line < 1024);
    CHECK(next > co);
}

static void dump_in_release(void *argument) {
    (void)argument;
    CHECK_CONTAINS(dumped(), ": running");
}

TEST(G8_dump_works_on_the_threads_own_stack_and_where_none_may_suspend) {
    CHECK_CONTAINS(dumped(), "coro #0 (main): running\n    ");
    coro_options options = CORO_OPTIONS_INIT;
    options.release = dump_in_release;
    CHECK_EQ(coro_join(coro_spawn_with(do_nothing, NULL, &options), NULL, CORO_FOREVER), 0);
    coro_shutdown(coro_new(do_nothing, NULL, &options));
}

static void *dump_from_small_stack(void *argument) {
    int fd = open("/dev/null", O_WRONLY);
    CHECK_EQ(coro_dump(fd), 0);
    close(fd);
    return argument;
}

TEST(G8_dump_works_on_a_small_stack) {
    if (is_watched()) test_skip("a tool takes stack");
    coro_options options = CORO_OPTIONS_INIT;
    options.stack_size = 16 * 1024;
    CHECK_EQ(coro_join(coro_spawn_with(dump_from_small_stack, NULL, &options), NULL, CORO_FOREVER), 0);
}

TEST(G8_dump_returns_what_the_system_says) {
    int ends[2], full[2];
    CHECK_EQ(coro_dump(-1), -EBADF);
    CHECK_EQ(coro_dump(open("/dev/null", O_RDONLY)), -EBADF);
    CHECK_EQ(coro_dump(open("/dev/full", O_WRONLY)), -ENOSPC);
    CHECK(pipe(ends) == 0);
    close(ends[0]);
    CHECK_EQ(coro_dump(ends[1]), -EPIPE); /* and SIGPIPE does not end this test */
    char block[4096] = "";
    CHECK_EQ(coro_pipe(full, 0), 0);
    while (write(full[1], block, sizeof block) > 0) {}
    CHECK_EQ(coro_dump(full[1]), -EAGAIN);
    for (int n = 1; n <= 3; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        CHECK_EQ(coro_dump(open("/dev/null", O_WRONLY)), -ENOMEM);
    }
}

static void *run_for_200_ms(void *argument) {
    coro_test_step_time(CORO_MS(200));
    coro_park(NULL);
    return argument;
}

CORO_TEST(G8_dump_tells_how_long_each_has_run_while_that_is_counted) {
    coro_test_set_virtual_time(true);
    coro_set_accounting(true);
    named("worker", run_for_200_ms, NULL, CORO_START_NOW);
    const char *worker = strstr(dumped(), " (worker): parked; ");
    int age, run_time;
    CHECK(worker != NULL);
    CHECK_EQ(sscanf(worker, " (worker): parked; %d ms old, 1 switch, ran %d ms, created before ", &age, &run_time), 2);
    CHECK(age >= 200 && run_time >= 200);
}

/* -- on a signal -- */

static void dump_when_signalled(void) {
    CHECK_EQ(coro_dump_on_signal(SIGUSR1), 0);
    CHECK_EQ(coro_dump_on_signal(SIGUSR1), CORO_ESIMULTANEOUS);
    CHECK_EQ(coro_dump_on_signal(SIGKILL), -EINVAL);
    coro_set_name(start_now(park, NULL), "patient");
    raise(SIGUSR1);
    CHECK_EQ(coro_sleep(0), 0);
    CHECK_EQ(write(2, "once\n", 5), 5);
    CHECK_EQ(coro_sleep(0), 0);
    CHECK_EQ(coro_signal_unregister(SIGUSR1), 0);
    struct sigaction now;
    CHECK_EQ(sigaction(SIGUSR1, NULL, &now), 0);
    CHECK(now.sa_handler == SIG_DFL);
}

TEST(G8_a_signal_makes_the_loop_dump) {
    CHECK_EQ(run_in_child(dump_when_signalled, text, sizeof text), 0);
    const char *patient = strstr(text, " (patient): parked; ");
    CHECK(patient != NULL);
    CHECK_CONTAINS(patient, "once\n");
    CHECK(strstr(patient + 1, " (patient)") == NULL);
}

/* A loop that only waits for a signal to dump on is as idle as one that waits for nothing. */
TEST(G8_dumping_on_a_signal_wakes_nobody) {
    CHECK_EQ(coro_dump_on_signal(SIGUSR1), 0);
    CHECK_EQ(coro_park(NULL), -EDEADLK);
}
