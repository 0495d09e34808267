/*
 * 10: Producer and consumer.
 *
 * One coroutine writes a megabyte into a pipe, another reads it. The pipe holds far less: coro_write() waits for the
 * reader, coro_read() for the writer, and neither has to know.
 *
 *     $ ./10_pipe
 *     produced 1048576 bytes
 *     consumed 1048576 bytes, all as they should be
 */
#include "must.h"

enum { TOTAL = 1024 * 1024, BLOCK = 10000 };

/* What the byte at some place in the stream is: a prime, so that the pattern never lines up with a buffer. */
static unsigned char byte_at(size_t place) {
    return (unsigned char)(place % 251);
}

static void *produce(void *arg) {
    int fd = *(int *)arg;
    unsigned char block[BLOCK];
    size_t sent = 0;
    while (sent < TOTAL) {
        size_t n = TOTAL - sent < BLOCK ? TOTAL - sent : BLOCK;
        for (size_t i = 0; i < n; i++) block[i] = byte_at(sent + i);
        sent += (size_t)MUST(coro_write(fd, block, n)); /* all n of them */
    }
    MUST(coro_close(fd)); /* which the reader sees as the end */
    printf("produced %zu bytes\n", sent);
    return NULL;
}

static void *consume(void *arg) {
    int fd = *(int *)arg;
    unsigned char block[BLOCK];
    size_t received = 0, wrong = 0, n;
    while ((n = (size_t)MUST(coro_read(fd, block, sizeof block))) > 0) {
        for (size_t i = 0; i < n; i++) wrong += block[i] != byte_at(received + i);
        received += n;
    }
    MUST(coro_close(fd));
    printf("consumed %zu bytes, %s\n", received, wrong == 0 ? "all as they should be" : "some of them wrong");
    return NULL;
}

int main(void) {
    int fds[2];
    MUST(coro_pipe(fds, 0));
    coro_t consumer = MUST(coro_spawn(consume, &fds[0]));
    coro_t producer = MUST(coro_spawn(produce, &fds[1]));
    MUST(coro_join(producer, NULL, CORO_FOREVER));
    MUST(coro_join(consumer, NULL, CORO_FOREVER));
    return 0;
}
