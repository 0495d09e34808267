-- Targets: functions with their prototypes, in C and in Lua.
local ffi = require("ffi")
local library = require("coro.library")
local values = require("coro.values")
local Handle = require("coro.handle")
require("jit").off(true, true) -- see library.lua

local C, constants = library.C, library.constants
local check, is_error = library.check, library.is_error
local targets = {}

-- A function with its prototype.
local Target = {}
Target.__index = Target

local function describe(id)
    local size = check(C.coro_target_describe(id, nil, 0)) + 1
    local buffer = ffi.new("char[?]", size)
    check(C.coro_target_describe(id, buffer, size))
    return ffi.string(buffer)
end

local function new_target(id)
    local prototype = describe(id)
    return setmetatable({ id = values.exact(id), prototype = prototype, result = values.result(prototype) }, Target)
end

-- Lua functions that are targets, by the `context` of their handler. They stay: a coroutine may yet run one.
local functions = {}
local handler -- as a C function: there is one for all

local function fail(failure)
    if is_error(failure) then
        C.coro_fail(failure.code, failure.detail)
    else
        C.coro_fail(constants.CORO_EFAILED, tostring(failure))
    end
end

local function call(entry, result, arguments)
    local given = {}
    for i, parameter in ipairs(entry.parameters) do
        local argument = values.read(parameter.ctype, arguments[i - 1])
        if parameter.is_text then argument = argument ~= nil and ffi.string(argument) or nil end
        given[i] = argument
    end
    local returned = entry.f(unpack(given, 1, #entry.parameters))
    if result == nil then return end
    if type(returned) == "string" then
        error("a Lua function can't return a text to C: nobody would own it. Return a pointer", 0)
    end
    values.write(entry.result.ctype, result, returned)
end

local function handle(context, result, arguments)
    local ok, failure = pcall(call, functions[tonumber(ffi.cast("intptr_t", context))], result, arguments)
    if not ok and not pcall(fail, failure) then -- no error must pass through C: this one can't even say what it is
        C.coro_fail(constants.CORO_EFAILED, "an error of Lua's without a text")
    end
end

local function register_function(prototype, f)
    handler = handler or ffi.cast("coro_handler", handle)
    local entry = { f = f }
    functions[#functions + 1] = entry
    local options = ffi.new("coro_target_options", { struct_size = ffi.sizeof("coro_target_options") })
    options.handler, options.context = handler, ffi.cast("void *", #functions)
    options.flags = constants.CORO_TARGET_NO_SUSPEND
    local id = C.coro_target_register_with(prototype, nil, options)
    if id < 0 then functions[#functions] = nil end
    return check(id), entry
end

-- Registers a C function, a pointer to one, or a Lua function, under a C prototype. One in Lua can't wait.
function targets.register(prototype, f)
    local id, entry
    if type(f) == "function" then
        id, entry = register_function(prototype, f)
    else
        id = check(C.coro_target_register(prototype, ffi.cast("coro_function", f)))
    end
    local ok, target = pcall(new_target, id)
    if ok and entry then
        entry.result = target.result
        ok, entry.parameters = pcall(values.parameters, target.prototype)
        if not ok then target = entry.parameters end
    end
    if ok then return target end
    C.coro_target_unregister(id) -- it has a type that ffi doesn't know
    error(target, 0)
end

-- The registered target of that name.
function targets.find(name)
    return new_target(check(C.coro_target_find(name)))
end

-- Takes it out of the registry; coroutines of it run to their end.
function Target:unregister()
    check(C.coro_target_unregister(self.id))
end

-- Names, values and their number for coro_spawn_kwargs. given: by place, then by name.
local function arguments_of(given, n, by_name)
    local keys = {}
    for key in pairs(by_name and given or {}) do
        if type(key) == "string" then
            keys[#keys + 1] = key
        elseif type(key) ~= "number" or key < 1 or key > n or key % 1 ~= 0 then
            error("coro: '" .. tostring(key) .. "' is not the name of an argument", 0)
        end
    end
    local names, list = ffi.new("const char *[?]", n + #keys), ffi.new("coro_value[?]", n + #keys)
    for i = 1, n + #keys do
        local key = i <= n and i or keys[i - n]
        if i > n then names[i - 1] = key end
        local argument = given[key]
        if type(argument) == "table" and argument.pointer then argument = argument.pointer end -- of a channel
        values.set(list[i - 1], argument, constants)
    end
    return names, list, n + #keys
end

-- Spawns it: target:spawn("a.png", 640), or by names, target:spawn{"a.png", width = 640}. nil is the parameter's default.
function Target:spawn(...)
    local first = ...
    local by_name = select("#", ...) == 1 and type(first) == "table" and getmetatable(first) == nil
    local given = by_name and first or values.pack(...)
    local names, list, n = arguments_of(given, by_name and table.maxn(given) or given.n, by_name)
    return Handle.new(check(C.coro_spawn_kwargs(self.id, names, list, n)), self)
end

-- The same of a target, or a name of one.
function targets.spawn(target, ...)
    if type(target) == "string" then target = targets.find(target) end
    return target:spawn(...)
end

-- Declares a struct both to libcoro and to ffi, for prototypes.
function targets.struct(name, fields)
    check(C.coro_struct_register(name, fields))
    if not pcall(ffi.typeof, "struct " .. name) then
        ffi.cdef("struct " .. name .. " { " .. fields .. " };")
        pcall(ffi.cdef, "typedef struct " .. name .. " " .. name .. ";")
    end
    local size, theirs = ffi.sizeof("struct " .. name), tonumber(check(C.coro_struct_size(name)))
    assert(size == theirs, "coro: ffi has another struct of that name")
    return ffi.typeof("struct " .. name)
end

return targets
