import CCoroPlatform

/// A variable of which every coroutine has its own value.
struct LocalKey {
    var id: Int64
    var destroy: Destroy?

    typealias Destroy = @convention(c) (UnsafeMutableRawPointer?) -> Void

    /// A new one's id, or nil without memory.
    static func make(_ destroy: Destroy?) -> Int64? {
        Shared.withLock { shared -> Int64? in
            guard shared.pointee.localKeys.reserveOne() else { return nil }
            shared.pointee.lastLocalKey += 1
            let id = shared.pointee.lastLocalKey
            shared.pointee.localKeys.appendReserved(LocalKey(id: id, destroy: destroy))
            return id
        } ?? nil
    }

    static func find(_ id: Int64) -> LocalKey? {
        Shared.withLock { shared in index(of: id, in: shared).map { shared.pointee.localKeys[$0] } } ?? nil
    }

    /// Takes it out: false if there is none.
    static func remove(_ id: Int64) -> Bool {
        Shared.withLock { shared in
            guard let index = index(of: id, in: shared) else { return false }
            shared.pointee.localKeys.removeSwappingLast(at: index)
            return true
        } ?? false
    }

    private static func index(of id: Int64, in shared: UnsafeMutablePointer<Shared>) -> Int? {
        var index = 0
        while index < shared.pointee.localKeys.count {
            if shared.pointee.localKeys[index].id == id { return index }
            index += 1
        }
        return nil
    }
}

/// One coroutine's values. Few have many, so looking through them is quickest.
struct LocalValues {
    fileprivate var slots = Vector<Slot>()

    fileprivate struct Slot {
        var key: LocalKey
        var value: UnsafeMutableRawPointer?
    }

    var count: Int { slots.count }

    func key(at index: Int) -> Int64 { slots[index].key.id }

    fileprivate func index(of id: Int64) -> Int? {
        var index = 0
        while index < slots.count {
            if slots[index].key.id == id { return index }
            index += 1
        }
        return nil
    }

    mutating func free() { slots.free() }
}

extension UnsafeMutablePointer<Coroutine.Extras> {
    /// Destroys all values. What destructors set meanwhile is destroyed too, but not for ever.
    func destroyLocals() {
        var left = 4 * (pointee.locals.count + 16)
        while left > 0, let slot = pointee.locals.slots.popLast() {
            slot.destroy()
            left -= 1
        }
    }
}

extension LocalValues.Slot {
    fileprivate func destroy() {
        if let value, let destroy = key.destroy { destroy(value) }
    }
}

extension RuntimeRef {
    func setLocal(_ id: Int64, _ value: UnsafeMutableRawPointer?) -> Int32 {
        let me = pointee.current
        if let extras = me.pointee.extras, let index = extras.pointee.locals.index(of: id) {
            extras.pointee.locals.slots[index].value = value
            return 0
        }
        guard let key = LocalKey.find(id) else { return refuseLocal(id) }
        guard let extras = me.obtainExtras(), extras.pointee.locals.slots.reserveOne() else { return fail(Code.noMemory) }
        extras.pointee.locals.slots.appendReserved(LocalValues.Slot(key: key, value: value))
        return 0
    }

    func getLocal(_ id: Int64, _ value: UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> Int32 {
        value.pointee = nil
        guard let extras = pointee.current.pointee.extras, let index = extras.pointee.locals.index(of: id) else {
            return LocalKey.find(id) == nil ? refuseLocal(id) : fail(-CoroErrno.noEntry)
        }
        value.pointee = extras.pointee.locals.slots[index].value
        return 0
    }

    func deleteLocal(_ id: Int64) -> Int32 {
        guard let extras = pointee.current.pointee.extras, let index = extras.pointee.locals.index(of: id) else {
            return LocalKey.find(id) == nil ? refuseLocal(id) : fail(-CoroErrno.noEntry)
        }
        extras.pointee.locals.slots.removeSwappingLast(at: index)
        return 0
    }

    /// Frees a variable, and its values in this thread's coroutines.
    func freeLocal(_ id: Int64) -> Int32 {
        guard LocalKey.remove(id) else { return refuseLocal(id) }
        pointee.obstacles.forbid()
        // First all values are taken out, then destroyed: a destructor may create coroutines, or end.
        var removed = Vector<LocalValues.Slot>()
        var left = true
        while left {
            left = takeLocals(id, into: &removed)
            // Without the memory for even one, what is left is destroyed with its coroutine.
            if left && removed.count == 0 { break }
            while let slot = removed.popLast() { slot.destroy() }
        }
        removed.free()
        pointee.obstacles.allow()
        return 0
    }

    /// Takes the values of one variable out of every coroutine, as far as there is memory: false if there are none left.
    private func takeLocals(_ id: Int64, into removed: inout Vector<LocalValues.Slot>) -> Bool {
        var isComplete = true
        func take(_ coroutine: CoroutineRef) {
            guard let extras = coroutine.pointee.extras, let index = extras.pointee.locals.index(of: id) else { return }
            guard removed.reserveOne() else {
                isComplete = false
                return
            }
            removed.appendReserved(extras.pointee.locals.slots[index])
            extras.pointee.locals.slots.removeSwappingLast(at: index)
        }
        take(pointee.main)
        pointee.table.forEach(take)
        return !isComplete
    }

    private func refuseLocal(_ id: Int64) -> Int32 {
        fail(Code.invalid) {
            $0.append("there is no coroutine-local variable ")
            $0.append(id)
        }
    }
}
