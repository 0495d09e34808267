/* Row K2: whose the texts are, and other arguments that are freed. */
#include "targets.h"

#include <pthread.h>

static char *seen[3];

/* Notes where its arguments are, waits, and joins the texts. */
static int look(const char *copied, const char *borrowed, char *owned) {
    seen[0] = (char *)copied;
    seen[1] = (char *)borrowed;
    seen[2] = owned;
    if (owned != NULL && owned[0] == 'p') {
        int code = coro_park(NULL);
        if (code < 0) return coro_fail(code, NULL), 0;
    }
    trace("%s,%s,%s", copied ? copied : "-", borrowed ? borrowed : "-", owned ? owned : "-");
    return 1;
}

static coro_target_t look_target(void) {
    return TARGET("int look(const char *copied, borrowed const char *borrowed, owned char *owned)", look);
}

CORO_TEST(K2_a_text_is_copied_a_borrowed_one_is_not) {
    coro_target_t target = look_target();
    char copied[] = "copied", borrowed[] = "borrowed", *owned = strdup("owned");
    coro_t co = coro_spawn_target(target, copied, borrowed, owned);
    copied[0] = borrowed[0] = 'X';
    CHECK_EQ(RESULT(co, int), 1);
    CHECK_STR(traced(), "copied,Xorrowed,owned ");
    CHECK(seen[0] != copied && seen[1] == borrowed && seen[2] == owned);
    CHECK_EQ(RESULT(coro_spawn_target(target, NULL, NULL, NULL), int), 1);
    CHECK_STR(traced(), "copied,Xorrowed,owned -,-,- ");
}

/* Longer than what has room in a block. */
CORO_TEST(K2_texts_of_any_length) {
    coro_target_t target = look_target();
    for (size_t size = 1; size < 100000; size = size < 400 ? size + 7 : size * 3) {
        char *text = malloc(size), *expected;
        memset(text, 'a' + (int)(size % 26), size - 1);
        text[size - 1] = '\0';
        expected = strdup(text);
        coro_t co = coro_start_now_target(target, text, "", strdup("park"));
        memset(text, '#', size - 1);
        CHECK(strcmp(seen[0], expected) == 0);
        CHECK(seen[0] != text);
        free(text);
        CHECK_EQ(coro_shutdown(co), 0);
        CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), CORO_ESHUTDOWN);
        free(expected);
    }
}

static int two(const char *a, const char *b) {
    return (int)(strlen(a) * 1000 + strlen(b));
}

static char *same(char *text) {
    return text;
}

TEST(K2_the_text_of_a_default_and_of_two_parameters) {
    coro_target_t target = TARGET("int two(const char *a, const char *b = \"four\")", two);
    CHECK_EQ(RESULT(coro_spawn_args(target, CORO_ARGS("123")), int), 3004);
    CHECK_EQ(RESULT(coro_spawn_target(target, "", "55555"), int), 5);
    target = TARGET("char *same(borrowed const char *text = \"kept\")", same);
    CHECK_STR(RESULT(coro_spawn_args(target, NULL, 0), char *), "kept");
}

/* -- owned: what is not freed is found by the leak check of a sanitizer, what is freed twice by malloc -- */

/* Writes over all that may still point to earlier arguments. */
static void forget_arguments(coro_target_t target) {
    coro_t made[16];
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 16; i++) made[i] = coro_new_target(target, NULL, NULL, NULL);
    for (int i = 0; i < 16; i++) {
        CHECK_EQ(coro_shutdown(made[i]), 0);
        CHECK_EQ(coro_detach(made[i]), made[i]);
    }
}

CORO_TEST(K2_owned_arguments_are_freed_when_the_target_ends_or_is_cancelled) {
    coro_target_t target = look_target();
    coro_t ended = coro_spawn_target(target, "", "", strdup("ends"));
    coro_t parked = coro_start_now_target(target, "", "", strdup("parks"));
    coro_t fresh = coro_new_target(target, "", "", strdup("was never started"));
    coro_t queued = coro_spawn_target(target, "", "", strdup("was never run"));
    coro_t detached = coro_detach(coro_spawn_target(target, "", "", strdup("nobody joins")));
    CHECK_EQ(coro_shutdown(fresh), 0);
    CHECK_EQ(coro_shutdown(queued), 0);
    CHECK_EQ(coro_join(fresh, NULL, 0), CORO_ESHUTDOWN);
    CHECK_EQ(coro_join(queued, NULL, 0), CORO_ESHUTDOWN);
    CHECK_EQ(RESULT(ended, int), 1);
    CHECK_EQ(coro_shutdown(parked), 0);
    CHECK_EQ(coro_join(parked, NULL, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK(!coro_is_alive(detached));
    CHECK_EQ(coro_get_live_coros(), 1);
    forget_arguments(target);
}

/* What could not be spawned is still the caller's. */
TEST(K2_owned_arguments_stay_the_callers_when_nothing_is_made) {
    coro_target_t target = look_target();
    char *text = strdup("mine"), *large = calloc(1, 1000);
    memset(large, 'l', 999);
    CHECK_EQ(coro_spawn_args(target, CORO_ARGS(text, text)), -EINVAL);
    CHECK_EQ(coro_spawn_args(target, CORO_ARGS(text, 1, text)), -EINVAL);
    CHECK_EQ(coro_spawn_args(target + 1, CORO_ARGS(text, text, text)), -ESRCH);
    for (int n = 1; n < 4; n++) {
        CHECK_EQ(coro_test_fail_call("calloc", n, ENOMEM), 0);
        coro_t co = coro_spawn_args(target, CORO_ARGS(large, text, text));
        CHECK_EQ(coro_test_fail_call("calloc", 0, 0), 0);
        if (co > 0) {
            text = strdup("mine again");
            CHECK_EQ(coro_join(co, NULL, CORO_FOREVER), 0);
        } else {
            CHECK_EQ(co, -ENOMEM);
        }
    }
    CHECK_EQ(coro_test_fail_call("mmap", 1, ENOMEM), 0);
    for (int i = 0; i < 3000; i++) {
        coro_t co = coro_new_args(target, CORO_ARGS(large, "", text));
        if (co < 0) {
            CHECK_EQ(co, -ENOMEM);
            free(text);
            free(large);
            return;
        }
        text = strdup("mine yet again");
    }
    test_fail(__FILE__, __LINE__, "no stack was refused");
}

static void *leave_some(void *argument) {
    coro_target_t target = *(coro_target_t *)argument;
    char *large = calloc(1, 1000);
    memset(large, 'l', 999);
    coro_start_now_target(target, large, "", strdup("parks for ever"));
    coro_new_target(target, large, "", strdup("was never started"));
    coro_spawn_target(target, large, "", strdup("was never run"));
    coro_start_now_target(target, large, "", strdup("ends, and nobody joins"));
    free(large);
    return NULL;
}

TEST(K2_what_a_thread_leaves_is_freed_when_it_ends) {
    coro_target_t target = look_target();
    pthread_t thread;
    CHECK_EQ(pthread_create(&thread, NULL, leave_some, &target), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(coro_target_unregister(target), 0);
}
