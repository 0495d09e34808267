import CCoro

// How the functions of this folder turn what the runtime throws into what they return.

/// Runs body with the thread's runtime. What it refuses is returned, as is the lack of memory for a runtime.
@inline(__always)
func call(_ body: (RuntimeRef) throws(Refusal) -> Int32) -> Int32 {
    guard let runtime = Runtime.here else { return Code.noMemory }
    do {
        return try body(runtime)
    } catch {
        return error.code
    }
}

/// The same for functions that return an id.
@inline(__always)
func callForID(_ body: (RuntimeRef) throws(Refusal) -> Int64) -> Int64 {
    guard let runtime = Runtime.here else { return Int64(Code.noMemory) }
    do {
        return try body(runtime)
    } catch {
        return Int64(error.code)
    }
}

/// The same for functions that return what they make: nil if it is refused, or without memory.
@inline(__always)
func make<Object>(_ body: (RuntimeRef) throws(Refusal) -> UnsafeMutablePointer<Object>?) -> OpaquePointer? {
    guard let runtime = Runtime.here else { return nil }
    do {
        if let object = try body(runtime) { return OpaquePointer(object) }
        _ = runtime.fail(Code.noMemory)
    } catch {}
    return nil
}

extension RuntimeRef {
    /// An argument is not one: -EINVAL, and what is wrong with it.
    func refuseArgument(_ why: StaticString) -> Refusal {
        Refusal(code: fail(Code.invalid) { $0.append(why) })
    }

    /// An argument that must be given.
    @inline(__always)
    func require<T>(_ argument: T?, _ why: StaticString) throws(Refusal) -> T {
        guard let argument else { throw refuseArgument(why) }
        return argument
    }
}
