// What coroutines of one thread wait for each other by: mutex, condition, semaphore, event. Each object belongs to the thread
// that made it; who waits is served first come, first served. All constructors throw without memory. Destroy none that somebody
// waits for: the wait would throw closed_error, from an object that is gone.
#ifndef CORO_SYNC_HPP
#define CORO_SYNC_HPP

#include "error.hpp"

#include <memory>
#include <mutex>

namespace coro {

// A lock with one owner, a coroutine or the thread's own stack, who may lock it again: a std::recursive_mutex for
// std::lock_guard, std::unique_lock and std::scoped_lock.
class mutex {
public:
    mutex() : native(detail::check_new(coro_mutex_new())) {}

    // Suspends, if another owns it. Throws with nothing locked: -EDEADLK if the wait would never end; -EOWNERDEAD if who owned
    // it ended without unlocking it (to get it as that one left it: coro_mutex_lock()); or what the caller was interrupted
    // with.
    void lock() { (void)locked(coro_mutex_lock(native.get())); }

    // Locks it if that needs no waiting. Throws as lock().
    bool try_lock() { return locked(coro_mutex_try_lock(native.get())); }

    // Undoes one lock of the caller; else nothing happens. Does not suspend.
    void unlock() noexcept { (void)coro_mutex_unlock(native.get()); }

    coro_mutex *native_handle() const noexcept { return native.get(); }

private:
    bool locked(int code) {
        if (code == -EBUSY) return false;
        if (code == -EOWNERDEAD) {
            unlock();
            throw error(code, "it was left locked by a coroutine that has ended");
        }
        check(code);
        return true;
    }

    std::unique_ptr<coro_mutex, detail::deleter<coro_mutex_free>> native;
};

// Those who wait to be told that something has changed.
class condition {
public:
    condition() : native(detail::check_new(coro_condition_new())) {}

    // Unlocks the mutex, waits to be notified, and locks it again, whatever is thrown (where that is impossible, `lock` no
    // longer owns it). Suspends. Throws what the caller was interrupted with.
    void wait(std::unique_lock<mutex> &lock) {
        const int code = coro_condition_wait_with(native.get(), lock.mutex()->native_handle(), nullptr);
        if (code >= 0) return;
        const std::string what = coro_error_detail();
        if (!coro_mutex_has_lock(lock.mutex()->native_handle(), coro_current())) (void)lock.release();
        throw_error(code, what);
    }

    // Waits until ready() is true.
    template <class Predicate> void wait(std::unique_lock<mutex> &lock, Predicate ready) {
        while (!ready()) wait(lock);
    }

    // Wakes the one who has waited longest; and all. Do not suspend.
    void notify_one() noexcept { (void)coro_condition_wake_one(native.get(), nullptr); }
    void notify_all() noexcept { (void)coro_condition_wake_all(native.get(), nullptr); }

    coro_condition *native_handle() const noexcept { return native.get(); }

private:
    std::unique_ptr<coro_condition, detail::deleter<coro_condition_free>> native;
};

// A number of things, of which anybody takes some and gives some back.
class semaphore {
public:
    explicit semaphore(std::int64_t n) : native(detail::check_new(coro_semaphore_new(n))) {}

    // Takes k, and waits until they are there. Suspends. Throws what the caller was interrupted with.
    void acquire(std::int64_t k = 1) { check(coro_semaphore_acquire(native.get(), k)); }

    // Takes them if that needs no waiting.
    bool try_acquire(std::int64_t k = 1) {
        const int code = coro_semaphore_try_acquire(native.get(), k);
        return code != -EAGAIN && check(code) == 0;
    }

    // Gives k. Does not suspend.
    void release(std::int64_t k = 1) { check(coro_semaphore_release(native.get(), k)); }

    std::int64_t available() const noexcept { return coro_semaphore_available(native.get()); }
    coro_semaphore *native_handle() const noexcept { return native.get(); }

private:
    std::unique_ptr<coro_semaphore, detail::deleter<coro_semaphore_free>> native;
};

// Something that happens once and is remembered.
class event {
public:
    event() : native(detail::check_new(coro_event_new())) {}

    // Waits until it is set; returns at once if it is. Suspends. Throws what the caller was interrupted with.
    void wait() { check(coro_event_wait(native.get(), nullptr)); }

    // Sets it: all who wait go on. Makes it as new. Whether it is set. Do not suspend.
    void set() { check(coro_event_set(native.get(), nullptr)); }
    void reset() { check(coro_event_reset(native.get())); }
    bool is_set() const noexcept { return coro_event_is_set(native.get()); }

    coro_event *native_handle() const noexcept { return native.get(); }

private:
    std::unique_ptr<coro_event, detail::deleter<coro_event_free>> native;
};

} // namespace coro

#endif
