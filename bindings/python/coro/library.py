"""libcoro as Python programs see it."""

import atexit
import errno
import math
import sys
import threading
import weakref
from contextlib import contextmanager

from .channels import Channel
from .coroutines import Coroutine
from .errors import CoroError, CoroTimeout
from .loops import Loop, run_event_loop
from .targets import PythonTargets, Target
from .values import Arguments, Values
from .waiting import Waiter


class Library:
    """libcoro, loaded by a backend. Times are seconds; None is no limit.

    c: the functions of coro.h as they are; constants: its constants, by name.
    is_interruptible: whether waits on the main thread end for ^C. They are then not told that they wait for nothing (-EDEADLK).
    """

    Error, Timeout, EAGAIN = CoroError, CoroTimeout, errno.EAGAIN

    def __init__(self, backend):
        self.backend, self.c, self.header = backend, backend.c, backend.header
        self.constants = self.header.constants
        self.is_interruptible = self.is_open = True
        self.coroutines = weakref.WeakValueDictionary()  # by id
        self.values, self.waiter = Values(backend), Waiter(self)
        self._python_targets = PythonTargets(self)
        self._local = threading.local()
        atexit.register(setattr, self, 'is_open', False)

    @property
    def version(self):
        return self.backend.text(self.c.coro_version())

    # -- errors ----------------------------------------------------------------------------------------------------------

    def error(self, code, detail=None):
        """The exception for an error code, to be raised; detail: what there is to say, or else what libcoro says."""
        if detail is None:
            detail = self.backend.text(self.c.coro_error_detail())
        kind = CoroTimeout if code == self.constants['CORO_ETIMEOUT'] else CoroError
        text = self.backend.text
        return kind(code, text(self.c.coro_error_name(code)), text(self.c.coro_strerror(code)), detail)

    def check(self, result):
        """result, or an exception if it is an error code."""
        if result < 0:
            raise self.error(result)
        return result

    def fail(self, error):
        """Makes the running coroutine fail because of an exception; whoever joins it has that as the __cause__."""
        co = self.c.coro_current()
        if co == 0:
            sys.excepthook(type(error), error, error.__traceback__)  # called by C outside of all coroutines: nobody joins
            return
        coroutine = self.coroutines.get(co)
        if coroutine is not None:
            coroutine.exception = error
        code = error.code if isinstance(error, CoroError) else self.constants['CORO_EFAILED']
        try:
            text = f'{type(error).__name__}: {error}'.replace('\0', ' ')
        except BaseException:  # of its __str__(): the coroutine fails all the same
            text = type(error).__name__
        self.c.coro_fail(code, text.encode('utf-8', 'replace'))

    def set_exception_notifier(self, function):
        """What is told of coroutines of this thread that fail: function(id, code, message); None: a line on stderr is."""
        notifier = self.backend.NULL
        if function is not None:
            def notify(co, code, message):
                function(co, code, self.backend.text(message))
                return 0
            notifier = self.backend.callback('coro_notifier', notify)
        self.c.coro_set_exception_notifier(notifier)
        self._local.notifier = notifier  # kept as long as it may be called

    # -- targets ---------------------------------------------------------------------------------------------------------

    def register(self, prototype, function=None, library=None):
        """Registers a target: a C function by its name or address, or a function of Python's; returns a Target.

        function: by default what is called as in the prototype. library: the path of the library that it is in; by default
        libcoro itself and what the program has loaded, libc among it. A function of Python's runs to its end once it has
        begun: nothing may wait in it.
        """
        if function is None:
            function = self.values.parser(prototype).prototype()[0]
        if isinstance(function, str):
            name, function = function, self.backend.symbol(function, library)
            if not function:
                raise LookupError(f'there is no function {name} in {library or "libcoro and what the program has loaded"}')
        address = function if isinstance(function, int) else self.backend.address_of(function)
        if address is None:
            if not callable(function):
                raise TypeError(f'{function!r} is no function')
            return self._python_targets.register(prototype, function)
        pointer = self.backend.function_pointer('coro_function', address)
        return Target.registered(self, self.c.coro_target_register(prototype.encode(), pointer))

    def target(self, prototype):
        """Decorator: registers a function of Python's, as register(), and puts the Target in its place."""
        return lambda function: self.register(prototype, function)

    def find(self, name):
        """The target that is registered under a name."""
        return Target(self, self.check(self.c.coro_target_find(name.encode())))

    def struct(self, name, fields):
        """Declares a struct, as coro_struct_register(); returns a class of named tuples for it."""
        self.check(self.c.coro_struct_register(name.encode(), fields.encode()))
        return self.values.declare_struct(name, fields)

    # -- coroutines ------------------------------------------------------------------------------------------------------

    def new(self, target, *arguments, **named):
        """A coroutine that will run a target, which may be given by its name; thread_name: what it is called."""
        return self._make(self.c.coro_new_kwargs, target, arguments, named)

    def spawn(self, target, *arguments, **named):
        """The same, queued: it runs when the caller waits."""
        return self._make(self.c.coro_spawn_kwargs, target, arguments, named)

    def start_now(self, target, *arguments, **named):
        """The same, run at once, up to its first suspension."""
        self.waiter.refuse_in_coroutine()
        coroutine = self.new(target, *arguments, **named)
        coroutine.start_now()
        return coroutine

    def _make(self, make, target, arguments, named):
        if isinstance(target, str):
            target = self.find(target)
        given = Arguments(self.values, target, arguments, named)
        id = self.check(make(target.id, given.names, given.values, given.count))
        return Coroutine(self, id, target.result)

    # -- waiting ---------------------------------------------------------------------------------------------------------

    def nanoseconds(self, seconds):
        """A time in ns, as libcoro has it."""
        if seconds is None or seconds == math.inf:
            return self.constants['CORO_FOREVER']
        return min(round(seconds * 1_000_000_000), self.constants['CORO_FOREVER'])

    def now(self):
        """The time in seconds, on the clock that waits go by."""
        return self.c.coro_get_now() / 1_000_000_000

    def sleep(self, seconds):
        """Sleeps; coroutines run meanwhile."""
        ns = self.nanoseconds(seconds)
        if ns <= 0:
            self.waiter.refuse_in_coroutine()
            self.check(self.c.coro_sleep(ns))
            return
        code = self.waiter.wait(self.constants['CORO_SELECT_NONE'], ns)
        if code != self.constants['CORO_ETIMEOUT']:
            self.check(code)

    @contextmanager
    def timeout(self, seconds):
        """Bounds the time of all waits within: `with library.timeout(5): ...` raises CoroTimeout when it is over."""
        scope = self.check(self.c.coro_timeout_begin(self.nanoseconds(seconds)))
        try:
            yield
        except CoroError as error:
            if self.c.coro_timeout_end(scope, error.code) == self.constants['CORO_ETIMEOUT'] != error.code:
                raise self.error(self.constants['CORO_ETIMEOUT'], f'{seconds} s for this block') from error
            raise
        except BaseException:
            self.c.coro_timeout_end(scope, 0)
            raise
        if self.c.coro_timeout_end(scope, 0) == self.constants['CORO_ETIMEOUT']:
            raise self.error(self.constants['CORO_ETIMEOUT'], f'{seconds} s for this block')

    def channel(self, element, capacity=0):
        """A channel of elements of a type of C: "int", "uint64_t", "point" of struct()."""
        return Channel(self, element, capacity)

    def loop(self):
        """This thread's loop, for other threads to post to."""
        return Loop(self)

    def this_thread(self):
        """What stands for the calling thread, and never for another one, as its number might later."""
        if not hasattr(self._local, 'thread'):
            self._local.thread = object()
        return self._local.thread

    def event_loop(self, until_idle=False, detect_deadlock=False):
        """Runs this thread's loop until set_exit(), and returns the code given there; until_idle: or nothing is left to run;
        detect_deadlock: the same, and coroutines that are left then are an error, -EDEADLK."""
        flags = self.constants['CORO_LOOP_UNTIL_IDLE'] if until_idle else 0
        return run_event_loop(self, flags | (self.constants['CORO_LOOP_DETECT_DEADLOCK'] if detect_deadlock else 0))

    def set_exit(self, code):
        """Makes event_loop() return."""
        self.c.coro_set_exit(code)

    def text_of(self, function, id):
        """What a function writes into a buffer about a coroutine or a target; None if it returns an error."""
        size = function(id, self.backend.NULL, 0) + 1
        if size <= 0:
            return None
        memory, address = self.backend.memory(size)
        function(id, memory, size)
        return self.backend.read_text(address).decode('utf-8', 'replace')
