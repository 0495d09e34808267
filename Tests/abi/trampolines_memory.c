/* Row K9: where the code of trampolines is: no memory is writable and executable for the first 1,024 at a time, nor for targets
   alone; and what becomes of the others where the system forbids it (known bug 84). */
#define _GNU_SOURCE
#include "trampolines.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int add(const int *base, int n) {
    return *base + n;
}

enum { MANY = CORO_TRAMPOLINES_IN_TEXT + 300 };
static int bases[MANY];
static coro_trampoline_t trampolines[MANY];

static coro_trampoline_t try_one(int i) {
    static coro_target_t target;
    coro_trampoline_options options = CORO_TRAMPOLINE_OPTIONS_INIT;
    if (target == 0) target = coro_target_register("int add(const int *base, int n)", (coro_function)add);
    bases[i] = 10 * i;
    options.flags = CORO_TRAMPOLINE_CONTEXT;
    options.context = &bases[i];
    return trampolines[i] = coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options);
}

static void check_one(int i) {
    CHECK_EQ(FUNCTION(int (*)(int), trampolines[i])(i), 11 * i);
}

CORO_TEST(K9_no_memory_is_writable_and_executable_for_targets_and_1024_trampolines) {
    int executable = count_mappings("r-x");
    CHECK_EQ(count_mappings("rwx"), 0);
    CHECK(coro_target_register("int (int)", (coro_function)abs) > 0);
    coro_t co = coro_spawn_target(coro_target_register("int (int)", (coro_function)abs), -3);
    int result;
    CHECK_EQ(coro_join_result(co, &result, sizeof result, CORO_FOREVER), 0);
    CHECK_EQ(result, 3);
    for (int i = 0; i < CORO_TRAMPOLINES_IN_TEXT; i++) CHECK(try_one(i) > 0);
    for (int i = 0; i < CORO_TRAMPOLINES_IN_TEXT; i++) check_one(i);
    /* Any number one after the other, too, while 1023 stay. */
    for (int i = 0; i < 2000; i++) {
        CHECK_EQ(coro_trampoline_free(trampolines[i % 7]), 0);
        CHECK(try_one(i % 7) > 0);
        check_one(i % 7);
    }
    CHECK_EQ(count_mappings("rwx"), 0);
    CHECK_EQ(count_mappings("r-x"), executable);
}

CORO_TEST(K9_more_than_1024_are_libffis) {
    for (int i = 0; i < MANY; i++) CHECK(try_one(i) > 0);
    for (int i = 0; i < MANY; i++) check_one(i);
    for (int i = 0; i < MANY; i++) CHECK_EQ(coro_trampoline_free(trampolines[i]), 0);
    for (int i = 0; i < MANY; i++) CHECK(try_one(i) > 0);
    for (int i = 0; i < MANY; i++) check_one(i);
}

/* Asks for more than are in libcoro's own code: with the places of those that are kept after they were freed, 1280. */
static void check_refusal(int error) {
    int i = 0;
    while (i < MANY && try_one(i) > 0) i++;
    CHECK(i >= CORO_TRAMPOLINES_IN_TEXT && i < MANY);
    CHECK_EQ(trampolines[i], error);
    CHECK_CONTAINS(coro_error_detail(), "the first 1024 need no memory that is executable");
    for (int j = 0; j < i; j++) check_one(j);
    /* Nothing is lost by it. */
    CHECK_EQ(coro_trampoline_free(trampolines[0]), 0);
    CHECK_EQ(try_one(i), error);
    for (int j = 1; j <= 256; j++) CHECK_EQ(coro_trampoline_free(trampolines[j]), 0);
    CHECK(try_one(0) > 0);
    check_one(0);
}

CORO_TEST(K9_where_libffi_gets_no_memory_the_error_says_why) {
    CHECK_EQ(coro_test_fail_call("ffi_closure_alloc", 1, EACCES), 0);
    int i = 0;
    while (i < MANY && try_one(i) > 0) i++;
    CHECK_EQ(trampolines[i], -EACCES);
    CHECK_CONTAINS(coro_error_detail(), "executable");
    for (int j = 0; j < i; j++) check_one(j);
    CHECK(try_one(i) > 0); /* it was that once */
    check_one(i);
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

CORO_TEST(K9_a_process_that_may_gain_no_executable_memory) {
    if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0) test_skip("no PR_SET_MDWE here");
    for (int i = 0; i < CORO_TRAMPOLINES_IN_TEXT; i++) CHECK(try_one(i) > 0);
    for (int i = 0; i < CORO_TRAMPOLINES_IN_TEXT; i++) check_one(i);
    CHECK_EQ(count_mappings("rwx"), 0);
}

/* As systems do that harden processes: nothing is mapped executable any more, nor made so. */
static bool forbid_executable_memory(void) {
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n))
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(2)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

CORO_TEST(K9_where_executable_memory_is_forbidden_the_first_1024_work) {
    if (!forbid_executable_memory()) test_skip("no seccomp here");
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    check_refusal(-EACCES);
    CHECK_EQ(count_mappings("rwx"), 0);
}
