"""Times, errors, channels and ^C."""

import os
import signal
import threading
import unittest

from support import code, coro, lib


class TimeTest(unittest.TestCase):
    def setUp(self):
        lib.c.coro_test_set_virtual_time(True)

    def tearDown(self):
        lib.c.coro_test_set_virtual_time(False)

    def test_sleep(self):
        before = lib.now()
        lib.sleep(3600)
        self.assertAlmostEqual(lib.now() - before, 3600)
        lib.sleep(0)
        with self.assertRaises(coro.CoroError) as caught:
            lib.sleep(-1)
        self.assertEqual(caught.exception.name, 'EINVAL')

    def test_a_timeout_bounds_what_is_in_it(self):
        before = lib.now()
        with self.assertRaises(coro.CoroTimeout) as caught:
            with lib.timeout(5):
                lib.sleep(3)
                lib.sleep(3)
        self.assertAlmostEqual(lib.now() - before, 5)
        self.assertEqual(caught.exception.code, code('CORO_ETIMEOUT'))
        with lib.timeout(5):
            lib.sleep(3)

    def test_each_timeout_knows_its_own(self):
        with self.assertRaisesRegex(coro.CoroTimeout, '5 s for this block'):
            with lib.timeout(5):
                with lib.timeout(10):
                    lib.sleep(20)

    def test_a_timeout_that_was_swallowed_is_told_all_the_same(self):
        with self.assertRaises(coro.CoroTimeout):
            with lib.timeout(1):
                try:
                    lib.sleep(2)
                except coro.CoroError as error:
                    self.assertEqual(error.code, code('CORO_EINTERRUPTED'))

    def test_other_exceptions_pass_through_a_timeout(self):
        with self.assertRaises(KeyError):
            with lib.timeout(1):
                raise KeyError('x')
        self.assertEqual(lib.c.coro_timeout_deadline(), code('CORO_FOREVER'))


class ErrorTest(unittest.TestCase):
    def test_an_error_has_code_name_and_detail(self):
        with self.assertRaises(coro.CoroError) as caught:
            lib.check(lib.c.coro_start(999_999))
        error = caught.exception
        self.assertEqual((error.code, error.name), (-3, 'ESRCH'))
        self.assertIn('ESRCH', str(error))
        self.assertIn('999999', str(error))

    def test_times_that_are_none(self):
        with self.assertRaises(ValueError):
            lib.sleep(float('nan'))
        self.assertEqual(lib.nanoseconds(float('inf')), lib.constants['CORO_FOREVER'])
        self.assertEqual(lib.nanoseconds(1e30), lib.constants['CORO_FOREVER'])


class ChannelTest(unittest.TestCase):
    def test_elements_keep_their_type_and_order(self):
        with lib.channel('int8_t', 3) as channel:
            for n in (-128, 0, 127):
                channel.send(n)
            self.assertEqual(len(channel), 3)
            channel.close()
            self.assertEqual(list(channel), [-128, 0, 127])

    def test_what_does_not_fit_is_refused(self):
        with lib.channel('uint8_t', 1) as channel:
            for value in (256, -1):
                with self.assertRaises(OverflowError):
                    channel.send(value)
            with self.assertRaises(TypeError):
                channel.send('x')
            self.assertEqual(len(channel), 0)
        with self.assertRaises(ValueError):
            lib.channel('void')

    def test_waits_end(self):
        lib.c.coro_test_set_virtual_time(True)
        try:
            with lib.channel('double', 1) as channel:
                with self.assertRaises(coro.CoroTimeout):
                    channel.receive(timeout=60)
                channel.send(0.5)
                with self.assertRaises(coro.CoroTimeout):
                    channel.send(1.5, timeout=60)
                self.assertEqual(channel.receive(), 0.5)
        finally:
            lib.c.coro_test_set_virtual_time(False)

    def test_closed_and_freed(self):
        channel = lib.channel('int')
        channel.close()
        self.assertTrue(channel.is_closed)
        for call in (channel.receive, lambda: channel.send(1)):
            with self.assertRaises(coro.CoroError) as caught:
                call()
            self.assertEqual(caught.exception.code, code('CORO_ECLOSED'))
        channel.free()
        channel.free()
        with self.assertRaises(coro.CoroError) as caught:
            channel.send(1)
        self.assertEqual(caught.exception.name, 'EINVAL')


class SignalTest(unittest.TestCase):
    """Signals are sent to the process when its main thread waits, or is just about to: both must do."""

    def interrupt(self, signum=signal.SIGINT):
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signum))
        timer.start()
        self.addCleanup(timer.join)

    def test_an_interrupt_ends_a_sleep(self):
        with self.assertRaises(KeyboardInterrupt):
            self.interrupt()
            lib.sleep(600)
        lib.sleep(0.001)

    def test_an_interrupt_ends_a_receive(self):
        with lib.channel('int') as channel:
            with self.assertRaises(KeyboardInterrupt):
                self.interrupt()
                channel.receive()

    def on_signal(self, signum, handler):
        previous = signal.signal(signum, lambda *_: handler())
        self.addCleanup(signal.signal, signum, previous)

    def test_a_wait_goes_on_after_a_handler_that_returns(self):
        for signum in (signal.SIGUSR1, signal.SIGINT):
            with lib.channel('int', 1) as channel:
                self.on_signal(signum, lambda: channel.send(signum))
                self.interrupt(signum)
                self.assertEqual(channel.receive(), signum)

    def test_a_handler_may_wait_itself(self):
        with lib.channel('int', 1) as channel:
            self.on_signal(signal.SIGUSR1, lambda: (lib.sleep(0.001), channel.send(7)))
            self.interrupt(signal.SIGUSR1)
            self.assertEqual(channel.receive(), 7)
        self.test_everything_is_as_before_after_a_wait()

    def test_an_interrupt_is_put_off_until_a_wait_has_ended(self):
        """It could come when a target of Python's is about to be called, where nothing catches it."""
        seen = []
        with self.assertRaises(KeyboardInterrupt):
            with lib.waiter.signals.watched():
                signal.raise_signal(signal.SIGINT)
                seen.append('went on')
        self.assertEqual(seen, ['went on'])

    def test_everything_is_as_before_after_a_wait(self):
        lib.sleep(0.001)
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
        self.assertEqual(signal.set_wakeup_fd(-1), -1)

    def test_a_wait_for_nothing_is_told_where_it_is_not_interruptible(self):
        def receive():
            with lib.channel('int') as channel:
                with self.assertRaises(coro.CoroError) as caught:
                    channel.receive()
                self.assertEqual(caught.exception.name, 'EDEADLK')
        thread = threading.Thread(target=receive)
        thread.start()
        thread.join()
        lib.is_interruptible = False
        try:
            receive()
        finally:
            lib.is_interruptible = True


if __name__ == '__main__':
    unittest.main()
