"""Channels, to hand values to coroutines and to receive them."""


class Channel:
    """A channel whose elements are of a type of C, for at most `capacity` that nobody has received.

    C targets take it as a coro_channel *: pass the channel itself. From then on it is freed by free() or the end of a `with`
    alone, for nobody knows how long they use it.
    """

    def __init__(self, library, element, capacity=0):
        self._library, self._c = library, library.c
        self._type = library.values.type_named(element)
        self._channel = self._c.coro_channel_new(self._type.size, capacity)
        self._is_lent = False
        self._thread = library.this_thread()
        if self._channel == library.backend.NULL:
            raise MemoryError('no memory for a channel')

    @property
    def address(self):
        """The coro_channel *."""
        self._is_lent = True
        return self._library.backend.address(self._channel)

    def send(self, value, timeout=None):
        """Sends a value; waits until there is room, or somebody to receive it."""
        self._wait('CORO_SELECT_SEND', self._c.coro_channel_try_send, self._library.values.pack(self._type, value), timeout)

    def receive(self, timeout=None):
        """Waits for a value, and returns it. Raises CORO_ECLOSED when the channel was closed and all was received."""
        data = self._wait('CORO_SELECT_RECEIVE', self._c.coro_channel_try_receive, bytes(self._type.size), timeout)
        return self._library.values.unpack(self._type, data)

    def __iter__(self):
        """The values that come, until the channel is closed."""
        while True:
            try:
                value = self.receive()
            except self._library.Error as error:
                if error.code != self._library.constants['CORO_ECLOSED']:
                    raise
                return
            yield value

    def close(self):
        """Says that nothing more will be sent."""
        self._library.check(self._c.coro_channel_close(self._channel))

    def free(self):
        """Frees it. Those who wait get CORO_ECLOSED."""
        self._library.check(self._c.coro_channel_free(self._channel))
        self._channel = self._library.backend.NULL

    def __len__(self):
        return self._c.coro_channel_length(self._channel)

    @property
    def is_closed(self):
        return self._c.coro_channel_is_closed(self._channel)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.free()

    def __del__(self):
        # On whatever thread collects it: only its own may free it, and only while that lives.
        if not getattr(self, '_is_lent', True) and self._library.is_open and self._thread is self._library.this_thread():
            self._c.coro_channel_free(self._channel)

    def _wait(self, kind, at_once, data, timeout):
        """Does it at once if it can be, or waits; in a coroutine, too, as long as there is nothing to wait for."""
        library = self._library
        memory, address = library.backend.memory(len(data))
        library.backend.write(address, data)
        code = at_once(self._channel, library.backend.pointer(address))
        if code == -library.EAGAIN:
            code = library.waiter.wait(library.constants[kind], library.nanoseconds(timeout), self._channel, address)
        library.check(code)
        return library.backend.read(address, len(data))
