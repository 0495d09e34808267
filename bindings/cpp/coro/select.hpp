// Waiting for the first of several things.
#ifndef CORO_SELECT_HPP
#define CORO_SELECT_HPP

#include "channel.hpp"
#include "io.hpp"
#include "sync.hpp"
#include "task.hpp"

namespace coro {
namespace detail {

// One of the things: fill() describes it, done() is called if it has happened.

template <class T> class receive_case {
public:
    receive_case(channel<T> &from, std::optional<T> &into) noexcept : source(&from), target(&into) {}
    void fill(coro_select_case &native) noexcept {
        native.kind = CORO_SELECT_RECEIVE;
        native.object = source->native_handle();
        native.element = next.address();
    }
    void done(const coro_select_case &native) {
        target->reset();
        if (native.error == 0) target->emplace(next.take());
    }

private:
    channel<T> *source;
    std::optional<T> *target;
    element<T> next;
};

template <class T> class send_case {
public:
    send_case(channel<T> &into, T &value) : target(&into), source(&value), next(std::move(value)) {}
    send_case(const send_case &) = delete;
    ~send_case() {
        if (source != nullptr) next.give_back(*source);
    }
    void fill(coro_select_case &native) noexcept {
        native.kind = CORO_SELECT_SEND;
        native.object = target->native_handle();
        native.element = next.address();
    }
    void done(const coro_select_case &native) {
        if (native.error != 0) throw closed_error("the channel of a select was closed");
        source = nullptr;
        next.sent();
    }

private:
    channel<T> *target;
    T *source;
    element<T> next;
};

class event_case {
public:
    explicit event_case(const event &which) noexcept : source(which.native_handle()) {}
    void fill(coro_select_case &native) const noexcept {
        native.kind = CORO_SELECT_EVENT;
        native.object = source;
    }
    void done(const coro_select_case &native) const {
        if (native.error != 0) throw closed_error("the event of a select was destroyed");
    }

private:
    coro_event *source;
};

// A descriptor or a coroutine.
class id_case {
public:
    id_case(std::int32_t what, std::int64_t which, std::int32_t how) noexcept : kind(what), id(which), events(how) {}
    void fill(coro_select_case &native) const noexcept {
        native.kind = kind;
        native.id = id;
        native.events = events;
    }
    void done(const coro_select_case &native) const { // what has gone wrong shows in the call that comes next
        (void)native;
    }

private:
    std::int32_t kind;
    std::int64_t id;
    std::int32_t events;
};

} // namespace detail

// What select() waits for. on_receive: the next value is in `into`, or nothing if the channel was closed and is empty.
// on_send: `value` was moved into the channel; if it was not, it is as it was once the select is over. (So no two cases may
// send one variable: the other would send what was moved from.) on_event: it is set. on_readable, on_writable: the
// descriptor can be read from or written to, or reports an error. on_end: the task can be joined without waiting.
template <class T> detail::receive_case<T> on_receive(channel<T> &from, std::optional<T> &into) { return {from, into}; }
template <class T> detail::send_case<T> on_send(channel<T> &into, T &value) { return {into, value}; }
inline detail::event_case on_event(const event &which) { return detail::event_case(which); }
inline detail::id_case on_readable(const fd &which) { return {CORO_SELECT_FD, which.get(), CORO_READ}; }
inline detail::id_case on_writable(const fd &which) { return {CORO_SELECT_FD, which.get(), CORO_WRITE}; }
template <class T> detail::id_case on_end(const task<T> &which) { return {CORO_SELECT_JOIN, which.id(), 0}; }

// Waits until one of the cases can happen, does that one, and returns its index; of several that can, one is drawn. After
// `time` it returns CORO_ETIMEOUT:
//
//     std::optional<job> next;
//     switch (coro::select_for(10s, coro::on_receive(jobs, next), coro::on_event(stop))) {
//     case 0: ...
//     case 1: ...
//     case CORO_ETIMEOUT: ...
//     }
//
// Suspends. Throws closed_error (an on_send() whose channel was closed, an on_event() whose event is gone), or what the caller
// was interrupted with; nothing has happened then.
template <class Rep, class Period, class... Cases> int select_for(std::chrono::duration<Rep, Period> time, Cases &&...cases) {
    coro_select_case native[sizeof...(Cases)] = {};
    coro_select_case *next = native;
    (cases.fill(*next++), ...);
    const int index = coro_select(native, static_cast<int>(sizeof...(Cases)), detail::nanoseconds(time));
    if (index == CORO_ETIMEOUT) return index;
    check(index);
    int number = 0;
    ((number++ == index ? cases.done(native[index]) : void()), ...);
    return index;
}
template <class... Cases, std::enable_if_t<(sizeof...(Cases) > 0), int> = 0> int select(Cases &&...cases) {
    return select_for(forever, std::forward<Cases>(cases)...);
}

} // namespace coro

#endif
