// Variables of which every coroutine has its own.
#ifndef CORO_LOCAL_HPP
#define CORO_LOCAL_HPP

#include "error.hpp"

#include <memory>

namespace coro {

// A variable of which every coroutine, and every thread's own stack, has its own value: made by T() when it first looks,
// destroyed when it ends, where nothing may suspend. Usually static.
template <class T> class local {
public:
    // Throws without memory.
    local() : id(check(coro_local_new([](void *value) { delete static_cast<T *>(value); }))) {}
    local(const local &) = delete;
    local &operator=(const local &) = delete;
    // Destroys the values of this thread's coroutines.
    ~local() { (void)coro_local_free(id); }

    // The caller's value. Throws without memory, or what T() throws. Does not suspend, unless T() does.
    T &get() {
        if (T *its = find()) return *its;
        auto made = std::make_unique<T>();
        check(coro_local_set(id, made.get()));
        return *made.release();
    }
    T &operator*() { return get(); }
    T *operator->() { return &get(); }

    // Whether the caller has one.
    bool has_value() const noexcept { return find() != nullptr; }

    // Destroys the caller's value: the next look makes a new one.
    void reset() noexcept {
        const std::unique_ptr<T> its(find());
        (void)coro_local_delete(id);
    }

    coro_local_t native_handle() const noexcept { return id; }

private:
    T *find() const noexcept {
        void *value = nullptr;
        (void)coro_local_get(id, &value);
        return static_cast<T *>(value);
    }

    coro_local_t id;
};

} // namespace coro

#endif
