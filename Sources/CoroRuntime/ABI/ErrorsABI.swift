import CCoro
import CCoroPlatform

// coro.h: Errors

@c @implementation
public func coro_strerror(_ code: CInt) -> UnsafePointer<CChar> {
    ErrorText.text(code)
}

@c @implementation
public func coro_error_name(_ code: CInt) -> UnsafePointer<CChar>? {
    ErrorText.name(code)
}

@c @implementation
public func coro_error_detail() -> UnsafePointer<CChar> {
    Runtime.existing?.pointee.report.detail ?? ErrorText.empty
}

@c @implementation
public func coro_error_other() -> Int64 {
    Runtime.existing?.pointee.report.other ?? 0
}

@c @implementation
public func coro_error_progress() -> Int64 {
    Runtime.existing?.pointee.report.progress ?? 0
}
