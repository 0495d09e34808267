"""C functions as targets: arguments, results, errors, and what waits in them."""

import gc
import math
import os
import re
import threading
import unittest

from support import FUNCTIONS, ROOT, code, coro, lib




class CTest(unittest.TestCase):
    def register(self, prototype, function=None, library=FUNCTIONS):
        target = lib.register(prototype, function, library)
        self.addCleanup(target.unregister)
        return target

    def refused(self, name, text, call, *arguments, **named):
        with self.assertRaises(coro.CoroError) as caught:
            call(*arguments, **named)
        self.assertEqual(caught.exception.name, name)
        self.assertIn(text, caught.exception.detail)
        return caught.exception


class ResultTest(CTest):
    def test_functions_of_libc(self):
        strlen = self.register('size_t strlen(const char *text)', library=None)
        atoi = self.register('int atoi(const char *text)', library=None)
        absolute = self.register('int absolute(int n)', 'abs', library=None)
        self.assertEqual(lib.spawn(strlen, 'hello, wörld').join(), 13)
        self.assertEqual(lib.spawn(atoi, b'-42').join(), -42)
        self.assertEqual(absolute.spawn(-7).join(), 7)

    def test_each_result_has_its_type(self):
        for prototype, arguments, result in (
                ('int8_t add_small(int8_t a, int8_t b)', (100, 100), -56),
                ('uint64_t largest(void)', (), 2 ** 64 - 1),
                ('bool is_even(int n)', (4,), True),
                ('bool is_even(int n)', (5,), False),
                ('float half(float x)', (0.25,), 0.125),
                ('const char *shortest(const char *a, const char *b)', ('longer', 'short'), 'second'),
                ('void *same(void *pointer)', (0x1234567890,), 0x1234567890),
                ('void *same(void *pointer)', (None,), None),
                ('void nothing(void)', (), None)):
            target = lib.register(prototype, None, FUNCTIONS)
            found = lib.spawn(target, *arguments).join()
            target.unregister()
            self.assertEqual((found, type(found)), (result, type(result)), prototype)

    def test_a_long_double_is_a_float(self):
        third = self.register('long double third(long double x)')
        for x in (1.0, -12.0, 0.0, 3e300):
            self.assertEqual(lib.spawn(third, x).join(), x / 3)
        self.assertEqual(lib.spawn(third, math.inf).join(), math.inf)
        self.assertTrue(math.isnan(lib.spawn(third, math.nan).join()))

    def test_structs_are_named_tuples(self):
        Point = lib.struct('point', 'double x, y; int8_t tag; char name[3];')
        scaled = self.register('point scaled(point p, double by)')
        found = lib.spawn(scaled, Point(1.5, -2.0, 7, b'abc'), 2).join()
        self.assertEqual(found, Point(3.0, -4.0, -7, b'abc'))
        self.assertEqual(lib.c.coro_struct_offset(b'point', b'name'), 17)
        with self.assertRaises(TypeError):
            lib.spawn(scaled, (1, 2), 2)
        with self.assertRaises(OverflowError):
            lib.spawn(scaled, Point(1, 2, 128, b''), 2)

    def test_structs_of_others_are_bytes(self):
        lib.check(lib.c.coro_struct_register(b'pair_of_others', b'int32_t a, b;'))
        target = self.register('void *take(pair_of_others p)', 'same')
        self.assertEqual(lib.spawn(target, b'\1\0\0\0\2\0\0\0').join(), 0x200000001)


class ArgumentTest(CTest):
    def test_names_and_defaults(self):
        area = self.register('int area(int width, int height = 3)')
        self.assertEqual(lib.spawn(area, 5).join(), 15)
        self.assertEqual(lib.spawn(area, 5, 6).join(), 30)
        self.assertEqual(lib.spawn(area, height=2, width=7).join(), 14)
        self.assertEqual(lib.spawn(area, 5, height=4).join(), 20)

    def test_what_is_wrong_is_named(self):
        area = self.register('int area(int width, int height)')
        self.refused('EINVAL', 'height', lib.spawn, area, 5)
        self.refused('EINVAL', '', lib.spawn, area, 5, 6, 7)
        self.refused('EINVAL', 'depth', lib.spawn, area, 5, depth=1)
        self.refused('EINVAL', 'width', lib.spawn, area, 5, 6, width=1)
        self.refused('EINVAL', 'width', lib.spawn, area, 0.5, 6)
        self.refused('EINVAL', 'width', lib.spawn, area, 'wide', 6)
        self.refused('ERANGE', 'height', lib.spawn, area, 5, 2 ** 31)
        with self.assertRaisesRegex(OverflowError, 'area: argument width'):
            lib.spawn(area, 2 ** 64, 1)
        with self.assertRaisesRegex(TypeError, 'area: argument height.*list'):
            lib.spawn(area, 1, [])

    def test_a_text_is_copied_until_the_target_has_ended(self):
        length = self.register('int length_after(int64_t ns, const char *text)')
        text = 'x' * 1000
        waiting = lib.spawn(length, 2_000_000, text + 'y')
        del text
        others = [lib.spawn(length, 0, 'z' * 1001) for _ in range(20)]
        gc.collect()
        self.assertEqual([other.join() for other in others], [1001] * 20)
        self.assertEqual(waiting.join(), 1001)

    def test_a_text_that_nobody_copies_is_refused(self):
        for prototype in ('void *same(void *pointer)', 'void *same(char *pointer)', 'void *same(borrowed const char *pointer)'):
            target = lib.register(prototype, None, FUNCTIONS)
            with self.assertRaisesRegex(TypeError, 'outlive'):
                lib.spawn(target, 'text')
            target.unregister()
        with self.assertRaisesRegex(ValueError, 'NUL'):
            lib.spawn(self.register('int atoi(const char *text)', library=None), 'a\0b')

    def test_memory_of_the_backend_is_passed_as_its_address(self):
        memory, address = lib.backend.memory(8)
        self.assertEqual(lib.spawn(self.register('void *same(void *pointer)'), memory).join(), address)

    def test_the_name_of_a_coroutine(self):
        area = self.register('int area(int width, int height)')
        self.assertEqual(lib.spawn(area, 1, 2).name, 'area')
        self.assertEqual(lib.spawn(area, 1, 2, thread_name='Anna').name, 'Anna')


class RegistryTest(CTest):
    def test_by_name(self):
        target = self.register('int area(int width, int height = 9)')
        self.assertEqual(lib.find('area').id, target.id)
        self.assertEqual(lib.spawn('area', 2).join(), 18)
        self.assertIn('int area(int width, int height = 9)', repr(target))

    def test_every_integer_type_that_libcoro_knows(self):
        with open(os.path.join(ROOT, 'Sources/CCoroPlatform/words.c'), encoding='utf-8') as file:
            names = re.findall(r'INTEGER\((\w+_t|u_\w+)\)', file.read())
        self.assertGreater(len(names), 50)
        for name in names:
            target = lib.register(f'{name} same({name} n)', lambda n: n)
            bits, signed = target.result.size * 8, target.result.signed
            least, most = (-1 << bits - 1, (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
            self.assertEqual([lib.spawn(target, n).join() for n in (least, most)], [least, most], name)
            if bits < 64:
                self.refused('ERANGE', 'does not fit', lib.spawn, target, most + 1)
            target.unregister()

    def test_errors(self):
        self.refused('ENOENT', '', lib.spawn, 'nobody')
        self.refused('EINVAL', 'line 1, column', lib.register, 'int area(int width, ...)', 'area', FUNCTIONS)
        self.register('int area(int width, int height)')
        self.refused('EEXIST', '', lib.register, 'int area(int width, int height)', 'area', FUNCTIONS)
        with self.assertRaisesRegex(LookupError, 'no function nonsense'):
            lib.register('int nonsense(void)')
        with self.assertRaises(OSError):
            lib.register('int area(int, int)', 'area', '/no/such/library.so')
        with self.assertRaises(TypeError):
            lib.register('int area(int, int)', 3.5)

    def test_unregistered(self):
        target = lib.register('int length_after(int64_t ns, const char *text)', None, FUNCTIONS)
        running = lib.spawn(target, 1_000_000, 'four')
        target.unregister()
        self.refused('ESRCH', '', lib.spawn, target, 0, '')
        self.refused('ESRCH', '', target.unregister)
        self.assertEqual(running.join(), 4)


class CoroutineTest(CTest):
    def setUp(self):
        lib.c.coro_test_set_virtual_time(True)
        self.addCleanup(lib.c.coro_test_set_virtual_time, False)
        self.sleeper = self.register('int sleeper(int64_t ns)')

    def test_a_join_waits_for_as_long_as_it_may(self):
        coroutine = lib.spawn(self.sleeper, 60 * 10 ** 9)
        self.assertTrue(coroutine.is_alive)
        with self.assertRaises(coro.CoroTimeout):
            coroutine.join(timeout=59)
        with self.assertRaises(coro.CoroTimeout):
            coroutine.join(timeout=0)
        self.assertEqual(coroutine.join(timeout=2), 1)
        self.assertFalse(coroutine.is_alive)
        self.assertEqual(self.refused('CORO_EDEAD', '', coroutine.join).code, code('CORO_EDEAD'))

    def test_a_join_within_a_timeout(self):
        coroutine = lib.spawn(self.sleeper, 60 * 10 ** 9)
        with self.assertRaises(coro.CoroTimeout):
            with lib.timeout(10):
                coroutine.join()
        self.assertEqual(coroutine.join(), 1)

    def test_failures(self):
        failing = self.register('int failing(int code, const char *message)')
        told = []
        lib.set_exception_notifier(lambda *arguments: told.append(arguments))
        self.addCleanup(lib.set_exception_notifier, None)
        coroutine = lib.spawn(failing, -5, 'the disk is full of eels')
        error = self.refused('EIO', 'the disk is full of eels', coroutine.join)
        self.assertIsNone(error.__cause__)
        self.assertEqual(told, [(coroutine.id, -5, 'the disk is full of eels')])
        # A failure with the code of a timeout is a failure all the same.
        with self.assertRaisesRegex(coro.CoroTimeout, 'its own'):
            lib.spawn(failing, code('CORO_ETIMEOUT'), 'its own').join()

    def test_told_to_end(self):
        coroutine = lib.spawn(self.sleeper, 10 ** 9)
        lib.sleep(0.1)
        coroutine.shutdown()
        self.refused('CORO_ESHUTDOWN', 'broke it off', coroutine.join)

    def test_started_later(self):
        coroutine = lib.new(self.sleeper, 10 ** 9)
        self.refused('CORO_ENOTSTARTED', '', coroutine.join)
        coroutine.start()
        self.assertEqual(coroutine.join(), 1)
        coroutine = lib.start_now(self.sleeper, 10 ** 9)
        self.assertTrue(coroutine.is_alive)
        self.refused('CORO_ESCHEDULE', '', coroutine.start)
        self.assertEqual(coroutine.join(), 1)

    def test_one_that_nobody_keeps_is_detached(self):
        before = lib.c.coro_get_live_coros()
        id = lib.spawn(self.sleeper, 10 ** 9).id
        gc.collect()
        self.assertTrue(lib.c.coro_is_alive(id))
        lib.sleep(2)
        self.assertEqual(lib.c.coro_get_live_coros(), before)

    def test_a_detached_one_can_not_be_joined(self):
        coroutine = lib.spawn(self.sleeper, 10 ** 9)
        coroutine.detach()
        self.assertTrue(coroutine.is_alive)
        lib.sleep(2)
        self.refused('CORO_EDEAD', '', coroutine.join)

    def test_what_it_is_shown_as(self):
        coroutine = lib.spawn(self.sleeper, 10 ** 9)
        coroutine.name = 'Bob'
        self.assertIn("name='Bob'", repr(coroutine))
        coroutine.join()
        self.assertIn('nothing is left', repr(coroutine))

    def test_functions_of_libcoro_suspend(self):
        sleep = self.register('int coro_sleep(int64_t ns)', library=None)
        before = lib.now()
        coroutines = [lib.spawn(sleep, 10 ** 9) for _ in range(100)]
        self.assertEqual([coroutine.join() for coroutine in coroutines], [0] * 100)
        self.assertAlmostEqual(lib.now() - before, 1)

    def test_a_channel_between_c_and_python(self):
        produce = self.register('int produce(coro_channel *channel, int n, int64_t pause)')
        sum_of = self.register('int sum_of(coro_channel *channel)')
        with lib.channel('int') as channel:
            producer = lib.spawn(produce, channel, 5, 10 ** 9)
            self.assertEqual(list(channel), [1, 2, 3, 4, 5])
            self.assertEqual(producer.join(), 0)
        with lib.channel('int', 1) as channel:
            summing = lib.spawn(sum_of, channel)
            for n in range(10):
                channel.send(n)
            channel.close()
            self.assertEqual(summing.join(), 45)

    def test_a_channel_that_c_uses_lives(self):
        produce = self.register('int produce(coro_channel *channel, int n, int64_t pause)')
        producer = lib.spawn(produce, lib.channel('int', 3), 3, 10 ** 9)
        gc.collect()
        self.assertEqual(producer.join(), 0)

    def test_a_channel_is_freed_by_its_own_thread_alone(self):
        freed, free = [], lib.c.coro_channel_free
        lib.c.coro_channel_free = lambda channel: freed.append(channel) or free(channel)
        self.addCleanup(setattr, lib.c, 'coro_channel_free', free)
        channels = [lib.channel('int')]
        thread = threading.Thread(target=lambda: channels.append(lib.channel('int')))
        thread.start()
        thread.join()
        del channels[1]
        gc.collect()
        self.assertEqual(freed, [])
        del channels[0]
        gc.collect()
        self.assertEqual(len(freed), 1)

    def test_the_event_loop(self):
        self.register('void coro_set_exit(int code)', library=None)
        self.assertEqual(lib.event_loop(until_idle=True), 0)
        lib.c.coro_set_print_exit_string(False)
        finish = lib.spawn('coro_set_exit', 3)
        self.assertEqual(lib.event_loop(), 3)
        finish.join()
        park = self.register('int coro_park(void *value)', library=None)
        parked = lib.spawn(park, None)
        self.refused('EDEADLK', 'coro_park', lib.event_loop, detect_deadlock=True)
        parked.shutdown()
        self.assertEqual(parked.join(), code('CORO_ESHUTDOWN'))


class CallbackTest(CTest):
    """A function of Python's as a C function may be run where coroutines are suspended, and must not be."""

    def made_of_python(self, function):
        if lib.backend.name == 'cffi':
            return lib.backend.ffi.callback('int (*)(int)', function)
        import ctypes
        return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(function)

    def test_refused(self):
        call_back = self.register('int call_back(int (*function)(int), int n)')
        callback = self.made_of_python(lambda n: n)
        for call in (lambda: lib.spawn(call_back, callback, 1), lambda: lib.register('int f(int n)', callback),
                     lambda: lib.c.coro_spawn(callback, lib.backend.NULL)):
            with self.assertRaisesRegex(Exception, 'Python function .* suspended'):
                call()

    @unittest.skipIf(lib.backend.name == 'cffi', 'what cffi casts is an address alone')
    def test_refused_after_a_cast(self):
        import ctypes
        call_back = self.register('int call_back(int (*function)(int), int n)')
        for type in (ctypes.c_void_p, ctypes.CFUNCTYPE(None)):
            with self.assertRaisesRegex(TypeError, 'Python function .* suspended'):
                lib.spawn(call_back, ctypes.cast(self.made_of_python(lambda n: n), type), 1)

    def test_a_python_target_can_be_called_directly(self):
        call_back = self.register('int call_back(int (*function)(int), int n)')
        seen = []

        def doubled(n):
            seen.append((lib.c.coro_current(), lib.c.coro_sleep(0)))
            with self.assertRaisesRegex(coro.CoroError, "can't wait inside a coroutine"):
                lib.sleep(1)
            return 2 * n

        with self.register('int doubled(int n)', doubled).function('direct') as function:
            coroutines = [lib.spawn(call_back, function, n) for n in range(10)]
            self.assertEqual([coroutine.join() for coroutine in coroutines], [2 * n for n in range(10)])
        self.assertEqual(seen, [(coroutine.id, code('CORO_EYIELDFROMMAIN')) for coroutine in coroutines])

    def test_an_exception_in_one_becomes_that_of_its_coroutine(self):
        call_back = self.register('int call_back(int (*function)(int), int n)')
        lib.set_exception_notifier(lambda *_: None)
        self.addCleanup(lib.set_exception_notifier, None)
        with self.register('int wrong(int n)', lambda n: 1 // n).function('direct') as function:
            coroutine = lib.spawn(call_back, function, 0)
            error = self.refused('CORO_EFAILED', 'ZeroDivisionError', coroutine.join)
            self.assertIsInstance(error.__cause__, ZeroDivisionError)


if __name__ == '__main__':
    unittest.main()
