-- C functions in coroutines, from LuaJIT: nothing but coro.h and libcoro.so is needed.
--
--     $ luajit example.lua
--     hypot(3, 4) = 5
--     three naps of 10, 30 and 20 ms took 30 ms
--     squares: 0 1 4 9 16
--     refused: parameter 'ns' of nap: a pointer is not of its type, int64_t
--     a time limit of 50 ms: CORO_ETIMEOUT
--     the nap was told to end: CORO_ESHUTDOWN
local ffi = require("ffi")
local coro = require("coro")

ffi.cdef "double hypot(double x, double y);"
coro.C.coro_test_set_virtual_time(true) -- so that the times above are exact

-- Any C function is a target by its prototype, which has our two additions: defaults, and names that count.
local hypot = coro.register("double hypot(double x, double y)", ffi.C.hypot)
print("hypot(3, 4) = " .. hypot:spawn(3, 4):join())

-- What suspends in C lets the others run.
local nap = coro.register("int nap(int64_t ns = 10000000)", coro.C.coro_sleep)
local began = coro.C.coro_get_now()
local naps = { nap:spawn(), nap:spawn(30e6), coro.spawn("nap", { ns = 20e6 }) }
for _, handle in ipairs(naps) do handle:join() end
print("three naps of 10, 30 and 20 ms took " .. tonumber(coro.C.coro_get_now() - began) / 1e6 .. " ms")

-- Lua functions are targets as well, for C to call; they can't wait. So this one hands on what there is room for.
local channel = coro.channel("int64_t", 5)
local square = coro.register("void square(int n)", function(n) channel:try_send(n * n) end)
for n = 0, 4 do square:spawn(n) end
coro.run_until_idle()
channel:close()
local squares = {}
for n in channel:each() do squares[#squares + 1] = n end
print("squares: " .. table.concat(squares, " "))

-- Errors are tables, with a code, a name, and what was wrong this time.
local ok, failure = pcall(nap.spawn, nap, "a text")
print("refused: " .. failure.detail)

local long = nap:spawn(1e12)
ok, failure = pcall(coro.with_timeout, 0.050, long.join, long)
print("a time limit of 50 ms: " .. failure.name)
long:shutdown()
print("the nap was told to end: " .. ffi.string(coro.C.coro_error_name(long:join()))) -- it returned what coro_sleep did
