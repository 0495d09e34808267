import CCoro

// coro.h: Version

@c @implementation
public func coro_version() -> UnsafePointer<CChar> {
    let text: StaticString = "0.1.0"
    return UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c @implementation
public func coro_version_number() -> CInt {
    CORO_VERSION_NUMBER
}
