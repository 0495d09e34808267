"""A thread's loop: running it, and posting to it from other threads."""

import threading
from collections import deque


class Loop:
    """The loop of the thread that made this. Lasts until close(), or the end of a `with`."""

    def __init__(self, library):
        self._calls, self._is_closed = deque(), False
        self._closing = threading.RLock()  # nobody is on the way into the trampoline when it is freed
        self._target = library.register('void (void)', self._next)
        self._trampoline = self._target.function('post')
        self._post = library.backend.function_at(self._trampoline.address)

    def post(self, function, *arguments):
        """Has function(*arguments) called in a coroutine on the loop's thread, as any target of Python's. From any thread.

        If the loop's thread has ended, nothing is done, and a line on stderr says so.
        """
        with self._closing:
            if self._is_closed:
                raise RuntimeError('the loop was closed')
            self._calls.append((function, arguments))
            self._post()

    def close(self):
        """Takes no more; what was posted is still done."""
        with self._closing:
            self._is_closed = True
            self._trampoline.free()
            self._target.unregister()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _next(self):
        function, arguments = self._calls.popleft()
        function(*arguments)


def run_event_loop(library, flags):
    """coro_event_loop_with(), which ends for ^C as well."""
    library.waiter.refuse_in_coroutine()
    c, backend, signals = library.c, library.backend, library.waiter.signals
    options = backend.new('coro_loop_options')
    c.coro_loop_options_init(options)
    options.flags = flags
    with signals.watched() as fd:
        if fd is None or not library.is_interruptible:
            return library.check(c.coro_event_loop_with(options))
        with SignalHandler(library, fd) as handler:
            code = library.check(c.coro_event_loop_with(options))
        if handler.raised is not None:
            raise handler.raised
        return code


class SignalHandler:
    """Runs Python's signal handlers while a loop runs; what one of them raises ends the loop."""

    def __init__(self, library, fd):
        self.raised = None
        self._library, self._fd = library, fd
        self._target = library.register('void (int fd, int events, void *arg)', self._woken)

    def _woken(self, fd, events, arg):
        try:
            self._library.waiter.signals.take()
        except BaseException as error:
            self.raised = error
            self._library.set_exit(0)

    def __enter__(self):
        library = self._library
        self._trampoline = self._target.function('direct')
        self._target.unregister()
        pointer = library.backend.function_pointer('coro_fd_handler', self._trampoline.address)
        library.check(library.c.coro_set_handler(self._fd, library.constants['CORO_READ'], pointer, library.backend.NULL, 0))
        return self

    def __exit__(self, *_):
        self._library.c.coro_unset_handler(self._fd)
        self._trampoline.free()
