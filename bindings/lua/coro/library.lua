-- libcoro.so, its errors, and where Lua may wait.
local ffi = require("ffi")
local constants = require("coro.header").load()

-- Lua that C calls back must not be in compiled code when it calls C: LuaJIT's compiler can't see that a C function runs
-- callbacks. So nothing in these files is compiled, nor what calls them where it does.
require("jit").off(true, true)

local C = ffi.load(os.getenv("CORO_LIBRARY") or "coro")
local library = { C = C, constants = constants }

-- Errors are raised as tables of this: code, name, detail; as texts they are all of it.
local Error = {}
Error.__index = Error

function Error:__tostring()
    local meaning = ffi.string(C.coro_strerror(self.code))
    return self.detail == "" and meaning or meaning .. ": " .. self.detail
end

function library.new_error(code, detail)
    code = tonumber(code)
    local name = C.coro_error_name(code)
    return setmetatable({ code = code, name = name ~= nil and ffi.string(name) or tostring(code), detail = detail }, Error)
end

-- Hands on what a C function returned, if it is no error.
function library.check(returned)
    if returned >= 0 then return returned end
    error(library.new_error(returned, ffi.string(C.coro_error_detail())), 0)
end

-- Whether it is an error of libcoro's; name: of that name.
function library.is_error(what, name)
    return getmetatable(what) == Error and (name == nil or what.name == name)
end

-- LuaJIT chains the frames of its C functions, and they lie on the stack on which it was called: those of several coroutines
-- would have to end in the order of a stack. So Lua waits where it was started (on the thread's own stack, as a rule), and
-- nowhere else.
local home = C.coro_current()

-- Before all calls that wait.
function library.may_wait()
    if C.coro_current() == home then return end
    local detail = "Lua that a coroutine has called back can't wait in it. Return, and wait where Lua was started"
    error(library.new_error(constants.CORO_EYIELDFROMMAIN, detail), 0)
end

function library.nanoseconds(seconds)
    if seconds == nil or seconds >= 2 ^ 63 / 1e9 then return C.coro_forever end
    return ffi.cast("int64_t", seconds * 1e9)
end

return library
