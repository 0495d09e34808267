"""libcoro for Python: coroutines on one event loop, that run C functions.

    import coro
    lib = coro.load()                      # by ctypes; coro.load('cffi') by cffi
    strlen = lib.register('size_t strlen(const char *text)')
    print(lib.spawn(strlen, 'hello').join(timeout=1))

Nothing is compiled: what there is, coro.h says, which is read when the library is loaded.
"""

import os

from .errors import CoroError, CoroTimeout

__all__ = ['CoroError', 'CoroTimeout', 'load']


def load(backend='ctypes', path=None, header=None):
    """Loads libcoro. path: of libcoro.so; or else CORO_LIBRARY of the environment, or where the system has it. header: the path
    of coro.h; or else CORO_HEADER, that of the source tree, or that which is installed."""
    if backend == 'ctypes':
        from .by_ctypes import Backend
    elif backend == 'cffi':
        from .by_cffi import Backend
    else:
        raise ValueError(f'{backend!r} is neither "ctypes" nor "cffi"')
    from .header import Header
    from .library import Library
    return Library(Backend(path or os.environ.get('CORO_LIBRARY'), Header(header)))
