/* The load: clients of an echo server, on one thread. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Bytes of a request, and what latencies are sorted into: each power of two of nanoseconds in LATENCY_STEPS equal steps. */
enum { REQUEST_SIZE = 64, LATENCY_STEPS = 32, LATENCY_BUCKETS = 64 * LATENCY_STEPS };

/* So many connections to one server. */
struct load;

/* What was measured. */
struct load_count {
    long requests;
    /* What it took, and for how long the server's process ran meanwhile, in the kernel too. */
    double wall_ns, server_ns;
};

/* Connects to 127.0.0.1:port. NULL, with a line on stderr, if that does not succeed. */
struct load *load_open(int port, int connections);

/* Has all of them ask for echoes for so long, each one request at a time, and waits for the answers to the last. Every byte of
   every answer is checked. false, with a line on stderr: the server did not do its part. `server` is its process's clock. */
bool load_run(struct load *load, double seconds, clockid_t server, struct load_count *count);

/* How long a share of all requests took at most, in microseconds: from just before one is sent until its answer is there. */
double load_latency(const long histogram[LATENCY_BUCKETS], double share);

/* Adds those of this load. */
void load_add_latencies(const struct load *load, long histogram[LATENCY_BUCKETS]);

void load_close(struct load *load);

#endif
