-- Declares what coro.h declares to LuaJIT's ffi. The header is read when this is loaded, so that nothing of it is written
-- twice; the little that it needs a preprocessor for is done here.
local ffi = require("ffi")

local header = {}

-- Types of the system's headers that ffi does not know. Other modules may have declared them before.
local system_types = {
    "typedef struct _IO_FILE FILE",
    "typedef struct __dirstream DIR",
    "typedef int pid_t",
    "typedef long off_t",
    "typedef unsigned int gid_t",
    "typedef unsigned int mode_t",
    "typedef unsigned int socklen_t",
    "typedef unsigned int uid_t",
}

local function read_file(path)
    local file = io.open(path)
    if not file then return nil end
    local text = file:read("*a")
    file:close()
    return text
end

-- The header's text: that of $CORO_HEADER, or the one next to these files in the source tree, or an installed one.
function header.read()
    local given = os.getenv("CORO_HEADER")
    local folder = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$") or "."
    local places = given and { given }
        or { folder .. "/../../../include/coro.h", "/usr/local/include/coro.h", "/usr/include/coro.h" }
    for _, path in ipairs(places) do
        local text = read_file(path)
        if text then return text end
    end
    error("coro: there is no coro.h at " .. table.concat(places, ", ") .. ": set CORO_HEADER to its path", 0)
end

-- Its constants by name, those that are plain numbers.
function header.constants(text)
    local constants = {}
    for name, value in text:gsub("/%*.-%*/", ""):gmatch("#define (CORO_[%u%d_]+) +%(?([-%w]+)%)? *%f[\n]") do
        constants[name] = tonumber(value)
    end
    return constants
end

-- Its declarations, without comments and preprocessor. A macro that is not known stays, which ffi will not take.
function header.declarations(text)
    local macros = header.constants(text)
    text = text:gsub("\\\n", ""):gsub("/%*.-%*/", "")
    for name in text:gmatch("#define (CORO_[%u_]+) *%f[\n]") do macros[name] = "" end
    text = text:gsub("#ifdef __cplusplus\n.-\n#endif", ""):gsub("%f[^\n%z]#[^\n]*", "")
    return (text:gsub("CORO_PRINTF_LIKE%b()", ""):gsub("CORO_[%u%d_]+", macros))
end

-- Declares all, and returns the constants.
function header.load()
    local text = header.read()
    for _, declaration in ipairs(system_types) do
        pcall(ffi.cdef, declaration .. ";")
    end
    if not pcall(ffi.typeof, "coro_t") then -- not by another copy of this module
        ffi.cdef(header.declarations(text))
    end
    return header.constants(text)
end

return header
