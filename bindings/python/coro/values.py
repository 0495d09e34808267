"""Values between Python and C's memory: numbers, texts, addresses, and structs as named tuples."""

import operator
import struct
import sys
from collections import namedtuple
from numbers import Real as RealNumber

from .declarations import Array, Integer, Parser, Pointer, Real, Struct, Void
from .preprocessor import tokens_of


def encoded(text, what='the text'):
    """A str or bytes as C's text."""
    data = text.encode('utf-8', 'surrogateescape') if isinstance(text, str) else bytes(text)
    if b'\0' in data:
        raise ValueError(f'{what} has a NUL in it, where it would end for C')
    return data


def long_double_from(data):
    """A long double as a float: x86-64's 80 bits, or the 128 bits of others."""
    bits = int.from_bytes(data, sys.byteorder)
    if data[10:] == bytes(6):
        sign, exponent, mantissa, width = bits >> 79 & 1, bits >> 64 & 0x7fff, bits & (1 << 64) - 1, 63
    else:
        sign, exponent, width = bits >> 127, bits >> 112 & 0x7fff, 112
        mantissa = bits & (1 << 112) - 1 | (exponent != 0) << 112
    if exponent == 0x7fff:
        value = float('nan') if mantissa & (1 << width) - 1 else float('inf')
    else:
        try:
            value = mantissa / (1 << width) * 2.0 ** (exponent - 16383) if mantissa else 0.0
        except OverflowError:
            value = float('inf') if exponent > 16383 else 0.0
    return -value if sign else value


class Values:
    """Reads and writes values of the types of C. Knows the structs that were declared to libcoro."""

    def __init__(self, backend):
        self.backend = backend
        self.structs = {}
        self._tuples = {}

    def parser(self, text):
        return Parser(tokens_of(text), dict(self.backend.header.typedefs, **self.structs), dict(self.structs), is_lenient=True)

    def declare_struct(self, name, fields):
        """The class of a struct, a named tuple, with the fields that are declared as in C."""
        declared = Struct(name)
        declared.define(self.parser(fields + '}').fields())
        self.structs[name] = declared
        self._tuples[name] = namedtuple(name, [field.name for field in declared.fields])
        return self._tuples[name]

    def type_named(self, text):
        """The type that is written as in C: "uint32_t", "const char *", the name of a struct."""
        parser = self.parser(text)
        declared, name = parser.declarator(*parser.specifiers())
        if parser.peek() or name or declared.size == 0:
            raise ValueError(f'"{text}" is no type of known size')
        return declared

    def pack(self, declared, value):
        """The bytes of a value of a type."""
        if isinstance(declared, Struct):
            return self._pack_struct(declared, value)
        if isinstance(declared, Array):
            return self._pack_array(declared, value)
        if isinstance(declared, Pointer):
            return struct.pack('@Q', self.address(value))
        if isinstance(declared, Integer):
            value = operator.index(value)
            bits, sign = declared.size * 8, 'a signed' if declared.signed else 'an unsigned'
            if not 0 <= value + (1 << bits - 1 if declared.signed else 0) < 1 << bits:
                raise OverflowError(f'{value} does not fit {sign} integer of {bits} bits')
        elif isinstance(declared, Real) and declared.code is None:
            raise TypeError('Python has no long double')
        return struct.pack('@' + declared.code, value)

    def unpack(self, declared, data):
        """The value of a type that the bytes are; of a pointer, the text or the address, None for NULL."""
        if isinstance(declared, Void):
            return None
        if isinstance(declared, Struct):
            if declared.tag not in self._tuples:
                return bytes(data)
            return self._tuples[declared.tag](*(self.unpack(field.type, data[offset:offset + field.type.size])
                                                for field, offset in self._fields(declared)))
        if isinstance(declared, Array):
            size = declared.of.size
            parts = tuple(self.unpack(declared.of, data[i * size:(i + 1) * size]) for i in range(declared.length))
            return bytes(data) if size == 1 and isinstance(declared.of, Integer) else parts
        if isinstance(declared, Real) and declared.code is None:
            return long_double_from(data)
        value, = struct.unpack('@' + declared.code, data)
        return self.from_address(declared, value) if isinstance(declared, Pointer) else value

    def from_address(self, declared, address):
        if declared is not None and declared.is_text and address:
            return self.backend.read_text(address).decode('utf-8', 'surrogateescape')
        return address or None

    def address(self, value):
        """The address that value is, or stands for."""
        if value is None:
            return 0
        if hasattr(value, 'address'):
            value = value.address
        found = self.backend.address_of(value)
        return operator.index(value) if found is None else found

    def _fields(self, declared):
        return [(field, declared.offsets[field.name]) for field in declared.fields]

    def _pack_struct(self, declared, value):
        if isinstance(value, (bytes, bytearray)):
            if declared.fields and len(value) != declared.size:
                raise ValueError(f'{len(value)} bytes for a {declared.tag} of {declared.size}')
            return bytes(value)
        if not declared.fields or len(value) != len(declared.fields):
            raise TypeError(f'{value!r} is no {declared.tag}: {len(declared.fields or ())} values are')
        data = bytearray(declared.size)
        for (field, offset), part in zip(self._fields(declared), value):
            data[offset:offset + field.type.size] = self.pack(field.type, part)
        return bytes(data)

    def _pack_array(self, declared, value):
        if isinstance(value, (bytes, bytearray)) and declared.of.size == 1:
            value = bytes(value).ljust(declared.length, b'\0')
            parts = [value]
        else:
            parts = [self.pack(declared.of, part) for part in value]
        data = b''.join(parts)
        if len(data) != declared.size:
            raise ValueError(f'{len(data)} bytes for an array of {declared.size}')
        return data


class Arguments:
    """The arguments of one call as coro_values. What they point to lasts as long as this."""

    def __init__(self, values, target, positional, named):
        self._values, self._backend, self._target = values, values.backend, target
        self._kept = []
        self.count = len(positional) + len(named)
        self.values = self._backend.array('coro_value', max(self.count, 1))
        parameters = target.parameters
        by_name = {parameter.name: parameter for parameter in parameters if parameter.name}
        for i, argument in enumerate(positional):
            self._set(i, argument, parameters[i] if i < len(parameters) else None)
        for i, (name, argument) in enumerate(named.items(), len(positional)):
            self._set(i, argument, by_name.get(name), name)
        self.names = self._backend.NULL
        if named:
            texts = [None] * len(positional) + [encoded(name) for name in named]
            self.names, kept = self._backend.texts(texts)
            self._kept.append(kept)

    def _set(self, i, argument, parameter, name=None):
        """Says what the argument is. Whether it fits the parameter, libcoro says, where it can be said of a coro_value."""
        constants, value = self._backend.header.constants, self.values[i]
        declared = parameter.type if parameter else None
        what = f'{self._target.name or "the target"}: argument {name or (parameter and parameter.name) or i + 1}'
        union = getattr(value, 'as')
        if isinstance(declared, Struct):
            data = self._values.pack(declared, argument)
            value.kind, value.size = constants['CORO_VALUE_BYTES'], len(data)
            union.p = self._backend.pointer(self._keep(data))
        elif isinstance(argument, (str, bytes)) or isinstance(declared, Pointer):
            value.kind = constants['CORO_VALUE_POINTER']
            union.p = self._backend.pointer(self._address(argument, parameter, what))
        elif isinstance(argument, (bool, int)) or hasattr(argument, '__index__'):
            number = operator.index(argument)
            if not -1 << 63 <= number < 1 << 64:
                raise OverflowError(f'{what}: {number} has more than 64 bits')
            value.kind = constants['CORO_VALUE_SIGNED' if number < 1 << 63 else 'CORO_VALUE_UNSIGNED']
            setattr(union, 'i' if number < 1 << 63 else 'u', number)
        elif isinstance(argument, RealNumber):
            value.kind, union.d = constants['CORO_VALUE_DOUBLE'], float(argument)
        else:
            raise TypeError(f"{what} can't be made of a {type(argument).__name__}")

    def _address(self, argument, parameter, what):
        if not isinstance(argument, (str, bytes)):
            try:
                return self._values.address(argument)
            except TypeError as error:
                raise TypeError(f'{what}: {error}') from None
        if parameter and isinstance(parameter.type, Pointer) and (not parameter.type.is_text or parameter.ownership):
            raise TypeError(f"{what} would outlive the {type(argument).__name__}, which only a const char * copies: "
                            'pass the address of memory that lasts')
        return self._keep(encoded(argument, what) + b'\0')

    def _keep(self, data):
        buffer, address = self._backend.memory(len(data))
        self._backend.write(address, data)
        self._kept.append(buffer)
        return address
