-- libcoro for LuaJIT, by its ffi: see README.md.
local ffi = require("ffi")
local library = require("coro.library")
local targets = require("coro.targets")
local values = require("coro.values")
require("jit").off(true, true) -- see library.lua

local C, constants = library.C, library.constants
local check, may_wait, nanoseconds = library.check, library.may_wait, library.nanoseconds

local coro = {
    C = C,
    constants = constants,
    is_error = library.is_error,
    register = targets.register,
    find = targets.find,
    spawn = targets.spawn,
    struct = targets.struct,
    channel = require("coro.channel").new,
}

-- Waits that long, while the coroutines run; nil: until it is interrupted.
function coro.sleep(seconds)
    may_wait()
    check(C.coro_sleep(nanoseconds(seconds)))
end

-- Lets the coroutines run that can.
function coro.yield()
    may_wait()
    check(C.coro_yield())
end

-- Runs the coroutines until nothing is left that could run.
function coro.run_until_idle()
    may_wait()
    local options = ffi.new("coro_loop_options", { struct_size = ffi.sizeof("coro_loop_options") })
    options.flags = constants.CORO_LOOP_UNTIL_IDLE
    return check(C.coro_event_loop_with(options))
end

-- Runs the coroutines until coro.set_exit(code), and returns the code.
function coro.event_loop()
    may_wait()
    return check(C.coro_event_loop())
end

function coro.set_exit(code)
    C.coro_set_exit(code)
end

-- Returns f(...), or raises CORO_ETIMEOUT if it waited for longer in all.
function coro.with_timeout(seconds, f, ...)
    local scope = check(C.coro_timeout_begin(nanoseconds(seconds)))
    local results = values.pack(pcall(f, ...))
    local ok, failure = results[1], results[2]
    local code = ok and 0 or library.is_error(failure) and failure.code or constants.CORO_EFAILED
    local ended = C.coro_timeout_end(scope, code)
    if not ok and not library.is_error(failure) then error(failure, 0) end -- which is worse than being late
    if ended ~= code then check(ended) end
    if not ok then error(failure, 0) end
    return unpack(results, 2, results.n)
end

return coro
