"""coro.h as header.py reads it: held against the C compiler, the list of exports and the library."""

import os
import re
import subprocess
import unittest

from support import ROOT, lib

from coro.declarations import SYSTEM_TYPES, Function, Parser, Pointer
from coro.preprocessor import Preprocessor, tokens_of


def compiled_table():
    """What the C compiler makes of the header: the lines of `header.py --table`, compiled and run."""
    output = subprocess.run([os.environ['CORO_TEST_TABLE']], check=True, capture_output=True, text=True).stdout
    return {name: [int(n) for n in numbers] for name, *numbers in (line.split() for line in output.splitlines())}


def exported():
    with open(os.path.join(ROOT, 'include/coro.exports'), encoding='utf-8') as file:
        return {line.split()[1] for line in file if line.strip() and not line.startswith('#')}


class HeaderTest(unittest.TestCase):
    def test_constants_are_what_the_compiler_says(self):
        table = compiled_table()
        self.assertGreater(len(lib.constants), 100)
        for name, value in lib.constants.items():
            self.assertEqual(value, table[name][0], name)
        with open(lib.header.path, encoding='utf-8') as file:
            numbers = re.findall(r'^#define (\w+) (?!\{|\\|\w*\()\(?[-~\w]', file.read(), re.MULTILINE)
        attributes = {'CORO_NULLABLE', 'CORO_NONNULL', 'CORO_UNUSED'}
        self.assertEqual(set(numbers) - attributes - set(lib.constants), set())

    def test_structs_are_what_the_compiler_says(self):
        table = compiled_table()
        structs = lib.header.complete_structs()
        self.assertGreater(len(structs), 15)
        for tag, struct in structs.items():
            self.assertEqual(struct.size, table[tag][0], tag)
            for field in struct.fields:
                name = f'{tag}.{field.name}'
                self.assertEqual([struct.offsets[field.name], field.type.size], table[name], name)

    def test_the_backend_has_the_same_structs(self):
        for tag, struct in lib.header.complete_structs().items():
            if lib.backend.name == 'cffi':
                ctype = lib.backend.ffi.typeof(f'struct {tag}')
                size, offsets = lib.backend.ffi.sizeof(ctype), {name: field.offset for name, field in ctype.fields}
            else:
                import ctypes
                ctype = type(lib.backend.new(tag))
                size, offsets = ctypes.sizeof(ctype), {name: getattr(ctype, name).offset for name, _ in ctype._fields_}
            self.assertEqual((size, offsets), (struct.size, struct.offsets), tag)

    def test_every_exported_function_is_declared_and_can_be_called(self):
        names = exported()
        self.assertEqual(names, (set(lib.header.functions) | set(lib.header.variables)) & names)
        for name in sorted(names & set(lib.header.functions)):
            self.assertTrue(callable(getattr(lib.c, name)), name)
        self.assertEqual(lib.backend.variable('coro_forever'), lib.constants['CORO_FOREVER'])
        self.assertEqual(lib.backend.variable('coro_nanoseconds_per_second'), 1_000_000_000)

    def test_every_declared_function_is_exported(self):
        self.assertEqual(set(lib.header.functions) | set(lib.header.variables), exported())

    def test_functions_are_called_with_their_types(self):
        self.assertEqual(lib.c.coro_version_number(), lib.constants['CORO_VERSION_NUMBER'])
        parts = [str(lib.constants[f'CORO_VERSION_{part}']) for part in ('MAJOR', 'MINOR', 'PATCH')]
        self.assertEqual(lib.version, '.'.join(parts))
        self.assertEqual(lib.backend.text(lib.c.coro_error_name(-5002)), 'CORO_EDEAD')
        self.assertIsNone(lib.backend.text(lib.c.coro_error_name(12345)))
        self.assertIs(lib.c.coro_is_running(), False)
        self.assertAlmostEqual(lib.c.coro_ticks_to_absolute_fsecs(lib.c.coro_absolute_fsecs_to_ticks(1e9)), 1e9, places=3)

    def test_a_struct_with_a_union_can_be_a_result(self):
        signed, double = lib.c.coro_value_of_signed(-5), lib.c.coro_value_of_double(0.5)
        self.assertEqual((signed.kind, getattr(signed, 'as').i), (lib.constants['CORO_VALUE_SIGNED'], -5))
        self.assertEqual((double.kind, getattr(double, 'as').d), (lib.constants['CORO_VALUE_DOUBLE'], 0.5))
        sized = lib.c.coro_value_of_bytes(lib.backend.pointer(0x1234), 12)
        self.assertEqual((sized.size, lib.backend.address(getattr(sized, 'as').p)), (12, 0x1234))

    def test_what_is_not_in_the_header_says_so(self):
        with self.assertRaisesRegex(AttributeError, 'no coro_nonsense in .*coro.h'):
            lib.c.coro_nonsense


class PreprocessorTest(unittest.TestCase):
    def test_conditions_and_macros(self):
        read = Preprocessor('''
            #define TWO 2 /* a comment */
            #define TWICE(x) ((x) * TWO)
            #define SELF SELF
            #if defined(TWO) && !defined(THREE)
            int a = TWICE(TWICE(5)); // another
            #elif 1
            int b;
            #else
            int c;
            #endif
            #ifdef THREE
            #if 1
            int d;
            #endif
            #else
            int SELF;
            #endif
            #define SPLIT (1 << \\
                           4)
        ''')
        self.assertEqual(' '.join(read.tokens), 'int a = ( ( ( ( 5 ) * 2 ) ) * 2 ) ; int SELF ;')
        self.assertEqual(read.constants(), {'TWO': 2, 'SPLIT': 16})

    def test_texts_have_no_comments_in_them(self):
        read = Preprocessor('#define GLOB "/*" /* it\'s one */\n#define URL "http://x"\n'
                            'int a; // it\'s\n#\tdefine\tTWO 2\n')
        self.assertEqual(' '.join(read.tokens), 'int a ;')
        self.assertEqual([read.macros[name].body for name in ('GLOB', 'URL', 'TWO')], [['"/*"'], ['"http://x"'], ['2']])

    def test_what_it_does_not_know_is_an_error(self):
        for text, part in (('#if 1 ? 2 : 3\n#endif', 'the value of #if'),
                           ('#if __has_include("x.h")\n#endif', 'the value of #if'),
                           ('#pragma pack(1)', 'pragma pack'), ('#error no', 'error no'),
                           ('#if 1', 'endif is missing'), ('#else', 'without an #if'), ('#endif', 'without an #if'),
                           ('#define F(x) x\nint a[F(1;', '"\\)" is missing')):
            with self.assertRaisesRegex(SyntaxError, part, msg=text):
                Preprocessor(text)
        Preprocessor('#if 0\n#pragma pack(1)\n#error no\n#if 1 ? 2 : 3\n#endif\n#endif')

    def test_declarations_it_does_not_know_are_errors(self):
        for text in ('enum { A, B };', 'struct s { int x : 3; };', 'struct s { struct other o; };', 'int a, b;',
                     'nonsense_t f(void);', 'static inline int f(void) { return 1; }', '__attribute__((packed)) int f(void);',
                     '_Static_assert(1, "x");'):
            with self.assertRaises(SyntaxError, msg=text):
                Parser(tokens_of(text), dict(SYSTEM_TYPES), {}).header()


class DeclarationTest(unittest.TestCase):
    def parse(self, text):
        return lib.values.parser(text).prototype()

    def test_types(self):
        name, function = self.parse(
            'unsigned long long int f(const char *path, short x, long double y, int a[static 3], char c, bool b)')
        self.assertEqual((name, function.result.size, function.result.signed), ('f', 8, False))
        self.assertEqual([p.type.size for p in function.parameters], [8, 2, 16, 8, 1, 1])
        self.assertEqual([p.name for p in function.parameters], ['path', 'x', 'y', 'a', 'c', 'b'])
        self.assertTrue(function.parameters[0].type.is_text)
        self.assertFalse(function.parameters[3].type.is_text)

    def test_functions_as_parameters_and_results(self):
        _, function = self.parse('void (*signal(int n, void (*handler)(int)))(int)')
        self.assertIsInstance(function.result.to, Function)
        self.assertIsInstance(function.parameters[1].type.to, Function)
        _, function = self.parse('int (int, unknown_t *)')
        self.assertIsInstance(function.parameters[1].type, Pointer)

    def test_defaults_and_ownership(self):
        _, function = self.parse(
            'int resize(borrowed const char *path, owned void *data, int width = 800, const char *t = "a,b)")')
        self.assertEqual([p.ownership for p in function.parameters], ['borrowed', 'owned', None, None])
        self.assertEqual([p.default for p in function.parameters], [None, None, '800', '"a,b)"'])

    def test_what_only_libcoro_needs_to_understand(self):
        _, function = self.parse(
            'int f(int n, int a[n], int b[*], int c[SIZE][4], owned *d, owned **, borrowed char *größe$_1)')
        self.assertEqual([p.name for p in function.parameters], ['n', 'a', 'b', 'c', 'd', '', 'größe$_1'])
        self.assertEqual([p.ownership for p in function.parameters], [None] * 6 + ['borrowed'])

    def test_what_is_no_prototype_is_refused(self):
        for text in ('int x', 'int f(int', 'int f[3]', ''):
            with self.assertRaises(SyntaxError, msg=text):
                self.parse(text)


if __name__ == '__main__':
    unittest.main()
