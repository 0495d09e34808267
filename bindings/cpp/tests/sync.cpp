// Mutex, condition, semaphore, event.
#include "harness.hpp"

TEST(L5_cpp_mutex_works_with_the_locks_of_the_standard_library) {
    coro::mutex mutex;
    auto holder = coro::spawn([&] {
        std::lock_guard lock(mutex);
        coro::sleep_for(1ms);
        trace("holder");
    });
    auto other = coro::spawn([&] {
        std::unique_lock lock(mutex, std::try_to_lock);
        CHECK(!lock.owns_lock());
        lock.lock();
        trace("other");
    });
    holder.join();
    other.join();
    CHECK_EQ(traced, "holder other ");
    coro::mutex second;
    std::scoped_lock both(mutex, second);
    CHECK(coro_mutex_is_locked(mutex.native_handle()));
}

TEST(L5_cpp_mutex_is_unlocked_by_unwinding) {
    coro::mutex mutex;
    auto task = coro::spawn([&] {
        std::lock_guard lock(mutex);
        coro::sleep_for(coro::forever);
    });
    coro::yield();
    task.shutdown();
    mutex.lock();
    mutex.unlock();
    CHECK_THROWS(coro::cancelled_error, task.join());
}

TEST(L5_cpp_mutex_of_an_owner_that_has_ended) {
    coro::mutex mutex;
    auto careless = coro::spawn([&] { mutex.lock(); });
    careless.join();
    CHECK_CODE(-EOWNERDEAD, mutex.lock());
    CHECK(mutex.try_lock()); // the error left it unlocked
    mutex.unlock();
}

TEST(L5_cpp_a_circle_of_mutexes_is_an_error) {
    coro::mutex first, second;
    auto task = coro::spawn([&] {
        std::lock_guard one(first);
        coro::yield();
        std::lock_guard two(second);
    });
    std::unique_lock two(second);
    coro::yield();
    coro::yield();
    try {
        first.lock();
        CHECK(false);
    } catch (const coro::error &error) {
        CHECK(error.code() == std::errc::resource_deadlock_would_occur);
    }
    CHECK_EQ(coro_error_other(), task.id());
    two.unlock();
    task.join();
}

TEST(L5_cpp_condition) {
    coro::mutex mutex;
    coro::condition changed;
    int value = 0;
    auto waiter = coro::spawn([&] {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return value == 2; });
        CHECK(coro_mutex_has_lock(mutex.native_handle(), coro::current()));
        return value;
    });
    for (int i = 0; i < 2; i++) {
        coro::sleep_for(1ms);
        std::lock_guard lock(mutex);
        value++;
        changed.notify_one();
    }
    CHECK_EQ(waiter.join(), 2);
}

TEST(L5_cpp_condition_locks_again_when_interrupted) {
    coro::mutex mutex;
    coro::condition changed;
    auto waiter = coro::spawn([&] {
        std::unique_lock lock(mutex);
        CHECK_THROWS(coro::timeout_error, coro::with_timeout(1ms, [&] { changed.wait(lock); }));
        CHECK(lock.owns_lock());
        CHECK(coro_mutex_has_lock(mutex.native_handle(), coro::current()));
    });
    waiter.join();
    CHECK(!coro_mutex_is_locked(mutex.native_handle()));
    std::vector<coro::task<>> all;
    for (int i = 0; i < 3; i++)
        all.push_back(coro::spawn([&] {
            std::unique_lock lock(mutex);
            changed.wait(lock);
        }));
    coro::sleep_for(1ms);
    changed.notify_all();
    for (auto &one : all) one.join();
}

TEST(L5_cpp_condition_whose_mutex_can_not_be_locked_again) {
    coro::mutex mutex;
    coro::condition changed;
    auto waiter = coro::spawn([&] {
        std::unique_lock lock(mutex);
        CHECK_CODE(CORO_ELOCK, [&] {
            mutex.unlock(); // behind the lock's back
            changed.wait(lock);
        }());
        CHECK(!lock.owns_lock());
    });
    waiter.join();
}

TEST(L5_cpp_semaphore) {
    coro::semaphore places(2);
    int most = 0, now = 0;
    std::vector<coro::task<>> all;
    for (int i = 0; i < 6; i++)
        all.push_back(coro::spawn([&] {
            places.acquire();
            most = std::max(most, ++now);
            coro::sleep_for(1ms);
            now--;
            places.release();
        }));
    for (auto &one : all) one.join();
    CHECK_EQ(most, 2);
    CHECK(places.try_acquire(2));
    CHECK(!places.try_acquire());
    CHECK_EQ(places.available(), 0);
    CHECK_CODE(-EINVAL, places.acquire(-1));
    CHECK_CODE(-EINVAL, places.try_acquire(-1));
}

TEST(L5_cpp_event) {
    coro::event ready;
    auto waiter = coro::spawn([&] {
        ready.wait();
        trace("ready");
    });
    coro::yield();
    CHECK(!ready.is_set());
    ready.set();
    waiter.join();
    ready.wait();
    ready.reset();
    CHECK(!ready.is_set());
    CHECK_CODE(-EDEADLK, ready.wait()); // on the thread's own stack, and nothing can set it
}
