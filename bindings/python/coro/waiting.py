"""How a thread waits: on its own stack, in coro_select(), so that Python's signal handlers are run meanwhile."""

import os
import signal
import socket
import threading
from contextlib import contextmanager


def on_main_thread():
    return threading.get_ident() == threading.main_thread().ident


class Running(threading.local):
    bodies = 0  # of targets of Python's that this thread is in


class Signals:
    """Wakes the waits of the main thread when a signal has come that Python has a handler for: ^C, if nothing else.

    CPython's own handler only notes the signal down and writes to a descriptor, which is therefore waited for as well. The one
    of ^C must not raise KeyboardInterrupt before a target of Python's is in its body: nothing could catch it there. So it is
    put off.
    """

    def __init__(self):
        self.running = Running()
        self._sockets, self._owner = None, 0
        self._previous, self._handler = -1, None
        self._put_off_signals, self._raised = [], None

    @contextmanager
    def watched(self):
        """For the time of a wait: the descriptor to wait for; None on other threads, where Python runs no handlers."""
        if not on_main_thread():
            yield None
            return
        fd, wakeup = self._descriptors()
        handler = signal.getsignal(signal.SIGINT)
        is_put_off = callable(handler) and handler != self._put_off  # that would be a wait in a handler, in a wait
        if is_put_off:
            self._handler = handler
            signal.signal(signal.SIGINT, self._put_off)
        previous = signal.set_wakeup_fd(wakeup, warn_on_full_buffer=False)
        if previous != wakeup:
            self._previous = previous
        try:
            yield fd
        finally:
            signal.set_wakeup_fd(previous)
            if is_put_off:
                signal.signal(signal.SIGINT, handler)
                self.deliver()

    def interrupted(self, error):
        """A handler has raised this in the body of a target: the wait raises it, too."""
        if on_main_thread():
            self._raised = error
            self._sockets[1].send(b'\0')

    def take(self):
        """To be called when the descriptor is readable: runs what was put off. It may raise."""
        try:
            signals = self._sockets[0].recv(4096)
            if self._previous != -1:
                os.write(self._previous, signals)  # whose turn it was to be told
        except OSError:
            pass
        self.deliver()

    def deliver(self):
        signals, self._put_off_signals = self._put_off_signals, []
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised
        for signum in signals[:1]:
            self._handler(signum, None)

    def _put_off(self, signum, frame):
        if self.running.bodies > 0:
            self._handler(signum, frame)
        else:
            self._put_off_signals.append(signum)

    def _descriptors(self):
        if self._owner != os.getpid():  # not those of the process that this was forked from
            self._sockets, self._owner = socket.socketpair(), os.getpid()
            for end in self._sockets:
                end.setblocking(False)
        return self._sockets[0].fileno(), self._sockets[1].fileno()


class Waiter:
    """Makes the waits of a library."""

    def __init__(self, library):
        self._library, self._backend, self._c = library, library.backend, library.c
        self._constants = library.constants
        self.signals = Signals()

    def refuse_in_coroutine(self):
        """Python's frames can't be suspended, so Python may wait on its thread's own stack alone."""
        if self._c.coro_current() != 0:
            raise self._library.error(
                self._constants['CORO_EYIELDFROMMAIN'],
                "a Python function can't wait inside a coroutine, for CPython's frames can't be suspended: let a C function do "
                "what waits, or return, and wait in the main program")

    def wait(self, kind, timeout, object=None, element=None, id=0):
        """One case of coro_select(), for at most `timeout` nanoseconds. Returns the code that it met: 0 if it went well."""
        self.refuse_in_coroutine()
        c, cases = self._c, self._backend.array('coro_select_case', 2)
        case, wakeup = cases[0], cases[1]
        case.kind, case.id = kind, id
        case.object = self._backend.NULL if object is None else object
        case.element = self._backend.pointer(element)
        if not (self._library.is_interruptible and on_main_thread()):
            return self._select(cases, 1, timeout)
        forever = self._constants['CORO_FOREVER']
        end = forever if timeout == forever else c.coro_get_now() + timeout
        with self.signals.watched() as fd:
            wakeup.kind, wakeup.id, wakeup.events = self._constants['CORO_SELECT_FD'], fd, self._constants['CORO_READ']
            while True:
                found = self._select(cases, 2, timeout)
                if found != 1:
                    return found
                self.signals.take()
                timeout = forever if end == forever else max(0, end - c.coro_get_now())

    def _select(self, cases, count, timeout):
        """0, or the error of the first case or of the whole; 1 for the second case."""
        found = self._c.coro_select(cases, count, timeout)
        return cases[0].error if found == 0 else found
