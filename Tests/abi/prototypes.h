/* What is asked of prototypes by several tests. */
#ifndef PROTOTYPES_H
#define PROTOTYPES_H

#include "harness.h"

/* Stands for a function that is never called. */
void some_function(void);

/* How a prototype reads when it is described; it must be one. Valid until the next call. */
const char *spelling_of(const char *prototype);
long result_size_of(const char *prototype);

/* Why it is none: what coro_error_detail() says. Valid until the next error. */
const char *refusal_of(const char *prototype);
const char *struct_refusal_of(const char *fields);

#endif
