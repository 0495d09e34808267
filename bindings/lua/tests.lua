-- Tests of the module, in virtual time. Usage: luajit tests.lua TARGETS-LIBRARY EXPORTS
local ffi = require("ffi")
local coro = require("coro")
local targets = ffi.load(assert(arg[1]))
local exports = assert(arg[2])

ffi.cdef [[
    void negated(); void same_unsigned(); void same_signed(); void is_odd(); void half(); void nothing(); void mirrored();
    void greeting(); void length(); void failing(); void squares(); void doubled_by();
]]
coro.C.coro_test_set_virtual_time(true)

-- What fails in a coroutine is expected: it need not be on stderr.
local told = {}
coro.C.coro_set_exception_notifier(function(_, code, message)
    told[#told + 1] = { code = code, message = ffi.string(message) }
    return 0
end)

local tests, names = {}, {}
setmetatable(tests, { __newindex = function(t, name, test)
    names[#names + 1] = name
    rawset(t, name, test)
end })

local function equal(actual, expected)
    if actual ~= expected or type(actual) ~= type(expected) then
        error(("%s (%s), not %s (%s)"):format(tostring(actual), type(actual), tostring(expected), type(expected)), 2)
    end
end

-- The error that f(...) raises, which must be of that name and its text have `part` in it.
local function raises(name, part, f, ...)
    local ok, failure = pcall(f, ...)
    if ok then error("nothing was raised", 2) end
    if not coro.is_error(failure, name) then error("raised " .. tostring(failure) .. ", not " .. name, 2) end
    if not tostring(failure):find(part, 1, true) then error("the text is " .. tostring(failure), 2) end
    return failure
end

local function register(prototype)
    return coro.register(prototype, targets[prototype:match("([%w_]+)%(")])
end

local function records()
    collectgarbage()
    collectgarbage()
    return tonumber(coro.C.coro_get_live_coros())
end

-- Names are registered once; the next test may want the same.
local function unregister_all()
    local list = ffi.new("coro_target_t[?]", 100)
    for i = 0, coro.C.coro_target_list(list, 100) - 1 do coro.C.coro_target_unregister(list[i]) end
end

function tests.everything_that_is_exported_is_declared()
    local found = 0
    for line in io.lines(exports) do
        local symbol = line:match("^CORO_%S+ (coro_[%w_]+)$")
        if symbol then
            assert(pcall(function() return coro.C[symbol] end), symbol .. " can't be looked up")
            found = found + 1
        end
    end
    assert(found > 200, found)
    equal(coro.constants.CORO_ETIMEOUT, -5005)
    equal(coro.constants.CORO_TARGET_NO_SUSPEND, 1)
    equal(ffi.sizeof("coro_value"), 16)
end

function tests.numbers_are_converted_where_nothing_is_lost()
    local negated = register("int8_t negated(int8_t small)")
    equal(negated:spawn(100):join(), -100)
    raises("ERANGE", "small", negated.spawn, negated, 300)
    raises("EINVAL", "small", negated.spawn, negated, 1.5)
    raises("EINVAL", "small", negated.spawn, negated, "1")
    raises("EINVAL", "small", negated.spawn, negated)
    raises("EINVAL", "", negated.spawn, negated, 1, 2)

    local signed, unsigned = register("int64_t same_signed(int64_t n)"), register("uint64_t same_unsigned(uint64_t n)")
    equal(signed:spawn(2 ^ 53):join(), 2 ^ 53) -- exact: a number
    local boxed = signed:spawn(2LL ^ 53 + 1):join()
    assert(ffi.istype("int64_t", boxed) and boxed == 9007199254740993LL, boxed)
    boxed = unsigned:spawn(0xffffffffffffffffULL):join()
    assert(ffi.istype("uint64_t", boxed) and boxed == 0xffffffffffffffffULL, boxed)
    equal(unsigned:spawn(0):join(), 0)
    raises("ERANGE", "n", unsigned.spawn, unsigned, -1)

    equal(register("float half(float)"):spawn(5):join(), 2.5)
    equal(register("bool is_odd(unsigned)"):spawn(3):join(), true)
    equal(coro.spawn("is_odd", 4):join(), false)
    equal(register("void nothing(void)"):spawn():join(), nil)
    equal(coro.spawn("half", -math.huge):join(), -math.huge)
end

function tests.arguments_go_by_place_or_name()
    local length = register("size_t length(const char *text, int times = 2)")
    equal(length.prototype, "size_t length(const char *text, int times = 2)")
    equal(length:spawn("four"):join(), 8)
    equal(length:spawn("four", nil):join(), 8)
    equal(length:spawn { "four", times = 3 }:join(), 12)
    equal(length:spawn { times = 1, text = "four" }:join(), 4)
    equal(coro.spawn("length", { text = ffi.cast("const char *", nil) }):join(), 0)
    raises("EINVAL", "height", length.spawn, length, { "four", height = 1 })
    raises("EINVAL", "text", length.spawn, length, { times = 1 })
    assert(not pcall(length.spawn, length, { [1.5] = 1 }))
    assert(not pcall(length.spawn, length, print))
    raises("ENOENT", "no_such", coro.spawn, "no_such")
    length:unregister()
    raises("ENOENT", "length", coro.find, "length")
    raises("ESRCH", "", length.spawn, length, "four")
end

function tests.texts_are_copied()
    local length = register("size_t length(const char *text, int times)")
    local handles = {}
    for i = 1, 50 do handles[i] = length:spawn(("x"):rep(i), 51 - i) end -- they end the other way round
    collectgarbage()
    for i = 1, 50 do equal(handles[i]:join(), i * (51 - i)) end
    equal(register("const char *greeting(bool known)"):spawn(true):join(), "hello")
    equal(coro.spawn("greeting", false):join(), nil)
end

function tests.structs_are_passed_by_value()
    local point = coro.struct("lua_point", "double x; int y;")
    equal(coro.struct("lua_point", "double x; int y;"), point)
    raises("EEXIST", "lua_point", coro.struct, "lua_point", "int x;")
    local mirrored = register("lua_point mirrored(lua_point p)")
    local result = mirrored:spawn(point(1.5, 7)):join()
    assert(ffi.istype(point, result) and result.x == -1.5 and result.y == -7)
    local swapped = coro.register("lua_point swapped(struct lua_point p)", function(p) return { x = p.y, y = p.x } end)
    result = swapped:spawn(point(3, 4)):join()
    assert(result.x == 4 and result.y == 3)

    local kept = {} -- longer than the arguments of the calls
    local keep = coro.register("void keep(lua_point p)", function(p) kept[#kept + 1] = p end)
    for i = 1, 5 do keep:spawn(point(i, i)):join() end
    for i = 1, 5 do assert(kept[i].x == i and kept[i].y == i, kept[i].x) end
end

function tests.what_is_wrong_is_raised_as_a_table()
    raises("EINVAL", "line 1, column", coro.register, "int broken(", targets.nothing)
    raises("EINVAL", "", coro.register, "int null(int)", ffi.cast("void *", nil))
    local failing = register("int failing(int code)")
    raises("EEXIST", "failing", coro.register, "int failing(int code)", targets.failing)
    local failure = raises("EIO", "said by the target", function() failing:spawn(-5):join() end)
    equal(failure.code, -5)
    equal(failure.detail, "said by the target")
    assert(not coro.is_error("text") and not coro.is_error({ name = "EIO" }, "EIO"))
    local unknown = coro.register("void unknown(no_such_type *p)", targets.nothing)
    assert(unknown:spawn(ffi.cast("void *", nil)):join() == nil)
    equal(told[#told].message, "said by the target")

    -- libcoro knows it, ffi does not: nothing is left registered.
    equal(coro.C.coro_struct_register("lua_secret", "int x;"), 0)
    for _, f in ipairs({ targets.nothing, print }) do
        local ok, text = pcall(coro.register, "lua_secret tell(lua_secret s)", f)
        assert(not ok and text:find("ffi does not know the type of 'lua_secret'", 1, true), text)
        raises("ENOENT", "tell", coro.find, "tell")
    end
end

-- -- Lua functions --

function tests.lua_functions_are_targets()
    local add = coro.register("int add(int a, int b = 4)", function(a, b) return a + b end)
    equal(add:spawn(3):join(), 7)
    equal(add:spawn { b = 1, a = 2 }:join(), 3)
    local seen = {}
    local see = coro.register("void see(const char *text, uint64_t big, bool flag, double x, void *p)",
        function(...) seen = { ... } end)
    see:spawn("text", 0xffffffffffffffffULL, true, 0.5, ffi.cast("void *", 16)):join()
    equal(seen[1], "text")
    assert(seen[2] == 0xffffffffffffffffULL and seen[3] == true and seen[4] == 0.5 and seen[5] == ffi.cast("void *", 16))
    see:spawn(ffi.cast("const char *", nil), 7, false, 1, ffi.cast("void *", nil)):join()
    assert(seen[1] == nil and seen[2] == 7 and seen[3] == false)

    local doubled = register("int doubled_by(const char *name, int n)") -- from a coroutine of C's
    raises("ENOENT", "triple_in_lua", function() doubled:spawn("triple_in_lua", 7):join() end)
    coro.register("int triple_in_lua(int n)", function(n) return n * 3 end)
    equal(doubled:spawn("triple_in_lua", 7):join(), 42)
end

function tests.what_the_header_does_not_say_plainly_is_not_guessed()
    local header = require("coro.header")
    local constants = header.constants("#define CORO_A (-5)\n#define CORO_B (1 << 3)\n#define CORO_C 0x10 /* sixteen */\n")
    assert(constants.CORO_A == -5 and constants.CORO_B == nil and constants.CORO_C == 16)
    local text = "#define CORO_SIZE 4\n#define CORO_PLAIN\nstruct s { char CORO_PLAIN a[CORO_SIZE]; char b[CORO_OTHER]; };\n"
    assert(header.declarations(text):find("char  a[4]; char b[CORO_OTHER];", 1, true))
end

function tests.every_integer_type_that_libcoro_knows()
    local file, n = assert(io.open("../../Sources/CCoroPlatform/words.c")), 0
    for name in file:read("*a"):gmatch("INTEGER%((u?_?[%w_]+)%)") do
        if name:find("_t$") or name:find("^u_") then
            local same = coro.register(("%s same(%s n)"):format(name, name), function(value) return value end)
            local signed = ffi.cast(name, -1) < 0
            local bits = ffi.sizeof(name) * 8 - (signed and 1 or 0)
            local most = ffi.cast("uint64_t", 2 ^ (bits - 1)) * 2 - 1
            assert(ffi.cast("uint64_t", same:spawn(most):join()) == most, name)
            if bits < 63 then raises("ERANGE", "does not fit", same.spawn, same, tonumber(most) + 1) end
            same:unregister()
            n = n + 1
        end
    end
    file:close()
    assert(n > 50)
    local color = coro.register("enum color größe$_1(enum color größe, enum color)", function(a, b) return a - b end)
    equal(color:spawn(3, 5):join(), -2)
    color:unregister()
end

function tests.errors_of_lua_functions_are_joined()
    local fails = coro.register("int fails(int how)", function(how)
        if how == 1 then error("a text") end
        if how == 2 then return coro.spawn("no_such") end
        if how == 3 then return "no text goes to C" end
        if how == 4 then error({}) end
        return how
    end)
    raises("CORO_EFAILED", "a text", function() fails:spawn(1):join() end)
    raises("ENOENT", "no_such", function() fails:spawn(2):join() end)
    raises("CORO_EFAILED", "can't return a text", function() fails:spawn(3):join() end)
    raises("CORO_EFAILED", "table", function() fails:spawn(4):join() end)
    equal(fails:spawn(5):join(), 5)
    local wrong = coro.register("int wrong(void)", function() return print end)
    raises("CORO_EFAILED", "cannot convert", function() wrong:spawn():join() end)
    local wide = coro.register("int8_t wide(double x)", function(x) return x end)
    for _, x in ipairs({ 128, -129, 1.5, 0 / 0 }) do
        raises("CORO_EFAILED", "does not fit", function() wide:spawn(x):join() end)
    end
    equal(wide:spawn(-128.0):join(), -128)
    local mute = coro.register("int mute(void)", function()
        error(setmetatable({}, { __tostring = function() error("nor this") end }))
    end)
    raises("CORO_EFAILED", "without a text", function() mute:spawn():join() end)
end

function tests.lua_functions_cannot_wait()
    local channel, other = coro.channel("int"), nil
    local waits = {
        function() coro.sleep(0) end,
        function() coro.yield() end,
        function() coro.run_until_idle() end,
        function() channel:receive() end,
        function() channel:send(1) end,
        function() other:join() end,
        function() coro.with_timeout(1, coro.sleep, 2) end,
    }
    local wait = coro.register("void wait(int which)", function(which) waits[which]() end)
    other = wait:spawn(1)
    for i = 1, #waits do
        raises("CORO_EYIELDFROMMAIN", "can't wait in it", function() wait:spawn(i):join() end)
    end
    -- What goes past this module is refused by the library.
    local code
    coro.register("void raw(void)", function() code = coro.C.coro_sleep(1) end):spawn():join()
    equal(code, coro.constants.CORO_EYIELDFROMMAIN)
    raises("CORO_EYIELDFROMMAIN", "", function() other:join() end)
    local spawned = {}
    coro.register("void spawns(void)", function() spawned[1] = register("int8_t negated(int8_t)"):spawn(5) end):spawn():join()
    equal(spawned[1]:join(), -5) -- which does not wait
end

-- Hot loops are compiled; calls that run callbacks must not be.
function tests.loops_that_run_lua_functions_are_not_compiled_wrongly()
    local count = 0
    local add = coro.register("int counted(int a)", function(a) count = count + 1 return a + 1 end)
    for i = 1, 3000 do equal(add:spawn(i):join(), i + 1) end
    local channel = coro.channel("int64_t", 1)
    for i = 1, 3000 do
        local handle = add:spawn(i)
        channel:send(i)
        equal(channel:receive(), i)
        coro.yield()
        equal(handle:join(0), i + 1)
    end
    for _ = 1, 3000 do
        add:spawn(1)
        coro.sleep(0)
    end
    equal(count, 9000)
    equal(records(), 0)
end

-- -- waiting --

function tests.handles_that_are_collected_are_detached()
    local length = register("size_t length(const char *text, int times)")
    for _ = 1, 10 do length:spawn("x", 5) end
    equal(records(), 10) -- they go on
    coro.sleep(0.010)
    equal(records(), 0)
    local handle = length:spawn("x", 1)
    coro.sleep(0.010)
    handle = nil
    equal(records(), 0)
end

function tests.joins_may_have_a_limit()
    local length = register("size_t length(const char *text, int times)")
    local handle = length:spawn("xyz", 100)
    raises("CORO_ETIMEOUT", "", handle.join, handle, 0.010)
    raises("CORO_ETIMEOUT", "", coro.with_timeout, 0.010, handle.join, handle)
    equal(handle:is_alive(), true)
    equal(handle:join(), 300)
    raises("CORO_EDEAD", "", handle.join, handle)
    handle = length:spawn("xyz", 100)
    coro.sleep(0.001)
    handle:interrupt()
    assert(handle:join() == 0xffffffffffffffffULL)
    handle = length:spawn("xyz", 100)
    handle:shutdown()
    raises("CORO_ESHUTDOWN", "", handle.join, handle)
    equal(records(), 0)
end

function tests.scopes_of_time_nest_and_give_results()
    local a, b, c = coro.with_timeout(1, function(...) return ... end, 1, nil, 3)
    assert(a == 1 and b == nil and c == 3)
    local inner
    raises("CORO_ETIMEOUT", "", coro.with_timeout, 0.010, function()
        inner = raises("CORO_EINTERRUPTED", "", coro.with_timeout, 1, coro.sleep, 2)
        error(inner, 0)
    end)
    coro.with_timeout(1, function() raises("CORO_ETIMEOUT", "", coro.with_timeout, 0.010, coro.sleep, 2) end)
    raises("CORO_ETIMEOUT", "", coro.with_timeout, 0.010, pcall, coro.sleep, 2) -- who makes nothing of it
    local ok, text = pcall(coro.with_timeout, 0.010, function() error("its own", 0) end)
    assert(not ok and text == "its own")
    ok, text = pcall(coro.with_timeout, 1, error, nil)
    assert(not ok and text == nil)
    ok, text = pcall(coro.with_timeout, 1, error, false)
    assert(not ok and text == false)
    coro.sleep(0.010) -- no scope is left
end

function tests.channels_carry_c_values_between_c_and_lua()
    local channel, sum = coro.channel("int64_t", 2), 0
    local sender = register("void squares(coro_channel *channel, int n)"):spawn(channel, 10)
    for square in channel:each() do sum = sum + square end
    equal(sum, 285)
    sender:join()
    raises("CORO_ECLOSED", "", channel.receive, channel)
    raises("CORO_ECLOSED", "", channel.send, channel, 1)

    local points = coro.channel(coro.struct("lua_point", "double x; int y;"), 2)
    points:send({ x = 1.5, y = 2 })
    points:try_send(ffi.new("struct lua_point", 3, 4))
    raises("EAGAIN", "", points.try_send, points, { x = 0, y = 0 })
    local first = points:receive()
    assert(first.x == 1.5 and first.y == 2 and points:try_receive().y == 4)
    raises("EAGAIN", "", points.try_receive, points)
    raises("CORO_ETIMEOUT", "", coro.with_timeout, 0.010, points.receive, points)
    raises("ENOMEM", "", coro.channel, "int", 2 ^ 62)

    local small = coro.channel("int8_t", 1)
    for _, value in ipairs({ 128, 0.5 }) do assert(not pcall(small.try_send, small, value)) end
    assert(not pcall(small.try_send, small, nil))
    raises("EAGAIN", "", small.try_receive, small)
    local pair = coro.channel("float[2]", 1)
    pair:send({ 0.5, 2 })
    local received = pair:receive()
    assert(received[0] == 0.5 and received[1] == 2)

    local big = coro.channel("uint64_t", 1)
    big:send(0xffffffffffffffffULL)
    assert(big:receive() == 0xffffffffffffffffULL)
end

function tests.the_loop_may_be_run()
    coro.C.coro_set_print_exit_string(false)
    coro.register("void ends(int code)", coro.set_exit):spawn(7)
    equal(coro.event_loop(), 7)
    equal(coro.run_until_idle(), 0)
end

local failed = 0
for _, name in ipairs(names) do
    local ok, trace = xpcall(tests[name], function(failure) return debug.traceback(tostring(failure), 2) end)
    if not ok then
        failed = failed + 1
        print(name .. " FAILED: " .. trace)
    end
    coro.run_until_idle()
    unregister_all()
end
print(#names - failed .. " passed, " .. failed .. " failed")
os.exit(failed == 0 and 0 or 1)
