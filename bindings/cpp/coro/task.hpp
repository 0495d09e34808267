// Coroutines that run C++ functions, and their results.
#ifndef CORO_TASK_HPP
#define CORO_TASK_HPP

#include "outcome.hpp"
#include "time.hpp"

namespace coro {

// How to make a coroutine: coro::options().name("reader").stack_size(64 << 10). As coro_options, whose defaults it has.
class options {
public:
    // Its name in coro_dump() and messages. Used until the coroutine is made. Default: "c++".
    options &name(const char *text) noexcept { return raw.name = text, *this; }
    // Bytes of its stack, the guard included. Default: 256 KiB.
    options &stack_size(std::size_t bytes) noexcept { return raw.stack_size = bytes, *this; }
    // It runs at once, up to where it first suspends, before the call that makes it returns.
    options &start_now() noexcept { return raw.flags |= CORO_START_NOW, *this; }
    // The floating-point control words are its own.
    options &save_fp() noexcept { return raw.flags |= CORO_SAVE_FP, *this; }

    // As coro.h has them; release: called with the coroutine's argument when it has ended.
    coro_options with(void (*release)(void *)) const noexcept {
        coro_options all = raw;
        all.release = release;
        return all;
    }

private:
    static coro_options defaults() noexcept {
        coro_options all = CORO_OPTIONS_INIT;
        all.name = "c++";
        return all;
    }
    coro_options raw = defaults();
};

namespace detail {

template <class... Args> inline constexpr bool begins_with_options = false;
template <class First, class... Rest>
inline constexpr bool begins_with_options<First, Rest...> = std::is_same_v<std::decay_t<First>, options>;

// What a coroutine works with. It holds itself until its coroutine is released; what a task holds of it is the outcome alone.
template <class T, class Call> struct task_work {
    outcome<T> result;
    std::optional<Call> call;
    std::shared_ptr<task_work> self;

    template <class... Parts>
    explicit task_work(Parts &&...parts) : call(std::in_place, std::in_place, std::forward<Parts>(parts)...) {}

    static void *run(void *argument) noexcept {
        auto *work = static_cast<task_work *>(argument);
        run_body([work] { work->result.run(*work->call); }, [work] { work->result.fail(); });
        work->call.reset(); // here, where destructors may suspend
        return nullptr;
    }

    static void release(void *argument) noexcept {
        auto *work = static_cast<task_work *>(argument);
        work->call.reset(); // if it never ran
        std::shared_ptr<task_work> last = std::move(work->self);
    }
};

// Whether a wait may be tried again after `code`: it was interrupted, as opposed to impossible.
inline bool was_interrupted(int code) noexcept {
    return code < 0 && code != CORO_EYIELDFROMMAIN && code != CORO_EWRONGTHREAD && code != -EDEADLK && code != -EINVAL &&
           code != -ENOMEM;
}

// Tells the caller again what has interrupted a wait that it had to go on with.
inline void keep_interruption(int code) noexcept {
    if (code == CORO_ESHUTDOWN) (void)coro_shutdown(coro_current());
}

// Tells a coroutine to end, and waits until it has, whatever interrupts that.
inline void end(coro_t co) noexcept {
    (void)coro_shutdown(co);
    int interruption = 0, last = 0;
    for (;;) {
        const int code = coro_join(co, nullptr, CORO_FOREVER);
        if (coro_ident(co) != co) break;
        // Anything may be raised in the caller, also what stands for a wait that is impossible: but that comes again.
        if (!was_interrupted(code) && code == last) {
            (void)coro_detach(co);
            break;
        }
        last = code;
        if (interruption != CORO_ESHUTDOWN) interruption = code;
    }
    keep_interruption(interruption);
}

} // namespace detail

// A coroutine, and the right to its result. It belongs to the thread that made it, as the coroutine does.
//
// The destructor of one that was neither joined nor detached tells its coroutine to end and waits for that, as std::jthread
// does: so what its function has captured by reference outlives it. It suspends then. A shutdown_requested that the caller gets
// meanwhile is thrown by its next suspending call; the end of a limit of time around it shows at the end of that limit; of any
// other interruption nothing is left. Where waiting is impossible (in a callback that must not suspend, or because nothing can
// run any more that would end the coroutine), it is told to end and detached. On another thread nothing happens to it: it goes
// on, and its record stays.
template <class T = void> class [[nodiscard]] task {
public:
    // No coroutine.
    task() noexcept = default;

    // Takes over any coroutine: one of C, of a target, of another language. What coro_join_result() gives is its T; void:
    // whatever it is. Its failure is thrown as a coro::error with its code and its message.
    explicit task(coro_t other) noexcept : co(other) {}

    task(task &&other) noexcept : co(std::exchange(other.co, 0)), result(std::move(other.result)) {}
    task &operator=(task &&other) noexcept {
        if (this != &other) {
            end();
            co = std::exchange(other.co, 0);
            result = std::move(other.result);
        }
        return *this;
    }
    ~task() { end(); }

    // Its name for all of coro.h; 0: none, or it was joined or detached.
    coro_t id() const noexcept { return co; }

    // Whether it can be joined: once, and before detach().
    bool joinable() const noexcept { return co > 0; }

    // Whether its coroutine has not ended.
    bool is_alive() const noexcept { return co > 0 && coro_is_alive(co); }

    // Waits until it has ended, and returns what its function returned or throws what that threw. Suspends. Throws
    //   cancelled_error  it was shut down, before it ran or in the end
    //   error            -EINVAL: it is not joinable, or another has joined it meanwhile;
    //                    -EDEADLK: it would wait for itself, or nothing can run any more
    //   or what the caller was interrupted with; it is still joinable then.
    T join() { return join_until_ended(CORO_FOREVER); }

    // The same for at most `time`. Throws timeout_error if it has not ended by then; it goes on, and is still joinable.
    template <class Rep, class Period> T join_for(std::chrono::duration<Rep, Period> time) {
        return join_until_ended(detail::nanoseconds(time));
    }

    // Tells it to end: what it waits in throws shutdown_requested. If it never ran, it never will. Does not suspend.
    void shutdown() { check(coro_shutdown(co)); }

    // Lets it go on alone. An exception that ends it is told to the notifier, as ever. Returns its id.
    coro_t detach() {
        result.reset();
        return check(coro_detach(std::exchange(co, 0)));
    }

private:
    template <class F, class... Args>
    friend auto spawn(const options &, F &&, Args &&...) -> task<detail::result_of<F, Args...>>;

    task(coro_t id, std::shared_ptr<detail::outcome<T>> its) noexcept : co(id), result(std::move(its)) {}

    void end() noexcept {
        if (co > 0) detail::end(std::exchange(co, 0));
        result.reset();
    }

    T join_until_ended(std::int64_t timeout) {
        if (result == nullptr) return join_foreign(timeout);
        const coro_t id = co;
        throw_unless_ended(id, coro_join(id, nullptr, timeout));
        const std::shared_ptr<detail::outcome<T>> its = std::move(result);
        if (its == nullptr) throw error(-EINVAL, "another has joined the task");
        if (its->is_empty()) throw cancelled_error("the coroutine that was joined was shut down");
        return its->take();
    }

    // A coroutine that is none of spawn()'s: its result is bytes, its failure a code with a text.
    T join_foreign(std::int64_t timeout) {
        if constexpr (std::is_void_v<T>) {
            const coro_t id = co;
            throw_failure(id, coro_join_result(id, nullptr, 0, timeout));
        } else if constexpr (std::is_trivially_copyable_v<T> && std::is_default_constructible_v<T>) {
            T its{};
            const coro_t id = co;
            throw_failure(id, coro_join_result(id, &its, sizeof its, timeout));
            return its;
        } else {
            throw error(-EINVAL, "the task has no coroutine");
        }
    }

    void throw_failure(coro_t id, int code) {
        const std::string what = code < 0 ? coro_error_detail() : "";
        throw_unless_ended(id, code);
        if (code == CORO_ESHUTDOWN) throw cancelled_error("the coroutine that was joined was shut down");
        if (code < 0) throw_error(code, what);
    }

    // A code that a join has returned is the coroutine's if its record has been taken; else the call has failed itself.
    void throw_unless_ended(coro_t id, int code) {
        if (code < 0) {
            const std::string what = coro_error_detail();
            if (coro_ident(id) != CORO_EDEAD) throw_error(code, what);
        }
        co = 0;
    }

    coro_t co = 0;
    std::shared_ptr<detail::outcome<T>> result; // NULL: the coroutine is none of spawn()'s
};

// Makes a coroutine that runs f(args...), copied or moved as for std::thread, and queues it: it first runs after the caller
// suspends. Throws if f or an argument can't be copied, or -ENOMEM. Does not suspend, but by start_now().
template <class F, class... Args> auto spawn(const options &how, F &&f, Args &&...args) -> task<detail::result_of<F, Args...>> {
    using result_type = detail::result_of<F, Args...>;
    using work_type = detail::task_work<result_type, detail::call_of<F, Args...>>;
    auto work = std::make_shared<work_type>(std::forward<F>(f), std::forward<Args>(args)...);
    const coro_options all = how.with(&work_type::release);
    work->self = work;
    const coro_t co = coro_spawn_with(&work_type::run, work.get(), &all);
    if (co < 0) work->self.reset();
    return task<result_type>(check(co), std::shared_ptr<detail::outcome<result_type>>(work, &work->result));
}
template <class F, class... Args, std::enable_if_t<!detail::begins_with_options<F>, int> = 0>
auto spawn(F &&f, Args &&...args) -> task<detail::result_of<F, Args...>> {
    return spawn(options(), std::forward<F>(f), std::forward<Args>(args)...);
}

// The running coroutine; 0 on a thread's own stack.
inline coro_t current() noexcept { return coro_current(); }

// Lets the others that can run do so, and goes on after them. Suspends. Throws what the caller was interrupted with.
inline void yield() { check(coro_yield()); }

} // namespace coro

#endif
