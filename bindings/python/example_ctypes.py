"""libcoro from Python, by ctypes: C functions in coroutines.

    $ python3 example_ctypes.py
    strlen: 13
    8 sleeps of an hour at once take 1 hour
    join: CORO_ETIMEOUT
    shut down: CORO_ESHUTDOWN
    block: CORO_ETIMEOUT
    from a pipe: b'hello'
    wrong argument: ERANGE
    Python: 1 / 0 is a ZeroDivisionError
    sorted by C: [1, 2, 3, 5, 8]
"""

import ctypes

import coro

lib = coro.load('ctypes')

# Any C function is a target: libc's, libcoro's own, which suspend, or those of a library at some path. A prototype is all
# that it takes. What is spawned runs when the main program waits, as in a join.
strlen = lib.register('size_t strlen(const char *text)')
print('strlen:', lib.spawn(strlen, 'hello, wörld').join())

sleep = lib.register('int coro_sleep(int64_t ns)')
HOUR = 3_600_000_000_000
lib.c.coro_test_set_virtual_time(True)  # all of coro.h is there; this makes time pass when nothing else can be done
before = lib.now()
for coroutine in [lib.spawn(sleep, HOUR) for _ in range(8)]:
    coroutine.join()
print(f'8 sleeps of an hour at once take {(lib.now() - before) / 3600:.0f} hour')
lib.c.coro_test_set_virtual_time(False)

# Times are seconds. A join that gives up leaves the coroutine alone; this one is told to end then, and its sleep returns that.
sleeper = lib.spawn(sleep, HOUR)
try:
    sleeper.join(timeout=0.01)
except coro.CoroTimeout as error:
    print('join:', error.name)
sleeper.shutdown()
print('shut down:', lib.error(sleeper.join()).name)

try:
    with lib.timeout(0.01):
        lib.sleep(3600)
except coro.CoroTimeout as error:
    print('block:', error.name)

# Memory that C writes to is the caller's, to be kept until the coroutine has ended.
read = lib.register('ssize_t coro_read(int fd, void *buffer, size_t n)')
write = lib.register('ssize_t coro_write(int fd, borrowed const char *data, size_t n)')
fds, buffer, data = (ctypes.c_int * 2)(), ctypes.create_string_buffer(100), ctypes.c_char_p(b'hello')
lib.check(lib.c.coro_pipe(fds, 0))
reading = lib.spawn(read, fds[0], buffer, 100)
lib.spawn(write, fds[1], data, 5).join()
n = reading.join()
print('from a pipe:', buffer.raw[:n])

# Arguments are checked, and may be given by name.
strtol = lib.register('long strtol(const char *text, char **end = NULL, int base = 10)')
try:
    lib.spawn(strtol, 'ff', base=3_000_000_000)
except coro.CoroError as error:
    print('wrong argument:', error.name)  # error.detail says which and why


# A function of Python's is a target, too. It must not wait. Its exception is the cause of what join raises.
@lib.target('double quotient(double a, double b)')
def quotient(a, b):
    return a / b


lib.set_exception_notifier(lambda id, code, message: None)  # else failures are told on stderr as well
try:
    lib.spawn(quotient, 1, b=0).join()
except coro.CoroError as error:
    print('Python: 1 / 0 is a', type(error.__cause__).__name__)

# As a C function: where C wants a callback.
numbers = (ctypes.c_int * 5)(5, 2, 8, 1, 3)
qsort = lib.register('void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))')
compare = lib.register('int compare(const void *a, const void *b)',
                       lambda a, b: ctypes.c_int.from_address(a).value - ctypes.c_int.from_address(b).value)
with compare.function('direct') as function:
    lib.spawn(qsort, numbers, 5, 4, function).join()
print('sorted by C:', list(numbers))
