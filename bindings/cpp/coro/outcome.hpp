// Functions that run somewhere else, and what becomes of them: a result, or an exception.
#ifndef CORO_OUTCOME_HPP
#define CORO_OUTCOME_HPP

#include "error.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace coro::detail {

// A function with its arguments, copied or moved as std::thread does, to be called once.
template <class F, class... Args> class bound_call {
public:
    using result_type = std::invoke_result_t<F, Args...>;

    template <class... Parts> explicit bound_call(std::in_place_t, Parts &&...of) : parts(std::forward<Parts>(of)...) {}

    result_type operator()() {
        return std::apply([](auto &&...all) -> result_type { return std::invoke(std::forward<decltype(all)>(all)...); },
                          std::move(parts));
    }

private:
    std::tuple<F, Args...> parts;
};

template <class F, class... Args> using call_of = bound_call<std::decay_t<F>, std::decay_t<Args>...>;
template <class F, class... Args> using result_of = typename call_of<F, Args...>::result_type;

struct nothing {};

// Where a result or an exception is kept until somebody takes it. A reference is kept as a pointer.
template <class T> class outcome {
public:
    // Calls f and keeps what it returns. What it throws passes.
    template <class F> void run(F &&f) {
        if constexpr (std::is_void_v<T>) {
            f();
            value.emplace();
        } else if constexpr (std::is_reference_v<T>) {
            T result = f();
            value.emplace(std::addressof(result));
        } else {
            value.emplace(f());
        }
    }

    // Keeps the exception that is caught at the moment.
    void fail() noexcept { failure = std::current_exception(); }

    bool is_empty() const noexcept { return failure == nullptr && !value.has_value(); }

    T take() {
        if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
        if constexpr (std::is_reference_v<T>) {
            return static_cast<T>(**value);
        } else if constexpr (!std::is_void_v<T>) {
            return std::move(*value);
        }
    }

private:
    using kept = std::conditional_t<std::is_void_v<T>, nothing,
                                    std::conditional_t<std::is_reference_v<T>, std::add_pointer_t<T>, std::remove_cv_t<T>>>;
    std::optional<kept> value;
    std::exception_ptr failure;
};

// Runs `call` as the body of a coroutine. Its exception ends the coroutine, and `keep` is called before, to keep it; not for
// shutdown_requested, which is the way for a coroutine to end when it was told to.
template <class Call, class Keep> void run_body(Call &&call, Keep &&keep) noexcept {
    try {
        call();
    } catch (const shutdown_requested &) {
        fail_with_current_exception();
    } catch (...) {
        keep();
        fail_with_current_exception();
    }
}

} // namespace coro::detail

#endif
