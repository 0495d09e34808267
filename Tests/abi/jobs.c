#include "jobs.h"

static int started, ended, most;

void *do_job(void *of_job) {
    job *it = of_job;
    it->co = coro_current();
    it->start = ++started;
    if (started - ended > most) most = started - ended;
    int code = it->takes == PARKS ? coro_park(NULL) : coro_sleep(it->takes);
    it->end = ++ended;
    if (code == 0) code = it->fails;
    return code < 0 ? coro_fail(code, it->message) : it;
}

void make_jobs(job *jobs, coro_call *calls, int n, int64_t takes) {
    started = ended = most = 0;
    for (int i = 0; i < n; i++) {
        memset(&calls[i], 0x5a, sizeof calls[i]);
        jobs[i] = (job){.takes = takes};
        calls[i].fn = do_job;
        calls[i].arg = &jobs[i];
    }
}

int jobs_started(void) {
    return started;
}

int jobs_ended(void) {
    return ended;
}

int jobs_at_once(void) {
    return most;
}

void check_untouched(const coro_call *calls, int n) {
    for (int i = 0; i < n; i++) {
        CHECK(calls[i].fn == do_job);
        CHECK_EQ(calls[i].error, 0x5a5a5a5a);
        CHECK_EQ((intptr_t)calls[i].result, 0x5a5a5a5a5a5a5a5a);
        for (size_t k = 0; k < sizeof calls[i].message; k++) CHECK_EQ(calls[i].message[k], 0x5a);
    }
}

void check_outcome(const coro_call *call, int error, const char *message) {
    CHECK_EQ(call->error, error);
    CHECK(call->result == (error == 0 ? call->arg : NULL));
    CHECK_STR(call->message, message == NULL ? "" : message);
}

static int told, last_told;

int count_failure(coro_t co, int code, const char *message) {
    (void)co, (void)message;
    told++;
    last_told = code;
    return 0;
}

int failures_told(void) {
    return told;
}

int last_failure_told(void) {
    return last_told;
}
