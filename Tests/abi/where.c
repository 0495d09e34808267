/* Row J1: the stack of any coroutine. */
#define _GNU_SOURCE
#include "coroutines.h"

#include <dlfcn.h>
#include <pthread.h>

enum { MOST = 128 };
static void *frames[MOST];

/* Whether libcoro is a library of its own: only then can all of its frames be told from those of this program. */
static bool is_library(void) {
    Dl_info coro, own;
    return dladdr((void *)coro_where, &coro) && dladdr((void *)is_library, &own) && coro.dli_fbase != own.dli_fbase;
}

#define IN_A_SECTION(name) __attribute__((noinline, section(#name)))
#define IS_IN(name, address) ((char *)(address) > __start_##name && (char *)(address) <= __stop_##name)
extern char __start_where_body[], __stop_where_body[], __start_where_inner[], __stop_where_inner[];
extern char __start_where_recursion[], __stop_where_recursion[], __start_where_caller[], __stop_where_caller[];
extern char __start_where_starter[], __stop_where_starter[];

/* Keeps the call before it from being the last of its function, and so a jump. */
#define NOT_LAST() __asm__ volatile("" ::: "memory")

/* A function that has no frame pointer, and uses the register for something else: who walks by frame pointers ends here. */
void call_without_frame_pointer(void (*function)(void));
extern char after_the_call_without_frame_pointer[];
#if defined(__x86_64__)
__asm__(".text\n.type call_without_frame_pointer, @function\ncall_without_frame_pointer:\n.cfi_startproc\n"
        "pushq %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbp, 0\nmovq $0x1234, %rbp\n"
        "callq *%rdi\n.globl after_the_call_without_frame_pointer\nafter_the_call_without_frame_pointer:\n"
        "popq %rbp\n.cfi_adjust_cfa_offset -8\n.cfi_restore rbp\nret\n.cfi_endproc\n"
        ".size call_without_frame_pointer, . - call_without_frame_pointer\n");
#elif defined(__aarch64__)
__asm__(".text\n.type call_without_frame_pointer, %function\ncall_without_frame_pointer:\n.cfi_startproc\n"
        "stp x29, x30, [sp, #-16]!\n.cfi_adjust_cfa_offset 16\n.cfi_rel_offset x29, 0\n.cfi_rel_offset x30, 8\n"
        "mov x29, #0x1234\nblr x0\n.globl after_the_call_without_frame_pointer\nafter_the_call_without_frame_pointer:\n"
        "ldp x29, x30, [sp], #16\n.cfi_adjust_cfa_offset -16\n.cfi_restore x29\n.cfi_restore x30\nret\n.cfi_endproc\n"
        ".size call_without_frame_pointer, . - call_without_frame_pointer\n");
#endif

static void *return_of_middle;

IN_A_SECTION(where_inner) static void inner(void) {
    coro_park(NULL);
    NOT_LAST();
}

__attribute__((noinline)) static void middle(void) {
    return_of_middle = __builtin_return_address(0);
    call_without_frame_pointer(inner);
    NOT_LAST();
}

IN_A_SECTION(where_body) static void *body(void *argument) {
    middle();
    NOT_LAST();
    return argument;
}

/* That what `count` frames say of a coroutine in body() is so. */
static void check_stack_of_body(int count) {
    int at = 0;
    while (at < count && frames[at] != after_the_call_without_frame_pointer) at++;
    CHECK(at + 2 < count);
    CHECK(at > 0 && IS_IN(where_inner, frames[at - 1]));
    CHECK(frames[at + 2] == return_of_middle);
    CHECK(IS_IN(where_body, frames[at + 2]));
    if (!is_library()) return;
    /* Before it the call that it waits in, after it nothing. */
    CHECK_EQ(count, at + 3);
    CHECK(at <= 2);
}

CORO_TEST(J1_where_is_exact_without_frame_pointers) {
    coro_t co = start_now(body, NULL);
    check_stack_of_body(coro_where(co, frames, MOST));
    /* Looking changes nothing: it goes on, and ends. */
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

static void *look_at(void *co) {
    check_stack_of_body(coro_where((coro_t)(intptr_t)co, frames, MOST));
    return co;
}

TEST(J1_where_from_the_threads_own_stack_and_from_another_coroutine) {
    coro_t co = start_now(body, NULL);
    check_stack_of_body(coro_where(co, frames, MOST));
    CHECK_EQ(coro_join(coro_spawn(look_at, (void *)(intptr_t)co), NULL, CORO_FOREVER), 0);
}

TEST(J1_where_of_what_is_runnable) {
    coro_t co = start_now(body, NULL);
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(info_of(co).state, CORO_STATE_READY);
    check_stack_of_body(coro_where(co, frames, MOST));
}

/* -- the caller itself -- */

IN_A_SECTION(where_caller) static void *look_at_me(void *argument) {
    int count = coro_where(coro_current(), frames, MOST);
    CHECK(count >= 1);
    CHECK(IS_IN(where_caller, frames[0]));
    if (is_library() && coro_current() != 0) CHECK_EQ(count, 1);
    return argument;
}

TEST(J1_where_of_the_caller_begins_with_it) {
    look_at_me(NULL);
    CHECK_EQ(coro_join(coro_spawn(look_at_me, NULL), NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(start_now(look_at_me, NULL), NULL, CORO_FOREVER), 0);
}

static void check_main(void) {
    int count = coro_where(0, frames, MOST), at = 0;
    while (at < count && !IS_IN(where_starter, frames[at])) at++;
    CHECK(at < count);
    if (is_library()) CHECK(at <= 2);
}

static void *look_at_main(void *argument) {
    check_main();
    coro_yield();
    check_main();
    coro_set_exit(0);
    return argument;
}

IN_A_SECTION(where_starter) static void run_the_loop(void) {
    coro_set_print_exit_string(false);
    go(look_at_main, NULL);
    CHECK_EQ(coro_event_loop(), 0);
}

IN_A_SECTION(where_starter) static void wait_in_main(void) {
    CHECK_EQ(coro_join(coro_spawn(look_at_main, NULL), NULL, CORO_FOREVER), 0);
    NOT_LAST();
}

TEST(J1_where_of_the_threads_own_stack_while_the_loop_runs_there) { run_the_loop(); }
TEST(J1_where_of_the_threads_own_stack_while_it_waits) { wait_in_main(); }

static coro_t starter;

static void *look_at_starter(void *argument) {
    int count = coro_where(starter, frames, MOST), at = 0;
    while (at < count && !IS_IN(where_starter, frames[at])) at++;
    CHECK(at < count);
    return argument;
}

IN_A_SECTION(where_starter) static void *start_another(void *argument) {
    starter = coro_current();
    CHECK_EQ(coro_start_now(coro_new(look_at_starter, NULL, NULL)), 0);
    NOT_LAST();
    return argument;
}

CORO_TEST(J1_where_of_one_that_has_just_started_another) {
    CHECK_EQ(coro_join(coro_spawn(start_another, NULL), NULL, CORO_FOREVER), 0);
}

static int frames_in_release;

static void look_in_release(void *argument) {
    (void)argument;
    frames_in_release = coro_where(coro_current(), frames, MOST);
}

TEST(J1_where_works_in_a_callback_that_must_not_suspend) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = look_in_release;
    CHECK_EQ(coro_join(coro_spawn_with(do_nothing, NULL, &options), NULL, CORO_FOREVER), 0);
    CHECK(frames_in_release >= 1);
}

/* -- how much there is -- */

__attribute__((noinline)) static int recurse(int depth);
IN_A_SECTION(where_recursion) static int recurse(int depth) {
    int result = depth == 0 ? coro_park(NULL) : recurse(depth - 1) + 1;
    NOT_LAST();
    return result;
}

static void *recurse_deeply(void *depth) {
    recurse(AS_INT(depth));
    NOT_LAST();
    return depth;
}

CORO_TEST(J1_where_tells_how_many_there_are_and_gives_what_fits) {
    void *few[5] = {0};
    coro_t co = start_now(recurse_deeply, AS_POINTER(20));
    int count = coro_where(co, frames, MOST);
    CHECK(count >= 22 && count <= (is_library() ? 24 : 40));
    CHECK_EQ(coro_where(co, NULL, 0), count);
    CHECK_EQ(coro_where(co, NULL, 10), count);
    CHECK_EQ(coro_where(co, few, 0), count);
    CHECK_EQ(coro_where(co, few, -1), count);
    CHECK(few[0] == NULL);
    CHECK_EQ(coro_where(co, few, 4), count);
    CHECK(memcmp(few, frames, 4 * sizeof *few) == 0);
    CHECK(few[4] == NULL);
}

CORO_TEST(J1_where_of_a_deep_stack_gives_the_innermost) {
    coro_t co = start_now(recurse_deeply, AS_POINTER(1000));
    int count = coro_where(co, frames, MOST), inside = 0;
    CHECK(count > 100 && count <= MOST);
    for (int i = 0; i < count; i++) inside += IS_IN(where_recursion, frames[i]);
    CHECK(inside >= count - (is_library() ? 1 : 12));
    CHECK(IS_IN(where_recursion, frames[count - 1]));
}

TEST(J1_where_of_what_has_no_stack) {
    coro_t unstarted = coro_new(do_nothing, NULL, NULL), queued;
    coro_t cancelled = coro_new(do_nothing, NULL, NULL), ended = start_now(do_nothing, NULL);
    /* One that has been suspended before: nothing may be read of a stack that is somebody else's by now. */
    coro_t woken = start_now(park, NULL);
    coro_schedule(woken, NULL);
    coro_yield();
    CHECK_EQ(coro_where(woken, frames, MOST), 0);
    queued = coro_spawn(do_nothing, NULL);
    coro_shutdown(cancelled);
    CHECK_EQ(coro_where(unstarted, frames, MOST), 0);
    CHECK_EQ(coro_where(queued, frames, MOST), 0);
    CHECK_EQ(coro_where(cancelled, frames, MOST), 0);
    CHECK_EQ(coro_where(ended, frames, MOST), 0);
    char text[10] = "before";
    CHECK_EQ(coro_where_text(unstarted, text, sizeof text), 0);
    CHECK_STR(text, "");
    coro_join(ended, NULL, 0);
    CHECK_EQ(coro_where(ended, frames, MOST), CORO_EDEAD);
    CHECK_EQ(coro_where_text(ended, text, sizeof text), CORO_EDEAD);
    CHECK_EQ(coro_where(12345, frames, MOST), -ESRCH);
    CHECK_EQ(coro_where(-1, frames, MOST), -ESRCH);
}

static void *look_from_elsewhere(void *co) {
    CHECK_EQ(coro_where((coro_t)(intptr_t)co, frames, MOST), CORO_EWRONGTHREAD);
    return NULL;
}

TEST(J1_where_is_for_the_thread_of_the_coroutine) {
    pthread_t thread;
    coro_t co = start_now(park, NULL);
    pthread_create(&thread, NULL, look_from_elsewhere, (void *)(intptr_t)co);
    pthread_join(thread, NULL);
}

/* -- small stacks -- */

static coro_t spawn_small(coro_fn function, void *argument) {
    coro_options options = CORO_OPTIONS_INIT;
    options.stack_size = 16 * 1024;
    options.flags = CORO_START_NOW;
    return coro_spawn_with(function, argument, &options);
}

/* Uses up the stack but for `left` bytes, then does something. 12 KiB lie above the guard, and the top of a stack may be up to
   31 cache lines below the end of its memory, so that up to as much more may be left. */
__attribute__((noinline)) static void with_little_stack(size_t left, void (*function)(void)) {
    volatile char filler[12 * 1024 - 31 * 64 - left];
    filler[0] = filler[sizeof filler - 1] = 1;
    function();
    filler[0] = 2;
}

/* By pointers: finding a symbol at its first call would take more stack than is left. */
static int (*volatile call_park)(void **) = coro_park;
static coro_t (*volatile call_current)(void) = coro_current;
static int (*volatile call_where)(coro_t, void **, int) = coro_where;

static void park_here(void) {
    call_park(NULL);
    NOT_LAST();
}

static void *park_with_little_stack(void *argument) {
    with_little_stack(is_watched() ? 5000 : is_library() ? 1000 : 3000, park_here);
    return argument;
}

TEST(J1_where_of_one_whose_stack_is_nearly_used_up) {
    if (is_watched()) test_skip("a tool takes stack");
    coro_t co = spawn_small(park_with_little_stack, NULL);
    CHECK(coro_where(co, frames, MOST) >= 2);
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
}

static int count_with_little_stack; /* checked elsewhere: a failing CHECK takes more stack than there is */

static void look_with_little_stack(void) {
    count_with_little_stack = call_where(call_current(), frames, MOST);
}

static void *look_from_small_stack(void *argument) {
    with_little_stack(is_watched() ? 6000 : is_library() ? 2000 : 5000, look_with_little_stack);
    return argument;
}

/* The first look of a process, too, which loads libgcc_s. */
TEST(J1_where_does_not_need_the_callers_stack) {
    if (is_watched()) test_skip("a tool takes stack");
    CHECK_EQ(coro_join(spawn_small(look_from_small_stack, NULL), NULL, CORO_FOREVER), 0);
    CHECK(count_with_little_stack >= 2);
}

/* -- without an unwinder -- */

IN_A_SECTION(where_caller) static void check_caller_alone(void) {
    CHECK_EQ(coro_test_fail_call("backtrace", 1, ENOSYS), 0);
    CHECK_EQ(coro_where(coro_current(), frames, MOST), 1);
    CHECK(IS_IN(where_caller, frames[0]));
}

CORO_TEST(J1_where_without_an_unwinder_is_one_address) {
    coro_t co = start_now(body, NULL);
    frames[1] = NULL;
    CHECK_EQ(coro_test_fail_call("backtrace", 1, ENOSYS), 0);
    CHECK_EQ(coro_where(co, frames, MOST), 1);
    CHECK(frames[0] != NULL && frames[1] == NULL);
    check_caller_alone();
    check_stack_of_body(coro_where(co, frames, MOST));
}

TEST(J1_where_without_memory) {
    coro_t co = start_now(park, NULL);
    CHECK_EQ(coro_test_fail_call("calloc", 1, ENOMEM), 0);
    CHECK_EQ(coro_where(co, frames, MOST), -ENOMEM);
    CHECK(coro_where(co, frames, MOST) > 0);
}

/* -- as text -- */

/* Exported, so that the dynamic linker knows its name. */
void *a_function_with_a_name(void *argument);
void *a_function_with_a_name(void *argument) {
    coro_park(NULL);
    NOT_LAST();
    return argument;
}

CORO_TEST(J1_where_text_has_symbols_and_offsets) {
    char text[2000];
    coro_t co = start_now(a_function_with_a_name, NULL);
    int count = coro_where(co, frames, MOST), length = coro_where_text(co, text, sizeof text), brackets = 0;
    CHECK_EQ(length, strlen(text));
    CHECK_EQ(text[0], '[');
    CHECK_EQ(text[length - 1], ']');
    for (char *c = text; *c != 0; c++) brackets += *c == '[';
    CHECK_EQ(brackets, count);
    if (!is_library()) return;
    CHECK_CONTAINS(text, "[coro_park+");
    CHECK_CONTAINS(text, "] [a_function_with_a_name+");
    /* A frame of a function that is not exported is told by its file. */
    co = start_now(body, NULL);
    coro_where_text(co, text, sizeof text);
    CHECK_CONTAINS(text, " [abi_tests+0x");
}

CORO_TEST(J1_where_text_is_cut_to_fit) {
    char whole[2000], text[2000];
    coro_t co = start_now(body, NULL);
    int length = coro_where_text(co, whole, sizeof whole);
    CHECK_EQ(coro_where_text(co, NULL, 0), length);
    for (int size = 0; size <= length + 1; size++) {
        memset(text, '#', sizeof text);
        CHECK_EQ(coro_where_text(co, text, (size_t)size), length);
        CHECK_EQ(text[size], '#');
        if (size == 0) continue;
        CHECK_EQ(strlen(text), size - 1);
        CHECK(strncmp(text, whole, (size_t)size - 1) == 0);
    }
}
