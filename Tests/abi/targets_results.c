/* Row K4: the results of targets. */
#include "targets.h"

static int8_t minus_one(void) { return -1; }
static uint8_t most(void) { return 255; }
static double half(void) { return 0.5; }
static void *where(void) { return (void *)where; }

TEST(K4_join_widens_what_fits_a_pointer) {
    void *result = &result;
    CHECK_EQ(coro_join(coro_spawn_target(TARGET("int8_t (void)", minus_one)), &result, CORO_FOREVER), 0);
    CHECK_EQ((intptr_t)result, -1);
    CHECK_EQ(coro_join(coro_spawn_target(TARGET("uint8_t (void)", most)), &result, CORO_FOREVER), 0);
    CHECK_EQ((intptr_t)result, 255);
    CHECK_EQ(coro_join(coro_spawn_target(TARGET("void *(void)", where)), &result, CORO_FOREVER), 0);
    CHECK(result == (void *)where);
    result = &result;
    CHECK_EQ(coro_join(coro_spawn_target(TARGET("double (void)", half)), &result, CORO_FOREVER), 0);
    CHECK(result == NULL);
    result = &result;
    CHECK_EQ(coro_join(coro_spawn_target(TARGET("void (void)", most)), &result, CORO_FOREVER), 0);
    CHECK(result == NULL);
}

/* A small integer is stored as what it is, and no byte beside it is touched. */
TEST(K4_small_results_are_not_widened) {
    int8_t bytes[3] = {5, 5, 5};
    coro_target_t target = TARGET("int8_t (void)", minus_one);
    CHECK_EQ(coro_join_result(coro_spawn_target(target), bytes + 1, 1, CORO_FOREVER), 0);
    CHECK(bytes[0] == 5 && bytes[1] == -1 && bytes[2] == 5);
}

TEST(K4_a_result_of_another_size_is_refused_and_nothing_waited_for) {
    coro_t co = coro_spawn_target(TARGET("int add(int a, int b)", add), 1, 2);
    int64_t large = 7;
    CHECK_EQ(coro_join_result(co, &large, sizeof large, CORO_FOREVER), -EINVAL);
    CHECK_STR(coro_error_detail(), "the result has 4 bytes, not 8: int add(int a, int b)");
    CHECK_EQ(coro_error_other(), co);
    CHECK_EQ(coro_join_result(co, &large, 0, CORO_FOREVER), -EINVAL);
    CHECK_EQ(coro_join_result(co, NULL, 4, CORO_FOREVER), -EINVAL);
    CHECK_EQ(coro_join_result(co, &large, 4, -1), -EINVAL);
    CHECK_EQ(coro_join_value(co, NULL, CORO_FOREVER), -EINVAL);
    CHECK_EQ(coro_get_live_coros(), 1);
    CHECK_EQ(coro_join_result(co, NULL, 0, CORO_FOREVER), 0);
    CHECK_EQ(coro_join_result(co, NULL, 0, CORO_FOREVER), CORO_EDEAD);
}

TEST(K4_a_plain_coroutines_result_is_its_pointer) {
    char here;
    CHECK(RESULT(coro_spawn(do_nothing, &here), void *) == &here);
    coro_value value = {0};
    CHECK_EQ(coro_join_value(coro_spawn(do_nothing, &here), &value, CORO_FOREVER), 0);
    CHECK_EQ(value.kind, CORO_VALUE_POINTER);
    CHECK(value.as.p == &here);
    int small;
    coro_t co = coro_spawn(do_nothing, NULL);
    CHECK_EQ(coro_join_result(co, &small, sizeof small, CORO_FOREVER), -EINVAL);
    CHECK_EQ(coro_join_result(co, NULL, 0, CORO_FOREVER), 0);
}

TEST(K4_no_result) {
    coro_target_t target = TARGET("void (void)", most);
    coro_value value = coro_value_of_signed(3);
    CHECK_EQ(coro_target_result_size(target), 0);
    CHECK_EQ(coro_join_value(coro_spawn_target(target), &value, CORO_FOREVER), 0);
    CHECK_EQ(value.kind, CORO_VALUE_VOID);
    char none = 7;
    CHECK_EQ(coro_join_result(coro_spawn_target(target), &none, 0, CORO_FOREVER), 0);
    CHECK_EQ(none, 7);
}

TEST(K4_a_failure_zeroes_the_result) {
    coro_target_t target = TARGET("int fail(int code)", fail_target);
    int result = 7;
    CHECK_EQ(coro_join_result(coro_spawn_target(target, -EIO), &result, sizeof result, CORO_FOREVER), -EIO);
    CHECK_STR(coro_error_detail(), "as it was told");
    CHECK_EQ(result, 0);
    coro_value value = coro_value_of_signed(7);
    CHECK_EQ(coro_join_value(coro_spawn_target(target, -EPERM), &value, CORO_FOREVER), -EPERM);
    CHECK_EQ(value.kind, CORO_VALUE_SIGNED);
    CHECK_EQ(value.as.i, 7);
    void *pointer = &pointer;
    CHECK_EQ(coro_join(coro_spawn_target(target, -EPERM), &pointer, CORO_FOREVER), -EPERM);
    CHECK(pointer == NULL);
    result = 7;
    CHECK_EQ(coro_join_result(99, &result, sizeof result, CORO_FOREVER), -ESRCH);
    CHECK_EQ(result, 0);
}

TEST(K4_joins_have_timeouts) {
    coro_test_set_virtual_time(true);
    coro_t co = coro_start_now_target(TARGET("int64_t park(void)", park_target));
    int64_t start = coro_get_now(), result = 9;
    CHECK_EQ(coro_join_result(co, &result, sizeof result, CORO_SECONDS(3)), CORO_ETIMEOUT);
    CHECK_EQ(coro_get_now() - start, CORO_SECONDS(3));
    CHECK_EQ(result, 0);
    coro_value value = {0};
    CHECK_EQ(coro_join_value(co, &value, CORO_MS(5)), CORO_ETIMEOUT);
    CHECK_EQ(coro_join_value(co, &value, 0), CORO_ETIMEOUT);
    CHECK_EQ(coro_join_result(co, &result, sizeof result, CORO_FOREVER), -EDEADLK);
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(RESULT(co, int64_t), 7);
}

static void *join_and_note(void *co) {
    int64_t result = 9;
    int code = coro_join_result(*(coro_t *)co, &result, sizeof result, CORO_FOREVER);
    trace("%d:%d", code, (int)result);
    return NULL;
}

/* One joiner is interrupted, two get the result, though the first that does takes the record. */
CORO_TEST(K4_joins_are_interrupted_and_many_get_the_result) {
    coro_t co = coro_start_now_target(TARGET("int64_t park(void)", park_target)), joiners[3];
    for (int i = 0; i < 3; i++) joiners[i] = start_now(join_and_note, &co);
    CHECK_EQ(coro_shutdown(joiners[0]), 0);
    coro_yield();
    CHECK_STR(traced(), "-5007:0 ");
    CHECK_EQ(coro_schedule(co, NULL), 0);
    CHECK_EQ(coro_join(joiners[2], NULL, CORO_FOREVER), 0);
    CHECK_STR(traced(), "-5007:0 0:7 0:7 ");
    CHECK_EQ(coro_join(joiners[1], NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join(joiners[0], NULL, CORO_FOREVER), 0);
    CHECK_EQ(coro_join_result(co, NULL, 0, CORO_FOREVER), CORO_EDEAD);
}

CORO_TEST(K4_a_target_that_is_told_to_end) {
    coro_target_t target = TARGET("int64_t park(void)", park_target);
    coro_t parked = coro_start_now_target(target), fresh = coro_new_target(target), queued = coro_spawn_target(target);
    int64_t result = 9;
    CHECK_EQ(coro_raise(parked, -EPIPE, 0), 0);
    CHECK_EQ(coro_join_result(parked, &result, sizeof result, CORO_FOREVER), -EPIPE);
    CHECK_STR(coro_error_detail(), "the target was interrupted");
    CHECK_EQ(coro_shutdown(fresh), 0);
    CHECK_EQ(coro_shutdown(queued), 0);
    CHECK_EQ(coro_join_result(fresh, &result, sizeof result, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK_EQ(coro_join_result(queued, &result, sizeof result, CORO_FOREVER), CORO_ESHUTDOWN);
    CHECK_EQ(result, 0);
    coro_t unstarted = coro_new_target(target);
    CHECK_EQ(coro_join_result(unstarted, &result, sizeof result, CORO_FOREVER), CORO_ENOTSTARTED);
    CHECK_EQ(coro_shutdown(unstarted), 0);
}
