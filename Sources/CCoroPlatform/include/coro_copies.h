/* Two copies of the runtime in one process, which know nothing of each other: libcoro.so, and what a program has linked in. */
#ifndef CORO_COPIES_H
#define CORO_COPIES_H

/* This copy is used. The first time it is, others that are used too are looked for; if there are any, a line on stderr says
   so. Not behind the process lock: the dynamic linker has locks of its own. */
void coro_copies_announce(void);

#endif
