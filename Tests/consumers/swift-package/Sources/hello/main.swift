// A Swift program that uses the Swift interface and the C interface side by side.
import CCoro
import Coro

_ = coro_set_print_exit_string(false)
let hello = coro_spawn(
    { _ in
        _ = coro_sleep(coro_nanoseconds_per_second / 1000)
        print("Hello world!")
        coro_set_exit(0)
        return nil
    }, nil)
precondition(coro_detach(hello) == hello)
precondition(AnyCoroutine(id: hello).isAlive)
precondition(coro_event_loop() == 0)
