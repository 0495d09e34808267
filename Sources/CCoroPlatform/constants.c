/* The two variables of coro.h: Swift can't define a C variable. */
#include <stdint.h>

#define EXPORTED __attribute__((visibility("default")))

extern const int64_t coro_forever, coro_nanoseconds_per_second;
EXPORTED const int64_t coro_forever = INT64_MAX;
EXPORTED const int64_t coro_nanoseconds_per_second = 1000000000;
