"""What the two backends have in common: the functions of coro.h as attributes, and what must not be among their arguments."""


class Functions:
    """The functions of coro.h, each declared when it is first used, by what declare(name, declaration) of the backend says."""

    def __init__(self, header, declare):
        self._header, self._declare = header, declare

    def __getattr__(self, name):
        declaration = self._header.functions.get(name)
        if declaration is None:
            raise AttributeError(f'there is no {name} in {self._header.path}')
        function = self._declare(name, declaration)
        setattr(self, name, function)
        return function


def refuse_python_function():
    raise TypeError("a Python function can't be run by a coroutine that may be suspended: register it as a target")
