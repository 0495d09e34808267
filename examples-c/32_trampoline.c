/*
 * 32: Targets as C functions.
 *
 * qsort() wants a plain C function, without a context, that answers before it returns. A trampoline is one: it is made at run
 * time, knows its context, and as it is called it runs the target in a coroutine, for whose end its caller waits. So a
 * comparison may look things up that take their time, and others run meanwhile.
 *
 *     $ ./32_trampoline
 *     by price: tea 3, coffee 4, cake 7
 *     each price took 10 ms, and meanwhile the clock struck
 *     by name: cake, coffee, tea
 *     from another thread: the oven is ready
 */
#include "must.h"

#include <pthread.h>
#include <string.h>

static const char *goods[] = {"cake", "tea", "coffee"};
enum { GOODS = sizeof goods / sizeof *goods };

typedef int comparison(const void *, const void *);
typedef void announcement(const char *);

struct shop { int questions; };

static int price(struct shop *shop, const char *what) {
    MUST(coro_sleep(CORO_MS(10))); /* somebody has to be asked */
    shop->questions++;
    return strcmp(what, "tea") == 0 ? 3 : strcmp(what, "coffee") == 0 ? 4 : 7;
}

static int compare_prices(struct shop *shop, const void *left, const void *right) {
    return price(shop, *(const char **)left) - price(shop, *(const char **)right);
}

static int compare_names(const char *const *left, const char *const *right) {
    return strcmp(*left, *right);
}

static void say(const char *what) {
    printf("from another thread: %s\n", what);
    coro_set_exit(0);
}

static bool struck;

static void *strike(void *arg) {
    while (coro_sleep(CORO_MS(15)) == 0) struck = true;
    return arg;
}

/* A thread that knows nothing of coroutines. */
static void *bake(void *announce) {
    ((announcement *)announce)("the oven is ready");
    return NULL;
}

static void *sort(void *arg) {
    struct shop shop = {0};
    int64_t began = coro_get_now();

    /* The first parameter is the context, which qsort() knows nothing of. */
    coro_trampoline_options options = CORO_TRAMPOLINE_OPTIONS_INIT;
    options.flags = CORO_TRAMPOLINE_CONTEXT;
    options.context = &shop;
    coro_target_t target = MUST(coro_target_register(
        "int compare_prices(struct shop *, const void *, const void *)", (coro_function)compare_prices));
    coro_trampoline_t trampoline = MUST(coro_trampoline_new(target, CORO_TRAMPOLINE_CALL, &options));
    qsort(goods, GOODS, sizeof *goods, (comparison *)coro_trampoline_function(trampoline));
    int64_t took = coro_get_now() - began;
    int asked = shop.questions;
    printf("by price:");
    for (int i = 0; i < GOODS; i++) printf(" %s %d%s", goods[i], price(&shop, goods[i]), i + 1 < GOODS ? "," : "\n");
    printf("each price took %d ms, and meanwhile the clock %s\n", (int)(took / asked / CORO_MS(1)), struck ? "struck" : "stood");
    MUST(coro_trampoline_free(trampoline));
    return NULL;
}

int main(void) {
    coro_test_set_virtual_time(true); /* so that the times above are exact */
    coro_set_print_exit_string(false);
    MUST(coro_detach(coro_spawn(strike, NULL)));
    MUST(coro_join(coro_spawn(sort, NULL), NULL, CORO_FOREVER));

    /* What waits for nothing needs no coroutine: it is called as it is. */
    coro_target_t names = MUST(coro_target_register(
        "int compare_names(const void *, const void *)", (coro_function)compare_names));
    coro_trampoline_t by_name = MUST(coro_trampoline_new(names, CORO_TRAMPOLINE_DIRECT, NULL));
    qsort(goods, GOODS, sizeof *goods, (comparison *)coro_trampoline_function(by_name));
    printf("by name: %s, %s, %s\n", goods[0], goods[1], goods[2]);

    /* A function that may be called on any thread, and runs here. */
    pthread_t baker;
    coro_target_t target = MUST(coro_target_register("void say(const char *what)", (coro_function)say));
    coro_trampoline_t announce = MUST(coro_trampoline_new(target, CORO_TRAMPOLINE_POST, NULL));
    MUST(-pthread_create(&baker, NULL, bake, (void *)coro_trampoline_function(announce)));
    pthread_join(baker, NULL);
    return coro_event_loop();
}
