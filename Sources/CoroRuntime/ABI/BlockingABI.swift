import CCoro
import CCoroPlatform

// coro.h: Blocking work

@c @implementation
public func coro_blocking_options_init(_ options: UnsafeMutablePointer<coro_blocking_options>) {
    options.initialize(to: coro_blocking_options())
    options.pointee.struct_size = MemoryLayout<coro_blocking_options>.size
}

@c @implementation
public func coro_blocking(
    _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?, _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> CInt {
    coro_blocking_with(fn, arg, nil, result)
}

@c @implementation
public func coro_blocking_with(
    _ fn: coro_fn?, _ arg: UnsafeMutableRawPointer?, _ options: UnsafePointer<coro_blocking_options>?,
    _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> CInt {
    result?.pointee = nil
    var work = BlockingWork(argument: arg)
    guard work.read(options) else {
        return refuse("coro_blocking_options: struct_size is wrong, flags has an unknown bit, or reserved is not 0")
    }
    guard let runtime = Runtime.here else {
        work.giveBack()
        return Code.noMemory
    }
    guard let fn else { return runtime.discard(work, runtime.refuseArgument("fn is NULL").code) }
    return runtime.runOnPool(fn, work, result: result)
}

extension BlockingWork {
    /// What the options say; false if they mean nothing.
    fileprivate mutating func read(_ options: UnsafePointer<coro_blocking_options>?) -> Bool {
        guard let options else { return true }
        guard options.pointee.struct_size == MemoryLayout<coro_blocking_options>.size, options.pointee.reserved == 0,
            options.pointee.flags & ~UInt32(CORO_BLOCKING_ABANDON) == 0
        else { return false }
        mayBeAbandoned = options.pointee.flags & UInt32(CORO_BLOCKING_ABANDON) != 0
        discard = options.pointee.discard
        return true
    }
}

/// An argument is not one. No loop is made to say so.
private func refuse(_ why: StaticString) -> CInt {
    Runtime.existing?.refuseArgument(why).code ?? Code.invalid
}

@c @implementation
public func coro_set_max_blocking_threads(_ n: CInt) -> CInt {
    if (1...1024).contains(n) { return coro_pool_set_limit(n) }
    return refuse("the pool has from 1 to 1024 threads")
}
