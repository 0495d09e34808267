"""Coroutines, as those who have started them see them."""

from .declarations import Real, Struct


class Coroutine:
    """A coroutine. One that nobody keeps is detached: it runs on, and nobody joins it."""

    def __init__(self, library, id, result=None):
        self.id = id
        self.exception = None  # of Python, that it failed with
        self._library, self._c, self._result = library, library.c, result
        self._is_left = False
        library.coroutines[id] = self

    def __repr__(self):
        return self._library.text_of(self._c.coro_repr, self.id) or f'<coro #{self.id}, of which nothing is left>'

    def __del__(self):
        if not self._is_left and self._library.is_open:
            self._c.coro_detach(self.id)

    @property
    def name(self):
        return self._library.text_of(self._c.coro_get_name, self.id)

    @name.setter
    def name(self, name):
        self._library.check(self._c.coro_set_name(self.id, name.encode()))

    @property
    def is_alive(self):
        """Whether it was started and has not ended."""
        return self._c.coro_is_alive(self.id)

    def start(self):
        """Queues one that was made by new()."""
        self._library.check(self._c.coro_start(self.id))

    def start_now(self):
        """Runs one that was made by new(), up to its first suspension, before this returns."""
        self._library.waiter.refuse_in_coroutine()
        self._library.check(self._c.coro_start_now(self.id))

    def shutdown(self):
        """Tells it to end: what it waits in returns CORO_ESHUTDOWN."""
        self._library.check(self._c.coro_shutdown(self.id))

    def detach(self):
        """Says that nobody will join it."""
        self._library.check(self._c.coro_detach(self.id))
        self._is_left = True

    def join(self, timeout=None):
        """Waits until it has ended, for at most `timeout` seconds, and returns its target's result; once.

        Raises CoroTimeout if it has not ended by then; or what it failed with, as a CoroError, whose __cause__ is the exception
        if that was one of Python.
        """
        library = self._library
        if self._c.coro_is_alive(self.id):
            code = library.waiter.wait(library.constants['CORO_SELECT_JOIN'], library.nanoseconds(timeout), id=self.id)
            library.check(code)
        value, memory = library.backend.new('coro_value'), None
        if isinstance(self._result, Struct) or isinstance(self._result, Real) and self._result.code is None:
            memory, address = library.backend.memory(self._result.size)
            value.kind, value.size = library.constants['CORO_VALUE_BYTES'], self._result.size
            getattr(value, 'as').p = library.backend.pointer(address)
        code = self._c.coro_join_value(self.id, value, 0)
        if code not in (library.constants['CORO_ENOTSTARTED'], library.constants['CORO_EWRONGTHREAD']):
            self._is_left = True
        if code < 0:
            raise library.error(code) from self.exception
        if memory is not None:
            return library.values.unpack(self._result, library.backend.read(address, self._result.size))
        return self._value(value)

    def _value(self, value):
        kind, union, constants = value.kind, getattr(value, 'as'), self._library.constants
        if kind == constants['CORO_VALUE_SIGNED']:
            return union.i
        if kind == constants['CORO_VALUE_UNSIGNED']:
            return bool(union.u) if getattr(self._result, 'code', None) == '?' else union.u
        if kind == constants['CORO_VALUE_DOUBLE']:
            return union.d
        if kind == constants['CORO_VALUE_POINTER']:
            result = self._result if hasattr(self._result, 'is_text') else None
            return self._library.values.from_address(result, self._library.backend.address(union.p))
        return None
