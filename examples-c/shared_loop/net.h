/* What the server and the load client share: sockets on loopback, lines, and the limit of open files. */
#ifndef NET_H
#define NET_H

#include <coro.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A listening socket on 127.0.0.1. *port 0: any that is free, which is stored. Returns the descriptor or an error. */
int net_listen(uint16_t *port);

/* A connection to 127.0.0.1. Returns the descriptor or an error. */
int net_connect(uint16_t port);

/* Raises the soft limit of open files to the hard one if `needed` are more than it allows. Says on stderr if even that
   is too low, and what to do. Returns whether there are enough. */
bool net_allow_open_files(unsigned long needed);

/* The lines that come from a descriptor. */
enum { LINE_SIZE = 4096 };
typedef struct line_reader {
    int fd;
    size_t begin, end; /* what of `bytes` has come and was not yet given out */
    char bytes[LINE_SIZE];
} line_reader;

/* The next line, without its end and terminated; valid until the next call. Suspends. Returns 1, 0 at the end of the
   stream, -EMSGSIZE if the line does not fit, or another error. */
int line_reader_next(line_reader *reader, char **line);

#endif
