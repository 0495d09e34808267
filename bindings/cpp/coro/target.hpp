// Targets: functions that any language can start by their name and signature.
#ifndef CORO_TARGET_HPP
#define CORO_TARGET_HPP

#include "prototype.hpp"
#include "task.hpp"
#include "value.hpp"

#include <tuple>

namespace coro {
namespace detail {

// Calls f with the arguments that the pointers of a coro_handler point to, and stores its result.
template <class R, class... Args> struct handler_call {
    template <class F> static void run(F &f, void *result, void *const *arguments) {
        run_at(f, result, arguments, std::index_sequence_for<Args...>());
    }

private:
    template <class F, std::size_t... I>
    static void run_at(F &f, void *result, void *const *arguments, std::index_sequence<I...>) {
        (void)result;
        (void)arguments;
        if constexpr (std::is_void_v<R>) std::invoke(f, *static_cast<std::remove_cv_t<Args> *>(arguments[I])...);
        else *static_cast<R *>(result) = std::invoke(f, *static_cast<std::remove_cv_t<Args> *>(arguments[I])...);
    }
};

// Registers a target that runs body->run(result, arguments), and deletes the body in the end.
template <class Body> coro_target_t register_target(const std::string &prototype, std::unique_ptr<Body> body) {
    coro_target_options how = CORO_TARGET_OPTIONS_INIT;
    how.handler = [](void *context, void *result, void *const *arguments) noexcept {
        static_cast<Body *>(context)->run(result, arguments);
    };
    how.context = body.get();
    how.release = [](void *context) noexcept { delete static_cast<Body *>(context); };
    const coro_target_t id = check(coro_target_register_with(prototype.c_str(), nullptr, &how));
    (void)body.release();
    return id;
}

inline coro_t spawn_values(coro_target_t id, const options &how, const char *const *names, const coro_value *values,
                           std::size_t n) {
    const coro_options all = how.with(nullptr);
    return check(coro_spawn_kwargs_with(id, names, values, static_cast<int>(n), &all));
}

} // namespace detail

// A function under a name, to be started from any language, and from C++ with arguments that the compiler checks:
//
//     coro::target resize("resize(path, width = 800)", [](const char *path, int width) { ... return bytes; });
//     int bytes = resize.spawn("a.png").join();            // in C: coro_spawn_named("resize", "a.png", 800)
//
// The types are those of the function: integers, bool, floating point, enums, pointers, structs that have a coro::layout. A
// `const char *` is copied for as long as the function runs, unless the parameter is called "borrowed path". The names are for
// arguments by name, and may be missing, as may the default values; without a name of its own the target can be found by its id
// alone.
//
// Several coroutines may run it at a time, on several threads. What it throws ends its coroutine; whoever joins that gets a
// coro::error with the code and the text. The destructor takes the target out of the registry; what was started goes on.
template <class Signature> class target;
template <class R, class... Args> class target<R(Args...)> {
public:
    // Throws -EINVAL (the prototype: what() says where and why), -EEXIST (the name is taken), -ENOMEM. Call from: any thread.
    template <class F> explicit target(std::string_view prototype, F &&f) {
        auto body = std::make_unique<handler<std::decay_t<F>>>(std::forward<F>(f));
        native = detail::register_target(detail::prototype<R, Args...>(prototype), std::move(body));
    }
    target(target &&other) noexcept : native(std::exchange(other.native, 0)) {}
    target &operator=(target &&other) noexcept {
        std::swap(native, other.native);
        return *this;
    }
    ~target() {
        if (native > 0) (void)coro_target_unregister(native);
    }

    // Makes a coroutine that runs it with these arguments, and queues it; what has a default may be missing at the end. Throws
    // -EINVAL (an argument is missing), -ENOMEM. Does not suspend, but by start_now().
    template <class... Given> task<R> spawn(const options &how, Given &&...given) const {
        static_assert(sizeof...(Given) <= sizeof...(Args), "too many arguments for the target");
        return spawn_at(how, std::index_sequence_for<Given...>(), std::forward<Given>(given)...);
    }
    template <class... Given, std::enable_if_t<!detail::begins_with_options<Given...>, int> = 0>
    task<R> spawn(Given &&...given) const {
        return spawn(options(), std::forward<Given>(given)...);
    }

    // The target, as coro.h names it.
    coro_target_t id() const noexcept { return native; }

    // Its prototype in C.
    std::string describe() const {
        std::string text(static_cast<std::size_t>(check(coro_target_describe(native, nullptr, 0))), '\0');
        check(coro_target_describe(native, text.data(), text.size() + 1));
        return text;
    }

private:
    template <class F> struct handler {
        F f;
        template <class G> explicit handler(G &&g) : f(std::forward<G>(g)) {}
        void run(void *result, void *const *arguments) noexcept {
            detail::run_body([&] { detail::handler_call<R, Args...>::run(f, result, arguments); }, [] {});
        }
    };

    template <std::size_t... I, class... Given>
    task<R> spawn_at(const options &how, std::index_sequence<I...>, Given &&...given) const {
        using given_types = std::tuple<std::tuple_element_t<I, std::tuple<Args...>>...>;
        [[maybe_unused]] const given_types converted(std::forward<Given>(given)...);
        const coro_value values[sizeof...(Given) + 1] = {detail::value_of(std::get<I>(converted))...};
        return task<R>(detail::spawn_values(native, how, nullptr, values, sizeof...(Given)));
    }

    coro_target_t native = 0;
};

template <class F> target(std::string_view, F) -> target<typename detail::signature_of<F>::type>;

// Starts any target, C's too, whose result is an R; void: its result is not wanted. The arguments are checked against its
// prototype now, positional ones first: coro::spawn_target<int>(id, "a.png", coro::arg("width", 640)). An integer must fit, a
// number is no pointer; what has a default may be missing. Throws -EINVAL or -ERANGE (what() names the parameter), -ESRCH or
// -ENOENT (no such target), -ENOMEM; join() throws -EINVAL if its result has another size. Does not suspend, but by
// start_now(). A text is copied for a `const char *`; what is passed for any other pointer, or a borrowed one, must outlive the
// coroutine, and what is passed for an owned one must come from malloc(3).
template <class R = void, class... Given> task<R> spawn_target(const options &how, coro_target_t id, const Given &...given) {
    const coro_value values[sizeof...(Given) + 1] = {detail::value_of(given)...};
    const char *const names[sizeof...(Given) + 1] = {detail::name_of(given)...};
    return task<R>(detail::spawn_values(id, how, names, values, sizeof...(Given)));
}
template <class R = void, class... Given> task<R> spawn_target(coro_target_t id, const Given &...given) {
    return spawn_target<R>(options(), id, given...);
}

// The same by the target's name.
template <class R = void, class... Given> task<R> spawn_named(const char *name, const Given &...given) {
    return spawn_target<R>(options(), check(coro_target_find(name)), given...);
}

} // namespace coro

#endif
