import CCoroPlatform

/// The stack of a coroutine: return addresses, innermost first.
///
/// What is walked are the unwind tables, from where the coroutine was left. The walk itself runs on the thread's own stack:
/// it takes more than a small coroutine may have left. Our own frames are left out, as far as they can be told: the first to
/// be seen is the exported function that the coroutine waits in, the last the coroutine's own function.
struct StackTrace {
    private let memory: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private var first = 0
    private var end = 0

    /// How many frames are looked at, ours included.
    fileprivate static let capacity = 128

    /// Empty; nil without memory.
    init?() {
        guard let memory = Heap.zeroed(UnsafeMutableRawPointer?.self, count: Self.capacity) else { return nil }
        self.memory = memory
    }

    var count: Int { end - first }

    subscript(index: Int) -> UnsafeMutableRawPointer? { memory[first + index] }

    func free() { Heap.free(memory) }

    /// Takes the stack of `coroutine`. site: the address in the caller at which the running coroutine's is to begin.
    mutating func take(_ coroutine: CoroutineRef, in runtime: RuntimeRef, site: UnsafeRawPointer?) {
        let current = runtime.pointee.current
        first = 0
        end = 0
        if coroutine != current, coroutine.pointee.context == nil || coroutine.pointee.state == .ended { return }
        var isWhole = false
        end = Int(
            coro_context_walk(
                coroutine == current ? nil : coroutine.pointee.context,
                current == runtime.pointee.main ? nil : runtime.pointee.main.pointee.context, memory,
                Int32(Self.capacity), &isWhole))
        if isWhole { dropEntry() }
        if coroutine == current { dropBefore(site) } else { dropInternals() }
    }

    /// Begins at `site`; if the walk has not met it, that is all that is known.
    private mutating func dropBefore(_ site: UnsafeRawPointer?) {
        while first < end, memory[first].map({ UnsafeRawPointer($0) }) != site { first += 1 }
        if first < end { return }
        memory[0] = UnsafeMutableRawPointer(mutating: site)
        first = 0
        end = 1
    }

    /// Begins at the exported function that was called, or else, in libcoro.so, with its caller.
    private mutating func dropInternals() {
        for index in first..<end {
            let place = coro_system_code_place(memory[index])
            if !place.is_own {
                // In one module with the program there is no telling what is ours.
                if place.own_is_library { first = index }
                return
            }
            if place.isExported {
                first = index
                return
            }
        }
    }

    /// Ends with the coroutine's own function. What called it is one of ours, and another where nothing is optimized.
    private mutating func dropEntry() {
        end -= 1
        while end > first {
            let place = coro_system_code_place(memory[end - 1])
            guard place.is_own, place.own_is_library || place.isEntry else { return }
            end -= 1
        }
    }
}

extension coro_code_place {
    /// Whether it is in an exported function of ours.
    fileprivate var isExported: Bool { begins(with: "coro_") }

    /// Whether it is in `runCoroutine`, by the mangled name.
    fileprivate var isEntry: Bool { begins(with: "$s11CoroRuntime03run") }

    private func begins(with prefix: StaticString) -> Bool {
        guard let symbol else { return false }
        for index in 0..<prefix.utf8CodeUnitCount
        where UInt8(bitPattern: symbol[index]) != prefix.utf8Start[index] { return false }
        return true
    }
}

extension TextBuffer {
    /// "worker+12", or "libx.so+0x1234" where no symbol is known.
    mutating func append(place address: UnsafeRawPointer?) {
        let place = coro_system_code_place(address)
        if let symbol = place.symbol {
            append(cString: symbol)
            append("+")
            append(Int(place.symbol_offset))
        } else if let module = place.module {
            append(cString: lastComponent(of: module))
            append("+")
            append(address: UnsafeRawPointer(bitPattern: place.module_offset))
        } else {
            append(address: address)
        }
    }

    private func lastComponent(of path: UnsafePointer<CChar>) -> UnsafePointer<CChar> {
        var (last, next) = (path, path)
        while next.pointee != 0 {
            if next.pointee == CChar(bitPattern: UInt8(ascii: "/")) { last = next + 1 }
            next += 1
        }
        return last
    }
}
