/* A producer for the tests of readers, and what they do with it. */
#ifndef SOURCE_H
#define SOURCE_H

#include "harness.h"

/* Delivers a text in pieces of at most `most` bytes; lets others run before each, if it `suspends`. */
typedef struct source {
    const char *bytes;
    size_t size, given, most;
    int error; /* what the next call returns, once */
    bool suspends;
} source;

source text_source(const char *text, size_t most);
ssize_t produce(void *of_source, void *buffer, size_t n); /* a coro_producer */

/* A reader of it; checked to have been made. */
coro_reader *reader_of(source *from, size_t buffer_size);

/* Reads a line, which must be this one, its newline included; "": the end. */
void check_line(coro_reader *reader, const char *expected);

#endif
