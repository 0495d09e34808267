/* Names: getaddrinfo() and getnameinfo() off the loop, joined, bounded, and left at once by who is interrupted. */
#define _GNU_SOURCE
#include "coroutines.h"
#include "gate.h"
#include "net.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>

/* -- a resolver that answers when the gate is open; name "v4", "both", "fails:CODE", and others that it does not know -- */

static gate asked;

static int answer(const char *text, const char *service, const struct addrinfo *hints, struct addrinfo **res) {
    struct addrinfo numeric = {.ai_socktype = SOCK_STREAM};
    if (hints != NULL) numeric = *hints;
    numeric.ai_flags = (numeric.ai_flags & AI_CANONNAME) | AI_NUMERICHOST;
    return getaddrinfo(text, service, &numeric, res);
}

static int resolve(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res) {
    CHECK_EQ(coro_sleep(0), CORO_EYIELDFROMMAIN); /* a thread of the pool */
    pass_gate(&asked);
    if (strcmp(node, "v4") == 0) return answer("127.0.0.1", service, hints, res);
    if (strcmp(node, "both") == 0) {
        if (answer("::1", service, hints, res) != 0) return EAI_FAIL;
        return answer("127.0.0.1", service, hints, &(*res)->ai_next);
    }
    errno = EMFILE;
    return strncmp(node, "fails:", 6) == 0 ? atoi(node + 6) : EAI_NONAME;
}

static void use_resolver(void) {
    asked = new_gate();
    coro_test_set_resolver(resolve);
}

static const struct addrinfo streams = {.ai_socktype = SOCK_STREAM};

/* A coroutine: the number of addresses, or the error. */
static void *look_up(void *node) {
    struct addrinfo *list = (void *)1;
    int error = coro_getaddrinfo(node, "80", &streams, &list), count = 0;
    CHECK(error == 0 || list == NULL);
    for (struct addrinfo *each = list; each != NULL; each = each->ai_next) count++;
    coro_freeaddrinfo(list);
    return AS_POINTER(error != 0 ? error : count);
}

CORO_TEST(names_are_looked_up_off_the_loop) {
    use_resolver();
    coro_t caller = spawn_one(look_up, "both");
    await_runs(&asked, 1);
    CHECK_EQ(info_of(caller).wait_kind, CORO_WAIT_NAMES);
    coro_info info = info_of(caller);
    CHECK_CONTAINS(info.waiting, "looking up a name");
    open_gate(&asked, 1);
    CHECK_EQ(join_soon(caller), 2);
}

TEST(names_on_the_threads_own_stack) {
    struct addrinfo *list;
    use_resolver();
    open_gate(&asked, 1);
    CHECK_EQ(coro_getaddrinfo("v4", "80", &streams, &list), 0);
    struct sockaddr_in *found = (struct sockaddr_in *)list->ai_addr;
    CHECK_EQ(list->ai_family, AF_INET);
    CHECK_EQ(list->ai_addrlen, sizeof *found);
    CHECK_EQ(ntohs(found->sin_port), 80);
    CHECK_EQ(ntohl(found->sin_addr.s_addr), INADDR_LOOPBACK);
    CHECK(list->ai_next == NULL);
    coro_freeaddrinfo(list);
}

CORO_TEST(names_that_are_numeric_are_not_asked_for) {
    static const struct addrinfo host_only = {.ai_flags = AI_NUMERICHOST}, passive = {.ai_flags = AI_PASSIVE};
    struct addrinfo *list;
    use_resolver(); /* would wait for ever */
    CHECK_EQ(coro_getaddrinfo("127.0.0.1", "80", NULL, &list), 0);
    coro_freeaddrinfo(list);
    CHECK_EQ(coro_getaddrinfo("::1", NULL, &streams, &list), 0);
    CHECK_EQ(list->ai_family, AF_INET6);
    coro_freeaddrinfo(list);
    CHECK_EQ(coro_getaddrinfo(NULL, "80", &passive, &list), 0);
    coro_freeaddrinfo(list);
    CHECK_EQ(coro_getaddrinfo("no number", "80", &host_only, &list), CORO_EAI_NONAME);
    CHECK_CONTAINS(coro_error_detail(), "no number, service 80");
    CHECK(list == NULL);
    CHECK_EQ(coro_getaddrinfo(NULL, NULL, NULL, &list), CORO_EAI_NONAME);
    CHECK_EQ(coro_getaddrinfo("127.0.0.1", NULL, NULL, NULL), -EINVAL);
    CHECK_EQ(gate_runs(&asked), 0);
}

CORO_TEST(names_errors_have_names) {
    static const struct { const char *node; int code; const char *name; } all[] = {
        {"fails:-2", CORO_EAI_NONAME, "CORO_EAI_NONAME"}, {"fails:-3", CORO_EAI_AGAIN, "CORO_EAI_AGAIN"},
        {"fails:-4", CORO_EAI_FAIL, "CORO_EAI_FAIL"},     {"fails:-10", -ENOMEM, "ENOMEM"},
        {"fails:-11", -EMFILE, "EMFILE"},                 {"fails:-9", CORO_EAI_ADDRFAMILY, "CORO_EAI_ADDRFAMILY"},
    };
    use_resolver();
    open_gate(&asked, 6);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(AS_INT(look_up((void *)all[i].node)), all[i].code);
        CHECK_CONTAINS(coro_error_detail(), all[i].node);
        CHECK_STR(coro_error_name(all[i].code), all[i].name);
        CHECK(strncmp(coro_strerror(all[i].code), "unknown", 7) != 0);
    }
    CHECK_EQ(CORO_EAI_NONAME, EAI_NONAME - 5100);
    CHECK_EQ(CORO_EAI_OVERFLOW, EAI_OVERFLOW - 5100);
    CHECK_EQ(CORO_EAI_IDN_ENCODE, EAI_IDN_ENCODE - 5100);
}

/* -- the same name several times -- */

CORO_TEST(names_that_are_the_same_are_asked_for_once) {
    coro_t callers[10];
    use_resolver();
    for (int i = 0; i < 10; i++) callers[i] = spawn_one(look_up, "v4");
    coro_t other = spawn_one(look_up, "both");
    await_runs(&asked, 2);
    let_others_run();
    open_gate(&asked, 2);
    for (int i = 0; i < 10; i++) CHECK_EQ(join_soon(callers[i]), 1);
    CHECK_EQ(join_soon(other), 2);
    CHECK_EQ(gate_runs(&asked), 2);
    coro_t later = spawn_one(look_up, "v4"); /* an answer is not kept */
    await_runs(&asked, 3);
    open_gate(&asked, 1);
    CHECK_EQ(join_soon(later), 1);
}

static const char *other_service;
static struct addrinfo other_hints;

static void *look_up_otherwise(void *hints) {
    struct addrinfo *list;
    int error = coro_getaddrinfo("v4", other_service, hints, &list);
    coro_freeaddrinfo(list);
    return AS_POINTER(error);
}

CORO_TEST(names_with_other_hints_are_other_names) {
    coro_t callers[5];
    use_resolver();
    other_hints = streams;
    callers[0] = spawn_one(look_up_otherwise, NULL);
    callers[1] = spawn_one(look_up_otherwise, &other_hints);
    let_others_run();
    other_service = "80";
    callers[2] = spawn_one(look_up_otherwise, &other_hints);
    let_others_run();
    other_hints.ai_family = AF_INET;
    callers[3] = spawn_one(look_up_otherwise, &other_hints);
    let_others_run();
    other_service = "81";
    callers[4] = spawn_one(look_up_otherwise, &other_hints);
    await_runs(&asked, 5);
    open_gate(&asked, 5);
    for (int i = 0; i < 5; i++) CHECK_EQ(join_soon(callers[i]), 0);
}

/* -- interruptions -- */

CORO_TEST(names_an_interrupted_caller_goes_at_once) {
    use_resolver();
    coro_t first = spawn_one(look_up, "v4"), second = spawn_one(look_up, "v4"), alone = spawn_one(look_up, "both");
    await_runs(&asked, 2);
    CHECK_EQ(coro_shutdown(first), 0);
    CHECK_EQ(coro_shutdown(alone), 0);
    CHECK_EQ(join_soon(first), CORO_ESHUTDOWN);
    CHECK_EQ(join_soon(alone), CORO_ESHUTDOWN);
    coro_t third = spawn_one(look_up, "v4"); /* joins the second */
    coro_t again = spawn_one(look_up, "both"); /* nobody waits for the other answer: it is asked for anew */
    await_runs(&asked, 3);
    open_gate(&asked, 3);
    CHECK_EQ(join_soon(second), 1);
    CHECK_EQ(join_soon(third), 1);
    CHECK_EQ(join_soon(again), 2);
}

static void *look_up_v4(void *unused) {
    (void)unused;
    return look_up("v4");
}

CORO_TEST(names_a_timeout_bounds_the_look_up) {
    use_resolver();
    /* Time enough for a thread to begin it, so that it is not taken back. */
    CHECK_EQ(coro_with_timeout(CORO_MS(300), look_up_v4, NULL, NULL), CORO_ETIMEOUT);
    open_gate(&asked, 1);
    await_passed(&asked, 1); /* so that what comes next is not let through instead */
    coro_t caller = spawn_one(look_up, "v4");
    await_runs(&asked, 2);
    coro_t waiter = spawn_one(look_up, "v4");
    let_others_run();
    CHECK_EQ(coro_raise(waiter, CORO_EWAKEUP, 0), 0);
    open_gate(&asked, 1);
    CHECK_EQ(join_soon(waiter), CORO_EWAKEUP);
    CHECK_EQ(join_soon(caller), 1);
}

/* Interrupted after every number of passes: the answers of all are freed, which AddressSanitizer watches. */
CORO_TEST(names_interrupted_at_every_moment) {
    use_resolver();
    open_gate(&asked, 10000);
    for (int i = 0; i < 1000; i++) {
        coro_t callers[3];
        for (int k = 0; k < 3; k++) callers[k] = spawn_one(look_up, k < 2 ? "v4" : "both");
        for (int pass = i % 13; pass > 0; pass--) CHECK_EQ(coro_yield_slice(), 0);
        for (int k = 0; k < 3; k++) coro_interrupt(callers[k], NULL);
        for (int k = 0; k < 3; k++) {
            int outcome = join_soon(callers[k]);
            CHECK(outcome == CORO_EINTERRUPTED || outcome == (k < 2 ? 1 : 2));
        }
    }
}

/* -- bounds -- */

CORO_TEST(names_leave_half_of_the_pool_to_others) {
    static char names[8][16];
    coro_t callers[8];
    use_resolver();
    coro_set_max_blocking_threads(4);
    for (int i = 0; i < 8; i++) {
        snprintf(names[i], sizeof names[i], "unknown %d", i);
        callers[i] = spawn_one(look_up, names[i]);
    }
    await_runs(&asked, 2);
    for (int i = 0; i < 20; i++) CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
    CHECK_EQ(gate_runs(&asked), 2);
    open_gate(&asked, 8);
    for (int i = 0; i < 8; i++) CHECK_EQ(join_soon(callers[i]), CORO_EAI_NONAME);
}

CORO_TEST(names_with_one_thread_are_looked_up_too) {
    use_resolver();
    coro_set_max_blocking_threads(1);
    open_gate(&asked, 3);
    coro_t callers[] = {spawn_one(look_up, "v4"), spawn_one(look_up, "both"), spawn_one(look_up, "none")};
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
    CHECK_EQ(join_soon(callers[0]), 1);
    CHECK_EQ(join_soon(callers[1]), 2);
    CHECK_EQ(join_soon(callers[2]), CORO_EAI_NONAME);
}

CORO_TEST(names_lack_of_threads_is_an_error) {
    use_resolver();
    CHECK_EQ(coro_test_fail_call("pthread_create", 1, EAGAIN), 0);
    CHECK_EQ(AS_INT(look_up("v4")), -EAGAIN);
    open_gate(&asked, 1);
    CHECK_EQ(AS_INT(look_up("v4")), 1);
}

static void *leave_look_ups(void *unused) {
    go(look_up, "v4");
    go(look_up, "both");
    await_runs(&asked, 1);
    return unused;
}

TEST(names_of_an_ended_thread_are_thrown_away) {
    pthread_t thread;
    use_resolver();
    coro_set_max_blocking_threads(1);
    CHECK_EQ(pthread_create(&thread, NULL, leave_look_ups, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    open_gate(&asked, 1);
    CHECK_EQ(coro_blocking(do_nothing, NULL, NULL), 0);
    CHECK_EQ(gate_runs(&asked), 1);
}

/* -- back from addresses -- */

CORO_TEST(names_of_addresses) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr *address = (const struct sockaddr *)&at;
    char host[100], service[20];
    CHECK_EQ(coro_getnameinfo(address, sizeof at, host, sizeof host, service, sizeof service,
                              NI_NUMERICHOST | NI_NUMERICSERV), 0);
    CHECK_STR(host, "127.0.0.1");
    CHECK_STR(service, "80");
    CHECK_EQ(coro_getnameinfo(address, sizeof at, host, 3, NULL, 0, NI_NUMERICHOST), CORO_EAI_OVERFLOW);
    at.sin_port = htons(47);
    /* Not numeric, so on the pool; but every machine has a name for this, or gives the number. */
    coro_stats before = {.struct_size = sizeof before}, after = before;
    coro_get_stats(&before);
    CHECK_EQ(coro_getnameinfo(address, sizeof at, NULL, 0, service, sizeof service, 0), 0);
    coro_get_stats(&after);
    CHECK_EQ(after.blocking_calls, before.blocking_calls + 1);
    CHECK(service[0] != 0);
    CHECK_EQ(coro_getnameinfo(address, sizeof at, NULL, 0, service, 1, 0), CORO_EAI_OVERFLOW);
    CHECK_EQ(coro_getnameinfo(address, 2, host, sizeof host, NULL, 0, 0), CORO_EAI_FAMILY);
    CHECK_EQ(coro_getnameinfo(address, 1000, host, sizeof host, NULL, 0, 0), -EINVAL);
    CHECK_EQ(coro_getnameinfo(NULL, 0, host, sizeof host, NULL, 0, 0), -EINVAL);
}
