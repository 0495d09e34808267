import CCoro
import CCoroPlatform

// coro.h: Trampolines

@c @implementation
public func coro_trampoline_options_init(_ options: UnsafeMutablePointer<coro_trampoline_options>) {
    options.initialize(to: coro_trampoline_options())
    options.pointee.struct_size = MemoryLayout<coro_trampoline_options>.size
}

@c @implementation
public func coro_trampoline_new(
    _ target: coro_target_t, _ mode: CInt, _ options: UnsafePointer<coro_trampoline_options>?
) -> coro_trampoline_t {
    callForID { runtime throws(Refusal) in
        guard let mode = Trampoline.Mode(rawValue: mode) else {
            throw runtime.refuseArgument("mode is none of CORO_TRAMPOLINE_SPAWN, _CALL, _POST and _DIRECT")
        }
        var given = coro_trampoline_options()
        if let options { given = try runtime.check(options) }
        let held = try runtime.takeTarget(target)
        do throws(Refusal) {
            return try runtime.makeTrampoline(held, mode, given)
        } catch {
            TargetRegistry.leave(held)
            throw error
        }
    }
}

extension RuntimeRef {
    fileprivate func check(_ options: UnsafePointer<coro_trampoline_options>) throws(Refusal) -> coro_trampoline_options {
        guard options.pointee.struct_size == MemoryLayout<coro_trampoline_options>.size else {
            throw refuseArgument("coro_trampoline_options.struct_size is wrong: start from CORO_TRAMPOLINE_OPTIONS_INIT")
        }
        if options.pointee.flags & ~UInt32(CORO_TRAMPOLINE_CONTEXT) != 0 || options.pointee.reserved != 0 {
            throw refuseArgument("coro_trampoline_options.flags has bits that mean nothing")
        }
        if options.pointee.context != nil, options.pointee.flags == 0 {
            throw refuseArgument("coro_trampoline_options.context is for CORO_TRAMPOLINE_CONTEXT")
        }
        return options.pointee
    }

    /// A trampoline that takes over the caller's hold of the target, if this succeeds.
    fileprivate func makeTrampoline(
        _ target: TargetRef, _ mode: Trampoline.Mode, _ options: coro_trampoline_options
    ) throws(Refusal) -> Int64 {
        let signature = target.pointee.signature
        let hasContext = options.flags != 0
        if hasContext { try checkContext(signature) }
        let size = signature.pointee.result.size
        var callee = Trampoline.Callee(mode: mode, resultSize: size)
        if mode == .post {
            callee.loopID = exposeLoop()
            if callee.loopID < 0 { throw Refusal(code: Int32(truncatingIfNeeded: callee.loopID)) }
        }
        let otherwise = size > 0 ? options.otherwise : nil
        if let otherwise {
            callee.otherwise = coro_memory_allocate(size, 16)
            callee.otherwise?.copyMemory(from: otherwise, byteCount: size)
        }
        callee.prepared = coro_signature_prepare(signature, hasContext ? 1 : 0)
        callee.text = signature.pointee.text.flatMap { Heap.copy($0) }
        let isComplete = callee.prepared != nil && callee.text != nil && (otherwise == nil) == (callee.otherwise == nil)
        let id = isComplete
            ? TrampolineTable.make(callee, target, context: options.context, hasContext: hasContext) : Int64(Code.noMemory)
        if id >= 0 { return id }
        callee.free()
        throw refuseTrampoline(Int32(truncatingIfNeeded: id))
    }

    private func checkContext(_ signature: SignatureRef) throws(Refusal) {
        guard signature.count > 0, signature.parameter(0).pointee.type.kind == UInt32(CORO_TYPE_POINTER) else {
            throw refuseArgument("CORO_TRAMPOLINE_CONTEXT: the target's first parameter is no pointer")
        }
        if signature.parameter(0).pointee.ownership == UInt32(CORO_ARGUMENT_OWNED) {
            throw refuseArgument("CORO_TRAMPOLINE_CONTEXT: an owned parameter would be freed at each call")
        }
    }

    private func refuseTrampoline(_ code: Int32) -> Refusal {
        Refusal(
            code: fail(code) {
                $0.append("no code for another trampoline: the first ")
                $0.append(Int(CORO_TRAMPOLINES_IN_TEXT))
                $0.append(" need no memory that is executable, which is what the system may have refused here")
            })
    }

    fileprivate func refuse(noTrampoline id: Int64) -> Refusal {
        Refusal(
            code: fail(Code.noSuchCoroutine) {
                $0.append("there is no trampoline ")
                $0.append(id)
                $0.append(", or it was freed")
            })
    }
}

@c @implementation
public func coro_trampoline_function(_ trampoline: coro_trampoline_t) -> coro_function? {
    TrampolineTable.with(trampoline) { $0.pointee.entry.function } ?? nil
}

@c @implementation
public func coro_trampoline_free(_ trampoline: coro_trampoline_t) -> CInt {
    call { runtime throws(Refusal) in
        guard TrampolineTable.free(trampoline) else { throw runtime.refuse(noTrampoline: trampoline) }
        return 0
    }
}

@c @implementation
public func coro_trampoline_error(_ trampoline: coro_trampoline_t) -> CInt {
    call { runtime throws(Refusal) in
        guard let error = TrampolineTable.with(trampoline, { coro_entry_error($0.entry) }) else {
            throw runtime.refuse(noTrampoline: trampoline)
        }
        return error
    }
}
