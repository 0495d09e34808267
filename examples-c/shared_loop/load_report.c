/* What the load client has to say in the end. */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* In milliseconds; the latencies are sorted. */
static double percentile(const load *load, size_t percent) {
    if (load->latency_count == 0) return 0;
    return (double)load->latencies[(load->latency_count - 1) * percent / 100] / 1e6;
}

bool load_report(load *load) {
    const load_options *options = &load->options;
    int idle = options->idle < options->clients ? options->idle : options->clients;
    int64_t requests = (int64_t)load->latency_count + load->sleeps;
    double seconds = (double)(load->ended - load->began) / 1e9;
    qsort(load->latencies, load->latency_count, sizeof *load->latencies, compare);
    printf("load client: %d clients at once, %d requests each\n", options->clients, options->requests);
    printf("  requests     %8" PRId64 "  (%.0f/s; %" PRId64 " of them sleeps)\n", requests,
           seconds > 0 ? (double)requests / seconds : 0, load->sleeps);
    printf("  latency      %8.1f ms p50, %.1f ms p99\n", percentile(load, 50), percentile(load, 99));
    printf("  bytes        %8" PRId64 ", every one checked\n", load->bytes_checked);
    printf("  idle ended   %8d  of %d\n", load->idle_ended, idle);
    printf("  failures     %8d\n", load->failures);
    return load->failures == 0 && load->idle_ended == idle;
}
