#include "forks.h"

enum { FINE = 42 };

void finish_child(void) {
    _exit(FINE);
}

void expect_child(pid_t child) {
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, FINE << 8);
}
