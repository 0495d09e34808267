import CCoroPlatform

typealias CallRef = UnsafeMutablePointer<Call>

/// A call of a target in a coroutine of its own, which has it as its argument: the head of a block that also has the arguments,
/// mostly the texts that were copied, and room for the result (see `CallLayout`). It is freed with the coroutine's record.
struct Call {
    /// Held. `Watchdog` relies on its place.
    let target: TargetRef
    /// The next unused one.
    fileprivate var next: CallRef?
    /// Owned: the copies of texts that had no room in the block.
    fileprivate var texts: UnsafeMutableRawPointer?
    fileprivate let isPooled: Bool
    /// Whether what the arguments own is still to be freed.
    var ownsArguments = false
    /// Used by the call, if it was made through one: told of its end.
    var trampoline: TrampolineRef?
    /// What the target was interrupted with, and has not seen, if it was.
    var interruption: Int32 = 0
    /// What the target has left errno at, if it was called through a trampoline.
    var errno: Int32 = 0
}

/// Blocks that are not in use, all of one size, which most calls can do with. There are as many as were ever in use at once.
struct CallPool {
    fileprivate var first: CallRef?

    static var blockSize: Int { 256 }

    mutating func free() {
        while let call = first {
            first = call.pointee.next
            Heap.free(call)
        }
    }
}

extension CallRef {
    var result: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self) + pointee.target.pointee.layout.result }
    var arguments: UnsafeMutableRawPointer { UnsafeMutableRawPointer(self) + pointee.target.pointee.layout.arguments }

    /// A block that no pool has. It takes over the caller's hold of the target. nil without memory.
    fileprivate static func unpooled(_ target: TargetRef) -> CallRef? {
        Heap.one(
            Call(target: target, isPooled: false), extra: target.pointee.layout.size - MemoryLayout<Call>.stride)
    }

    /// Copies the arguments that the pointers point to.
    fileprivate func copyArguments(_ pointers: UnsafePointer<UnsafeMutableRawPointer?>) {
        let signature = pointee.target.pointee.signature
        for index in 0..<signature.count {
            let parameter = signature.parameter(index)
            guard let source = pointers[index] else { continue }
            (arguments + Int(parameter.pointee.offset)).copyMemory(from: source, byteCount: parameter.pointee.type.size)
        }
    }

    /// Makes what the arguments refer to the call's own: texts are copied, and what is owned is taken. false: no memory, and
    /// nothing was taken.
    @inline(__always)
    fileprivate func takeArguments() -> Bool {
        if pointee.target.pointee.layout.copiesTexts, !copyTexts() { return false }
        pointee.ownsArguments = pointee.target.pointee.layout.ownsArguments
        return true
    }

    private func copyTexts() -> Bool {
        let (target, arguments) = (pointee.target, arguments)
        let size = coro_arguments_text_size(target.pointee.signature, arguments)
        if size == 0 { return true }
        var copies = UnsafeMutableRawPointer(self) + target.pointee.layout.size
        if !pointee.isPooled || target.pointee.layout.size + size > CallPool.blockSize {
            guard let memory = coro_memory_allocate(size, 16) else { return false }
            pointee.texts = memory
            copies = memory
        }
        coro_arguments_copy_texts(target.pointee.signature, arguments, copies.assumingMemoryBound(to: CChar.self))
        return true
    }

    /// The target needs its arguments no more.
    @inline(__always)
    func freeArguments() {
        if pointee.texts != nil || pointee.ownsArguments { freeOwned() }
    }

    @inline(never)
    private func freeOwned() {
        coro_memory_free(pointee.texts)
        pointee.texts = nil
        guard pointee.ownsArguments else { return }
        pointee.ownsArguments = false
        let signature = pointee.target.pointee.signature
        for index in 0..<signature.count {
            let parameter = signature.parameter(index)
            if parameter.pointee.ownership != UInt32(CORO_ARGUMENT_OWNED) { continue }
            coro_memory_free(arguments.load(fromByteOffset: Int(parameter.pointee.offset), as: UnsafeMutableRawPointer?.self))
        }
    }

    /// Runs the target with the arguments, here and now; the result is in the block then.
    @inline(__always)
    fileprivate func run() {
        let target = pointee.target
        let pointers = (UnsafeMutableRawPointer(self) + target.pointee.layout.pointers)
            .assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
        switch target.pointee.body {
        case .direct: break
        case .function, .handler: point(pointers)
        }
        target.run(result: result, block: arguments, pointers: pointers)
    }

    private func point(_ pointers: UnsafeMutablePointer<UnsafeMutableRawPointer?>) {
        let signature = pointee.target.pointee.signature
        for index in 0..<signature.count {
            pointers[index] = arguments + Int(signature.parameter(index).pointee.offset)
        }
        memsetZero(result, signature.pointee.result.size)
    }
}

/// Sets bytes to zero.
func memsetZero(_ memory: UnsafeMutableRawPointer, _ size: Int) {
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
}

extension RuntimeRef {
    /// A coroutine, not started, that runs the target with what `write` stores into the block of arguments it is given. It
    /// takes over the caller's hold of the target, whatever comes of it. What the arguments own is taken only if it succeeds.
    @inline(__always)
    func makeCall(
        of target: TargetRef, _ creation: Creation, _ write: (UnsafeMutableRawPointer) throws(Refusal) -> Void
    ) throws(Refusal) -> CoroutineRef {
        let call = try newCall(of: target)
        do throws(Refusal) {
            try write(call.arguments)
            guard call.takeArguments() else { throw refuseCall() }
            return try create(call, creation)
        } catch {
            call.pointee.ownsArguments = false
            drop(call)
            throw error
        }
    }

    /// The same with copies of the arguments that the pointers point to. The caller goes on holding the target.
    func makeCall(
        _ target: TargetRef, arguments: UnsafePointer<UnsafeMutableRawPointer?>, site: UnsafeRawPointer?,
        flags: Coroutine.Flags = []
    ) throws(Refusal) -> CoroutineRef {
        TargetRegistry.hold(target)
        let creation = Creation(function: runCall, site: site, flags: flags.union(initialFlags))
        let call = try newCall(of: target)
        call.copyArguments(arguments)
        do throws(Refusal) {
            guard call.takeArguments() else { throw refuseCall() }
            return try create(call, creation)
        } catch {
            call.pointee.ownsArguments = false
            drop(call)
            throw error
        }
    }

    @inline(__always)
    private func create(_ call: CallRef, _ creation: Creation) throws(Refusal) -> CoroutineRef {
        var creation = creation
        creation.argument = UnsafeMutableRawPointer(call)
        creation.stackClass = max(creation.stackClass, call.pointee.target.pointee.options.stackClass)
        return try create(creation)
    }

    @inline(__always)
    private func newCall(of target: TargetRef) throws(Refusal) -> CallRef {
        if target.pointee.layout.size <= CallPool.blockSize, let call = pointee.calls.first {
            pointee.calls.first = call.pointee.next
            call.initialize(to: Call(target: target, isPooled: true))
            return call
        }
        return try allocateCall(of: target)
    }

    @inline(never)
    private func allocateCall(of target: TargetRef) throws(Refusal) -> CallRef {
        let isPooled = target.pointee.layout.size <= CallPool.blockSize
        let size = isPooled ? CallPool.blockSize : target.pointee.layout.size
        guard let call = Heap.one(Call(target: target, isPooled: isPooled), extra: size - MemoryLayout<Call>.stride) else {
            TargetRegistry.leave(target)
            throw refuseCall()
        }
        return call
    }

    @inline(never)
    private func refuseCall() -> Refusal {
        Refusal(code: fail(Code.noMemory) { $0.append("no memory for the arguments") })
    }

    /// Frees a call, and what it still owns.
    @inline(never)
    func drop(_ call: CallRef) {
        call.freeArguments()
        let (target, trampoline) = (call.pointee.target, call.pointee.trampoline)
        if call.pointee.isPooled {
            call.pointee.next = pointee.calls.first
            pointee.calls.first = call
        } else {
            Heap.free(call)
        }
        TargetRegistry.leave(target)
        trampoline?.leave()
    }

    /// Runs the target of a call, in its coroutine. Its result is also what `coro_join` gives.
    fileprivate func run(_ call: CallRef) -> UnsafeMutableRawPointer? {
        let mustNotSuspend = call.pointee.target.pointee.options.mustNotSuspend
        if mustNotSuspend { pointee.obstacles.forbidInTarget() }
        call.run()
        if mustNotSuspend { pointee.obstacles.allowAfterTarget() }
        if let trampoline = call.pointee.trampoline { noteEnd(of: call, trampoline) }
        call.freeArguments()
        return call.widenedResult
    }

    /// The thread ends: frees the calls of coroutines that will never go on. User code that must not suspend. Returns whether
    /// there were any.
    func freeCalls() -> Bool {
        var calls: CallRef?
        pointee.table.forEach {
            guard let call = $0.call else { return }
            call.pointee.next = calls
            calls = call
            $0.pointee.function = nil
        }
        let wereAny = calls != nil
        while let call = calls {
            calls = call.pointee.next
            drop(call)
        }
        return wereAny
    }
}

/// A call whose arguments were copied, for a loop that may be another thread's; its coroutine is to run `runCall`. The caller
/// goes on holding the target. nil without memory, and then nothing was taken.
func postCall(_ target: TargetRef, arguments: UnsafePointer<UnsafeMutableRawPointer?>) -> CallRef? {
    guard let call = CallRef.unpooled(target) else { return nil }
    call.copyArguments(arguments)
    guard call.takeArguments() else {
        Heap.free(call)
        return nil
    }
    TargetRegistry.hold(target)
    return call
}

/// Frees a call that `postCall` has made and that will not be run, and what it owns.
func dropPosted(_ call: CallRef) {
    call.freeArguments()
    let (target, trampoline) = (call.pointee.target, call.pointee.trampoline)
    Heap.free(call)
    TargetRegistry.leave(target)
    trampoline?.leave()
}

/// What a coroutine that runs a target has as its function.
func runCall(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument, let runtime = Runtime.existing else { return nil }
    return runtime.run(argument.assumingMemoryBound(to: Call.self))
}

extension CoroutineRef {
    /// The call that it runs; nil: it runs no target.
    @inline(__always)
    var call: CallRef? {
        runs(runCall) ? pointee.argument?.assumingMemoryBound(to: Call.self) : nil
    }
}
