"""C's types on 64-bit Linux, and a parser of declarations: those of coro.h, and the prototypes of targets."""

import platform
import sys
from collections import Counter

from .preprocessor import INTEGER, NAME, number


class Type:
    """A type: size and alignment in bytes."""
    size, alignment = 0, 1


class Void(Type):
    pass


class Scalar(Type):
    def __init__(self, size, code, signed=False):
        self.size = self.alignment = size
        self.code = code  # of Python's struct module
        self.signed = signed


class Integer(Scalar):
    def __init__(self, size, signed):
        code = {1: 'b', 2: 'h', 4: 'i', 8: 'q'}[size]
        super().__init__(size, code if signed else code.upper(), signed)


class Bool(Scalar):
    def __init__(self):
        super().__init__(1, '?')


class Real(Scalar):
    def __init__(self, size):
        super().__init__(size, {4: 'f', 8: 'd', 16: None}[size], True)  # Python has no long double


class Pointer(Scalar):
    def __init__(self, to, to_const=False):
        super().__init__(8, 'Q')
        self.to, self.to_const = to, to_const

    @property
    def is_text(self):
        """const char *: what Python calls a str."""
        return self.to is CHAR and self.to_const


class Array(Type):
    def __init__(self, of, length):
        self.of, self.length = of, length
        self.size, self.alignment = of.size * length, of.alignment


class Function(Type):
    def __init__(self, result, parameters, variadic):
        self.result, self.parameters, self.variadic = result, parameters, variadic


class Struct(Type):
    """A struct or union. fields is None as long as they are not known; a union in it without a name is none of them."""

    def __init__(self, tag, is_union=False):
        self.tag, self.is_union, self.fields, self.offsets = tag, is_union, None, {}

    def define(self, fields):
        end, self.alignment = 0, max(field.type.alignment for field in fields)
        for field in fields:
            if isinstance(field.type, Struct) and field.type.fields is None:
                raise SyntaxError(f'the size of {field.type.tag} is not known, which is that of "{field.name}"')
            offset = 0 if self.is_union else -(-end // field.type.alignment) * field.type.alignment
            self.offsets[field.name] = offset
            end = max(end, offset + field.type.size)
        self.size = -(-end // self.alignment) * self.alignment
        self.fields = fields


class Parameter:
    """A parameter, or the field of a struct. default is its text, or None; ownership "borrowed", "owned" or None."""

    def __init__(self, type, name, default=None, ownership=None):
        self.type, self.name, self.default, self.ownership = type, name, default, ownership


VOID, BOOL, FLOAT, DOUBLE, LONG_DOUBLE = Void(), Bool(), Real(4), Real(8), Real(16)
CHAR = Integer(1, not platform.machine().startswith('aarch64'))
INT, LONG = Integer(4, True), Integer(8, True)
QUALIFIERS = {'const', 'volatile', 'restrict', '__restrict', 'static', 'extern', 'inline', 'register', '_Atomic'}
OWNERSHIP = {'borrowed': 'borrowed', 'owned': 'owned', 'CORO_BORROWED': 'borrowed', 'CORO_OWNED': 'owned'}
BASIC = {'void', 'char', 'short', 'int', 'long', 'signed', 'unsigned', 'float', 'double', 'bool', '_Bool'}

# The system's types that stand in coro.h, or that libcoro knows in prototypes, beside opaque ones.
SYSTEM_TYPES = {f'{u}int{bits}_t': Integer(bits // 8, not u) for u in ('', 'u') for bits in (8, 16, 32, 64)}
SYSTEM_TYPES.update({f'{u}int_{kind}{bits}_t': Integer(8 if kind == 'fast' and bits > 8 else bits // 8, not u)
                     for u in ('', 'u') for kind in ('least', 'fast') for bits in (8, 16, 32, 64)})
SYSTEM_TYPES.update(dict.fromkeys(
    ('ssize_t', 'ptrdiff_t', 'intptr_t', 'intmax_t', 'off_t', 'off64_t', 'time_t', 'clock_t', 'suseconds_t', 'blkcnt_t',
     'loff_t'), LONG))
SYSTEM_TYPES.update(dict.fromkeys(
    ('size_t', 'uintptr_t', 'uintmax_t', 'dev_t', 'ino_t', 'rlim_t', 'ino64_t', 'fsblkcnt_t', 'fsfilcnt_t', 'pthread_t',
     'u_long', 'u_int64_t'), Integer(8, False)))
SYSTEM_TYPES.update(dict.fromkeys(('pid_t', 'key_t', 'clockid_t', 'sig_atomic_t'), INT))
SYSTEM_TYPES.update(dict.fromkeys(
    ('mode_t', 'socklen_t', 'uid_t', 'gid_t', 'id_t', 'useconds_t', 'wint_t', 'char32_t', 'in_addr_t', 'u_int', 'u_int32_t'),
    Integer(4, False)))
SYSTEM_TYPES.update(dict.fromkeys(('sa_family_t', 'char16_t', 'in_port_t', 'u_short', 'u_int16_t'), Integer(2, False)))
SYSTEM_TYPES.update(dict.fromkeys(('char8_t', 'u_char', 'u_int8_t'), Integer(1, False)))
WIDE = 8 if CHAR.signed else 4  # on x86-64; on 64-bit ARM
SYSTEM_TYPES.update({'wchar_t': Integer(4, CHAR.signed), 'nlink_t': Integer(WIDE, False), 'blksize_t': Integer(WIDE, True)})
OPAQUE = ('FILE', 'DIR')


def basic_type(words):
    """The type that int, unsigned, long and the like make together."""
    count = Counter(words)
    signed = 'unsigned' not in count
    if 'void' in count:
        return VOID
    if 'bool' in count or '_Bool' in count:
        return BOOL
    if 'float' in count:
        return FLOAT
    if 'double' in count:
        return LONG_DOUBLE if count['long'] else DOUBLE
    if 'char' in count:
        return CHAR if len(words) == 1 else Integer(1, signed)
    return Integer(8 if count['long'] else 2 if count['short'] else 4, signed)


class Parser:
    """Parses declarations out of tokens. known: typedefs by name; structs: structs by tag. Both are added to.

    is_lenient: an unknown name is that of a type that nothing is known of.
    """

    def __init__(self, tokens, known, structs, is_lenient=False):
        self.tokens, self.i = tokens, 0
        self.known, self.structs, self.is_lenient = known, structs, is_lenient
        self.functions, self.variables = {}, {}

    def peek(self):
        return self.tokens[self.i] if self.i < len(self.tokens) else ''

    def next(self):
        token = self.peek()
        self.i += 1
        return token

    def accept(self, token):
        if self.peek() != token:
            return False
        self.i += 1
        return True

    def expect(self, token):
        if not self.accept(token):
            near = ' '.join(self.tokens[max(0, self.i - 5):self.i + 5])
            raise SyntaxError(f'"{token}" expected before "{self.peek()}" in: {near}')

    def header(self):
        """All declarations of a header, into functions, variables, known and structs."""
        while self.peek():
            is_type = self.accept('typedef')
            base, const = self.specifiers()
            if self.accept(';'):
                continue
            declared, name = self.declarator(base, const)
            self.expect(';')
            kind = self.known if is_type else self.functions if isinstance(declared, Function) else self.variables
            kind[name] = declared
        return self

    def prototype(self):
        """The declaration of one function, perhaps without a name: its name ('') and type."""
        base, const = self.specifiers()
        function, name = self.declarator(base, const)
        self.accept(';')
        if not isinstance(function, Function) or self.peek():
            raise SyntaxError('not the prototype of a function: ' + ' '.join(self.tokens))
        return name, function

    def specifiers(self):
        """What stands before the declarators: a type, and whether it is const."""
        words, found, const = [], None, False
        while True:
            token = self.peek()
            if token in QUALIFIERS:
                const |= self.next() == 'const'
            elif token in BASIC:
                words.append(self.next())
            elif found or words or not NAME.match(token):
                break
            elif token in ('struct', 'union', 'enum'):
                found = self.tagged(self.next())
            elif token in self.known:
                found = self.known[self.next()]
            elif self.is_lenient:
                found = self.structs.setdefault(token, Struct(token))
                self.next()
            else:
                break
        if not words and found is None:
            raise SyntaxError(f'a type expected before "{self.peek()}"')
        return found or basic_type(words), const

    def tagged(self, word):
        tag = self.next() if self.peek() != '{' else None
        if word == 'enum':
            return INT
        struct = self.structs.setdefault(tag, Struct(tag)) if tag else Struct(None, word == 'union')
        if self.accept('{'):
            struct.define(self.fields())
        return struct

    def fields(self, end='}'):
        fields = []
        while not self.accept(end):
            base, const = self.specifiers()
            while True:
                fields.append(Parameter(*self.declarator(base, const)))
                if not self.accept(','):
                    break
            self.expect(';')
        return fields

    def declarator(self, base, const):
        """The type that is made of base, and the name that is declared; '' if there is none."""
        while self.accept('*'):
            base, const = Pointer(base, const), False
            while self.peek() in QUALIFIERS:
                const |= self.next() == 'const'
        name, inner = '', None
        if self.peek() == '(' and self.tokens[self.i + 1:self.i + 2] == ['*']:
            inner = self.i + 1
            self.skip_parentheses()
        elif NAME.match(self.peek()):
            name = self.next()
        suffixes = []
        while self.peek() in ('(', '['):
            suffixes.append(self.suffix())
        for suffix in reversed(suffixes):
            base, const = suffix(base), False
        if inner is not None:
            after, self.i = self.i, inner
            base, name = self.declarator(base, const)
            self.i = after
        return base, name

    def suffix(self):
        if self.accept('['):
            while self.peek() in QUALIFIERS:  # [static 3]
                self.next()
            length = number(self.next()) if INTEGER.match(self.peek()) else 0
            while self.is_lenient and self.peek() not in (']', ''):  # a size that a prototype does not need: [n], [*]
                self.next()
            self.expect(']')
            return lambda base: Array(base, length)
        self.expect('(')
        parameters, variadic = self.parameters()
        return lambda base: Function(base, parameters, variadic)

    def parameters(self):
        parameters = []
        if self.peek() == 'void' and self.tokens[self.i + 1:self.i + 2] == [')']:
            self.next()
        while not self.accept(')'):
            if self.accept('...'):
                self.expect(')')
                return parameters, True
            parameters.append(self.parameter())
            if self.peek() != ')':
                self.expect(',')
        return parameters, False

    def parameter(self):
        ownership = None
        while self.peek() in OWNERSHIP and NAME.match(''.join(self.tokens[self.i + 1:self.i + 2])):  # else it is a type
            ownership = OWNERSHIP[self.next()]
        base, const = self.specifiers()
        declared, name = self.declarator(base, const)
        if isinstance(declared, Array):
            declared = Pointer(declared.of, const)
        elif isinstance(declared, Function):
            declared = Pointer(declared)
        default = None
        if self.accept('='):
            start = self.i
            while self.peek() not in (',', ')', ''):
                self.next()
            default = ' '.join(self.tokens[start:self.i])
        return Parameter(declared, name, default, ownership)

    def skip_parentheses(self):
        depth = 0
        while True:
            token = self.next()
            depth += (token == '(') - (token == ')')
            if depth == 0:
                return
            if not token:
                raise SyntaxError('a ")" is missing')


if sys.maxsize < 2 ** 63 - 1:
    raise ImportError('libcoro is for 64-bit systems')
