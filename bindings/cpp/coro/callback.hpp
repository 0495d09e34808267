// Closures as plain C function pointers.
#ifndef CORO_CALLBACK_HPP
#define CORO_CALLBACK_HPP

#include "target.hpp"

#include <exception>
#include <memory>
#include <mutex>

namespace coro {

// What a call of a callback's function does; see "Trampolines" in coro.h.
enum class callback_mode {
    direct = CORO_TRAMPOLINE_DIRECT, // calls the closure there and then
    call = CORO_TRAMPOLINE_CALL,     // runs it in a coroutine of its own, and waits for its result
    spawn = CORO_TRAMPOLINE_SPAWN,   // starts a coroutine that runs it, and returns at once
    post = CORO_TRAMPOLINE_POST      // as spawn, on the loop of the thread that made the callback; from any thread
};

// A closure as a C function, for libraries that take one:
//
//     coro::callback<int(const void *, const void *)> compare([&](const void *a, const void *b) { return order(a, b); });
//     qsort(base, n, size, compare);
//     compare.rethrow();
//
// Exceptions do not pass through the library: the function returns `otherwise` instead, and the first is kept for rethrow(),
// or, where its caller waits, a shutdown_requested in its place: that comes but once, and is the caller's. In the modes with a
// coroutine it ends that coroutine, too, and is told to the notifier. The function may be called until the callback is
// destroyed, also by the closure itself; calls that are under way then go on.
template <class Signature> class callback;
template <class R, class... Args> class callback<R(Args...)> {
public:
    using function = R(Args...);
    using result_type = std::conditional_t<std::is_void_v<R>, detail::nothing, R>;

    // otherwise: what a call returns that has no result of the closure. Throws -ENOMEM, -EACCES (the system forbids further
    // functions at run time; the first 1024 take no such right). Call from: any thread.
    template <class F, std::enable_if_t<!std::is_same_v<std::decay_t<F>, callback>, int> = 0>
    explicit callback(F &&f, callback_mode mode = callback_mode::direct, result_type otherwise = {})
        : failure(std::make_shared<first_failure>()) {
        // Texts are copied for coroutines that may outlive the call, and no others.
        const bool are_borrowed = is_waited_for(mode);
        auto body = std::make_unique<handler<std::decay_t<F>>>(std::forward<F>(f), mode, otherwise, failure);
        const coro_target_t target = detail::register_target(prototype(are_borrowed), std::move(body));
        coro_trampoline_options how = CORO_TRAMPOLINE_OPTIONS_INIT;
        if constexpr (!std::is_void_v<R>) how.otherwise = &otherwise;
        native = coro_trampoline_new(target, static_cast<int>(mode), &how);
        const std::string what = native < 0 ? coro_error_detail() : "";
        (void)coro_target_unregister(target); // the trampoline keeps it
        if (native < 0) throw_error(static_cast<int>(native), what);
    }
    callback(callback &&other) noexcept : native(std::exchange(other.native, 0)), failure(std::move(other.failure)) {}
    callback &operator=(callback &&other) noexcept {
        std::swap(native, other.native);
        std::swap(failure, other.failure);
        return *this;
    }
    ~callback() {
        if (native > 0) (void)coro_trampoline_free(native);
    }

    // The C function.
    function *get() const noexcept { return reinterpret_cast<function *>(coro_trampoline_function(native)); }
    operator function *() const noexcept { return get(); }

    // Throws the first exception of the closure since the last time; if there was none, nothing happens.
    void rethrow() {
        std::exception_ptr first;
        {
            const std::lock_guard lock(failure->guard);
            std::swap(first, failure->first);
        }
        if (first) std::rethrow_exception(first);
    }

    coro_trampoline_t native_handle() const noexcept { return native; }

private:
    // Calls may come from several threads.
    struct first_failure {
        std::mutex guard;
        std::exception_ptr first;
        void keep() noexcept {
            const std::lock_guard lock(guard);
            if (!first) first = std::current_exception();
        }
        void keep_shutdown() noexcept {
            const std::lock_guard lock(guard);
            first = std::current_exception();
        }
    };

    template <class F> struct handler {
        F f;
        callback_mode mode;
        result_type otherwise;
        std::shared_ptr<first_failure> failure;

        template <class G>
        handler(G &&g, callback_mode how, result_type instead, std::shared_ptr<first_failure> shared)
            : f(std::forward<G>(g)), mode(how), otherwise(instead), failure(std::move(shared)) {}

        void run(void *result, void *const *arguments) noexcept {
            auto call = [&] {
                try {
                    detail::handler_call<R, Args...>::run(f, result, arguments);
                } catch (const shutdown_requested &) {
                    if (is_waited_for(mode)) failure->keep_shutdown();
                    throw;
                }
            };
            if (mode != callback_mode::direct) return detail::run_body(call, [this] { failure->keep(); });
            try {
                call();
            } catch (...) { // and no coro_fail(): the coroutine is the caller's
                failure->keep();
                if constexpr (!std::is_void_v<R>) *static_cast<R *>(result) = otherwise;
            }
        }
    };

    // Whether a call returns when the closure has.
    static bool is_waited_for(callback_mode mode) noexcept {
        return mode == callback_mode::direct || mode == callback_mode::call;
    }

    static std::string prototype(bool texts_are_borrowed) {
        [[maybe_unused]] const auto ownership = [&](bool is_text) { return is_text && texts_are_borrowed ? "borrowed " : ""; };
        return detail::prototype_with<R, Args...>("", {ownership(std::is_same_v<std::remove_cv_t<Args>, const char *>)...});
    }

    coro_trampoline_t native = 0;
    std::shared_ptr<first_failure> failure;
};

template <class F, class... More> explicit callback(F, More...) -> callback<typename detail::signature_of<F>::type>;

} // namespace coro

#endif
