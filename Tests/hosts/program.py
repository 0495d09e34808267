"""Python functions that are suspended on stacks of their own, and end in any order."""
import random
import sys
import threading
import time

import coro

COROUTINES = 50
errors = []
ended = []


def check(condition, what):
    if not condition:
        errors.append(what)


def frames():
    """The names of the functions that call each other here, outermost first."""
    frame, names = sys._getframe(1), []
    while frame:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names[::-1]


def descend(number, draw, depth):
    check(frames() == ["<lambda>", "program"] + ["descend"] * (depth + 1), "frames are another's")
    for _ in range(draw.randrange(1, 4)):
        try:
            if draw.random() < 0.5:
                raise ValueError(number)
            coro.sleep(draw.random() / 1000)
        except ValueError as error:
            coro.sleep(draw.random() / 1000)
            check(sys.exc_info()[1] is error and error.args == (number,), "the exception is another's")
            try:
                coro.sleep(draw.random() / 1000)
                raise
            except ValueError as again:
                check(again is error, "what is raised again is another's")
        check(sys.exc_info() == (None, None, None), "an exception is left over")
        if depth < 5 and draw.random() < 0.7:
            descend(number, draw, depth + 1)


def program(number):
    descend(number, random.Random(number), 0)
    items = sorted(range(20), key=lambda item: (coro.sleep(0), -item)[1])  # a callback of C's
    check(items == list(range(19, -1, -1)), "the sort went wrong")
    while turns < 20:
        coro.sleep(0.001)
    ended.append(number)


def work_beside():
    """Another thread, which runs where the loop waits."""
    global turns
    while len(ended) < COROUTINES:
        turns += 1
        time.sleep(0.0001)


sys.setswitchinterval(1000)  # nobody has to give up the lock but by waiting
turns = 0
thread = threading.Thread(target=work_beside)
ids = [coro.spawn(lambda number=number: program(number)) for number in range(COROUTINES)]
coro.sleep(0)
thread.start()
for id in ids:
    coro.join(id)
thread.join()
check(sorted(ended) == list(range(COROUTINES)), "not all have ended")
check(ended != sorted(ended) and ended != sorted(ended, reverse=True), "they ended in order")
if errors:
    sys.exit(f"{len(errors)} errors: {', '.join(sorted(set(errors)))}")
