// coro.hpp - libcoro for C++17 and later, over coro.h and libcoro.so. Everything is in namespace coro.
//
//     coro::task<int> answer = coro::spawn([] {
//         coro::sleep_for(10ms);
//         return 42;
//     });
//     std::cout << answer.join();      // or throws what the lambda threw
//
// Conventions, beside those of coro.h, which has the whole story of each call:
//
//  - What coro.h returns as a negative code is thrown: as a coro::error, a std::system_error, or a class derived from it.
//    Destructors never throw.
//  - Times are durations of <chrono>, rounded up; coro::forever is no limit.
//  - A coroutine is ended by an exception: coro::shutdown_requested is thrown where it waits, and unwinds its stack. So a
//    function that suspends must not be noexcept, and catch (...) around one must rethrow.
//  - An exception that nobody catches ends its coroutine. Who joins it gets that exception; the notifier
//    (coro_set_exception_notifier) and who joins it from another language get the code of a coro::error, CORO_EFAILED for
//    others, and what().
//  - What is captured by reference must outlive the coroutine: destructors of tasks and groups see to that by waiting.
//  - Objects belong to the thread that made them, and so do coroutines; loop::post() is for other threads.
//  - Ids, codes and native_handle() are those of coro.h: both can be mixed freely.
#ifndef CORO_HPP
#define CORO_HPP

#include "coro/callback.hpp"
#include "coro/channel.hpp"
#include "coro/error.hpp"
#include "coro/group.hpp"
#include "coro/io.hpp"
#include "coro/local.hpp"
#include "coro/loop.hpp"
#include "coro/select.hpp"
#include "coro/sync.hpp"
#include "coro/target.hpp"
#include "coro/task.hpp"
#include "coro/time.hpp"
#include "coro/timeout.hpp"

#endif
