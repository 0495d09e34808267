/* What the tests of coro_in_parallel() run: jobs that take their time, and note down who ran when. */
#ifndef JOBS_H
#define JOBS_H

#include "coroutines.h"

typedef struct job {
    int64_t takes;       /* how long it sleeps; PARKS: until somebody schedules it */
    int fails;           /* with this code; 0: it does not */
    const char *message; /* and this message */
    coro_t co;           /* who runs it; 0: nobody has */
    int start, end;      /* as the how manyth it was started, and ended; 0: not yet */
} job;

enum { PARKS = -1 };

void *do_job(void *of_job); /* returns the job's address; fails with what interrupts it */

/* n jobs that all take `takes`, and the calls of them, with outcomes that nobody can mistake for real ones. */
void make_jobs(job *jobs, coro_call *calls, int n, int64_t takes);
/* How many jobs were started, have ended, and were at most under way at once, since make_jobs(). */
int jobs_started(void);
int jobs_ended(void);
int jobs_at_once(void);

/* That the outcomes of n calls are as make_jobs() left them. */
void check_untouched(const coro_call *calls, int n);
/* That a call's outcome is this. error 0: its result is its job. message NULL: "". */
void check_outcome(const coro_call *call, int error, const char *message);

/* A notifier that counts, and what it was told. */
int count_failure(coro_t co, int code, const char *message);
int failures_told(void);
int last_failure_told(void);

#endif
