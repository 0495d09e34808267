"""What libcoro returns as an error code, as exceptions."""


class CoroError(Exception):
    """A call of libcoro failed. code: negative, as coro.h has it; name: its symbol; detail: what was wrong this time.

    Of a coroutine that failed because of an exception in Python, __cause__ is that exception.
    """

    def __init__(self, code, name, meaning, detail=''):
        super().__init__(code, name, meaning, detail)
        self.code, self.name, self.meaning, self.detail = code, name, meaning, detail

    def __str__(self):
        text = f'{self.name or self.code}: {self.meaning}'
        return f'{text} ({self.detail})' if self.detail else text


class CoroTimeout(CoroError):
    """The time given for a call, or for a `with timeout(...)`, ran out."""
