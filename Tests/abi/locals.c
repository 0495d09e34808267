/* Rows F: variables of which every coroutine has its own value. */
#include "net.h"

#include <pthread.h>

static coro_local_t first, second;
static int destroyed_count;
static long destroyed_sum;

static void note_destroyed(void *value) {
    destroyed_count++;
    destroyed_sum += AS_INT(value);
}

static int value_of(coro_local_t local) {
    void *value = AS_POINTER(-1);
    CHECK_EQ(coro_local_get(local, &value), 0);
    return AS_INT(value);
}

static int get_code(coro_local_t local) {
    void *value = AS_POINTER(-1);
    int code = coro_local_get(local, &value);
    if (code != 0) CHECK(value == NULL);
    return code;
}

static void *set_and_look_again(void *number) {
    int mine = AS_INT(number);
    CHECK_EQ(get_code(first), -ENOENT);
    for (int round = 0; round < 10; round++) {
        CHECK_EQ(coro_local_set(first, AS_POINTER(mine * 100 + round)), 0);
        CHECK_EQ(coro_local_set(second, AS_POINTER(-mine)), 0);
        CHECK_EQ(coro_yield(), 0);
        CHECK_EQ(value_of(first), mine * 100 + round);
        CHECK_EQ(value_of(second), -mine);
        if (round % 3 == mine % 3) {
            CHECK_EQ(coro_local_delete(first), 0);
            CHECK_EQ(coro_yield(), 0);
            CHECK_EQ(get_code(first), -ENOENT);
            CHECK_EQ(value_of(second), -mine);
        }
    }
    return NULL;
}

TEST(F1_three_coroutines_have_values_of_their_own) {
    coro_t all[3];
    first = coro_local_new(NULL);
    second = coro_local_new(NULL);
    CHECK(first > 0 && second > 0 && first != second);
    for (int i = 0; i < 3; i++) all[i] = spawn_one(set_and_look_again, AS_POINTER(i + 1));
    for (int i = 0; i < 3; i++) join_soon(all[i]);
}

TEST(F1_delete_says_whether_it_was_set) {
    first = coro_local_new(note_destroyed);
    CHECK_EQ(coro_local_delete(first), -ENOENT);
    CHECK_EQ(coro_local_set(first, AS_POINTER(1)), 0);
    CHECK_EQ(coro_local_delete(first), 0);
    CHECK_EQ(coro_local_delete(first), -ENOENT);
    CHECK_EQ(destroyed_count, 0); /* unset, without destroying it */
}

static void *keep_for_two_threads(void *number) {
    for (int round = 0; round < 2000; round++) {
        CHECK_EQ(coro_local_set(first, AS_POINTER(AS_INT(number) + round)), 0);
        coro_local_t passing = coro_local_new(NULL); /* the table of variables is shared, and grows meanwhile */
        CHECK_EQ(coro_local_set(passing, AS_POINTER(round)), 0);
        CHECK_EQ(coro_yield(), 0);
        CHECK_EQ(value_of(first), AS_INT(number) + round);
        CHECK_EQ(value_of(passing), round);
        CHECK_EQ(coro_local_free(passing), 0);
    }
    return NULL;
}

static void *thread_with_locals(void *number) {
    coro_t a = spawn_one(keep_for_two_threads, number), b = spawn_one(keep_for_two_threads, AS_POINTER(AS_INT(number) + 7));
    join_soon(a);
    join_soon(b);
    return NULL;
}

TEST(F1_two_threads_use_one_variable) {
    pthread_t threads[2];
    first = coro_local_new(NULL);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, thread_with_locals, AS_POINTER((i + 1) * 1000000)), 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    CHECK_EQ(get_code(first), -ENOENT);
}

TEST(F2_not_set_is_told_from_null) {
    first = coro_local_new(NULL);
    CHECK_EQ(get_code(first), -ENOENT);
    CHECK_EQ(coro_local_set(first, NULL), 0);
    CHECK_EQ(value_of(first), 0);
    CHECK_EQ(coro_local_list(NULL, 0), 1);
    CHECK_EQ(coro_local_delete(first), 0);
    CHECK_EQ(get_code(first), -ENOENT);
}

TEST(F2_what_is_no_variable_is_refused) {
    first = coro_local_new(NULL);
    coro_local_t wrong[] = {0, -1, -5001, INT64_MIN, INT64_MAX, first + 1};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK_EQ(coro_local_set(wrong[i], NULL), -EINVAL);
        CHECK_EQ(get_code(wrong[i]), -EINVAL);
        CHECK_EQ(coro_local_delete(wrong[i]), -EINVAL);
        CHECK_EQ(coro_local_free(wrong[i]), -EINVAL);
    }
    CHECK_EQ(coro_local_get(first, NULL), -EINVAL);
    CHECK_EQ(coro_local_free(first), 0);
    CHECK_EQ(coro_local_free(first), -EINVAL);
    CHECK_EQ(coro_local_set(first, NULL), -EINVAL);
    CHECK(coro_local_new(NULL) > first); /* never reused */
}

static void *set_in_coroutine(void *value) {
    CHECK_EQ(get_code(first), -ENOENT);
    CHECK_EQ(coro_local_set(first, value), 0);
    return NULL;
}

TEST(F3_main_has_its_own) {
    first = coro_local_new(note_destroyed);
    CHECK_EQ(coro_local_set(first, AS_POINTER(5)), 0);
    join_soon(spawn_one(set_in_coroutine, AS_POINTER(70)));
    CHECK_EQ(value_of(first), 5);
    run_until_idle();
    CHECK_EQ(value_of(first), 5);
    CHECK_EQ(destroyed_sum, 70);
}

TEST(F4_values_are_destroyed_at_the_end) {
    first = coro_local_new(note_destroyed);
    coro_t co = spawn_one(set_in_coroutine, AS_POINTER(40));
    CHECK_EQ(destroyed_count, 0);
    join_soon(co);
    CHECK_EQ(destroyed_count, 1);
    CHECK_EQ(destroyed_sum, 40);
    CHECK_EQ(coro_local_free(first), 0);
    CHECK_EQ(destroyed_count, 1); /* once */
}

static void *set_and_sleep(void *value) {
    CHECK_EQ(coro_local_set(first, value), 0);
    int code = coro_sleep(CORO_FOREVER);
    return coro_fail(code, NULL);
}

TEST(F4_values_are_destroyed_after_a_shutdown) {
    first = coro_local_new(note_destroyed);
    coro_t co = spawn_one(set_and_sleep, AS_POINTER(3));
    let_others_run();
    CHECK_EQ(destroyed_count, 0);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_SECONDS(30)), CORO_ESHUTDOWN);
    CHECK_EQ(destroyed_count, 1);
    coro_t unstarted = coro_new(set_and_sleep, AS_POINTER(1), NULL);
    CHECK_EQ(coro_shutdown(unstarted), 0);
    CHECK_EQ(coro_join(unstarted, NULL, 0), CORO_ESHUTDOWN);
    CHECK_EQ(destroyed_count, 1); /* it never set one */
}

TEST(F4_values_are_destroyed_when_the_variable_is_freed) {
    coro_t all[50];
    first = coro_local_new(note_destroyed);
    CHECK_EQ(coro_local_set(first, AS_POINTER(1)), 0);
    for (int i = 0; i < 50; i++) all[i] = spawn_one(set_and_sleep, AS_POINTER(100));
    let_others_run();
    CHECK_EQ(coro_local_free(first), 0);
    CHECK_EQ(destroyed_count, 51);
    CHECK_EQ(destroyed_sum, 5001);
    for (int i = 0; i < 50; i++) coro_shutdown(all[i]);
    for (int i = 0; i < 50; i++) CHECK_EQ(coro_join(all[i], NULL, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK_EQ(destroyed_count, 51);
}

static int asleep;

static void *set_count_and_sleep(void *value) {
    asleep++;
    return set_and_sleep(value);
}

/* With a search through all for each value this would take minutes. */
TEST(F4_freeing_a_variable_that_many_have_set_is_quick) {
    enum { COUNT = 50000 };
    first = coro_local_new(note_destroyed);
    for (int i = 0; i < COUNT; i++) CHECK(coro_detach(spawn_one(set_count_and_sleep, AS_POINTER(1))) > 0);
    while (asleep < COUNT) CHECK_EQ(coro_yield_slice(), 0);
    int64_t before = coro_get_now();
    CHECK_EQ(coro_local_free(first), 0);
    CHECK_EQ(destroyed_count, COUNT);
    CHECK(coro_get_now() - before < CORO_SECONDS(1));
}

TEST(F4_a_replaced_value_is_not_destroyed) {
    first = coro_local_new(note_destroyed);
    CHECK_EQ(coro_local_set(first, AS_POINTER(1)), 0);
    CHECK_EQ(coro_local_set(first, AS_POINTER(2)), 0);
    CHECK_EQ(destroyed_count, 0);
    CHECK_EQ(coro_local_free(first), 0);
    CHECK_EQ(destroyed_sum, 2);
}

static void *spawn_a_child(void *unused) {
    CHECK_EQ(coro_local_set(first, unused), 0);
    join_soon(spawn_one(set_in_coroutine, NULL)); /* which checks that it has none */
    coro_t now = coro_new(set_in_coroutine, NULL, NULL);
    CHECK_EQ(coro_start_now(now), 0);
    join_soon(now);
    CHECK_EQ(value_of(first), 9);
    return NULL;
}

TEST(F4_children_inherit_nothing) {
    first = coro_local_new(NULL);
    join_soon(spawn_one(spawn_a_child, AS_POINTER(9)));
}

static int suspending_code = 1;

static void set_another_and_suspend(void *value) {
    note_destroyed(value);
    CHECK_EQ(coro_local_set(second, AS_POINTER(1000)), 0);
    suspending_code = coro_sleep(0);
}

TEST(F4_what_a_destructor_sets_is_destroyed_too) {
    first = coro_local_new(set_another_and_suspend);
    second = coro_local_new(note_destroyed);
    join_soon(spawn_one(set_in_coroutine, AS_POINTER(1)));
    CHECK_EQ(destroyed_sum, 1001);
    CHECK_EQ(suspending_code, CORO_EYIELDFROMMAIN); /* decision 2: a destructor must not suspend */
}

static void set_itself_again(void *value) {
    destroyed_count++;
    CHECK_EQ(coro_local_set(first, value), 0);
}

TEST(F4_a_destructor_that_never_stops_setting_is_cut_short) {
    first = coro_local_new(set_itself_again);
    join_soon(spawn_one(set_in_coroutine, AS_POINTER(1)));
    CHECK(destroyed_count >= 1 && destroyed_count < 100);
}

static void *thread_that_ends_with_a_value(void *value) {
    CHECK_EQ(coro_local_set(first, value), 0);
    return NULL;
}

TEST(F4_a_threads_own_value_is_destroyed_when_it_ends) {
    pthread_t thread;
    first = coro_local_new(note_destroyed);
    CHECK_EQ(pthread_create(&thread, NULL, thread_that_ends_with_a_value, AS_POINTER(6)), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(destroyed_sum, 6);
}

static void *free_the_variable(void *unused) {
    CHECK_EQ(coro_local_free(first), 0);
    return unused;
}

/* "those of other threads when their coroutines end" */
TEST(F4_freed_by_another_thread_a_value_lives_until_its_coroutine_ends) {
    pthread_t thread;
    first = coro_local_new(note_destroyed);
    coro_t co = spawn_one(set_and_sleep, AS_POINTER(8));
    let_others_run();
    CHECK_EQ(pthread_create(&thread, NULL, free_the_variable, NULL), 0);
    pthread_join(thread, NULL);
    CHECK_EQ(destroyed_count, 0);
    CHECK_EQ(get_code(first), -EINVAL);
    CHECK_EQ(coro_shutdown(co), 0);
    CHECK_EQ(coro_join(co, NULL, CORO_SECONDS(30)), CORO_ESHUTDOWN);
    CHECK_EQ(destroyed_sum, 8);
}

static void *list_mine(void *unused) {
    coro_local_t locals[4] = {0};
    CHECK_EQ(coro_local_list(locals, 4), 0);
    CHECK_EQ(coro_local_set(second, unused), 0);
    CHECK_EQ(coro_local_list(locals, 4), 1);
    CHECK_EQ(locals[0], second);
    return NULL;
}

TEST(F5_list_names_what_is_set_for_the_caller) {
    coro_local_t all[20], listed[20];
    for (int i = 0; i < 20; i++) all[i] = coro_local_new(NULL);
    first = all[0];
    second = all[1];
    for (int i = 0; i < 20; i += 2) CHECK_EQ(coro_local_set(all[i], NULL), 0);
    CHECK_EQ(coro_local_list(NULL, 0), 10);
    CHECK_EQ(coro_local_list(NULL, 20), 10);
    listed[3] = -7;
    CHECK_EQ(coro_local_list(listed, 3), 10); /* only three are written, and all are counted */
    CHECK_EQ(listed[3], -7);
    CHECK_EQ(coro_local_list(listed, 20), 10);
    for (int i = 0; i < 20; i += 2) {
        int found = 0;
        for (int j = 0; j < 10; j++) found += listed[j] == all[i];
        CHECK_EQ(found, 1);
    }
    join_soon(spawn_one(list_mine, NULL));
    CHECK_EQ(coro_local_free(all[0]), 0);
    CHECK_EQ(coro_local_delete(all[2]), 0);
    CHECK_EQ(coro_local_list(listed, 20), 8);
}
