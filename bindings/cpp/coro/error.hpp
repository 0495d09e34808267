// Errors: what libcoro returns as a negative code is thrown here.
#ifndef CORO_ERROR_HPP
#define CORO_ERROR_HPP

#include <coro.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

namespace coro {

namespace detail {

class error_category : public std::error_category {
public:
    const char *name() const noexcept override { return "coro"; }
    std::string message(int code) const override { return coro_strerror(code); }

    // A system's error is equal to its std::errc, so that `e.code() == std::errc::connection_refused` holds.
    std::error_condition default_error_condition(int code) const noexcept override {
        if (code == CORO_ETIMEOUT) return std::errc::timed_out;
        if (code < 0 && code > CORO_ESCHEDULE) return std::error_condition(-code, std::generic_category());
        return std::error_condition(code, *this);
    }
};

} // namespace detail

// The category of libcoro's codes: -errno and CORO_E..., negative as in coro.h.
inline const std::error_category &category() noexcept {
    static const detail::error_category it;
    return it;
}

// A call of libcoro has failed. code().value() is the negative code; what() is the detail, and what the code means.
class error : public std::system_error {
public:
    explicit error(int code, const std::string &detail = {})
        : std::system_error(detail.empty() ? std::system_error(code, category()) : std::system_error(code, category(), detail)),
          length(detail.size()) {}

    // What was wrong this time: as coro_error_detail(), or the message of coro_fail().
    std::string_view detail() const noexcept { return {what(), length}; }

private:
    std::size_t length;
};

// The running coroutine was told to end, by task::shutdown() or coro_shutdown(). Thrown once, by the call in which it waits.
// Let it pass: destructors clean up, and a coroutine that it leaves ends silently. Who catches it to go on may.
class shutdown_requested : public error {
public:
    explicit shutdown_requested(const std::string &what = {}) : error(CORO_ESHUTDOWN, what) {}
};

// The wait was broken off: by coro_interrupt(), or because a limit of time around it ran out. Let it pass: with_timeout() makes
// a timeout_error of its own.
class interrupted : public error {
public:
    explicit interrupted(const std::string &what = {}) : error(CORO_EINTERRUPTED, what) {}
};

// A limit of time ran out: that of with_timeout(), or of the call.
class timeout_error : public error {
public:
    explicit timeout_error(const std::string &what = {}) : error(CORO_ETIMEOUT, what) {}
};

// The channel, lock or descriptor was closed, or destroyed while the call waited.
class closed_error : public error {
public:
    explicit closed_error(const std::string &what = {}) : error(CORO_ECLOSED, what) {}
};

// The coroutine that was joined had been shut down and has no result. Its code is CORO_ESHUTDOWN, but it is not a
// shutdown_requested: nobody has told the one who joins to end.
class cancelled_error : public error {
public:
    explicit cancelled_error(const std::string &what = {}) : error(CORO_ESHUTDOWN, what) {}
};

// Throws `code` as the class that stands for it; what: beside coro_strerror(), by default the detail of the thread's last
// error.
[[noreturn]] inline void throw_error(int code, const std::string &what = coro_error_detail()) {
    switch (code) {
    case CORO_ESHUTDOWN: throw shutdown_requested(what);
    case CORO_EINTERRUPTED: throw interrupted(what);
    case CORO_ETIMEOUT: throw timeout_error(what);
    case CORO_ECLOSED: throw closed_error(what);
    default: throw error(code, what);
    }
}

// What a function of coro.h has returned, unless it is an error: that is thrown.
inline std::int64_t check(std::int64_t result) {
    if (result < 0) throw_error(static_cast<int>(result));
    return result;
}

namespace detail {

// A new object of coro.h, unless it is NULL.
template <class T> T *check_new(T *object) {
    if (object == nullptr) throw_error(-ENOMEM);
    return object;
}

// Has the running coroutine fail with a message, of which it takes the first 500 bytes: without memory, too.
inline void fail(int code, std::string_view message) noexcept {
    char text[501] = {};
    message.copy(text, sizeof text - 1);
    coro_fail(code, text);
}

// Ends the running coroutine's function, in a catch block, for the exception that is caught there: its joiners and the notifier
// get a code and a text that every language understands.
inline void fail_with_current_exception() noexcept {
    try {
        throw;
    } catch (const shutdown_requested &) {
        coro_fail(CORO_ESHUTDOWN, nullptr);
    } catch (const cancelled_error &exception) {
        fail(CORO_EFAILED, exception.detail()); // another's end, and so none of its own that were silent
    } catch (const error &exception) {
        fail(exception.code().value(), exception.detail());
    } catch (const std::exception &exception) {
        coro_fail(CORO_EFAILED, exception.what());
    } catch (...) {
        coro_fail(CORO_EFAILED, "an exception that is no std::exception");
    }
}

// Deletes an object of coro.h: std::unique_ptr<coro_mutex, deleter<coro_mutex_free>>.
template <auto release> struct deleter {
    template <class T> void operator()(T *object) const noexcept { (void)release(object); }
};

} // namespace detail
} // namespace coro

#endif
