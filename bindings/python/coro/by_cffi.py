"""libcoro by cffi, in its ABI mode, without a C compiler: types, memory and calls for library.py."""

import ctypes.util

import cffi

from .declarations import Function, Pointer, Struct
from .functions import Functions, refuse_python_function
from .header import Header


def is_python_function(value):
    """Whether value is a C function made of a Python one."""
    return ' calling ' in repr(value)


def checked(ffi, function):
    def call(*arguments):
        if any(isinstance(value, ffi.CData) and is_python_function(value) for value in arguments):
            refuse_python_function()
        return function(*(value.pointer if isinstance(value, Callback) else value for value in arguments))
    return call


def returning(backend, struct, name, function):
    """A function whose result is a struct with a union, which cffi can't have by value. A union with integers in it is returned
    as these are."""
    ffi, same = backend.ffi, f'struct result_of_{name}'
    ffi.cdef(same + '{' + ' '.join(f'uint{field.type.size * 8}_t {field.name};' for field in struct.fields) + '};')
    parameters = ', '.join(parameter.cname for parameter in ffi.typeof(function).args)
    function = ffi.cast(f'{same} (*)({parameters})', backend.symbol(name))

    def call(*arguments):
        result, integers = ffi.new(f'struct {struct.tag} *'), ffi.new(same + ' *', function(*arguments))
        ffi.memmove(result, integers, struct.size)
        return result
    return call


class Callback:
    """A Python function as a C function which is known never to be suspended."""

    def __init__(self, pointer, address):
        self.pointer, self.address = pointer, address


class Backend:
    name = 'cffi'

    def __init__(self, path=None, header=None):
        self.header = header or Header()
        self.ffi = cffi.FFI()
        self.ffi.cdef(self.header.cdef() + 'void *dlsym(void *handle, const char *name);\n'
                      'void *dlopen(const char *path, int flags);\n')
        self.path = path or ctypes.util.find_library('coro') or 'libcoro.so.0'
        self.library = self.ffi.dlopen(self.path)
        self.NULL = self.ffi.NULL
        self.c = Functions(self.header, self._declare)

    def _declare(self, name, declaration):
        """A function of coro.h. One that takes functions sees to it that they are none of Python."""
        function = getattr(self.library, name)
        if any(isinstance(p.type, Pointer) and isinstance(p.type.to, Function) for p in declaration.parameters):
            return checked(self.ffi, function)
        if isinstance(declaration.result, Struct):
            return returning(self, declaration.result, name, function)
        return function

    def variable(self, name):
        return getattr(self.library, name)

    def new(self, name):
        """A struct, all zero."""
        return self.ffi.new(f'struct {name} *')

    def array(self, name, count):
        return self.ffi.new(f'struct {name}[]', count)

    def texts(self, texts):
        """An array of const char *, in which None is NULL, and what must last as long."""
        kept = [self.ffi.NULL if text is None else self.ffi.new('char[]', text) for text in texts]
        return self.ffi.new('const char *[]', kept), kept

    def pointer(self, address):
        return self.ffi.cast('void *', address or 0)

    def address(self, pointer):
        """The address in a pointer that a callback was given, or that is in an array or a struct."""
        return int(self.ffi.cast('uintptr_t', pointer))

    def memory(self, size):
        """New memory, which lasts as long as what is returned first; and its address."""
        buffer = self.ffi.new('char[]', max(size, 1))
        return buffer, self.address(buffer)

    def read(self, address, size):
        return self.ffi.buffer(self.ffi.cast('char *', address), size)[:]

    def read_text(self, address):
        return self.ffi.string(self.ffi.cast('char *', address)) if address else None

    def write(self, address, data):
        self.ffi.memmove(self.ffi.cast('char *', address), data, len(data))

    def text(self, result):
        """What a function that returns a const char * has returned."""
        return None if result == self.ffi.NULL else self.ffi.string(result).decode('utf-8', 'replace')

    def address_of(self, value):
        """The address that an object of this library stands for; None if it is no such object."""
        if not isinstance(value, self.ffi.CData):
            return None
        if is_python_function(value):
            raise TypeError("a Python function can't be called by a coroutine that may be suspended: "
                            "register it as a target, and pass its function('direct')")
        kind = self.ffi.typeof(value).kind
        if kind in ('struct', 'union'):
            value = self.ffi.addressof(value)
        return self.address(value) if kind in ('pointer', 'array', 'function', 'struct', 'union') else None

    def symbol(self, name, path=None):
        """The address of a C function: in the library at path, or in libcoro and what the program has loaded."""
        ffi, text = self.ffi, name.encode()
        for file in [path] if path else [self.path, None]:
            handle = self.library.dlopen(ffi.NULL if file is None else file.encode(), ffi.RTLD_NOW)
            if handle == ffi.NULL:
                raise OSError(f'{file} is no library that can be loaded')
            found = self.library.dlsym(handle, text)
            if found != ffi.NULL:
                return self.address(found)
        return None

    def function_at(self, address):
        """The C function void (void) at an address."""
        return self.ffi.cast('void (*)(void)', address)

    def function_pointer(self, type_name, address):
        """An address as a function of a type of coro.h, to be passed to one."""
        return self.ffi.cast(type_name, address)

    def address_of_function(self, result):
        """The address that a function of coro.h has returned as a function."""
        return self.address(result)

    def set_function(self, struct, field, callback):
        setattr(struct, field, callback.pointer)

    def callback(self, type_name, function):
        """function, which must never suspend, as a C function of a type of coro.h."""
        pointer = self.ffi.callback(type_name, function)
        return Callback(pointer, self.address(pointer))

    def release_callback(self, function):
        """function, which must never suspend, as what is told that a target is gone."""
        return self.callback('void (*)(void *)', function)
