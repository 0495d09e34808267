/* What a coroutine of the other half can be asked to do. */
#ifndef WORKS_H
#define WORKS_H

#include <coro.h>

#define WORK_ANSWER 1  /* sleep a little, then end; the C half's result is ANSWER */
#define WORK_FOREVER 2 /* sleep for ever; when told to end, count that in ..._cleanups() and fail with CORO_ESHUTDOWN */
#define WORK_PARK 3    /* park, and store what it was woken with for ..._woken_with() */
#define WORK_FAIL 4    /* fail: with -EIO in C, with CoroError.closed in Swift */
#define WORK_NOTE 5    /* sleep for ever; note what breaks that off for ..._interruption() and ..._interrupt_value() */
#define WORK_THROW 6   /* Swift only: throw an error that is no CoroError */

#define ANSWER 42

#endif
