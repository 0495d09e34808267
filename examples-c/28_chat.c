/*
 * 28: A chat server, with channels and select.
 *
 * The room is one coroutine, the only one that knows who is there: so nothing needs a lock. A person's coroutine waits for two
 * things at once, what the person types and what the room has to say, and does whichever comes first. Who reads so slowly that
 * the room's words pile up has to go, since the room waits for nobody.
 *
 * With a port it serves until ^C: try `nc localhost PORT`. Without, two people of its own meet there:
 *
 *     $ ./28_chat
 *     alice reads: * alice is here
 *     alice reads: * bob is here
 *     bob reads: * bob is here
 *     alice reads: bob: hello
 *     bob reads: bob: hello
 *     alice reads: alice: hello bob
 *     bob reads: alice: hello bob
 *     alice reads: * bob has left
 *     Exiting...
 */
#include "must.h"

#include <errno.h>
#include <string.h>

enum { LINE = 200, NAME = 20, WORDS_WAITING = 32 };

typedef struct words {
    char text[NAME + LINE + 8];
} words;

typedef struct person {
    int fd;
    char name[NAME];
    coro_channel *hears; /* of words; closed by the room when it has no more for this person */
    struct person *next;
} person;

typedef struct news {
    enum { COMES, GOES, SAYS } what;
    person *who;
    char text[LINE];
} news;

static coro_channel *to_room; /* of news */

/* -- the room -- */

static void tell(person *people, const words *words) {
    for (person *each = people; each; each = each->next) {
        /* One whose words are piled up is shown out: that it has gone will be its coroutine's news. */
        if (coro_channel_try_send(each->hears, words) == -EAGAIN) MUST(coro_channel_close(each->hears));
    }
}

static void *run_room(void *unused) {
    person *people = NULL;
    news news;
    while (coro_channel_receive(to_room, &news) == 0) {
        words words;
        const char *name = news.who->name;
        if (news.what == COMES) {
            person **end = &people;
            while (*end) end = &(*end)->next;
            *end = news.who;
            snprintf(words.text, sizeof words.text, "* %s is here\n", name);
        } else if (news.what == SAYS) {
            snprintf(words.text, sizeof words.text, "%s: %s\n", name, news.text);
        } else {
            person **link = &people;
            while (*link != news.who) link = &(*link)->next;
            *link = news.who->next;
            snprintf(words.text, sizeof words.text, "* %s has left\n", name);
            MUST(coro_channel_close(news.who->hears)); /* its coroutine waits for that */
        }
        tell(people, &words);
    }
    return NULL;
}

static void tell_room(person *who, int what, const char *text) {
    news news = {.what = what, .who = who};
    snprintf(news.text, sizeof news.text, "%s", text);
    MUST(coro_channel_send(to_room, &news));
}

/* -- a person -- */

/* Tells the room each whole line of the n bytes. Returns how many bytes are left. */
static size_t say_lines(person *me, char *typed, size_t n) {
    char *end, *line = typed;
    while ((end = memchr(line, '\n', n)) || n == LINE - 1) {
        if (!end) end = line + n - 1; /* too long a line is two */
        *end = '\0';
        tell_room(me, SAYS, line);
        n -= end + 1 - line;
        line = end + 1;
    }
    memmove(typed, line, n);
    return n;
}

/* Until either side has enough. */
static void talk(person *me) {
    char typed[LINE];
    size_t n = 0;
    words words;
    coro_select_case cases[] = {
        {.kind = CORO_SELECT_RECEIVE, .object = me->hears, .element = &words},
        {.kind = CORO_SELECT_FD, .id = me->fd, .events = CORO_READ},
    };
    for (;;) {
        int happened = (int)MUST(coro_select(cases, 2, CORO_FOREVER));
        if (cases[happened].error) return;
        if (happened == 0) {
            if (coro_write(me->fd, words.text, strlen(words.text)) < 0) return;
        } else {
            ssize_t came = coro_read(me->fd, typed + n, LINE - 1 - n);
            if (came <= 0) return;
            n = say_lines(me, typed, n + (size_t)came);
        }
    }
}

static void *serve_person(void *arg) {
    person *me = arg;
    words rest;
    coro_reader *reader = coro_reader_new(me->fd, LINE);
    const char *name;
    ssize_t length = coro_reader_read_line(reader, NAME, &name); /* a person says the name first */
    if (length > 1) {
        snprintf(me->name, sizeof me->name, "%.*s", (int)length - 1, name);
        me->hears = coro_channel_new(sizeof(words), WORDS_WAITING);
        tell_room(me, COMES, "");
        talk(me);
        tell_room(me, GOES, "");
        while (coro_channel_receive(me->hears, &rest) == 0) {} /* until the room knows */
        MUST(coro_channel_free(me->hears));
    }
    coro_reader_free(reader);
    coro_close(me->fd);
    free(me);
    return NULL;
}

static void *accept_people(void *listener) {
    int fd;
    while ((fd = coro_accept(*(int *)listener, NULL, NULL)) >= 0) {
        person *person = calloc(1, sizeof *person);
        person->fd = fd;
        coro_detach(MUST(coro_spawn(serve_person, person)));
    }
    return NULL;
}

/* -- two people of our own -- */

static int come(int port, const char *name) {
    int fd = (int)MUST(coro_tcp_connect("localhost", port));
    MUST(coro_write(fd, name, strlen(name)));
    return fd;
}

static void reads(const char *name, coro_reader *reader) {
    const char *line;
    MUST(coro_reader_read_line(reader, 0, &line));
    printf("%s reads: %s", name, line);
}

static void *meet(void *port) {
    int alice = come(*(int *)port, "alice\n");
    coro_reader *at_alice = coro_reader_new(alice, 0);
    reads("alice", at_alice);
    int bob = come(*(int *)port, "bob\n");
    coro_reader *at_bob = coro_reader_new(bob, 0);
    reads("alice", at_alice), reads("bob", at_bob);
    MUST(coro_write(bob, "hello\n", 6));
    reads("alice", at_alice), reads("bob", at_bob);
    MUST(coro_write(alice, "hello bob\n", 10));
    reads("alice", at_alice), reads("bob", at_bob);
    MUST(coro_close(bob));
    reads("alice", at_alice);
    coro_reader_free(at_alice), coro_reader_free(at_bob);
    MUST(coro_close(alice));
    coro_set_exit(0);
    return NULL;
}

int main(int argc, char **argv) {
    int listener = (int)MUST(coro_tcp_listen("localhost", argc > 1 ? atoi(argv[1]) : 0, 100));
    int port = (int)MUST(coro_tcp_port(listener));
    to_room = coro_channel_new(sizeof(news), 0);
    coro_detach(MUST(coro_spawn(run_room, NULL)));
    coro_detach(MUST(coro_spawn(accept_people, &listener)));
    if (argc == 1) coro_detach(MUST(coro_spawn(meet, &port)));
    return coro_event_loop();
}
