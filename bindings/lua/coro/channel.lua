-- Channels between C and Lua.
local ffi = require("ffi")
local library = require("coro.library")
local values = require("coro.values")
require("jit").off(true, true) -- see library.lua

local C, check, may_wait = library.C, library.check, library.may_wait

-- Hands values of a C type between C and Lua. A target that takes a `coro_channel *` may be given one. It is freed when it is
-- collected: keep it for as long as C uses it.
local Channel = {}
Channel.__index = Channel

-- capacity: how many values it holds that nobody has received.
function Channel.new(element_type, capacity)
    local ctype = ffi.typeof(element_type)
    local pointer = C.coro_channel_new(ffi.sizeof(ctype), capacity or 0)
    if pointer == nil then error(library.new_error(-12, ffi.string(C.coro_error_detail())), 0) end -- -ENOMEM
    return setmetatable({ pointer = ffi.gc(pointer, C.coro_channel_free), ctype = ctype,
                          one = ffi.typeof("$[1]", ctype) }, Channel)
end

-- Waits until there is room, or somebody who receives it.
function Channel:send(value)
    may_wait()
    check(C.coro_channel_send(self.pointer, values.one(self.ctype, value)))
end

-- Waits for the next value.
function Channel:receive()
    may_wait()
    local one = ffi.new(self.one)
    check(C.coro_channel_receive(self.pointer, one))
    return values.read(self.ctype, one)
end

-- The same without waiting; they raise EAGAIN if they would have to.
function Channel:try_send(value)
    check(C.coro_channel_try_send(self.pointer, values.one(self.ctype, value)))
end

function Channel:try_receive()
    local one = ffi.new(self.one)
    check(C.coro_channel_try_receive(self.pointer, one))
    return values.read(self.ctype, one)
end

-- `for value in channel:each() do`: up to when it is closed.
function Channel:each()
    return function()
        local ok, value = pcall(self.receive, self)
        if ok then return value end
        if not library.is_error(value, "CORO_ECLOSED") then error(value, 0) end
    end
end

function Channel:close()
    check(C.coro_channel_close(self.pointer))
end

return Channel
