/* How a child of a fork tells the test that all went well. */
#ifndef FORKS_H
#define FORKS_H

#include "harness.h"

#include <sys/wait.h>

/* In the child: the end. */
_Noreturn void finish_child(void);
/* In the parent: waits for that end. */
void expect_child(pid_t child);

#endif
