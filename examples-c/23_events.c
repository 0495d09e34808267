/*
 * 23: Events.
 *
 * A configuration is read once. Everybody who needs it waits for an event; who comes when it is there does not wait. It
 * is unlike coro_park() and coro_schedule() in that it remembers, and that nobody needs to know who waits.
 *
 *     $ ./23_events
 *     mail: waits for the configuration
 *     web: waits for the configuration
 *     loader: has read it
 *     mail: uses host=example.org
 *     web: uses host=example.org
 *     late: uses host=example.org
 *     patient: the event is gone (CORO_ECLOSED)
 */
#include "must.h"

static coro_event *configuration, *never;

static void *service(void *arg) {
    const char *name = arg;
    void *text;
    if (!coro_event_is_set(configuration)) printf("%s: waits for the configuration\n", name);
    MUST(coro_event_wait(configuration, &text));
    printf("%s: uses %s\n", name, (char *)text);
    return NULL;
}

static void *loader(void *arg) {
    MUST(coro_sleep(CORO_MS(20))); /* stands for reading a file */
    puts("loader: has read it");
    MUST(coro_event_set(configuration, "host=example.org"));
    return NULL;
}

static void *patient(void *arg) {
    int error = coro_event_wait(never, NULL);
    printf("patient: the event is gone (%s)\n", coro_error_name(error));
    return NULL;
}

static coro_event *new_event(void) {
    coro_event *event = coro_event_new();
    if (event == NULL) abort();
    return event;
}

int main(void) {
    coro_t services[3];
    configuration = new_event();
    never = new_event();

    services[0] = MUST(coro_spawn(service, "mail"));
    services[1] = MUST(coro_spawn(service, "web"));
    MUST(coro_detach(coro_spawn(loader, NULL)));
    for (int i = 0; i < 2; i++) MUST(coro_join(services[i], NULL, CORO_FOREVER));
    services[2] = MUST(coro_spawn(service, "late"));
    MUST(coro_join(services[2], NULL, CORO_FOREVER));

    coro_t co = MUST(coro_spawn(patient, NULL));
    MUST(coro_yield());
    MUST(coro_event_free(never)); /* wakes those who wait, with an error */
    MUST(coro_join(co, NULL, CORO_FOREVER));
    MUST(coro_event_free(configuration));
    return 0;
}
