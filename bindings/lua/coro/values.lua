-- What passes between Lua and C: arguments and results of targets, by the types in their prototypes.
local ffi = require("ffi")

local values = {}

-- What `...` has, nil too, in a table with their number.
function values.pack(...)
    return { n = select("#", ...), ... }
end

-- 64-bit integers that a number can hold become one; the others stay boxed.
function values.exact(value)
    if ffi.istype("int64_t", value) then
        if value >= -2LL ^ 53 and value <= 2LL ^ 53 then return tonumber(value) end
    elseif ffi.istype("uint64_t", value) and value <= 2ULL ^ 53 then
        return tonumber(value)
    end
    return value
end

-- Whether values of that type have an address: structs, unions and arrays.
function values.is_aggregate(ctype)
    local name = tostring(ctype)
    return (name:find("[< ]struct [^*&()]*>$") or name:find("[< ]union [^*&()]*>$") or name:find("%]>$")) ~= nil
end

-- What stands at that address.
function values.read(ctype, address)
    local value = ffi.cast(ffi.typeof("$ *", ctype), address)[0]
    if values.is_aggregate(ctype) then return ffi.new(ctype, value) end -- value is only a reference
    return values.exact(value)
end

-- Puts a value at that address. ffi would cut a number that does not fit an integer.
function values.write(ctype, address, value)
    local place = ffi.cast(ffi.typeof("$ *", ctype), address)
    place[0] = value
    if type(value) ~= "number" or values.is_aggregate(ctype) then return end
    local is_integer = tonumber(ffi.cast(ctype, 0.5)) == 0
    if is_integer and tonumber(place[0]) ~= value then
        error("coro: " .. value .. " does not fit " .. tostring(ctype):match("<(.*)>"), 0)
    end
end

-- What is sent by a channel: an array of one.
function values.one(ctype, value)
    if type(value) == "nil" then error("coro: nil can't be sent", 0) end
    local one = ffi.new(ffi.typeof("$[1]", ctype))
    values.write(ctype, one, value)
    return one
end

-- A name, in which libcoro has letters of UTF-8 and dollars, too.
local name = "[%a_$\128-\255][%w_$\128-\255]*"

-- The type in "const char *path" or "const char *"; pointers to what ffi does not know are plain ones.
local function type_of(text)
    local ok, ctype = pcall(ffi.typeof, text)
    if ok then return ctype end
    text = text:gsub("%f[%w_]enum [%w_]+", "int") -- what libcoro takes it for; one that ffi knows was found
    for _, candidate in ipairs({ text, (text:gsub("%(%*%s*[%a_][%w_]*%)", "(*)"):gsub(name .. "$", "")) }) do
        ok, ctype = pcall(ffi.typeof, candidate)
        if ok then return ctype end
    end
    if text:find("*", 1, true) then return ffi.typeof("void *") end
    error("coro: ffi does not know the type of '" .. text .. "': declare it by ffi.cdef, or by coro.struct", 0)
end

local function split(list)
    local parts, depth, from = {}, 0, 1
    for i, character in list:gmatch("()([(),])") do
        if character == "(" then depth = depth + 1 end
        if character == ")" then depth = depth - 1 end
        if character == "," and depth == 0 then
            parts[#parts + 1] = list:sub(from, i - 1)
            from = i + 1
        end
    end
    parts[#parts + 1] = list:sub(from)
    return parts
end

-- The type in a declaration: {ctype = ..., is_text = true if it is a const char *}.
local function typed(text)
    return { ctype = type_of(text), is_text = text:find("^const char %*%s*[%w_]*$") ~= nil }
end

-- "int resize" and "const char *path, int width = 0" of "int resize(const char *path, int width = 800)".
local function parts_of(prototype)
    prototype = prototype:gsub("\\.", ""):gsub("([\"'])(.-)%1", "0") -- defaults may have any character in quotes
    return prototype:match("^([^(]*)%((.*)%)$")
end

-- The types of a prototype, as coro_target_describe() spells it: that of the result, and a list of those of the parameters.
function values.result(prototype)
    local head = parts_of(prototype)
    if not pcall(ffi.typeof, head) then head = head:gsub(name .. "%s*$", "") end -- without the name, if it has one
    return typed((head:gsub("%s+$", "")))
end

function values.parameters(prototype)
    local types = {}
    for _, text in ipairs(split((select(2, parts_of(prototype))))) do
        text = text:gsub("=.*", ""):gsub("^%s+", ""):gsub("%s+$", ""):gsub("^borrowed ", ""):gsub("^owned ", "")
        if text ~= "void" and text ~= "" then types[#types + 1] = typed(text) end
    end
    return types
end

-- Sets a coro_value to an argument. What it points to, Lua's own strings too, must be kept until it was used.
function values.set(value, given, constants)
    local kind = type(given)
    if kind == "nil" then
        value.kind = constants.CORO_VALUE_DEFAULT
    elseif kind == "boolean" then
        value.kind, value.as.u = constants.CORO_VALUE_UNSIGNED, given and 1 or 0
    elseif kind == "string" then
        value.kind, value.as.p = constants.CORO_VALUE_POINTER, ffi.cast("const char *", given)
    elseif kind == "number" then
        if given == math.floor(given) and given >= -2 ^ 63 and given < 2 ^ 63 then
            value.kind, value.as.i = constants.CORO_VALUE_SIGNED, given
        else
            value.kind, value.as.d = constants.CORO_VALUE_DOUBLE, given
        end
    elseif kind ~= "cdata" then
        error("coro: a " .. kind .. " can't be passed to C", 0)
    elseif ffi.istype("uint64_t", given) then
        value.kind, value.as.u = constants.CORO_VALUE_UNSIGNED, given
    elseif ffi.istype("int64_t", given) then
        value.kind, value.as.i = constants.CORO_VALUE_SIGNED, given
    elseif values.is_aggregate(ffi.typeof(given)) and not tostring(ffi.typeof(given)):find("%]>$") then
        value.kind, value.size, value.as.p = constants.CORO_VALUE_BYTES, ffi.sizeof(given), ffi.cast("const char *", given)
    elseif tonumber(given) then -- a boxed number of another type
        return values.set(value, tonumber(given), constants)
    else
        value.kind, value.as.p = constants.CORO_VALUE_POINTER, ffi.cast("const void *", given)
    end
end

-- A result as Lua has it. value: a coro_value; bytes: where a struct was put.
function values.get(value, result, bytes, constants)
    if value.kind == constants.CORO_VALUE_SIGNED then return values.exact(value.as.i) end
    if value.kind == constants.CORO_VALUE_DOUBLE then return value.as.d end
    if value.kind == constants.CORO_VALUE_BYTES then return bytes end
    if value.kind == constants.CORO_VALUE_UNSIGNED then
        if ffi.istype("bool", ffi.new(result.ctype)) then return value.as.u ~= 0 end
        return values.exact(value.as.u)
    end
    if value.kind == constants.CORO_VALUE_POINTER then
        if not result.is_text then return ffi.cast(result.ctype, value.as.p) end
        return value.as.p ~= nil and ffi.string(ffi.cast("const char *", value.as.p)) or nil
    end
end

return values
