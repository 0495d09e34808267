/* What the tests of latency warnings share: coroutines that run until they are reported, and the text of the report. */
#ifndef LATENCY_H
#define LATENCY_H

#include "coroutines.h"

/* From here on stderr is a file in memory, which the other functions read; end_report() puts stderr back. */
void begin_report(void);
void end_report(void);
/* What was written since. Valid until the next call. */
const char *report(void);
/* Whether `part` has been written. */
bool is_reported(const char *part);

/* An address as the report shows it: that which run_until_reported() returns to, or what note_caller() was given. */
extern char caller_in_report[32];
void note_caller(const void *address);

/* Computes, without a system call that waits, until `part` is in the report. */
void run_until_reported(const char *part);

/* A coroutine that does so until it is reported itself; returns its argument. */
void *hog(void *argument);

/* The threads of this process, and the id of the one of that name; 0: there is none. */
int count_threads(void);
int find_thread(const char *name);

/* What is in /proc/self/task/<thread>/<file>, up to size. */
void read_thread_file(int thread, const char *file, char *text, size_t size);

#endif
