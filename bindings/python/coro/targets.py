"""Targets: C functions, and functions of Python, as what coroutines run."""

import itertools
import threading

from .declarations import Pointer, Struct

# CPython counts how deep C functions and Python's call each other, up to a limit that is meant for a thread's stack. Of the
# stack only what is used takes memory.
STACK_SIZE = 8 << 20
MODES = {'spawn': 'CORO_TRAMPOLINE_SPAWN', 'call': 'CORO_TRAMPOLINE_CALL', 'post': 'CORO_TRAMPOLINE_POST',
         'direct': 'CORO_TRAMPOLINE_DIRECT'}


class Target:
    """A registered function with its prototype: what can be spawned."""

    def __init__(self, library, id):
        self.id = id
        self._library = library
        self.prototype = library.text_of(library.c.coro_target_describe, id)
        self.name, function = library.values.parser(self.prototype).prototype()
        self.parameters, self.result = function.parameters, function.result
        for declared in [self.result] + [parameter.type for parameter in self.parameters]:
            if isinstance(declared, Struct) and declared.fields is None:  # declared by somebody else
                declared.size = library.check(library.c.coro_struct_size(declared.tag.encode()))

    @classmethod
    def registered(cls, library, id):
        """What was registered just now, or an exception: then nothing of it is left in the registry."""
        library.check(id)
        try:
            return cls(library, id)
        except BaseException:
            library.c.coro_target_unregister(id)
            raise

    def __repr__(self):
        return f'<coro target #{self.id} {self.prototype}>'

    def spawn(self, *arguments, **named):
        """As Library.spawn()."""
        return self._library.spawn(self, *arguments, **named)

    def unregister(self):
        """Nothing can be made of it any more. What was made of it runs on."""
        self._library.check(self._library.c.coro_target_unregister(self.id))

    def function(self, mode):
        """The target as a plain C function, to be passed where C wants a callback. mode: what a call of it does.

        'spawn' starts the target, 'call' waits for it, 'post' starts it on this thread's loop, from any thread; 'direct' runs
        it within the call, which is how a function of Python's can be called by C code in a coroutine.
        """
        return Trampoline(self._library, self, mode)


class Trampoline:
    """A target as a C function, at `address`, until it is freed: by free(), or by the end of a `with`."""

    def __init__(self, library, target, mode):
        self._library, self._c = library, library.c
        self.id = library.check(self._c.coro_trampoline_new(target.id, library.constants[MODES[mode]], library.backend.NULL))
        self.address = library.backend.address_of_function(self._c.coro_trampoline_function(self.id))

    def free(self):
        self._library.check(self._c.coro_trampoline_free(self.id))
        self.address = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.free()


class PythonTargets:
    """The functions of Python's that are targets: all of them are run by one handler, which knows them by a number.

    CPython's frames can't be suspended on stacks of their own: two that end out of order crash it. So these targets are
    registered with CORO_TARGET_NO_SUSPEND; each has its own coroutine, but runs to its end once it has begun.
    """

    def __init__(self, library):
        self._library, self._backend, self._c = library, library.backend, library.c
        self._targets, self._keys = {}, itertools.count(1)
        self._registering = threading.RLock()  # a signal handler may register, too
        # Never freed: libcoro may call them as long as the process lives.
        self._handler = self._backend.callback('coro_handler', self._run)
        self._release = self._backend.release_callback(self._forget)

    def register(self, prototype, function):
        library, backend, key = self._library, self._backend, next(self._keys)
        options = backend.new('coro_target_options')
        self._c.coro_target_options_init(options)
        backend.set_function(options, 'handler', self._handler)
        backend.set_function(options, 'release', self._release)
        options.context = backend.pointer(key)
        options.flags = library.constants['CORO_TARGET_NO_SUSPEND']
        options.stack_size = STACK_SIZE
        self._targets[key] = entry = [function, None]
        with self._registering:
            id = self._c.coro_target_register_with(prototype.encode(), backend.NULL, options)
            if id < 0:
                del self._targets[key]
            target = entry[1] = Target.registered(library, id)
        return target

    def __len__(self):
        return len(self._targets)

    def _run(self, context, result, arguments):
        signals = self._library.waiter.signals
        running = signals.running
        try:
            running.bodies += 1
            try:
                self._call(*self._entry(context), result, arguments)
            finally:
                running.bodies -= 1
        except KeyboardInterrupt as error:
            signals.interrupted(error)
            self._library.fail(error)
        except BaseException as error:  # it must not pass through C: it becomes the coroutine's
            self._library.fail(error)

    def _entry(self, context):
        entry = self._targets[self._backend.address(context)]
        if entry[1] is None:  # another thread was so fast to find it by its name
            with self._registering:
                pass
        return entry

    def _call(self, function, target, result, arguments):
        values, backend = self._library.values, self._backend
        given = []
        for i, parameter in enumerate(target.parameters):
            given.append(values.unpack(parameter.type, backend.read(backend.address(arguments[i]), parameter.type.size)))
        returned = function(*given)
        if target.result.size > 0:
            if isinstance(target.result, Pointer) and isinstance(returned, (str, bytes)):
                raise TypeError(f'{target.name} returns a {type(returned).__name__}, which nobody keeps: return an address')
            backend.write(backend.address(result), values.pack(target.result, returned))

    def _forget(self, context):
        del self._targets[self._backend.address(context)]
