// Descriptors: an owner for them, and the connections most programs need. For all else, coro.h with fd::get().
#ifndef CORO_IO_HPP
#define CORO_IO_HPP

#include "error.hpp"

#include <fcntl.h>

#include <string_view>
#include <utility>

namespace coro {

// An open descriptor, closed with its owner. All that suspends throws closed_error when it is closed meanwhile, what the caller
// was interrupted with, and the system's error: `e.code() == std::errc::connection_reset`.
class fd {
public:
    fd() noexcept = default;
    // Takes over a descriptor.
    explicit fd(int number) noexcept : native(number) {}
    fd(fd &&other) noexcept : native(other.release()) {}
    fd &operator=(fd &&other) noexcept {
        if (this != &other) {
            close();
            native = other.release();
        }
        return *this;
    }
    ~fd() { close(); }

    int get() const noexcept { return native; }
    explicit operator bool() const noexcept { return native >= 0; }
    // Gives it up without closing it.
    int release() noexcept { return std::exchange(native, -1); }
    // Closes it; who waits for it gets closed_error. Does not suspend.
    void close() noexcept {
        if (native >= 0) (void)coro_close(release());
    }

    // Reads what there is, at most n bytes; 0: the end. Suspends.
    std::size_t read(void *buffer, std::size_t n) const {
        return static_cast<std::size_t>(check(coro_read(native, buffer, n)));
    }
    // Reads n bytes. Throws CORO_EEOF if the stream ends before. Suspends.
    void read_exact(void *buffer, std::size_t n) const { check(coro_recv_exact(native, buffer, n)); }
    // Writes all of it. Suspends.
    void write(const void *bytes, std::size_t n) const { check(coro_write(native, bytes, n)); }
    void write(std::string_view text) const { write(text.data(), text.size()); }

    // The next connection to a listening socket. Suspends.
    fd accept() const { return fd(static_cast<int>(check(coro_accept(native, nullptr, nullptr)))); }
    // The port that a socket is bound to. Does not suspend.
    int port() const { return static_cast<int>(check(coro_tcp_port(native))); }

private:
    int native = -1;
};

// A pipe, close-on-exec: first to read, second to write. Does not suspend.
inline std::pair<fd, fd> pipe() {
    int ends[2];
    check(coro_pipe(ends, O_CLOEXEC));
    return {fd(ends[0]), fd(ends[1])};
}

// Connects to a TCP server by name or address; and listens for such connections: host NULL: on all addresses; port 0: on a free
// one. As coro_tcp_connect() and coro_tcp_listen(). Suspend.
inline fd tcp_connect(const char *host, int port) { return fd(static_cast<int>(check(coro_tcp_connect(host, port)))); }
inline fd tcp_listen(const char *host, int port, int backlog = 0) {
    return fd(static_cast<int>(check(coro_tcp_listen(host, port, backlog))));
}

} // namespace coro

#endif
