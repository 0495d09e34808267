/* Stacks: overflow is reported, limits are errors that name themselves, memory is given back (known bugs 78, 79, 81). */
#define _GNU_SOURCE
#include "coroutines.h"
#include "net.h"

#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>

/* -- overflow -- */

/* Runs function in a child in which a fault does what it does by default: a language's runtime that this process was linked
   with may have a handler for its own reports. */
static int run_to_a_fault(test_function function, char *output, size_t size) {
    CHECK(signal(SIGSEGV, SIG_DFL) != SIG_ERR);
    return run_in_child(function, output, size);
}

static volatile int depth_wanted = 1 << 30;

__attribute__((noinline)) static int recurse(int depth) {
    volatile char frame[512];
    frame[depth % 512] = (char)depth;
    if (depth >= depth_wanted) return 0;
    int result = recurse(depth + 1);
    return result + frame[0]; /* after the call, so that it is no jump */
}

static void *overflow(void *unused) {
    (void)unused;
    return AS_POINTER(recurse(0));
}

__attribute__((noinline)) void spawns_what_overflows(void) {
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "the deep one";
    options.stack_size = 64 * 1024;
    coro_t co = coro_spawn_with(overflow, NULL, &options);
    coro_join(co, NULL, CORO_FOREVER);
    __asm__ volatile(""); /* no tail call: the spawn site is in this function */
}

static void check_overflow_report(void) {
    char output[2048];
    int status = run_to_a_fault(spawns_what_overflows, output, sizeof output);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGSEGV);
    CHECK_CONTAINS(output, "stack overflow in coroutine #1");
    CHECK_CONTAINS(output, "64 KiB");
    CHECK_CONTAINS(output, "stack_size");
    CHECK_CONTAINS(output, "'the deep one'");
    CHECK_CONTAINS(output, "created before 0x");
    Dl_info found; /* whether this program exports its symbols is for who builds it to say */
    if (dladdr((void *)spawns_what_overflows, &found) != 0 && found.dli_sname != NULL)
        CHECK_CONTAINS(output, "spawns_what_overflows");
}

TEST(core_overflow_is_reported) {
    check_overflow_report();
}

TEST(core_overflow_is_reported_with_mprotect_guards) {
    coro_test_set_mprotect_guards(true);
    check_overflow_report();
}

static void *jump_down(void *distance) {
    volatile char *block = alloca((size_t)AS_INT(distance));
    block[0] = 1; /* its lowest byte, without touching what is above */
    return NULL;
}

static void overflow_by_alloca(void) {
    /* 256 KiB with a guard of 64: a block as large as what is left, and half the guard, ends in the guard. */
    coro_join(coro_spawn(jump_down, AS_POINTER(224 * 1024)), NULL, CORO_FOREVER);
}

TEST(core_a_large_block_on_the_stack_meets_the_guard) {
    char output[2048];
    int status = run_to_a_fault(overflow_by_alloca, output, sizeof output);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK_CONTAINS(output, "stack overflow in coroutine #1");
    CHECK_CONTAINS(output, "256 KiB");
}

static void overflow_in_a_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, (void *(*)(void *))(void *)spawns_what_overflows, NULL);
    pthread_join(thread, NULL);
}

TEST(core_overflow_is_reported_in_other_threads) {
    char output[2048];
    int status = run_to_a_fault(overflow_in_a_thread, output, sizeof output);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK_CONTAINS(output, "stack overflow in coroutine #");
}

static void *touch_nothing(void *unused) {
    volatile int *volatile nothing = AS_POINTER(16);
    *nothing = 1;
    return unused;
}

static void fault_in_a_coroutine(void) {
    coro_join(coro_spawn(touch_nothing, NULL), NULL, CORO_FOREVER);
}

/* A fault that is no overflow is none of ours, and ends the process as ever. */
TEST(core_other_faults_are_not_called_overflows) {
    char output[2048];
    int status = run_to_a_fault(fault_in_a_coroutine, output, sizeof output);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    CHECK_STR(output, "");
}

static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    _exit(info->si_addr == (void *)16 && number == SIGSEGV ? 33 : 34);
}

static void fault_with_own_handler(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    fault_in_a_coroutine();
}

TEST(core_the_programs_own_handler_gets_other_faults) {
    char output[2048];
    CHECK_EQ(run_to_a_fault(fault_with_own_handler, output, sizeof output), 33 << 8);
    CHECK_STR(output, "");
}

static void send_a_fault(void) {
    coro_join(coro_spawn(do_nothing, NULL), NULL, CORO_FOREVER);
    raise(SIGSEGV); /* as `kill -SEGV` does, to have a look at a core */
}

TEST(core_a_fault_that_was_sent_ends_the_process_as_ever) {
    char output[2048];
    int status = run_to_a_fault(send_a_fault, output, sizeof output);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* -- sizes -- */

static void *use_much(void *kilobytes) {
    depth_wanted = AS_INT(kilobytes) * 1024 / 640; /* a frame is its 512 bytes and something */
    return AS_POINTER(recurse(0) * 0 + 1);
}

TEST(core_stack_sizes) {
    static const struct { size_t asked, given; } sizes[] = {
        {0, 256 << 10},           {16 << 10, 16 << 10},   {(16 << 10) + 1, 32 << 10}, {20000, 32 << 10},
        {100000, 128 << 10},      {256 << 10, 256 << 10}, {(256 << 10) + 1, 512 << 10}, {1 << 20, 1 << 20},
        {3 << 20, 4 << 20},       {64 << 20, 64 << 20},   {1 << 30, 1 << 30}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        coro_options options = CORO_OPTIONS_INIT;
        coro_info info = {.struct_size = sizeof info};
        options.stack_size = sizes[i].asked;
        /* A stack of 16 KiB must be of use, too: half of the size is there in every case. */
        size_t used = sizes[i].given / 2 < (8 << 20) ? sizes[i].given / 2 : 8 << 20;
        coro_t co = coro_new(use_much, AS_POINTER(used >> 10), &options);
        CHECK(co > 0);
        CHECK_EQ(coro_get_info(co, &info), 0);
        CHECK_EQ(info.stack_size, sizes[i].given);
        CHECK_EQ(coro_start(co), 0);
        CHECK_EQ(join_soon(co), 1);
    }
    static const size_t wrong[] = {1, 4096, (16 << 10) - 1, ((size_t)1 << 30) + 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        coro_options options = CORO_OPTIONS_INIT;
        options.stack_size = wrong[i];
        CHECK_EQ(coro_new(do_nothing, NULL, &options), -EINVAL);
        CHECK_CONTAINS(coro_error_detail(), "stack_size");
    }
}

/* -- limits -- */

static int released;

static void note_release(void *unused) {
    (void)unused;
    released++;
}

/* Whatever allocation of a creation fails: it is an error, nothing is left of it, and the next one works. */
TEST(core_every_failure_while_creating_is_undone) {
    if (is_watched()) test_skip("a tool watches memory");
    static const char *const calls[] = {"mmap", "madvise", "calloc"};
    coro_options options = CORO_OPTIONS_INIT;
    options.name = "x";
    options.release = note_release;
    CHECK(coro_loop_current() > 0);
    for (size_t i = 0; i < 3; i++) {
        for (int n = 1;; n++) {
            options.stack_size = (size_t)(16 << 10) << (2 * i); /* a size of its own, which nothing is mapped for yet */
            CHECK_EQ(coro_test_fail_call(calls[i], n, ENOMEM), 0);
            coro_t co = coro_spawn_with(do_nothing, NULL, &options);
            CHECK_EQ(coro_test_fail_call(calls[i], 0, 0), 0);
            if (co > 0) {
                CHECK(n > 1); /* it was one of its calls */
                join_soon(co);
                CHECK_EQ(released, 1); /* not called when creating it failed */
                released = 0;
                break;
            }
            CHECK_EQ(co, -ENOMEM);
            CHECK_EQ(coro_get_live_coros(), 0);
            CHECK(n < 50);
        }
    }
}

TEST(core_no_address_space_is_an_error_that_says_so) {
    CHECK_EQ(coro_test_fail_call("mmap", 1, ENOMEM), 0);
    CHECK_EQ(coro_spawn(do_nothing, NULL), -ENOMEM);
    CHECK_CONTAINS(coro_error_detail(), "address space");
    CHECK_CONTAINS(coro_error_detail(), "stack_size");
    join_soon(spawn_one(do_nothing, NULL));
}

static long mapping_limit(void) {
    long limit = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (file == NULL || fscanf(file, "%ld", &limit) != 1) test_skip("no vm.max_map_count");
    fclose(file);
    if (limit > 300000) test_skip("vm.max_map_count is too high to be met");
    return limit;
}

/* Known bug 78: a guard made by mprotect is a mapping, and their number has a limit. */
TEST(core_the_limit_of_mappings_is_named_and_survived) {
    if (is_watched()) test_skip("a tool watches memory");
    static coro_t all[200000];
    long limit = mapping_limit();
    int count = 0;
    coro_t co;
    coro_test_set_mprotect_guards(true);
    while ((co = coro_new(do_nothing, NULL, NULL)) > 0) {
        CHECK(count < limit);
        all[count++] = co;
    }
    CHECK_EQ(co, -ENOMEM);
    CHECK_CONTAINS(coro_error_detail(), "vm.max_map_count");
    CHECK_CONTAINS(coro_error_detail(), "sysctl");
    CHECK(count > limit / 2 - 2000);
    CHECK_EQ(coro_get_live_coros(), count);
    for (int i = 0; i < 1000; i++) CHECK_EQ(coro_shutdown(all[i]), 0);
    for (int i = 0; i < 1000; i++) CHECK_EQ(coro_join(all[i], NULL, 0), CORO_ESHUTDOWN);
    for (int i = 0; i < 1000; i++) all[i] = spawn_one(do_nothing, NULL); /* there is room again for as many */
    for (int i = 0; i < 1000; i++) join_soon(all[i]);
    for (int i = 1000; i < count; i++) {
        CHECK_EQ(coro_start(all[i]), 0);
        CHECK(coro_detach(all[i]) > 0);
    }
    run_until_idle();
    CHECK_EQ(coro_get_live_coros(), 0);
}

static int parked;

static void *park_once(void *unused) {
    parked++;
    CHECK_EQ(coro_park(NULL), 0);
    parked--;
    return unused;
}

TEST(core_a_hundred_thousand_at_once) {
    if (is_watched()) test_skip("a tool watches memory");
    enum { COUNT = 100000 };
    static coro_t all[COUNT];
    coro_options options = CORO_OPTIONS_INIT;
    options.flags = CORO_DETACHED;
    for (int i = 0; i < COUNT; i++) {
        all[i] = coro_spawn_with(park_once, NULL, &options);
        CHECK(all[i] > 0);
    }
    while (parked < COUNT) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_all(NULL, 0), COUNT);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(coro_schedule(all[i], NULL), 0);
    run_until_idle();
    CHECK_EQ(parked, 0);
    CHECK_EQ(coro_get_live_coros(), 0);
}

/* -- memory -- */

static int left_off;

static void *touch_and_park(void *unused) {
    char block[64 << 10];
    memset(block, 1, sizeof block);
    __asm__ volatile("" : : "r"(block) : "memory"); /* or the compiler keeps the few bytes that are read */
    parked++;
    CHECK_EQ(coro_park(NULL), 0);
    CHECK_EQ(block[4096], 1);
    left_off++;
    return unused;
}

/* It is given back when the loop has nothing else to do, up to what is kept warm. */
TEST(core_the_memory_of_a_burst_is_given_back) {
    if (is_watched()) test_skip("a tool watches memory");
    enum { COUNT = 20000 };
    static coro_t all[COUNT];
    long before = resident_kb();
    for (int i = 0; i < COUNT; i++) {
        all[i] = coro_detach(coro_spawn(touch_and_park, NULL));
        CHECK(all[i] > 0);
    }
    while (parked < COUNT) CHECK_EQ(coro_yield_slice(), 0);
    long most = resident_kb() - before;
    CHECK(most > COUNT * 60L);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(coro_schedule(all[i], NULL), 0);
    while (left_off < COUNT) CHECK_EQ(coro_yield_slice(), 0);
    CHECK_EQ(coro_get_live_coros(), 0);
    for (int i = 0; i < 200 && resident_kb() - before > most / 3; i++) CHECK_EQ(coro_sleep(CORO_MS(100)), 0);
    CHECK(resident_kb() - before <= most / 3);
    /* What was given back can be used again, and holds nothing of what it held. */
    for (int i = 0; i < COUNT; i++) CHECK(coro_detach(coro_spawn(do_nothing, NULL)) > 0);
    run_until_idle();
}

static char *of_first;

static void *note_address(void *unused) {
    volatile char here = 1;
    if (of_first == NULL) of_first = (char *)&here;
    return AS_POINTER(of_first == (char *)&here) ? AS_POINTER(1) : unused;
}

/* One after the other use the same stack, still warm; and no more memory than one. */
TEST(core_stacks_are_reused) {
    if (is_watched()) test_skip("a tool watches memory");
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(join_soon(spawn_one(note_address, NULL)), 1);
    }
    long before = resident_kb();
    for (int i = 0; i < 100000; i++) CHECK_EQ(join_soon(spawn_one(do_nothing, NULL)), 0);
    CHECK(resident_kb() - before < 4096);
}
