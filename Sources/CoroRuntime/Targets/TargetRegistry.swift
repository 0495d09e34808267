import CCoroPlatform

/// The targets of the process. To find one by its id takes no lock (see coro_slots.h), all else takes the process lock.
///
/// A registered target is held by the registry, and by each that was made of it: it is freed when the last lets go.
struct TargetRegistry {
    private var first: TargetRef?
    private var last: TargetRef?
    private var count = 0
    /// By the hash of their names: chains through `nextNamed`.
    private var buckets: UnsafeMutablePointer<TargetRef?>?
    private var capacity = 0

    private static var smallest: Int { 32 }

    // -- by id --

    /// Takes hold of the target with that id, if it is registered.
    @inline(__always)
    static func take(_ id: Int64) -> TargetRef? {
        coro_slot_take(id)?.assumingMemoryBound(to: Target.self)
    }

    /// For who holds it: holds it once more.
    static func hold(_ target: TargetRef) {
        coro_slot_hold(target.pointee.id)
    }

    /// Lets go of it.
    @inline(__always)
    static func leave(_ target: TargetRef) {
        if coro_slot_leave(target.pointee.id) { free(target) }
    }

    /// The last has let go of it. User code that must not suspend.
    @inline(never)
    private static func free(_ target: TargetRef) {
        if let release = target.pointee.options.release {
            if let runtime = Runtime.existing {
                // Whoever ends up here may be about to return an error: its report is not this code's to replace.
                let report = runtime.pointee.report
                runtime.pointee.report = ErrorReport()
                runtime.giveBack(target.pointee.options.context, to: release)
                runtime.pointee.report.free()
                runtime.pointee.report = report
            } else {
                release(target.pointee.options.context)
            }
        }
        let id = target.pointee.id
        _ = Shared.withLock { _ in coro_slot_give_back(id) }
        discard(target)
    }

    /// Frees one that is not registered.
    static func discard(_ target: TargetRef) {
        freeSignature(target.pointee.signature)
        Heap.free(target)
    }

    // -- what the functions of coro.h do --

    enum Registered {
        case done(Int64), nameTaken, noMemory
    }

    /// Registers a target, which then belongs to the registry if that succeeds.
    static func register(_ target: TargetRef) -> Registered {
        Shared.withLock { shared in shared.pointee.targets.add(target) } ?? .noMemory
    }

    /// false: there is none of that id.
    static func unregister(_ id: Int64) -> Bool {
        let target = Shared.withLock { shared -> TargetRef? in
            guard coro_slot_close(id), let slot = coro_slot_find(id), let value = slot.pointee.value else { return nil }
            let target = value.assumingMemoryBound(to: Target.self)
            shared.pointee.targets.remove(target)
            return target
        }
        guard case .some(.some(let target)) = target else { return false }
        leave(target)
        return true
    }

    /// Takes hold of the target of that name.
    static func take(named name: UnsafePointer<CChar>) -> TargetRef? {
        Shared.withLock { shared -> TargetRef? in
            guard let target = shared.pointee.targets.find(name) else { return nil }
            hold(target)
            return target
        } ?? nil
    }

    /// Writes the ids of the first `capacity` into `ids`. Returns how many there are.
    static func list(into ids: UnsafeMutablePointer<Int64>?, capacity: Int) -> Int {
        Shared.withLock { shared -> Int in
            var next = shared.pointee.targets.first
            for index in 0..<(ids == nil ? 0 : max(capacity, 0)) {
                guard let target = next else { break }
                ids?[index] = target.pointee.id
                next = target.pointee.next
            }
            return shared.pointee.targets.count
        } ?? 0
    }

    // -- behind the process lock --

    private mutating func add(_ target: TargetRef) -> Registered {
        let name = target.pointee.signature.pointee.name
        if let name, find(name) != nil { return .nameTaken }
        guard reserveOne() else { return .noMemory }
        let id = coro_slot_reserve()
        if id == 0 { return .noMemory }
        target.pointee.id = id
        target.pointee.previous = last
        if let last { last.pointee.next = target } else { first = target }
        last = target
        count += 1
        if let name { chain(target, name) }
        coro_slot_open(id, target)
        return .done(id)
    }

    private mutating func remove(_ target: TargetRef) {
        let (previous, next) = (target.pointee.previous, target.pointee.next)
        if let previous { previous.pointee.next = next } else { first = next }
        if let next { next.pointee.previous = previous } else { last = previous }
        count -= 1
        guard let name = target.pointee.signature.pointee.name else { return }
        let bucket = bucket(of: name)
        guard var before = bucket.pointee, before != target else {
            bucket.pointee = target.pointee.nextNamed
            return
        }
        while let next = before.pointee.nextNamed, next != target { before = next }
        before.pointee.nextNamed = target.pointee.nextNamed
    }

    private func find(_ name: UnsafePointer<CChar>) -> TargetRef? {
        if capacity == 0 { return nil }
        var next = bucket(of: name).pointee
        while let target = next {
            if let other = target.pointee.signature.pointee.name, Heap.isSame(name, other) { return target }
            next = target.pointee.nextNamed
        }
        return nil
    }

    private func chain(_ target: TargetRef, _ name: UnsafePointer<CChar>) {
        let bucket = bucket(of: name)
        target.pointee.nextNamed = bucket.pointee
        bucket.pointee = target
    }

    /// FNV-1a.
    private func bucket(of name: UnsafePointer<CChar>) -> UnsafeMutablePointer<TargetRef?> {
        var (hash, next) = (UInt32(0x811C_9DC5), name)
        while next.pointee != 0 {
            hash = (hash ^ UInt32(UInt8(bitPattern: next.pointee))) &* 0x0100_0193
            next += 1
        }
        return buckets.unsafelyUnwrapped + Int(hash) & (capacity - 1)
    }

    /// Makes room for one more: false without memory.
    private mutating func reserveOne() -> Bool {
        if count < capacity { return true }
        let larger = max(Self.smallest, capacity * 2)
        guard let memory = Heap.zeroed(TargetRef?.self, count: larger) else { return false }
        Heap.free(buckets)
        buckets = memory
        capacity = larger
        var next = first
        while let target = next {
            if let name = target.pointee.signature.pointee.name { chain(target, name) }
            next = target.pointee.next
        }
        return true
    }
}
