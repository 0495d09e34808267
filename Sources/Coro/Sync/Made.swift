import Glibc

/// An object that coro.h has made: it makes none without memory.
func made(_ object: OpaquePointer?) throws(CoroError) -> OpaquePointer {
    guard let object else { throw .system(errno: ENOMEM) }
    return object
}

/// A count for coro.h, which has none below zero.
func checked(count: Int) throws(CoroError) -> Int64 {
    if count < 0 { throw .system(errno: EINVAL) }
    return Int64(count)
}
