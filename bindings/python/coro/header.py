"""Reads coro.h: what it declares, as text for cffi, and as types for everybody else.

    python3 -m coro.header coro.h             what cffi is given
    python3 -m coro.header --table coro.h     a C program that prints what the compiler makes of the constants and structs
"""

import os
import re
import sys

from .declarations import OPAQUE, SYSTEM_TYPES, Parser, Struct
from .preprocessor import Preprocessor

# What cffi does not know by itself of the system's types.
SYSTEM_TYPEDEFS = ('off_t', 'pid_t', 'mode_t', 'socklen_t')


def find_header():
    """The path of coro.h: CORO_HEADER of the environment, that of the source tree, or that which is installed."""
    here = os.path.dirname(os.path.abspath(__file__))
    candidates = [os.environ.get('CORO_HEADER'), os.path.join(here, '../../../include/coro.h'),
                  os.path.join(sys.prefix, 'include/coro.h'), '/usr/local/include/coro.h', '/usr/include/coro.h']
    for path in candidates:
        if path and os.path.exists(path):
            return os.path.normpath(path)
    raise FileNotFoundError('there is no coro.h: set CORO_HEADER to its path')


class Header:
    """constants: integers by name. typedefs, structs, functions, variables: types by name."""

    def __init__(self, path=None):
        self.path = path or find_header()
        with open(self.path, encoding='utf-8') as file:
            preprocessor = Preprocessor(file.read())
        self.tokens = preprocessor.tokens
        self.constants = preprocessor.constants()
        self.typedefs = dict(SYSTEM_TYPES)
        self.structs = {}
        self.typedefs.update((name, Struct(name)) for name in OPAQUE)
        parser = Parser(self.tokens, self.typedefs, self.structs).header()
        self.functions, self.variables = parser.functions, parser.variables

    def complete_structs(self):
        """The structs with fields, by name."""
        return {tag: struct for tag, struct in self.structs.items() if struct.fields is not None}

    def cdef(self):
        """All declarations, for cffi.FFI.cdef()."""
        lines, line, depth = [], [], 0
        for name in SYSTEM_TYPEDEFS:
            system_type = SYSTEM_TYPES[name]
            lines.append(f'typedef {"" if system_type.signed else "u"}int{system_type.size * 8}_t {name};')
        for token in self.tokens:
            line.append(token)
            depth += (token == '{') - (token == '}')
            if token == ';' and depth == 0:
                if line[:2] == ['extern', 'const']:
                    del line[1]  # cffi takes it for a constant, which it can't look up
                lines.append(re.sub(r' ([;,)\]])|([(\[]) ', r'\1\2', ' '.join(line)))
                line = []
        return '\n'.join(lines) + '\n'

    def table(self):
        """A C program that prints each constant, and the size and the offsets of each struct."""
        lines = ['#include <coro.h>', '#include <stdio.h>', 'int main(void) {']
        for name in self.constants:
            lines.append(f'    printf("{name} %lld\\n", (long long){name});')
        for tag, struct in self.complete_structs().items():
            lines.append(f'    printf("{tag} %zu\\n", sizeof(struct {tag}));' if tag not in self.typedefs else
                         f'    printf("{tag} %zu\\n", sizeof({tag}));')
            for field in struct.fields:
                lines.append(f'    printf("{tag}.{field.name} %zu %zu\\n", offsetof(struct {tag}, {field.name}), '
                             f'sizeof(((struct {tag} *)0)->{field.name}));')
        return '\n'.join(lines + ['    return 0;', '}', ''])


if __name__ == '__main__':
    arguments = sys.argv[1:]
    is_table = '--table' in arguments
    header = Header(next((a for a in arguments if not a.startswith('--')), None))
    sys.stdout.write(header.table() if is_table else header.cdef())
