"""What the tests share: libcoro by the backend that CORO_TEST_BACKEND names."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

import coro  # noqa: E402

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../..'))
lib = coro.load(os.environ.get('CORO_TEST_BACKEND', 'ctypes'))
FUNCTIONS = os.environ.get('CORO_TEST_FUNCTIONS')  # functions.c, built


def code(name):
    """An error code by its name."""
    return lib.constants[name]
