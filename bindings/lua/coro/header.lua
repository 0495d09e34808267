-- Declares what coro.h declares to LuaJIT's ffi. The header is read when this is loaded, so that nothing of it is written
-- twice; the little that it needs a preprocessor for is done here.
local ffi = require("ffi")

local header = {}

-- Types of the system's headers, in coro.h or in prototypes, that ffi does not know. Others may have declared them before.
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

local arm = ffi.arch == "arm64"
for ctype, names in pairs({
    ["unsigned char"] = "char8_t u_char u_int8_t uint_least8_t uint_fast8_t",
    ["signed char"] = "int_least8_t int_fast8_t",
    ["unsigned short"] = "sa_family_t char16_t in_port_t u_short u_int16_t uint_least16_t",
    ["short"] = "int_least16_t",
    ["unsigned int"] = "id_t useconds_t wint_t char32_t in_addr_t u_int u_int32_t uint_least32_t",
    ["int"] = "key_t clockid_t sig_atomic_t int_least32_t",
    ["unsigned long"] = "uintmax_t dev_t ino_t rlim_t ino64_t fsblkcnt_t fsfilcnt_t pthread_t u_long u_int64_t uint_least64_t "
        .. "uint_fast16_t uint_fast32_t uint_fast64_t",
    ["long"] = "intmax_t off64_t loff_t time_t clock_t suseconds_t blkcnt_t int_least64_t int_fast16_t int_fast32_t "
        .. "int_fast64_t",
    [arm and "unsigned" or "unsigned long int"] = "nlink_t",
    [arm and "signed" or "signed long"] = "blksize_t",
}) do
    for name in names:gmatch("%S+") do system_types[#system_types + 1] = "typedef " .. ctype .. " " .. name end
end

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
