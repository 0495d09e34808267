import CCoro
import CCoroPlatform

// coro.h: Objects that run

/// What the coroutine of an object runs: `coro_current_runnable` tells it by this.
private func runObject(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let object = argument?.assumingMemoryBound(to: coro_runnable.self), let run = object.pointee.run else {
        return coro_fail(Code.invalid, "the object has nothing to run: its run is NULL")
    }
    return run(object)
}

private func releaseObject(_ argument: UnsafeMutableRawPointer?) {
    guard let object = argument?.assumingMemoryBound(to: coro_runnable.self) else { return }
    object.pointee.release?(object)
}

extension RuntimeRef {
    fileprivate func creation(
        _ object: UnsafeMutablePointer<coro_runnable>?, _ options: UnsafePointer<coro_options>?, _ site: UnsafeRawPointer?
    ) throws(Refusal) -> (Creation, startsNow: Bool) {
        let object = try require(object, "object is NULL")
        guard object.pointee.struct_size == MemoryLayout<coro_runnable>.size else {
            throw refuseArgument("coro_runnable.struct_size is wrong: start from CORO_RUNNABLE_INIT")
        }
        var (creation, startsNow) = try creation(runObject, object, options, site)
        if creation.release != nil {
            throw refuseArgument("coro_options.release is not for objects: they have a release of their own")
        }
        creation.release = releaseObject
        return (creation, startsNow)
    }
}

@c @implementation
public func coro_runnable_init(_ object: UnsafeMutablePointer<coro_runnable>) {
    object.initialize(to: coro_runnable())
    object.pointee.struct_size = MemoryLayout<coro_runnable>.size
}

@c @implementation
public func coro_new_runnable(
    _ object: UnsafeMutablePointer<coro_runnable>?, _ options: UnsafePointer<coro_options>?
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in
        let (creation, startsNow) = try runtime.creation(object, options, site)
        if startsNow { throw runtime.refuseArgument("CORO_START_NOW: coro_new_runnable() does not start") }
        return try runtime.create(creation).pointee.id
    }
}

@c @implementation
public func coro_spawn_runnable(
    _ object: UnsafeMutablePointer<coro_runnable>?, _ options: UnsafePointer<coro_options>?
) -> coro_t {
    let site = coro_context_caller()
    return callForID { runtime throws(Refusal) in
        let (creation, startsNow) = try runtime.creation(object, options, site)
        return try runtime.spawn(creation, startsNow: startsNow)
    }
}

@c @implementation
public func coro_current_runnable() -> UnsafeMutablePointer<coro_runnable>? {
    guard let me = Runtime.existing?.pointee.current, let function = me.pointee.function,
        unsafeBitCast(function, to: UInt.self) == unsafeBitCast(runObject as CoroutineFunction, to: UInt.self)
    else { return nil }
    return me.pointee.argument?.assumingMemoryBound(to: coro_runnable.self)
}
