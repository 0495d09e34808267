/*
 * What Swift cannot say, for CoroRuntime alone: nothing here is exported from libcoro.so.
 * System calls return -errno, as everything in libcoro does.
 */
#ifndef CORO_PLATFORM_H
#define CORO_PLATFORM_H

#include "coro_bell.h"
#include "coro_connections.h"
#include "coro_context.h"
#include "coro_copies.h"
#include "coro_file.h"
#include "coro_main_queue.h"
#include "coro_memory.h"
#include "coro_messages.h"
#include "coro_names.h"
#include "coro_poller.h"
#include "coro_pool.h"
#include "coro_process.h"
#include "coro_signals.h"
#include "coro_signature.h"
#include "coro_slots.h"
#include "coro_swift_task.h"
#include "coro_system.h"
#include "coro_thread.h"
#include "coro_tools.h"
#include "coro_trampoline.h"
#include "coro_watchdog.h"
#include "coro_words.h"

#endif
