// Channels of any type.
#ifndef CORO_CHANNEL_HPP
#define CORO_CHANNEL_HPP

#include "error.hpp"

#include <cstring>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace coro {
namespace detail {

// How a T stands in a channel's memory, which knows bytes alone: as its bytes, if they are all there is to it.
template <class T, bool = std::is_trivially_copyable_v<T>> class element {
public:
    static constexpr std::size_t size = sizeof(T);

    element() noexcept {} // bytes to receive into
    explicit element(const T &value) noexcept { std::memcpy(bytes, std::addressof(value), sizeof bytes); }

    void *address() noexcept { return bytes; }
    // What was received.
    T take() noexcept { return std::move(*std::launder(reinterpret_cast<T *>(bytes))); }
    // After sending: the channel has it. Or it has not, and the sender's variable is as it was.
    void sent() noexcept {}
    void give_back(const T &) noexcept {}

private:
    alignas(T) unsigned char bytes[sizeof(T)];
};

// Or as a pointer to a T of its own.
template <class T> class element<T, false> {
public:
    static constexpr std::size_t size = sizeof(T *);

    element() noexcept = default;
    template <class U> explicit element(U &&value) : pointer(new T(std::forward<U>(value))) {}

    void *address() noexcept { return &pointer; }
    T take() {
        const std::unique_ptr<T> received(std::exchange(pointer, nullptr));
        return std::move(*received);
    }
    void sent() noexcept { pointer = nullptr; }
    void give_back(T &value) {
        if constexpr (std::is_move_assignable_v<T>) value = std::move(*pointer);
    }
    void give_back(const T &) noexcept {}

    element(const element &) = delete;
    element &operator=(const element &) = delete;
    ~element() { delete pointer; }

private:
    T *pointer = nullptr;
};

} // namespace detail

// Hands values from those who send to those who receive, first come first served. Belongs to the thread that made it.
//
//     coro::channel<std::string> lines(16);
//     auto printer = coro::spawn([&] { for (std::string line : lines) std::cout << line; });
//     lines.send("hello\n");
//     lines.close();
//     printer.join();
template <class T> class channel {
    static_assert(std::is_object_v<T> && !std::is_const_v<T> && std::is_move_constructible_v<T>, "elements are moved");

public:
    using value_type = T;

    // capacity: how many values it holds that nobody has received; 0: none, so that a send is done when somebody has received
    // it. Throws without memory.
    explicit channel(std::size_t capacity = 0) : native(detail::check_new(coro_channel_new(element::size, capacity))) {}
    channel(channel &&) noexcept = default;
    channel &operator=(channel &&) = delete;
    // Values that nobody has received are destroyed. Those who wait get closed_error, from a channel that is gone: close it,
    // and wait for them, before.
    ~channel() {
        if constexpr (!std::is_trivially_copyable_v<T>) {
            if (native == nullptr) return;
            (void)coro_channel_close(native.get());
            for (int code = 0; code == 0;) {
                element left; // destroyed where it is: to move it could throw
                code = coro_channel_try_receive(native.get(), left.address());
            }
        }
    }

    // Sends a value. Suspends until there is room, or somebody to receive it. Throws, with nothing sent, closed_error or what
    // the caller was interrupted with; a value that was to be moved is back in its place then, if it can be assigned.
    void send(T &&value) { send_element(std::move(value)); }
    void send(const T &value) { send_element(value); }

    // The same without waiting: false if it would have to. Throws closed_error. Does not suspend.
    bool try_send(T &&value) { return try_send_element(std::move(value)); }
    bool try_send(const T &value) { return try_send_element(value); }

    // The next value; none once the channel was closed and everything that had been sent was received. Suspends until there is
    // one. Throws what the caller was interrupted with.
    std::optional<T> receive() {
        element next;
        const int code = coro_channel_receive(native.get(), next.address());
        if (code == CORO_ECLOSED) return std::nullopt;
        check(code);
        return next.take();
    }

    // The same without waiting: none, too, if there is none now. Does not suspend.
    std::optional<T> try_receive() {
        element next;
        const int code = coro_channel_try_receive(native.get(), next.address());
        if (code == CORO_ECLOSED || code == -EAGAIN) return std::nullopt;
        check(code);
        return next.take();
    }

    // Says that nothing more will be sent: who sends gets closed_error. What it holds can still be received. Does not suspend.
    void close() { check(coro_channel_close(native.get())); }

    bool is_closed() const noexcept { return coro_channel_is_closed(native.get()); }
    std::size_t size() const noexcept { return coro_channel_length(native.get()); }
    std::size_t capacity() const noexcept { return coro_channel_capacity(native.get()); }
    // Its elements there are bytes of a T, or pointers to one from new, where T is not trivially copyable.
    coro_channel *native_handle() const noexcept { return native.get(); }

    // For range-for: everything that is received until the channel is closed. Each step suspends as receive().
    class end_iterator {};
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = T;
        using difference_type = std::ptrdiff_t;
        using pointer = T *;
        using reference = T &;

        explicit iterator(channel &from) : source(&from), current(from.receive()) {}
        T &operator*() noexcept { return *current; }
        T *operator->() noexcept { return &*current; }
        iterator &operator++() {
            current.reset();
            if (std::optional<T> next = source->receive()) current.emplace(std::move(*next));
            return *this;
        }
        friend bool operator==(const iterator &it, end_iterator) noexcept { return !it.current; }
        friend bool operator!=(const iterator &it, end_iterator) noexcept { return it.current.has_value(); }

    private:
        channel *source;
        std::optional<T> current;
    };
    iterator begin() { return iterator(*this); }
    end_iterator end() noexcept { return {}; }

private:
    using element = detail::element<T>;

    template <class U> void send_element(U &&value) {
        element next(std::forward<U>(value));
        finish(next, value, coro_channel_send(native.get(), next.address()));
    }
    template <class U> bool try_send_element(U &&value) {
        element next(std::forward<U>(value));
        const int code = coro_channel_try_send(native.get(), next.address());
        if (code == -EAGAIN) return next.give_back(value), false;
        finish(next, value, code);
        return true;
    }
    template <class U> static void finish(element &next, U &value, int code) {
        if (code == 0) return next.sent();
        const std::string what = coro_error_detail();
        next.give_back(value);
        throw_error(code, what);
    }

    std::unique_ptr<coro_channel, detail::deleter<coro_channel_free>> native;
};

} // namespace coro

#endif
