/* What the tests of files share. */
#ifndef FILES_H
#define FILES_H

#include "coroutines.h"

#include <fcntl.h>
#include <sys/stat.h>

/* Run body in a coroutine, in an empty directory of its own, which is removed after it; with what does calls about files being
   io_uring (the test is skipped where there is none), and being threads. Checks that no descriptor is left open. */
void by_ring(test_function body);
void by_threads(test_function body);

/* A file of `size` bytes of the pattern of net.h, open to read and write. */
int make_file(const char *path, size_t size);
/* Has the system forget what it keeps of the file in memory, as far as it does. */
void drop_cache(int fd);

#endif
