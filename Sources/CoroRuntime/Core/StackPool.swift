import CCoroPlatform

/// Stacks: cut from slabs of address space, guarded at their low end, touched only when used, and reused warm.
///
/// A stack's slot is a power of two, so that its size is one byte in the control block. Memory is the kernel's: a slot costs
/// what was touched of it. Up to `warmLimit` free stacks of a size keep their memory; the rest give it back when the loop is
/// idle.
struct StackPool {
    private var classes: UnsafeMutablePointer<SizeClass>?
    private var slabs = Vector<Slab>()
    private(set) var hasSurplus = false
    /// Whether the loop was idle when it last looked.
    private(set) var isReclaiming = false
    private let pageSize = coro_memory_page_size()

    static let smallest = 16 * 1024
    static let usual = 256 * 1024
    static let largest = 1 << 30
    static let usualClass = classOf(size: usual)

    /// Tests set it, to run what kernels without MADV_GUARD_INSTALL need.
    nonisolated(unsafe) static var mprotectGuards = false

    private static let classCount = 31
    private static let slabSize = 16 << 20
    private static let warmLimit = 4096
    private static let reclaimedAtOnce = 256

    private struct SizeClass {
        /// Free, with what they last held still in memory.
        var warm: Vector<UnsafeMutableRawPointer>
        /// Free, more than `warmLimit`: their memory is to be given back.
        var surplus: Vector<UnsafeMutableRawPointer>
        /// Free, without memory.
        var cold: Vector<UnsafeMutableRawPointer>
        /// What is left of the newest slab.
        var fresh: UnsafeMutableRawPointer?
        var freshCount: Int
        /// How many have been cut so far.
        var cutCount: Int
    }

    /// What there is of stacks: see `coro_stats`.
    struct Usage {
        var inUse = 0
        /// Free, and still in memory.
        var kept = 0
        var mappedBytes = 0
    }

    var usage: Usage {
        var usage = Usage()
        for index in 0..<(classes == nil ? 0 : Self.classCount) {
            let sizeClass = classes.unsafelyUnwrapped + index
            let kept = sizeClass.pointee.warm.count + sizeClass.pointee.surplus.count
            usage.kept += kept
            usage.inUse += sizeClass.pointee.cutCount - kept - sizeClass.pointee.cold.count
        }
        for index in 0..<slabs.count { usage.mappedBytes += slabs[index].size }
        return usage
    }

    private struct Slab {
        var address: UnsafeMutableRawPointer
        var size: Int
    }

    /// The smallest class whose slots have at least `size` bytes.
    static func classOf(size: Int) -> UInt8 {
        UInt8(Int.bitWidth - (max(size, smallest) - 1).leadingZeroBitCount)
    }

    @inline(__always)
    static func slotSize(_ stackClass: UInt8) -> Int { 1 << Int(stackClass) }

    /// How much of a slot is guard: enough that one large frame does not jump over it.
    func guardSize(_ stackClass: UInt8) -> Int {
        max(Int(pageSize), min(Self.slotSize(stackClass) / 4, 64 * 1024))
    }

    /// The highest address to use. Tops are spread over cache lines: were they all at the same offset in their page, the
    /// stacks of many coroutines would fight for the same few sets of the cache.
    @inline(__always)
    static func top(of bottom: UnsafeMutableRawPointer, _ stackClass: UInt8) -> UnsafeMutableRawPointer {
        let line = (Int(bitPattern: bottom) &>> Int(stackClass)) & 31
        return bottom + (slotSize(stackClass) &- line &* 64)
    }

    /// A stack's lowest address, or what failed.
    @inline(__always)
    mutating func take(_ stackClass: UInt8) throws(StackFailure) -> UnsafeMutableRawPointer {
        if let classes, let stack = classes[Int(stackClass)].warm.popLast() { return stack }
        return try takeCold(stackClass)
    }

    @inline(never)
    private mutating func takeCold(_ stackClass: UInt8) throws(StackFailure) -> UnsafeMutableRawPointer {
        if classes == nil { classes = Heap.zeroed(SizeClass.self, count: Self.classCount) }
        guard let sizeClass = classes?.advanced(by: Int(stackClass)) else { throw StackFailure(error: -CoroErrno.noMemory) }
        if let stack = sizeClass.pointee.surplus.popLast() ?? sizeClass.pointee.cold.popLast() { return stack }
        if sizeClass.pointee.freshCount == 0 { try mapSlab(for: sizeClass, stackClass) }
        let stack = sizeClass.pointee.fresh.unsafelyUnwrapped
        let failure = coro_memory_guard(stack, guardSize(stackClass), Self.mprotectGuards)
        if failure < 0 { throw StackFailure(error: failure, inGuard: true) }
        coro_tools_stack_register(stack, Self.slotSize(stackClass))
        sizeClass.pointee.fresh = stack + Self.slotSize(stackClass)
        sizeClass.pointee.freshCount -= 1
        sizeClass.pointee.cutCount += 1
        return stack
    }

    private mutating func mapSlab(for sizeClass: UnsafeMutablePointer<SizeClass>, _ stackClass: UInt8) throws(StackFailure) {
        let slot = Self.slotSize(stackClass)
        let size = max(Self.slabSize, slot)
        guard slabs.reserveOne() else { throw StackFailure(error: -CoroErrno.noMemory) }
        var address: UnsafeMutableRawPointer?
        let failure = coro_memory_map(size, &address)
        guard failure == 0, let address else { throw StackFailure(error: failure) }
        slabs.appendReserved(Slab(address: address, size: size))
        sizeClass.pointee.fresh = address
        sizeClass.pointee.freshCount = size / slot
    }

    /// Takes back a stack, which may be the one that this runs on: it is not touched before `reclaim`. Without the memory to
    /// note it down it stays mapped and unused.
    @inline(__always)
    mutating func give(_ stack: UnsafeMutableRawPointer, _ stackClass: UInt8) {
        let sizeClass = classes.unsafelyUnwrapped + Int(stackClass)
        if sizeClass.pointee.warm.count < Self.warmLimit {
            if sizeClass.pointee.warm.reserveOne() { sizeClass.pointee.warm.appendReserved(stack) }
        } else if sizeClass.pointee.surplus.reserveOne() {
            sizeClass.pointee.surplus.appendReserved(stack)
            hasSurplus = true
        }
    }

    /// Gives the memory of some surplus stacks back to the system, if the loop is idle. To be called on none of them.
    mutating func reclaimSome(isIdle: Bool) {
        isReclaiming = isIdle
        if !isIdle { return }
        var left = Self.reclaimedAtOnce
        for index in 0..<Self.classCount {
            let sizeClass = classes.unsafelyUnwrapped + index
            let guarded = guardSize(UInt8(index))
            while left > 0, sizeClass.pointee.surplus.count > 0, sizeClass.pointee.cold.reserveOne(),
                let stack = sizeClass.pointee.surplus.popLast()
            {
                coro_memory_discard(stack + guarded, Self.slotSize(UInt8(index)) - guarded)
                sizeClass.pointee.cold.appendReserved(stack)
                left -= 1
            }
        }
        hasSurplus = left == 0
    }

    /// Whether `address` is in the guard of the stack at `bottom`.
    func isInGuard(_ address: UnsafeRawPointer, of bottom: UnsafeMutableRawPointer, _ stackClass: UInt8) -> Bool {
        address >= UnsafeRawPointer(bottom) && address < UnsafeRawPointer(bottom + guardSize(stackClass))
    }

    mutating func unmapAll() {
        while let slab = slabs.popLast() { _ = coro_memory_unmap(slab.address, slab.size) }
        freeLists()
    }

    /// Frees the bookkeeping and leaves the stacks where they are.
    mutating func freeLists() {
        for index in 0..<(classes == nil ? 0 : Self.classCount) {
            classes.unsafelyUnwrapped[index].warm.free()
            classes.unsafelyUnwrapped[index].surplus.free()
            classes.unsafelyUnwrapped[index].cold.free()
        }
        Heap.free(classes)
        classes = nil
        slabs.free()
    }
}

/// Why there is no stack.
struct StackFailure: Error {
    var error: Int32
    /// The mapping was there, but no guard for it: the number of mappings has a limit.
    var inGuard = false
}
