"""Functions of Python's as targets: they run in coroutines, one after the other, and never wait there."""

import gc
import os
import signal
import sys
import threading
import unittest
import weakref

from support import FUNCTIONS, code, coro, lib


class PythonTargetTest(unittest.TestCase):
    def setUp(self):
        lib.set_exception_notifier(lambda *_: None)
        self.addCleanup(lib.set_exception_notifier, None)

    def register(self, prototype, function, library=None):
        target = lib.register(prototype, function, library)
        self.addCleanup(target.unregister)
        return target

    def failure(self, coroutine):
        with self.assertRaises(coro.CoroError) as caught:
            coroutine.join()
        return caught.exception


class CallTest(PythonTargetTest):
    def test_arguments_and_results(self):
        for prototype, arguments in (
                ('int f(int8_t a)', (-128,)), ('uint64_t f(uint64_t a)', (2 ** 64 - 1,)), ('bool f(bool a)', (True,)),
                ('float f(float a)', (0.5,)), ('double f(double a)', (1e300,)), ('char f(char a)', (65,)),
                ('void *f(void *a)', (None,)), ('void *f(const void *a)', (0x123456789,)), ('int f(int a)', (-1,))):
            target = lib.register(prototype, lambda a: a)
            found = lib.spawn(target, *arguments).join()
            target.unregister()
            self.assertEqual((found, type(found)), (arguments[0], type(arguments[0])), prototype)

    def test_texts_names_and_defaults(self):
        seen = []
        target = self.register('void f(const char *who, const char *what = "hi", int times = 1)', lambda *a: seen.append(a))
        for arguments, named in ((('Wörld',), {}), ((None, 'x', 3), {}), ((), {'times': 2, 'who': ''})):
            self.assertIsNone(lib.spawn(target, *arguments, **named).join())
        self.assertEqual(seen, [('Wörld', 'hi', 1), (None, 'x', 3), ('', 'hi', 2)])

    def test_structs(self):
        Size = lib.struct('size_of_it', 'int16_t width; double height[2];')
        target = self.register('size_of_it turn(size_of_it s)', lambda s: Size(-s.width, s.height[::-1]))
        self.assertEqual(lib.spawn(target, Size(3, (1.0, 2.0))).join(), Size(-3, (2.0, 1.0)))

    def test_as_a_decorator(self):
        @lib.target('int add(int a, int b = 1)')
        def add(a, b):
            return a + b
        self.addCleanup(add.unregister)
        self.assertEqual(add.spawn(4).join(), 5)
        self.assertEqual(lib.spawn('add', 4, b=5).join(), 9)

    def test_called_by_name_from_c(self):
        self.register('int doubled(int n)', lambda n: 2 * n)
        run_named = self.register('int run_named(const char *name, int n)', None, FUNCTIONS)
        self.assertEqual(lib.spawn(run_named, 'doubled', 21).join(), 42)

    def test_each_has_its_own_coroutine(self):
        seen = []
        target = self.register('void f(void)', lambda: seen.append(lib.c.coro_current()))
        coroutines = [lib.spawn(target) for _ in range(5)]
        for coroutine in reversed(coroutines):
            coroutine.join()
        self.assertEqual(seen, [coroutine.id for coroutine in coroutines])


class ExceptionTest(PythonTargetTest):
    def test_an_exception_is_the_cause_of_what_join_raises(self):
        def wrong():
            raise ValueError('that is\0bad')
        error = self.failure(lib.spawn(self.register('int wrong(void)', wrong)))
        self.assertEqual((error.code, error.detail), (code('CORO_EFAILED'), 'ValueError: that is bad'))
        self.assertIsInstance(error.__cause__, ValueError)
        self.assertEqual(error.__cause__.__traceback__.tb_next.tb_next.tb_frame.f_code.co_name, 'wrong')

    def test_an_exception_without_a_text_is_one(self):
        class Mute(Exception):
            def __str__(self):
                raise ValueError

        def wrong():
            raise Mute
        error = self.failure(lib.spawn(self.register('int wrong(void)', wrong)))
        self.assertEqual((error.code, error.detail), (code('CORO_EFAILED'), 'Mute'))
        self.assertIsInstance(error.__cause__, Mute)

    def test_a_result_that_does_not_fit_is_one(self):
        for prototype, value, kind in (('int8_t f(void)', 128, OverflowError), ('int f(void)', None, TypeError),
                                       ('const char *f(void)', 'text', TypeError), ('double f(void)', 'x', Exception)):
            target = lib.register(prototype, lambda: value)
            error = self.failure(lib.spawn(target))
            target.unregister()
            self.assertIsInstance(error.__cause__, kind, prototype)

    def test_c_sees_it_as_a_failure(self):
        def wrong(n):
            raise KeyError(n)
        self.register('int wrong(int n)', wrong)
        run_named = self.register('int run_named(const char *name, int n)', None, FUNCTIONS)
        error = self.failure(lib.spawn(run_named, 'wrong', 5))
        self.assertEqual((error.code, error.detail), (code('CORO_EFAILED'), 'KeyError: 5'))

    def test_start_now_has_the_cause_too(self):
        target = self.register('int f(void)', lambda: 1 // 0)
        self.assertIsInstance(self.failure(lib.start_now(target)).__cause__, ZeroDivisionError)

    def test_an_exception_that_is_being_handled_stays_so(self):
        def inner():
            self.assertIsInstance(sys.exc_info()[1], KeyError)
            try:
                raise ValueError
            except ValueError:
                pass
            raise TypeError('inner')
        target = self.register('void inner(void)', inner)
        try:
            raise KeyError('outer')
        except KeyError as outer:
            error = self.failure(lib.spawn(target))
            self.assertIsInstance(error.__cause__, TypeError)
            self.assertIs(sys.exc_info()[1], outer)

    def test_python_that_is_too_deep_does_not_crash(self):
        def deep(_):
            return sorted([1], key=deep)  # each level is one of C's as well
        target = self.register('int deep(int n)', deep)
        self.assertIsInstance(self.failure(lib.spawn(target, 0)).__cause__, RecursionError)
        run_named = self.register('int run_named(const char *name, int n)', None, FUNCTIONS)
        self.assertIn('RecursionError', self.failure(lib.spawn(run_named, 'deep', 0)).detail)

    def test_one_that_no_coroutine_runs_is_reported(self):
        told = []
        previous, sys.excepthook = sys.excepthook, lambda *arguments: told.append(arguments[0])
        try:
            with self.register('void wrong(void)', lambda: 1 // 0).function('direct') as function:
                lib.backend.function_at(function.address)()
        finally:
            sys.excepthook = previous
        self.assertEqual(told, [ZeroDivisionError])

    def test_exit_does_not_pass_through_c(self):
        self.assertIsInstance(self.failure(lib.spawn(self.register('void f(void)', lambda: sys.exit(3)))).__cause__, SystemExit)


class WaitTest(PythonTargetTest):
    """CPython crashes when functions that were suspended on stacks of their own end out of order: nothing may be suspended."""

    def waiting(self):
        """A coroutine that ends with the test."""
        coroutine = lib.spawn(self.register('int coro_park(void *value)', None), None)
        self.addCleanup(coroutine.join)
        self.addCleanup(coroutine.shutdown)
        return coroutine

    def refused_inside(self, call):
        target = lib.register('void refused(void)', call)
        try:
            error = self.failure(lib.spawn(target))
        finally:
            target.unregister()
        self.assertEqual(error.code, code('CORO_EYIELDFROMMAIN'), error)
        self.assertIn("can't", error.detail)

    def test_waits_are_refused(self):
        sleep = self.register('int coro_sleep(int64_t ns)', None)
        sleeping = self.waiting()
        with lib.channel('int') as channel:
            for call in (lambda: lib.sleep(1), lambda: lib.sleep(0), sleeping.join, lambda: sleeping.join(1), channel.receive,
                         lambda: channel.send(1), lib.event_loop, lambda: lib.start_now(sleep, 0),
                         lambda: lib.new(sleep, 0).start_now()):
                self.refused_inside(call)

    def test_calls_of_c_are_refused_by_libcoro(self):
        seen = []
        target = self.register('void f(void)', lambda: seen.extend([
            lib.c.coro_sleep(1), lib.c.coro_yield(), lib.c.coro_park(lib.backend.NULL), lib.c.coro_event_loop()]))
        lib.spawn(target).join()
        self.assertEqual(set(seen) - {code('CORO_ELOOPRUNNING')}, {code('CORO_EYIELDFROMMAIN')})
        self.assertEqual(len(seen), 4)

    def test_what_libcoro_calls_must_not_wait_either(self):
        seen = []
        lib.set_exception_notifier(lambda *_: seen.append(lib.c.coro_sleep(0)))
        self.failure(lib.spawn(self.register('int f(void)', lambda: 1 // 0)))

        class Function:
            def __call__(self):
                target.unregister()

            def __del__(self):
                seen.append(lib.c.coro_sleep(0))
        target = lib.register('void g(void)', Function())
        lib.spawn(target).join()
        gc.collect()
        self.assertEqual(seen, [code('CORO_EYIELDFROMMAIN')] * 2)

    def test_what_need_not_wait_may_be_done(self):
        with lib.channel('int', 2) as channel:
            ended = lib.spawn(self.register('int abs(int n)', None), -3)
            lib.sleep(0)
            seen = []
            target = self.register('void f(void)', lambda: (channel.send(5), channel.send(6), seen.append(channel.receive()),
                                                            seen.append(ended.join())))
            lib.spawn(target).join()
            self.assertEqual(seen, [5, 3])
            self.assertEqual(channel.receive(), 6)

    def test_none_begins_before_another_has_ended(self):
        """In all ways in which one might begin within another, or be left while it runs."""
        events, made = [], []
        sleep = self.register('int coro_sleep(int64_t ns)', None)
        waiting = self.waiting()

        def body(n, depth):
            events.append((n, 'begins'))
            for attempt in (lambda: lib.sleep(0), waiting.join, lambda: lib.start_now(target, 1000, 0),
                            lambda: lib.start_now(sleep, 0)):
                with self.assertRaises(coro.CoroError):
                    attempt()
            self.assertLess(lib.c.coro_yield(), 0)
            if depth > 0:
                made.append(lib.spawn(target, n + 100, depth - 1))
            events.append((n, 'ends'))

        target = self.register('void body(int n, int depth)', body)
        lib.c.coro_test_set_order_seed(7)
        self.addCleanup(lib.c.coro_test_set_order_seed, 0)
        made.extend(lib.spawn(target, n, 2) for n in range(50))
        first = lib.start_now(target, 99, 0)
        self.assertEqual(events, [(99, 'begins'), (99, 'ends')])
        i = 0
        while i < len(made):
            made[i].join()
            i += 1
        first.join()
        self.assertEqual(len(events), 2 * (50 * 3 + 1))
        for begin, end in zip(events[::2], events[1::2]):
            self.assertEqual((begin[0], begin[1], end[1]), (end[0], 'begins', 'ends'))

    def test_the_main_program_may_wait_while_they_come_and_go(self):
        seen = []
        target = self.register('void f(int n)', lambda n: seen.append(n))
        produce = self.register('int produce(coro_channel *channel, int n, int64_t pause)', None, FUNCTIONS)
        with lib.channel('int') as channel:
            producer = lib.spawn(produce, channel, 20, 0)
            coroutines = []
            for n in channel:
                coroutines.append(lib.spawn(target, n))
            self.assertEqual(producer.join(), 0)
            for coroutine in coroutines:
                coroutine.join()
        self.assertEqual(seen, list(range(1, 21)))

    def test_an_interrupt_in_one_ends_the_wait(self):
        def interrupted():
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):
                pass
            self.fail('it was not interrupted')
        coroutine = lib.spawn(self.register('void f(void)', interrupted))
        with self.assertRaises(KeyboardInterrupt):
            coroutine.join()
        self.assertIsInstance(self.failure(coroutine).__cause__, KeyboardInterrupt)

    def test_an_interrupt_ends_the_event_loop(self):
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        lib.c.coro_set_print_exit_string(False)
        with self.assertRaises(KeyboardInterrupt):
            lib.event_loop()
        timer.join()
        self.assertEqual(lib.event_loop(until_idle=True), 0)


class LifetimeTest(PythonTargetTest):
    def test_a_function_lives_as_long_as_it_may_be_called(self):
        class Function:
            def __call__(self, n):
                return n + 1
        function = Function()
        gone = weakref.ref(function)
        target = lib.register('int f(int n)', function)
        del function
        coroutine = lib.spawn(target, 1)
        target.unregister()
        gc.collect()
        self.assertIsNotNone(gone())
        self.assertEqual(coroutine.join(), 2)
        gc.collect()
        self.assertIsNone(gone())

    def test_one_that_could_not_be_registered_is_let_go(self):
        before = len(lib._python_targets)
        with self.assertRaises(coro.CoroError):
            lib.register('int f(nonsense n)', lambda n: n)
        self.assertEqual(len(lib._python_targets), before)

    def test_one_whose_types_python_does_not_read_is_let_go(self):
        before, parser = len(lib._python_targets), lib.values.parser
        lib.values.parser = lambda text: parser(text + ')')
        try:
            for function in ('abs', lambda n: n):
                with self.assertRaises(SyntaxError):
                    lib.register('int unread(int n)', function)
                with self.assertRaisesRegex(coro.CoroError, 'ENOENT'):
                    lib.find('unread')
        finally:
            del lib.values.parser
        self.assertEqual(len(lib._python_targets), before)

    def test_one_may_be_registered_within_a_registration(self):
        parser, inner = lib.values.parser, []

        def interrupted(text):  # as by a signal handler
            lib.values.parser = parser
            inner.append(self.register('int inner(void)', lambda: 1))
            return parser(text)
        lib.values.parser = interrupted
        self.addCleanup(delattr, lib.values, 'parser')
        self.assertEqual(lib.spawn(self.register('int outer(void)', lambda: 2)).join(), 2)
        self.assertEqual(lib.spawn(inner[0]).join(), 1)

    def test_one_may_unregister_itself(self):
        target = lib.register('int f(void)', lambda: target.unregister() or 5)
        self.assertEqual(lib.spawn(target).join(), 5)


class ThreadTest(PythonTargetTest):
    def test_posted_from_other_threads(self):
        seen = []
        main = threading.get_ident()
        with lib.channel('int', 1000) as done, lib.loop() as loop:
            def note(thread, n):
                seen.append((thread, n))
                self.assertEqual(threading.get_ident(), main)
                done.send(n)

            def work(thread):
                for n in range(100):
                    loop.post(note, thread, n)
            threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(400):
                done.receive()
            for thread in threads:
                thread.join()
        with self.assertRaises(RuntimeError):
            loop.post(note, 0, 0)
        for thread in range(4):
            self.assertEqual([n for t, n in seen if t == thread], list(range(100)))

    def test_a_loop_is_not_closed_within_a_post(self):
        loop, freed = lib.loop(), threading.Event()

        def close():
            loop.close()
            freed.set()
        closing = threading.Thread(target=close)

        def post():  # as far as into the trampoline
            closing.start()
            self.assertFalse(freed.wait(0.2))
        loop._post = post
        loop.post(print)
        closing.join()
        self.assertTrue(freed.is_set())

    def test_every_thread_has_its_own_loop(self):
        target = self.register('int64_t f(int n)', lambda n: threading.get_ident())
        results = []

        def work():
            coroutines = [lib.spawn(target, n) for n in range(200)]
            results.append((threading.get_ident(), {coroutine.join() for coroutine in coroutines}))
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        work()
        for thread in threads:
            thread.join()
        self.assertEqual(len(results), 5)
        for thread, found in results:
            self.assertEqual(found, {thread})

    def test_a_coroutine_of_another_thread_is_refused(self):
        coroutine = lib.spawn(self.register('int f(void)', lambda: 1))
        seen = []

        def work():
            try:
                coroutine.join()
            except coro.CoroError as error:
                seen.append(error.name)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.assertEqual(seen, ['CORO_EWRONGTHREAD'])
        self.assertEqual(coroutine.join(), 1)


if __name__ == '__main__':
    unittest.main()
