"""libcoro by ctypes, of Python's own library: types, memory and calls for library.py."""

import ctypes
import ctypes.util

from .declarations import Array, Bool, Function, Integer, Pointer, Real, Scalar, Struct, Void
from .functions import Functions, refuse_python_function
from .header import Header

INTEGERS = {(size, signed): getattr(ctypes, f'c_{"" if signed else "u"}int{size * 8}')
            for size in (1, 2, 4, 8) for signed in (True, False)}
REALS = {4: ctypes.c_float, 8: ctypes.c_double, 16: ctypes.c_longdouble}


def is_python_function(value):
    """Whether value is a C function made of a Python one, or that after a cast."""
    if not isinstance(value, (ctypes._CFuncPtr, ctypes.c_void_p)):
        return False
    kept = value._objects.values() if isinstance(value._objects, dict) else ()
    return any(type(object).__name__ == 'CThunkObject' or is_python_function(object) for object in kept)


class Callback:
    """A Python function as a C function which is known never to be suspended."""

    def __init__(self, function, prototype):
        self.function = prototype(function)


class FunctionPointer(ctypes.c_void_p):
    """What stands for a C function in a call: its address, or a function of a library."""

    @classmethod
    def from_param(cls, value):
        if isinstance(value, Callback):
            value = value.function
        elif is_python_function(value):
            refuse_python_function()
        return ctypes.c_void_p.from_param(value)


class Backend:
    name = 'ctypes'
    NULL = None

    def __init__(self, path=None, header=None):
        self.header = header or Header()
        self.path = path or ctypes.util.find_library('coro') or 'libcoro.so.0'
        self.library = ctypes.CDLL(self.path)
        self._structs = {}
        self.c = Functions(self.header, self._declare)

    def _declare(self, name, declaration):
        function = getattr(self.library, name)
        function.argtypes = [self.type_of(parameter.type) for parameter in declaration.parameters]
        function.restype = self.type_of(declaration.result)
        return function

    def type_of(self, declared):
        """The type of ctypes for one of declarations."""
        if isinstance(declared, Void):
            return None
        if isinstance(declared, Bool):
            return ctypes.c_bool
        if isinstance(declared, Integer):
            return INTEGERS[declared.size, declared.signed]
        if isinstance(declared, Real):
            return REALS[declared.size]
        if isinstance(declared, Pointer):
            return self._pointer_type(declared)
        if isinstance(declared, Array):
            of = ctypes.c_char if declared.of.size == 1 else self.type_of(declared.of)
            return of * declared.length
        return self._struct_type(declared)

    def _pointer_type(self, pointer):
        to = pointer.to
        if isinstance(to, Function):
            return FunctionPointer
        if pointer.is_text:
            return ctypes.c_char_p
        if isinstance(to, Struct) and to.fields:
            return ctypes.POINTER(self._struct_type(to))
        if isinstance(to, Pointer):
            return ctypes.POINTER(ctypes.c_char_p if to.is_text else ctypes.c_void_p)
        if isinstance(to, Scalar) and to.size > 1:
            return ctypes.POINTER(self.type_of(to))
        return ctypes.c_void_p

    def _struct_type(self, struct):
        known = self._structs.get(id(struct))
        if known is None:
            known = type(struct.tag or 'anonymous', (ctypes.Union if struct.is_union else ctypes.Structure,), {})
            self._structs[id(struct)] = known
            known._fields_ = [(field.name, self._field_type(field.type)) for field in struct.fields]
        return known

    def _field_type(self, declared):
        # An address that ctypes does not convert: what is stored there is not to be kept alive by the struct.
        if isinstance(declared, Pointer) and not declared.is_text:
            return ctypes.c_void_p
        return self.type_of(declared)

    def variable(self, name):
        return self.type_of(self.header.variables[name]).in_dll(self.library, name).value

    def new(self, name):
        """A struct, all zero."""
        return self.type_of(self.header.structs[name])()

    def array(self, name, count):
        return (self.type_of(self.header.structs[name]) * count)()

    def texts(self, texts):
        """An array of const char *, in which None is NULL, and what must last as long."""
        array = (ctypes.c_char_p * len(texts))(*texts)
        return array, array

    def pointer(self, address):
        return address or None

    def address(self, pointer):
        """The address in a pointer that a callback was given, or that is in an array or a struct."""
        return pointer or 0

    def memory(self, size):
        """New memory, which lasts as long as what is returned first; and its address."""
        buffer = ctypes.create_string_buffer(max(size, 1))
        return buffer, ctypes.addressof(buffer)

    def read(self, address, size):
        return ctypes.string_at(address, size)

    def read_text(self, address):
        return ctypes.string_at(address) if address else None

    def write(self, address, data):
        ctypes.memmove(address, data, len(data))

    def text(self, result):
        """What a function that returns a const char * has returned."""
        return None if result is None else result.decode('utf-8', 'replace')

    def address_of(self, value):
        """The address that an object of this library stands for; None if it is no such object."""
        if is_python_function(value):
            raise TypeError("a Python function can't be called by a coroutine that may be suspended: "
                            "register it as a target, and pass its function('direct')")
        if isinstance(value, ctypes._CFuncPtr) or isinstance(value, (ctypes.c_void_p, ctypes.c_char_p, ctypes._Pointer)):
            return ctypes.cast(value, ctypes.c_void_p).value or 0
        if isinstance(value, (ctypes.Array, ctypes.Structure, ctypes.Union, ctypes._SimpleCData)):
            return ctypes.addressof(value)
        return None

    def symbol(self, name, path=None):
        """The address of a C function: in the library at path, or in libcoro and what the program has loaded."""
        for library in [ctypes.CDLL(path)] if path else [self.library, ctypes.CDLL(None)]:
            if hasattr(library, name):
                return ctypes.cast(library[name], ctypes.c_void_p).value
        return None

    def function_at(self, address):
        """The C function void (void) at an address."""
        return ctypes.CFUNCTYPE(None)(address)

    def function_pointer(self, type_name, address):
        """An address as a function of a type of coro.h, to be passed to one."""
        return address

    def address_of_function(self, result):
        """The address that a function of coro.h has returned as a function."""
        return getattr(result, 'value', result) or 0

    def set_function(self, struct, field, callback):
        setattr(struct, field, callback.address)

    def callback(self, type_name, function):
        """function, which must never suspend, as a C function of a type of coro.h."""
        return self._callback(self.header.typedefs[type_name].to, function)

    def release_callback(self, function):
        """function, which must never suspend, as what is told that a target is gone."""
        field = next(field for field in self.header.structs['coro_target_options'].fields if field.name == 'release')
        return self._callback(field.type.to, function)

    def _callback(self, declared, function):
        parameters = [self.type_of(parameter.type) for parameter in declared.parameters]
        callback = Callback(function, ctypes.CFUNCTYPE(self.type_of(declared.result), *parameters))
        callback.address = ctypes.cast(callback.function, ctypes.c_void_p).value
        return callback
