# Toolchain file: cross-compiles libcoro to 64-bit ARM Linux with Debian's gcc, and runs the tests under qemu-user.
#
# The Embedded standard library for a processor without a system serves for Linux as well: it needs nothing but malloc and
# the like. So the Swift code is compiled for that triple, with the C headers, the position-independent code and the unwind
# tables of the system it is linked for.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
# Not in the cross compiler's folder (-L): libffi comes with the C library of its own architecture, and the loader must be of
# the same.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)

set(CORO_SWIFT_TARGET_FLAGS -target aarch64-none-none-elf -Xcc -D__linux__ -Xcc -isystem -Xcc /usr/aarch64-linux-gnu/include
    -Xcc -fasynchronous-unwind-tables CACHE STRING "More flags for swiftc, as a list")
