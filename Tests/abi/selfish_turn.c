/* Row B19: what may happen while an I/O call lets others run before it begins: it is interrupted, its descriptor is closed, and
   the number means another file. Nothing has been moved by then. */
#include "coroutines.h"
#include "net.h"

#include <fcntl.h>

static int pair[2];
static coro_t me;

/* The next I/O call lets others run first. */
static void use_up_the_turn(void) {
    int ends[2];
    me = coro_current();
    unix_pair(ends);
    CHECK(coro_set_max_selfish_acts(me, 1) > 0);
    CHECK_EQ(coro_write(ends[0], "x", 1), 1);
    CHECK_EQ(coro_close(ends[0]), 0);
    CHECK_EQ(coro_close(ends[1]), 0);
}

/* -- interrupted -- */

static void *shut_me_down(void *unused) {
    CHECK_EQ(coro_interrupt(me, NULL), CORO_ESCHEDULE); /* it does not wait, it is runnable */
    CHECK_EQ(coro_shutdown(me), 0);
    return unused;
}

CORO_TEST(B19_interrupted_in_its_turn_a_call_has_moved_nothing) {
    char bytes[4];
    unix_pair(pair);
    use_up_the_turn();
    go(shut_me_down, NULL);
    CHECK_EQ(coro_send(pair[0], "abc", 3, 0), CORO_ESHUTDOWN);
    CHECK_EQ(coro_error_progress(), 0);
    CHECK_EQ(drain(pair[1]), 0);
    CHECK_EQ(coro_send(pair[0], "abc", 3, 0), 3); /* once; and the turn is still owed, to nobody now */
    use_up_the_turn();
    go(shut_me_down, NULL);
    CHECK_EQ(coro_read(pair[1], bytes, sizeof bytes), CORO_ESHUTDOWN);
    CHECK_EQ(coro_read(pair[1], bytes, sizeof bytes), 3);
    use_up_the_turn();
    coro_shutdown(me); /* told before: there is no turn to take */
    go(note, "ran");
    CHECK_EQ(coro_send(pair[0], "abc", 3, 0), CORO_ESHUTDOWN);
    CHECK_STR(traced(), "");
    CHECK_EQ(drain(pair[1]), 0);
}

CORO_TEST(B19_interrupted_after_a_part_it_says_how_much_was_moved) {
    static char block[100000];
    char bytes[10];
    size_t room;
    unix_pair(pair);
    use_up_the_turn();
    CHECK_EQ(coro_set_max_selfish_acts(me, 1), 1);
    CHECK_EQ(write(pair[1], "abc", 3), 3);
    go(shut_me_down, NULL);
    CHECK_EQ(coro_recv_exact(pair[0], bytes, sizeof bytes), CORO_ESHUTDOWN);
    CHECK_EQ(coro_error_progress(), 3);
    CHECK(memcmp(bytes, "abc", 3) == 0);

    int ends[2];
    CHECK_EQ(coro_pipe(ends, 0), 0);
    room = fill(ends[1]);
    CHECK(room >= 4096 && room < sizeof block);
    while (read(ends[0], block, sizeof block) > 0) {}
    CHECK_EQ(coro_set_max_selfish_acts(me, 1), 1);
    go(shut_me_down, NULL);
    CHECK_EQ(coro_write(ends[1], block, sizeof block), CORO_ESHUTDOWN);
    CHECK_EQ(coro_error_progress(), room);
    CHECK_EQ(drain(ends[0]), room);
}

CORO_TEST(B19_a_scope_whose_time_is_up_interrupts_in_the_turn) {
    char byte;
    unix_pair(pair);
    CHECK(coro_set_max_selfish_acts(coro_current(), 2) > 0);
    coro_timeout_t none = coro_timeout_begin(0);
    for (int i = 0; i < 2; i++) CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1); /* which suspends nobody */
    CHECK_EQ(coro_send(pair[0], "x", 1, 0), CORO_EINTERRUPTED);
    CHECK_EQ(coro_timeout_end(none, CORO_EINTERRUPTED), CORO_ETIMEOUT);
    CHECK_EQ(drain(pair[1]), 2);
    CHECK_EQ(coro_send(pair[0], "x", 1, 0), 1);
    CHECK_EQ(coro_read(pair[1], &byte, 1), 1);
}

/* -- where none may suspend -- */

static void write_a_line(void *unused) {
    (void)unused;
    for (int i = 0; i < 20; i++) CHECK_EQ(coro_write(pair[0], "x", 1), 1);
}

/* What need not wait is done there, turn or not. */
CORO_TEST(B19_in_a_callback_that_must_not_suspend_there_are_no_turns) {
    coro_options options = CORO_OPTIONS_INIT;
    options.release = write_a_line;
    unix_pair(pair);
    CHECK_EQ(coro_join(coro_spawn_with(do_nothing, NULL, &options), NULL, CORO_FOREVER), 0);
    CHECK_EQ(drain(pair[1]), 20);
}

/* -- the descriptor is closed, and its number used again -- */

static int victim, peer, other_pair[2];

static void *close_it(void *unused) {
    CHECK_EQ(coro_close(victim), 0);
    return unused;
}

static void reuse(int fd) {
    CHECK_EQ(fd, victim);
}

static void *reuse_by_socketpair(void *unused) {
    int fds[2];
    CHECK_EQ(coro_socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    reuse(fds[0]);
    peer = fds[1];
    return unused;
}

static void *reuse_by_dup(void *unused) {
    reuse(coro_dup(other_pair[0]));
    peer = dup(other_pair[1]);
    return unused;
}

static void *reuse_behind_our_back(void *unused) {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    reuse(fds[0]);
    peer = fds[1];
    return unused;
}

static int move_by_send(void) { return (int)coro_send(victim, "secret", 6, 0); }
static int move_by_read(void) { char byte; return (int)coro_read(victim, &byte, 1); }
static int move_by_wait(void) { return coro_wait_for(victim, CORO_WRITE); }

static int (*const moves[])(void) = {move_by_send, move_by_read, move_by_wait};
static const coro_fn reuses[] = {do_nothing, reuse_by_socketpair, reuse_by_dup, reuse_behind_our_back};
enum { MOVES = sizeof moves / sizeof *moves, REUSES = sizeof reuses / sizeof *reuses };

/* at: the least number for the victim; known: whether libcoro has used it before. */
static void check_closed(int (*move)(void), coro_fn again, int at, bool known) {
    int fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    victim = fcntl(fds[0], F_DUPFD_CLOEXEC, at);
    peer = -1;
    CHECK_EQ(write(fds[1], "xy", 2), 2);
    if (known) CHECK_EQ(coro_send(victim, "x", 1, 0), 1);
    /* The lowest free number is the victim's, once it is closed. */
    int fillers[100], filled = 0;
    use_up_the_turn();
    while ((fillers[filled] = dup(fds[0])) < victim) filled++;
    CHECK_EQ(close(fillers[filled]), 0);
    coro_t closer = go(close_it, NULL);
    go(again, NULL);
    CHECK_EQ(move(), CORO_ECLOSED);
    CHECK_EQ(coro_error_other(), closer);
    CHECK_CONTAINS(coro_error_detail(), "was closed by coroutine #");
    if (peer >= 0) {
        CHECK_EQ(drain(peer), 0); /* not to the other file, */
        CHECK_EQ(write(peer, "z", 1), 1);
        CHECK_EQ(drain(victim), 1); /* nor from it */
        CHECK_EQ(coro_close(victim), 0);
        CHECK_EQ(close(peer), 0);
    }
    while (filled > 0) close(fillers[--filled]);
    close(fds[0]);
    close(fds[1]);
}

CORO_TEST(B19_closed_in_the_turn_the_next_file_of_the_number_is_not_touched) {
    unix_pair(other_pair);
    for (int i = 0; i < MOVES; i++)
        for (int k = 0; k < REUSES; k++)
            for (int known = 0; known < 2; known++) check_closed(moves[i], reuses[k], 20, known);
}

/* Numbers that are beyond all that libcoro has seen so far. */
CORO_TEST(B19_closed_in_the_turn_a_number_never_seen_before_is_no_different) {
    CHECK(coro_set_selfishness(1) > 0);
    check_closed(move_by_send, reuse_behind_our_back, 70, false);
}

CORO_TEST(B19_closed_before_the_call_it_is_refused_without_a_turn) {
    unix_pair(pair);
    CHECK_EQ(coro_close(pair[0]), 0);
    use_up_the_turn();
    go(reuse_by_socketpair, NULL);
    victim = pair[0];
    CHECK_EQ(coro_send(pair[0], "secret", 6, 0), CORO_ECLOSED);
    use_up_the_turn();
    CHECK_EQ(coro_send(900, "secret", 6, 0), -EBADF);
    coro_yield();
    CHECK_EQ(drain(peer), 0);
}

static void *use_it_too(void *fd) {
    CHECK_EQ(coro_write(AS_INT(fd), "b", 1), 1);
    return fd;
}

/* That another coroutine is the first to use it, in the turn, is no reason to call it closed. */
CORO_TEST(B19_a_descriptor_that_another_uses_in_the_turn_is_still_open) {
    int fds[2], at = -1;
    for (at = 30; at < 200; at += 80) {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
        int fd = fcntl(fds[0], F_DUPFD_CLOEXEC, at);
        use_up_the_turn();
        go(use_it_too, AS_POINTER(fd));
        CHECK_EQ(coro_write(fd, "a", 1), 1);
        CHECK_EQ(drain(fds[1]), 2);
    }
}

/* -- nothing is lost or doubled, however often others run in between -- */

static const int numbers[] = {1024, 1};

/* The original's test of writes: small and large, into the least and the usual buffers. */
TEST(B19_all_is_carried_with_many_turns_and_with_few) {
    const size_t totals[] = {0, 1, 4096, 512 * 1024};
    for (int i = 0; i < 2; i++) {
        CHECK(coro_set_selfishness(numbers[i]) > 0);
        for (int k = 0; k < 4; k++) {
            for (int small = 0; small < 2; small++) {
                const int least = 1;
                unix_pair(pair);
                if (small) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
                transfer out = {pair[0], totals[k], 777, true}, in = {pair[1], totals[k], 1000, true};
                coro_t sender = spawn_one(send_pattern, &out), receiver = spawn_one(receive_pattern, &in);
                join_soon(sender);
                join_soon(receiver);
                CHECK_EQ(coro_close(pair[1]), 0);
            }
        }
    }
}

/* Pieces that are sent, with others running in between or not, and then the end. */
static struct { const char *pieces[4]; bool slowly; } sent;

static void *send_pieces(void *unused) {
    for (int i = 0; sent.pieces[i] != NULL; i++) {
        CHECK_EQ(coro_write(pair[1], sent.pieces[i], strlen(sent.pieces[i])), strlen(sent.pieces[i]));
        if (sent.slowly) CHECK_EQ(coro_sleep(CORO_MS(1)), 0);
    }
    CHECK_EQ(coro_close(pair[1]), 0);
    return unused;
}

static void *receive_exactly(void *n) {
    char buffer[16] = "";
    ssize_t got = coro_recv_exact(pair[0], buffer, (size_t)AS_INT(n));
    long had = got < 0 ? (long)coro_error_progress() : (long)got;
    CHECK(got == AS_INT(n) || got == CORO_EEOF);
    CHECK(memcmp(buffer, "abcdefghi", (size_t)had) == 0);
    return AS_POINTER(had);
}

/* The original's test of reads: sizes short of, at, and beyond what was sent. */
TEST(B19_what_is_received_is_exact_with_many_turns_and_with_few) {
    static const char *const table[][4] = {
        {NULL}, {"abcdef", NULL}, {"abc", "def", NULL}, {"a", "bcdef", NULL}, {"ab", "cd", "ef", NULL}};
    const int sizes[] = {0, 1, 3, 5, 6, 7, 9};
    coro_test_set_virtual_time(true);
    for (int i = 0; i < 2; i++) {
        CHECK(coro_set_selfishness(numbers[i]) > 0);
        for (int k = 0; k < 5 * 7 * 2; k++) {
            int n = sizes[k / 2 % 7], whole = k / 14 == 0 ? 0 : 6;
            memcpy(sent.pieces, table[k / 14], sizeof sent.pieces);
            sent.slowly = k % 2;
            unix_pair(pair);
            coro_t sender = spawn_one(send_pieces, NULL), receiver = spawn_one(receive_exactly, AS_POINTER(n));
            CHECK_EQ(join_soon(receiver), n < whole ? n : whole);
            join_soon(sender);
            CHECK_EQ(coro_close(pair[0]), 0);
        }
    }
}
