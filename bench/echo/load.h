/* The load: clients of an echo server, on one thread. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { REQUEST_SIZE = 64 };

struct load_result {
    double requests_per_second;
    /* Processor time of the server's process, kernel included, per request. */
    double server_ns;
    /* How much of the time the server ran: at less than about 0.9 it has waited, and what a request costs it has the price of
       sleeping and waking in it. */
    double server_busy;
    /* From just before a request is sent until its answer is there. */
    double p50_us, p99_us;
};

/* Has so many connections to 127.0.0.1:port ask for echoes, one request at a time each, for so many seconds after a fifth of
   that to warm up. Every byte of every answer is checked. false, with a line on stderr: the server did not do its part.
   `server` is the clock of the server's process. */
bool load(int port, int connections, double seconds, clockid_t server, struct load_result *result);

#endif
