/* Row J2, coro_get_info, and the texts of errors: what people read of coroutines. */
#include "coroutines.h"

#include <ctype.h>
#include <limits.h>
#include <pthread.h>

static const char *waiting_of(coro_t co) {
    static char text[sizeof(((coro_info *)0)->waiting)];
    return strcpy(text, info_of(co).waiting);
}

/* -- what a coroutine waits for -- */

static int ends[2];
static char byte;
static coro_t target;

static void *wait_park(void *a) { return coro_park(NULL), a; }
static void *wait_slice(void *a) { return coro_yield_slice(), a; }
static void *wait_yield(void *a) { return coro_yield(), a; }
static void *wait_sleep(void *a) { return coro_sleep(CORO_MS(1250)), a; }
static void *wait_for_ever(void *a) { return coro_sleep(CORO_FOREVER), a; }
static void *wait_join(void *a) { return coro_join(target, NULL, CORO_FOREVER), a; }
static void *wait_timed_join(void *a) { return coro_join(target, NULL, CORO_SECONDS(90)), a; }
static void *wait_read(void *a) { return coro_read(ends[0], &byte, 1), a; }
static void *wait_write(void *a) { return coro_wait_for(ends[1], CORO_WRITE), a; }
static void *no_wait(void *a) { return a; }

static void check_wait(coro_fn function, int kind, int64_t object, int64_t timeout, const char *waiting) {
    char expected[100];
    coro_t co = start_now(function, NULL);
    coro_info info = info_of(co);
    snprintf(expected, sizeof expected, waiting, (long long)object);
    CHECK_STR(info.waiting, expected);
    CHECK_EQ(info.wait_kind, kind);
    CHECK_EQ(info.wait_object, object);
    CHECK_EQ(info.deadline, timeout == CORO_FOREVER ? CORO_FOREVER : coro_get_now() + timeout);
    CHECK_EQ(info.state, kind == CORO_WAIT_NONE ? CORO_STATE_READY : CORO_STATE_WAITING);
    CHECK(info.started && !info.dead && !info.detached);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

CORO_TEST(J2_info_tells_what_a_coroutine_waits_for) {
    char block[4096] = "";
    coro_test_set_virtual_time(true);
    target = start_now(wait_park, NULL);
    CHECK_EQ(coro_pipe(ends, 0), 0);
    while (write(ends[1], block, sizeof block) > 0) {}
    check_wait(wait_park, CORO_WAIT_PARK, 0, CORO_FOREVER, "parked");
    check_wait(wait_slice, CORO_WAIT_PASS, 0, CORO_FOREVER, "waiting for the next pass");
    check_wait(wait_yield, CORO_WAIT_NONE, 0, CORO_FOREVER, "runnable");
    check_wait(wait_sleep, CORO_WAIT_SLEEP, 0, CORO_MS(1250), "sleeping 1.2 s more");
    check_wait(wait_for_ever, CORO_WAIT_SLEEP, 0, CORO_FOREVER, "sleeping");
    check_wait(wait_join, CORO_WAIT_JOIN, target, CORO_FOREVER, "joining #%lld");
    check_wait(wait_timed_join, CORO_WAIT_JOIN, target, CORO_SECONDS(90), "joining #%lld, 90.0 s more");
    check_wait(wait_write, CORO_WAIT_WRITE, ends[1], CORO_FOREVER, "writing fd %lld");
    while (read(ends[0], block, sizeof block) > 0) {}
    check_wait(wait_read, CORO_WAIT_READ, ends[0], CORO_FOREVER, "reading fd %lld");
}

CORO_TEST(J2_info_of_what_does_not_wait) {
    coro_t unstarted = coro_new(no_wait, NULL, NULL), ended = start_now(no_wait, NULL);
    CHECK_STR(waiting_of(unstarted), "not started");
    CHECK_STR(waiting_of(ended), "ended");
    CHECK_STR(waiting_of(coro_current()), "running");
    CHECK_EQ(info_of(coro_current()).state, CORO_STATE_RUNNING);
    CHECK_EQ(info_of(coro_current()).wait_kind, CORO_WAIT_NONE);
    CHECK(info_of(coro_current()).detached);
    CHECK_EQ(info_of(unstarted).deadline, CORO_FOREVER);
    /* What is left of a sleep, as it goes by. */
    coro_test_set_virtual_time(true);
    coro_t sleeper = start_now(wait_sleep, NULL);
    coro_sleep(CORO_MS(1000));
    CHECK_STR(waiting_of(sleeper), "sleeping 250 ms more");
    coro_test_step_time(CORO_SECONDS(5));
    CHECK_STR(waiting_of(sleeper), "sleeping 0 ms more");
}

TEST(J2_info_checks_its_arguments) {
    coro_t co = coro_new(no_wait, NULL, NULL);
    const size_t sizes[] = {0, 1, sizeof(coro_info) - 1, sizeof(coro_info) + 1, SIZE_MAX};
    CHECK_EQ(coro_get_info(co, NULL), -EINVAL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        coro_info info = {.struct_size = sizes[i], .id = 77};
        CHECK_EQ(coro_get_info(co, &info), -EINVAL);
        CHECK_EQ(info.id, 77);
    }
    /* A name that does not fit is cut. */
    char name[200];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    coro_set_name(co, name);
    CHECK_EQ(strlen(info_of(co).name), sizeof info_of(co).name - 1);
    CHECK_EQ(coro_get_name(co, NULL, 0), sizeof name - 1);
}

/* -- where it was created -- */

#define IN_A_SECTION_OF_ITS_OWN __attribute__((noinline, section("spawning_function")))
extern const char __start_spawning_function[], __stop_spawning_function[];

IN_A_SECTION_OF_ITS_OWN static void spawn_in_all_ways(coro_t ids[5]) {
    coro_options options = CORO_OPTIONS_INIT;
    ids[0] = coro_spawn(no_wait, NULL);
    ids[1] = coro_new(no_wait, NULL, NULL);
    ids[2] = coro_new(no_wait, NULL, &options);
    ids[3] = coro_spawn_with(no_wait, NULL, &options);
    options.flags = CORO_START_NOW;
    ids[4] = coro_spawn_with(no_wait, NULL, &options);
}

TEST(J2_spawn_site_is_in_the_function_that_created_it) {
    coro_t ids[5];
    spawn_in_all_ways(ids);
    for (int i = 0; i < 5; i++) {
        const char *site = info_of(ids[i]).spawn_site;
        CHECK(site > __start_spawning_function && site <= __stop_spawning_function);
        for (int k = 0; k < i; k++) CHECK(site != info_of(ids[k]).spawn_site);
    }
}

/* -- J2: coro_repr -- */

TEST(J2_repr_has_id_name_flags_and_address) {
    char text[200], expected[100];
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "x";
    coro_t co = coro_spawn_with(wait_park, NULL, &options);
    for (int step = 0; step < 4; step++) {
        int length = coro_repr(co, text, sizeof text);
        CHECK_EQ(length, strlen(text));
        snprintf(expected, sizeof expected, "<coro #%lld name='x' dead=%d started=%d scheduled=%d at 0x", (long long)co,
                 step == 3, step > 0, step == 0 || step == 2);
        CHECK(strncmp(text, expected, strlen(expected)) == 0);
        const char *address = text + strlen(expected);
        CHECK(isxdigit((unsigned char)*address));
        while (isxdigit((unsigned char)*address)) address++;
        CHECK_STR(address, ">");
        if (step == 1) CHECK_EQ(coro_schedule(co, NULL), 0);
        else coro_yield();
    }
}

TEST(J2_repr_is_cut_to_fit) {
    char whole[200], text[200];
    coro_t co = coro_new(no_wait, NULL, NULL);
    int length = coro_repr(co, whole, sizeof whole);
    CHECK_EQ(coro_repr(co, NULL, 0), length);
    CHECK_EQ(coro_repr(co, NULL, 100), length);
    for (size_t size = 0; size <= (size_t)length + 1; size++) {
        memset(text, '#', sizeof text);
        CHECK_EQ(coro_repr(co, text, size), length);
        CHECK_EQ(text[size], '#');
        if (size == 0) continue;
        CHECK_EQ(strlen(text), size - 1);
        CHECK(strncmp(text, whole, size - 1) == 0);
    }
}

/* -- the table of errors -- */

static FILE *open_header(void) {
    char path[PATH_MAX] = __FILE__;
    char *end = strstr(path, "Tests/abi/");
    CHECK(end != NULL);
    strcpy(end, "include/coro.h");
    FILE *header = fopen(path, "r");
    if (header == NULL) test_skip("the header is not where it was when this was compiled");
    return header;
}

TEST(J2_every_error_of_the_header_has_a_name_and_a_text) {
    FILE *header = open_header();
    char line[300], name[100], texts[100][200];
    int code, count = 0, names = 0, lowest = 0;
    while (fgets(line, sizeof line, header)) {
        if (sscanf(line, "#define %99[A-Z_] (%d)", name, &code) != 2 || strncmp(name, "CORO_E", 6) != 0) continue;
        CHECK(coro_error_name(code) != NULL);
        CHECK_STR(coro_error_name(code), name);
        snprintf(texts[count], sizeof texts[count], "%s", coro_strerror(code));
        CHECK(strlen(texts[count]) > 5);
        CHECK(strstr(texts[count], "unknown") == NULL);
        CHECK(texts[count][strlen(texts[count]) - 1] != '.');
        for (int i = 0; i < count; i++) CHECK(strcmp(texts[i], texts[count]) != 0);
        count++;
        if (code > -5100 && code < lowest) lowest = code;
        names += code < -5100;
    }
    fclose(header);
    CHECK(count >= 16);
    /* No two share a number, and the table has none that the header has not. */
    CHECK_EQ(count - names, -5000 - lowest);
    CHECK_EQ(names, 11); /* of getaddrinfo(3), whose numbers have gaps */
    CHECK(coro_error_name(lowest - 1) == NULL);
    CHECK(coro_error_name(-5000) == NULL);
}

TEST(J2_errors_of_descriptors_and_objects_name_both) {
    CHECK_CONTAINS(coro_strerror(CORO_ECLOSED), "descriptor");
    CHECK_CONTAINS(coro_strerror(CORO_ECLOSED), "object");
    CHECK_CONTAINS(coro_strerror(CORO_EWRONGTHREAD), "object");
}

TEST(J2_system_errors_have_their_names_and_texts) {
    CHECK_STR(coro_error_name(0), "0");
    CHECK_STR(coro_strerror(0), "success");
    CHECK_STR(coro_error_name(-EBADF), "EBADF");
    CHECK_STR(coro_error_name(-ESRCH), "ESRCH");
    CHECK_STR(coro_error_name(-EDEADLK), "EDEADLK");
    for (int error = 1; error < 134; error++) {
        if (coro_error_name(-error) == NULL) continue;
        CHECK_STR(coro_strerror(-error), strerror(error));
    }
}

TEST(J2_unknown_codes_say_so_with_their_number) {
    const int codes[] = {1, 5, -4096, -4999, -5000, -5999, INT_MIN, INT_MAX, 41, -41};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char number[20];
        snprintf(number, sizeof number, "%d", codes[i]);
        CHECK(coro_error_name(codes[i]) == NULL);
        CHECK_CONTAINS(coro_strerror(codes[i]), "unknown");
        CHECK_CONTAINS(coro_strerror(codes[i]), number);
    }
}

static void *ask_for_a_text(void *argument) {
    CHECK_CONTAINS(coro_strerror(-99999), "-99999");
    return argument;
}

TEST(J2_each_thread_has_its_own_text) {
    const char *mine = coro_strerror(-77777);
    pthread_t thread;
    pthread_create(&thread, NULL, ask_for_a_text, NULL);
    pthread_join(thread, NULL);
    CHECK_CONTAINS(mine, "-77777");
}

/* -- coro_error_detail -- */

TEST(J2_detail_is_of_the_last_failing_call_and_success_keeps_it) {
    CHECK_STR(coro_error_detail(), "");
    CHECK_EQ(coro_start(42), -ESRCH);
    CHECK_CONTAINS(coro_error_detail(), "42");
    CHECK_EQ(coro_yield(), 0);
    CHECK_CONTAINS(coro_error_detail(), "42");
    coro_t co = coro_new(no_wait, NULL, NULL);
    CHECK_EQ(coro_join(co, NULL, 0), CORO_ENOTSTARTED);
    CHECK_CONTAINS(coro_error_detail(), "coro_start");
    CHECK_EQ(coro_error_other(), co);
    coro_start(co);
    CHECK_EQ(coro_join(co, NULL, 0), CORO_ETIMEOUT);
    CHECK_STR(coro_error_detail(), "");
    CHECK_EQ(coro_error_other(), 0);
    CHECK_EQ(coro_error_progress(), 0);
}

static void *fail_at_length(void *argument) {
    char *message = argument;
    memset(message, 'm', 5000);
    message[5000] = 0;
    return coro_fail(-EIO, message);
}

static int no_report(coro_t co, int code, const char *message) {
    (void)co, (void)code;
    CHECK_EQ(strlen(message), 5000);
    return 0;
}

TEST(J2_a_long_message_is_cut_in_the_detail_alone) {
    char message[5001];
    coro_set_exception_notifier(no_report);
    coro_t co = coro_spawn(fail_at_length, message);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), -EIO);
    CHECK(strlen(coro_error_detail()) > 100);
    CHECK(strlen(coro_error_detail()) < 5000);
    CHECK_EQ(strspn(coro_error_detail(), "m"), strlen(coro_error_detail()));
}

TEST(J2_the_version_is_that_of_the_header) {
    char expected[30];
    snprintf(expected, sizeof expected, "%d.%d.%d", CORO_VERSION_MAJOR, CORO_VERSION_MINOR, CORO_VERSION_PATCH);
    CHECK_STR(coro_version(), expected);
    CHECK_EQ(coro_version_number(), CORO_VERSION_NUMBER);
    CHECK_EQ(CORO_VERSION_NUMBER, CORO_VERSION_MAJOR * 10000 + CORO_VERSION_MINOR * 100 + CORO_VERSION_PATCH);
}
