"""libcoro from Python, by cffi: a pipeline of C functions, with channels.

    $ python3 example_cffi.py
    atoi: 42
    received: [0, 1, 2, 3, 4]
    the channel is closed: CORO_ECLOSED
    nobody sends: CORO_ETIMEOUT
    a select: case 1
    hypot: 5.0
    no prototype: EINVAL
    posted by threads: [0, 1, 2, 3]
"""

import threading

import coro

lib = coro.load('cffi')
ffi = lib.backend.ffi  # cffi's own, which knows all of coro.h

atoi = lib.register('int atoi(const char *text)')
print('atoi:', lib.spawn(atoi, '42').join())

# Channels have elements of a type of C. C functions take them as they are; here it is libcoro's own that sends, in coroutines
# which wait until there is room.
send = lib.register('int coro_channel_send(coro_channel *channel, const void *element)')
with lib.channel('int') as channel:
    numbers = ffi.new('int[]', list(range(5)))
    senders = [lib.spawn(send, channel, numbers + i) for i in range(5)]
    print('received:', [channel.receive() for _ in senders])
    channel.close()
    try:
        channel.receive()
    except coro.CoroError as error:
        print('the channel is closed:', error.name)

with lib.channel('uint64_t') as channel:
    try:
        channel.receive(timeout=0.01)
    except coro.CoroTimeout as error:
        print('nobody sends:', error.name)

# All of coro.h is there as it is, for what has no Python of its own.
with lib.channel('int', 1) as empty, lib.channel('int', 1) as full:
    full.send(7)
    element = ffi.new('int *')
    cases = ffi.new('coro_select_case[]', [
        {'kind': lib.constants['CORO_SELECT_RECEIVE'], 'object': ffi.cast('void *', empty.address), 'element': element},
        {'kind': lib.constants['CORO_SELECT_RECEIVE'], 'object': ffi.cast('void *', full.address), 'element': element}])
    print('a select: case', lib.check(lib.c.coro_select(cases, 2, lib.constants['CORO_FOREVER'])))

# Structs go by value, as named tuples.
Point = lib.struct('point', 'double x; double y;')


@lib.target('double hypot(struct point p)')
def hypot(p):
    return (p.x ** 2 + p.y ** 2) ** 0.5


print('hypot:', lib.spawn('hypot', Point(3, 4)).join())

try:
    lib.register('int printf(...)')
except coro.CoroError as error:
    print('no prototype:', error.name)  # error.detail says where and why

# Other threads have loops of their own; what they have for this one they post.
with lib.loop() as loop, lib.channel('int', 4) as done:
    threads = [threading.Thread(target=loop.post, args=(done.send, n)) for n in range(4)]
    for thread in threads:
        thread.start()
    print('posted by threads:', sorted(done.receive() for _ in threads))
    for thread in threads:
        thread.join()
