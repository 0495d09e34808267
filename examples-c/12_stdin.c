/*
 * 12: Standard input.
 *
 * stdin may be a terminal, a pipe or a file, and is often shared with other processes (the shell): coro_read() takes
 * it as it is, and waits without holding up anybody. Here numbers are added up as they are typed; a clock ticks
 * meanwhile.
 *
 *     $ (sleep 0.3; echo 20; sleep 0.3; echo 22) | ./12_stdin
 *     20 makes 20
 *     22 makes 42
 *     the clock ticked while we waited: yes
 *     $ ./12_stdin <<< $'1\n2\n3'
 *     1 makes 1
 *     2 makes 3
 *     3 makes 6
 *     the clock ticked while we waited: no
 */
#include "must.h"

#include <string.h>
#include <unistd.h>

static int ticks;

static void *tick(void *arg) {
    while (coro_sleep(CORO_MS(100)) == 0) ticks++;
    return coro_fail(CORO_ESHUTDOWN, NULL);
}

/* Reads up to and without the newline; false at the end. Byte by byte for simplicity: see 14 for the quicker way. */
static bool read_line(char *line, size_t size) {
    size_t length = 0;
    char c = 0;
    while (MUST(coro_read(STDIN_FILENO, &c, 1)) > 0 && c != '\n') {
        if (length + 1 < size) line[length++] = c;
    }
    line[length] = 0;
    return c == '\n';
}

int main(void) {
    char line[100];
    int sum = 0;
    coro_t ticker = MUST(coro_spawn(tick, NULL));
    while (read_line(line, sizeof line)) {
        sum += atoi(line);
        printf("%s makes %d\n", line, sum);
    }
    MUST(coro_shutdown(ticker));
    printf("the clock ticked while we waited: %s\n", ticks >= 2 ? "yes" : "no");
    return 0;
}
