import CCoroPlatform

/// The names of the values that a target is called with: first come those that have none, which are for the first parameters.
struct ArgumentNames {
    /// Of the values.
    let count: Int
    private let names: UnsafePointer<UnsafePointer<CChar>?>?
    private let unnamedCount: Int

    /// What is no parameter, unless one is called so.
    private static var threadName: StaticString { "thread_name" }

    init(_ names: UnsafePointer<UnsafePointer<CChar>?>?, count: Int) {
        self.names = names
        self.count = count
        var unnamed = names == nil ? count : 0
        while unnamed < count, names?[unnamed] == nil { unnamed += 1 }
        unnamedCount = unnamed
    }

    /// Which value is the next from `start` on that is called so.
    private func find(_ name: UnsafePointer<CChar>, from start: Int = 0) -> Int? {
        for index in max(start, unnamedCount)..<max(start, unnamedCount, count) {
            if let other = names?[index], Heap.isSame(name, other) { return index }
        }
        return nil
    }

    /// Which value is that of the parameter; nil: none.
    fileprivate func value(of index: Int, of target: TargetRef, _ runtime: RuntimeRef) throws(Refusal) -> Int? {
        let positional = index < unnamedCount ? index : nil
        guard let name = target.pointee.signature.parameter(index).pointee.name, let named = find(name) else {
            return positional
        }
        if positional != nil || find(name, from: named + 1) != nil {
            throw runtime.refuse(index, of: target, " is given twice")
        }
        return named
    }

    /// Which value is the coroutine's name; nil: none. Refuses names that nothing is called.
    fileprivate func threadName(for target: TargetRef, _ runtime: RuntimeRef) throws(Refusal) -> Int? {
        var threadName: Int?
        if unnamedCount > target.pointee.signature.count { throw runtime.refuseSurplus(count, of: target) }
        for index in unnamedCount..<count {
            guard let name = names?[index] else {
                throw runtime.refuse(of: target) {
                    $0.append("value ")
                    $0.append(index + 1)
                    $0.append(" has no name, but comes after one that has")
                }
            }
            if target.parameter(named: name) != nil { continue }
            let threadNameText = UnsafeRawPointer(Self.threadName.utf8Start).assumingMemoryBound(to: CChar.self)
            let isThreadName = Heap.isSame(name, threadNameText)
            guard isThreadName, threadName == nil else {
                throw runtime.refuse(of: target) {
                    $0.append(isThreadName ? "given twice: '" : "no parameter is called '")
                    $0.append(cString: name)
                    $0.append("'")
                }
            }
            threadName = index
        }
        return threadName
    }
}

extension TargetRef {
    fileprivate func parameter(named name: UnsafePointer<CChar>) -> Int? {
        for index in 0..<pointee.signature.count {
            if let other = pointee.signature.parameter(index).pointee.name, Heap.isSame(name, other) { return index }
        }
        return nil
    }
}

extension RuntimeRef {
    /// The coroutine's name among the values; nil: there is none. All names are looked at.
    func threadName(
        _ names: ArgumentNames, for target: TargetRef, _ value: (Int) -> TargetValue
    ) throws(Refusal) -> UnsafePointer<CChar>? {
        guard let index = try names.threadName(for: target, self) else { return nil }
        guard case .pointer(.some(let text)) = value(index) else {
            throw refuse(of: target) { $0.append("thread_name must be a text") }
        }
        return text.assumingMemoryBound(to: CChar.self)
    }

    /// Stores the values as the target's arguments into `block`, and defaults for those that are missing.
    func store(
        _ names: ArgumentNames, of target: TargetRef, in block: UnsafeMutableRawPointer, _ value: (Int) -> TargetValue
    ) throws(Refusal) {
        for index in 0..<target.pointee.signature.count {
            let parameter = target.pointee.signature.parameter(index)
            let place = block + Int(parameter.pointee.offset)
            let given = try names.value(of: index, of: target, self).map(value) ?? .byDefault
            if case .byDefault = given {
                guard let value = parameter.pointee.value else {
                    throw refuse(index, of: target, " is missing, and has no default")
                }
                place.copyMemory(from: value, byteCount: parameter.pointee.type.size)
            } else if let mismatch = given.store(as: parameter.pointee.type, at: place) {
                throw refuse(given, for: index, of: target, mismatch)
            }
        }
    }

    /// "parameter 'width' of resize: 300 does not fit uint8_t"
    private func refuse(_ value: TargetValue, for index: Int, of target: TargetRef, _ mismatch: Mismatch) -> Refusal {
        var code = Code.invalid
        if case .range = mismatch { code = -CoroErrno.range }
        let type = target.pointee.signature.parameter(index).pointee.type
        return Refusal(
            code: fail(code) {
                target.appendParameter(index, to: &$0)
                $0.append(": ")
                $0.append(value)
                switch mismatch {
                case .range: $0.append(" does not fit ")
                case .type, .size: $0.append(" is not of its type, ")
                }
                $0.append(type)
            })
    }

    func refuse(_ index: Int, of target: TargetRef, _ why: StaticString) -> Refusal {
        Refusal(
            code: fail(Code.invalid) {
                target.appendParameter(index, to: &$0)
                $0.append(why)
            })
    }

    fileprivate func refuseSurplus(_ count: Int, of target: TargetRef) -> Refusal {
        refuse(of: target) {
            $0.append("too many arguments: it takes ")
            $0.append(target.pointee.signature.count)
            $0.append(", not ")
            $0.append(count)
        }
    }

    /// "resize: ..."
    fileprivate func refuse(of target: TargetRef, _ write: (inout TextBuffer) -> Void) -> Refusal {
        Refusal(
            code: fail(Code.invalid) {
                target.appendName(to: &$0)
                $0.append(": ")
                write(&$0)
            })
    }
}
