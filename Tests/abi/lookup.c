/* Rows G1 and G2: which coroutines there are, and finding one by its id. */
#include "coroutines.h"
#include "net.h"

#include <pthread.h>

TEST(G1_all_lists_every_coroutine_that_has_not_ended) {
    coro_t unstarted = coro_new(do_nothing, NULL, NULL), asleep = spawn_one(sleep_for_ever, NULL);
    coro_t ended = spawn_one(do_nothing, NULL), cancelled = coro_new(do_nothing, NULL, NULL);
    let_others_run();
    CHECK_EQ(coro_shutdown(cancelled), 0);
    coro_t queued = spawn_one(do_nothing, NULL);
    coro_t ids[8] = {0};
    CHECK_EQ(coro_all(ids, 8), 3); /* not main, which has no record, and not those that only wait to be joined */
    CHECK_EQ(ids[0], unstarted);
    CHECK_EQ(ids[1], asleep);
    CHECK_EQ(ids[2], queued);
    CHECK_EQ(ids[3], 0);
    CHECK_EQ(coro_all(NULL, 0), 3);
    CHECK_EQ(coro_all(NULL, 8), 3);
    CHECK_EQ(coro_get_live_coros(), 5); /* records, the unjoined too */
    join_soon(ended);
    CHECK_EQ(coro_join(cancelled, NULL, 0), CORO_ESHUTDOWN);
    CHECK_EQ(coro_get_live_coros(), 3);
}

TEST(G1_all_writes_no_more_than_there_is_room_for) {
    coro_t ids[4] = {-1, -1, -1, -1}, made[3];
    for (int i = 0; i < 3; i++) made[i] = coro_new(do_nothing, NULL, NULL);
    CHECK_EQ(coro_all(ids, 2), 3);
    CHECK_EQ(ids[0], made[0]);
    CHECK_EQ(ids[1], made[1]);
    CHECK_EQ(ids[2], -1);
    CHECK_EQ(coro_all(ids, -1), 3);
    CHECK_EQ(ids[0], made[0]);
}

static void *find_self(void *unused) {
    coro_t id = 0;
    (void)unused;
    CHECK_EQ(coro_all(&id, 1), 1);
    CHECK_EQ(id, coro_current());
    CHECK_EQ(coro_get_by_id(id), id);
    return NULL;
}

TEST(G1_the_running_one_is_listed) {
    join_soon(spawn_one(find_self, NULL));
    CHECK_EQ(coro_all(NULL, 0), 0);
}

/* The table grows, chains are made and broken: nothing is lost, nothing is left over, the order is by id. */
TEST(G1_all_is_complete_and_in_order_among_thousands) {
    enum { COUNT = 5000 };
    static coro_t made[COUNT], ids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        made[i] = coro_new(do_nothing, NULL, NULL);
        CHECK(made[i] > 0);
    }
    /* Two thirds go, in an order that is not that of their ids. */
    for (int i = 0; i < COUNT; i++) {
        int one = (int)((i * 3571L) % COUNT);
        if (one % 3 != 0) {
            CHECK_EQ(coro_shutdown(made[one]), 0);
            CHECK_EQ(coro_join(made[one], NULL, 0), CORO_ESHUTDOWN);
        }
    }
    int left = (COUNT + 2) / 3;
    CHECK_EQ(coro_all(ids, COUNT), left);
    for (int i = 0; i < left; i++) CHECK_EQ(ids[i], made[i * 3]);
    for (int i = 0; i < COUNT; i++) CHECK_EQ(coro_get_by_id(made[i]), i % 3 == 0 ? made[i] : -ESRCH);
    CHECK_EQ(coro_get_live_coros(), left);
}

/* Ids that are far apart lie in the table in another order than by id. */
TEST(G1_all_is_in_order_when_few_are_left_of_many) {
    coro_t kept[30], ids[30];
    for (int i = 0; i < 600; i++) {
        coro_t co = coro_new(do_nothing, NULL, NULL);
        if (i % 20 == 7) {
            kept[i / 20] = co;
        } else {
            CHECK_EQ(coro_shutdown(co), 0);
            CHECK_EQ(coro_join(co, NULL, 0), CORO_ESHUTDOWN);
        }
    }
    CHECK_EQ(coro_all(ids, 30), 30);
    for (int i = 0; i < 30; i++) CHECK_EQ(ids[i], kept[i]);
}

TEST(G2_get_by_id_finds_what_has_not_ended) {
    coro_t unstarted = coro_new(do_nothing, NULL, NULL), asleep = spawn_one(sleep_for_ever, NULL);
    coro_t ended = spawn_one(do_nothing, NULL);
    CHECK_EQ(coro_get_by_id(asleep), asleep); /* queued */
    let_others_run();
    CHECK_EQ(coro_get_by_id(unstarted), unstarted);
    CHECK_EQ(coro_get_by_id(asleep), asleep);
    CHECK_EQ(coro_get_by_id(ended), -ESRCH); /* the dead too, although its record waits for a join */
    CHECK_EQ(coro_ident(ended), ended);
    join_soon(ended);
    CHECK_EQ(coro_get_by_id(ended), -ESRCH);
}

TEST(G2_nonsense_ids_are_no_such_coroutine) {
    coro_t wrong[] = {0, -1, -5001, INT64_MIN, INT64_MAX, 999, (coro_t)1 << 62, ((coro_t)1 << 48) + 1};
    coro_t co = coro_new(do_nothing, NULL, NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_EQ(coro_get_by_id(wrong[i]), -ESRCH);
    CHECK_EQ(coro_get_by_id(co), co);
}

static coro_t of_main;

static void *look_from_a_thread(void *unused) {
    CHECK_EQ(coro_get_by_id(of_main), CORO_EWRONGTHREAD);
    CHECK_EQ(coro_all(NULL, 0), 0);
    CHECK_EQ(coro_get_live_coros(), 0);
    coro_t mine = coro_new(do_nothing, unused, NULL), ids[2] = {0};
    CHECK_EQ(coro_all(ids, 2), 1);
    CHECK_EQ(ids[0], mine);
    CHECK(mine != of_main);
    return AS_POINTER(mine);
}

TEST(G2_a_coroutine_of_another_thread_is_told_apart) {
    pthread_t thread;
    void *of_thread;
    of_main = coro_new(do_nothing, NULL, NULL);
    CHECK_EQ(pthread_create(&thread, NULL, look_from_a_thread, NULL), 0);
    pthread_join(thread, &of_thread);
    CHECK_EQ(coro_get_by_id((coro_t)(intptr_t)of_thread), -ESRCH); /* its thread has ended, and it with that */
    CHECK_EQ(coro_all(NULL, 0), 1);
}
