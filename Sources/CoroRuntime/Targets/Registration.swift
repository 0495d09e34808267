import CCoroPlatform

extension RuntimeRef {
    /// Registers a target that runs `function`, or else `handler`. It takes over the signature, whatever comes of it.
    func register(
        _ signature: SignatureRef, _ function: Target.Function?, _ handler: Target.Handler?, _ options: Target.Options
    ) throws(Refusal) -> Int64 {
        guard let target = makeTarget(signature, function, handler, options) else {
            freeSignature(signature)
            throw refuseRegistration()
        }
        switch TargetRegistry.register(target) {
        case .done(let id): return id
        case .noMemory:
            TargetRegistry.discard(target)
            throw refuseRegistration()
        case .nameTaken:
            let code = fail(-CoroErrno.exists) {
                $0.append("there is a target called '")
                target.appendName(to: &$0)
                $0.append("': unregister that, or use its id")
            }
            TargetRegistry.discard(target)
            throw Refusal(code: code)
        }
    }

    private func makeTarget(
        _ signature: SignatureRef, _ function: Target.Function?, _ handler: Target.Handler?, _ options: Target.Options
    ) -> TargetRef? {
        let body: Target.Body
        if let function {
            body = coro_signature_is_direct(signature) ? .direct(function) : .function(function)
        } else if let handler {
            body = .handler(handler)
        } else {
            return nil
        }
        var needsPointers = true
        if case .direct = body { needsPointers = false }
        if case .function = body {
            signature.pointee.prepared = coro_signature_prepare(signature, 0)
            if signature.pointee.prepared == nil { return nil }
        }
        let layout = CallLayout(of: signature, headSize: MemoryLayout<Call>.stride, needsPointers: needsPointers)
        return Heap.one(Target(signature: signature, body: body, options: options, layout: layout))
    }

    private func refuseRegistration() -> Refusal {
        Refusal(code: fail(Code.noMemory) { $0.append("no memory for another target") })
    }

    // -- finding them --

    /// Takes hold of the target with that id.
    @inline(__always)
    func takeTarget(_ id: Int64) throws(Refusal) -> TargetRef {
        if let target = TargetRegistry.take(id) { return target }
        throw refuseTarget(id)
    }

    @inline(never)
    func refuseTarget(_ id: Int64) -> Refusal {
        Refusal(
            code: fail(Code.noSuchCoroutine) {
                $0.append("no target ")
                $0.append(id)
                $0.append(" is registered")
            })
    }

    func takeTarget(named name: UnsafePointer<CChar>) throws(Refusal) -> TargetRef {
        if let target = TargetRegistry.take(named: name) { return target }
        throw Refusal(
            code: fail(-CoroErrno.noEntry) {
                $0.append("no target called '")
                $0.append(cString: name)
                $0.append("' is registered")
            })
    }
}
