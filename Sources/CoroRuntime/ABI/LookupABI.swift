import CCoro

// coro.h: Lookup and state

@c @implementation
public func coro_get_by_id(_ co: coro_t) -> coro_t {
    callForID { runtime throws(Refusal) in
        do throws(Refusal) {
            let coroutine = try runtime.find(co)
            if coroutine.pointee.state != .ended { return co }
            throw runtime.refuse(coroutine, Code.noSuchCoroutine, "has ended")
        } catch {
            throw Refusal(code: error.code == Code.wrongThread ? Code.wrongThread : Code.noSuchCoroutine)
        }
    }
}

@c @implementation
public func coro_all(_ ids: UnsafeMutablePointer<coro_t>?, _ n: CInt) -> CInt {
    call { runtime in
        var count: Int32 = 0
        let done = runtime.withAllIDs { all in
            count = Int32(truncatingIfNeeded: all.count)
            guard let ids, n > 0 else { return }
            for index in 0..<min(all.count, Int(n)) { ids[index] = all[index] }
        }
        return done ? count : runtime.fail(Code.noMemory)
    }
}

@c @implementation
public func coro_get_live_coros() -> Int64 {
    Int64(Runtime.existing?.pointee.table.count ?? 0)
}

@c @implementation
public func coro_get_info(_ co: coro_t, _ info: UnsafeMutablePointer<coro_info>?) -> CInt {
    call { runtime throws(Refusal) in
        let info = try runtime.require(info, "info is NULL")
        guard info.pointee.struct_size == MemoryLayout<coro_info>.size else {
            throw runtime.refuseArgument("coro_info.struct_size is not sizeof(coro_info)")
        }
        info.pointee = coro_info()
        info.pointee.struct_size = MemoryLayout<coro_info>.size
        info.pointee.id = co
        info.pointee.deadline = .max
        do throws(Refusal) {
            runtime.describe(try runtime.find(co), in: info)
        } catch {
            if error.code == Code.dead {
                info.pointee.dead = true
                info.pointee.state = CORO_STATE_ENDED
            }
            throw error
        }
        return 0
    }
}

extension RuntimeRef {
    fileprivate func describe(_ coroutine: CoroutineRef, in info: UnsafeMutablePointer<coro_info>) {
        info.pointee.dead = coroutine.pointee.state == .ended
        info.pointee.started = coroutine.has(.started)
        info.pointee.scheduled = coroutine.pointee.state == .ready
        info.pointee.detached = coroutine.has(.detached)
        info.pointee.state = Int32(coroutine.pointee.state.rawValue)
        info.pointee.wait_kind = Int32(coroutine.pointee.waitKind.rawValue)
        switch coroutine.pointee.waitKind {
        case .join:
            let target = CoroutineRef(bitPattern: coroutine.pointee.waitObject)
            info.pointee.wait_object = target?.pointee.id ?? 0
        case .parallel:
            let run = GroupRef(bitPattern: coroutine.pointee.waitObject)
            info.pointee.wait_object = Int64(run?.pointee.unfinished ?? 0)
        case .child: info.pointee.wait_object = Int64(ChildWait(packed: coroutine.pointee.waitObject).process)
        case .room: info.pointee.wait_object = Int64(coroutine.roomDescriptor)
        case .select:
            info.pointee.wait_object = Int64(SelectWaitRef(bitPattern: coroutine.pointee.waitObject)?.pointee.caseCount ?? 0)
        case .none, .park, .pass, .sleep: break
        default: info.pointee.wait_object = Int64(coroutine.pointee.waitAddress)
        }
        if coroutine.pointee.timerPlace != .none { info.pointee.deadline = coroutine.pointee.deadline }
        info.pointee.age = coroutine.pointee.age(at: pointee.clock.read())
        info.pointee.run_time = runTime(of: coroutine)
        info.pointee.switches = coroutine.pointee.switches
        info.pointee.spawn_site = coroutine.pointee.spawnSite
        info.pointee.stack_size = coroutine.pointee.stackBottom == nil ? 0 : StackPool.slotSize(coroutine.pointee.stackClass)
        withUnsafeMutableBytes(of: &info.pointee.name) {
            var text = TextBuffer($0.baseAddress?.assumingMemoryBound(to: CChar.self), capacity: $0.count)
            appendName(of: coroutine, to: &text)
        }
        withUnsafeMutableBytes(of: &info.pointee.waiting) {
            var text = TextBuffer($0.baseAddress?.assumingMemoryBound(to: CChar.self), capacity: $0.count)
            appendWait(of: coroutine, to: &text)
        }
    }
}

@c @implementation
public func coro_repr(_ co: coro_t, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int) -> CInt {
    call { runtime throws(Refusal) in
        let coroutine = try runtime.find(co)
        var text = TextBuffer(buffer, capacity: size)
        runtime.appendRepr(of: coroutine, to: &text)
        return Int32(truncatingIfNeeded: text.length)
    }
}
