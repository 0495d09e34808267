-- Coroutines that run targets.
local ffi = require("ffi")
local library = require("coro.library")
local values = require("coro.values")
require("jit").off(true, true) -- see library.lua

local C, constants = library.C, library.constants
local check, may_wait, nanoseconds = library.check, library.may_wait, library.nanoseconds

-- A coroutine that runs a target. One that is collected without having been joined is detached.
local Handle = {}
Handle.__index = Handle

local function detach(id)
    C.coro_detach(id[0])
end

-- target: what it runs.
function Handle.new(id, target)
    return setmetatable({ id = values.exact(id), target = target, owned = ffi.gc(ffi.new("coro_t[1]", id), detach) }, Handle)
end

-- Waits for its end, for so many seconds at most, and returns its result. Raises what it failed with; and CORO_ETIMEOUT, or
-- what the caller was interrupted with: then it goes on, and may be joined again.
function Handle:join(seconds)
    may_wait()
    local result, value, bytes = self.target.result, ffi.new("coro_value"), nil
    if values.is_aggregate(result.ctype) then
        bytes = ffi.new(result.ctype)
        value.kind, value.size, value.as.p = constants.CORO_VALUE_BYTES, ffi.sizeof(bytes), ffi.cast("void *", bytes)
    end
    local ok, failure = pcall(check, C.coro_join_value(self.id, value, nanoseconds(seconds)))
    if C.coro_ident(self.id) ~= self.id then ffi.gc(self.owned, nil) end -- nothing of it is left to detach
    if not ok then error(failure, 0) end
    return values.get(value, result, bytes, constants)
end

function Handle:is_alive()
    return C.coro_is_alive(self.id)
end

-- What it waits in is CORO_ESHUTDOWN, once. One that has not run yet never does.
function Handle:shutdown()
    check(C.coro_shutdown(self.id))
end

-- What it waits in is CORO_EINTERRUPTED.
function Handle:interrupt()
    check(C.coro_interrupt(self.id, nil))
end

return Handle
