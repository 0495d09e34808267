import CCoroPlatform

typealias StructRef = UnsafeMutablePointer<StructType>

/// A struct that was registered. It stays for ever as it is, so that who has found it needs no lock.
struct StructType {
    let name: UnsafeMutablePointer<CChar>
    /// Its fields, in one spelling.
    let text: UnsafeMutablePointer<CChar>
    let fields: Vector<StructField>
    var type: coro_type

    /// The struct of that name, or nil.
    static func find(_ name: Token) -> StructRef? {
        Shared.withLock { shared in find(in: shared) { name.isSame(as: $0) } } ?? nil
    }

    static func find(_ name: UnsafePointer<CChar>) -> StructRef? {
        Shared.withLock { shared in find(in: shared) { Heap.isSame($0, name) } } ?? nil
    }

    private static func find(
        in shared: UnsafeMutablePointer<Shared>, _ isWanted: (UnsafePointer<CChar>) -> Bool
    ) -> StructRef? {
        for index in 0..<shared.pointee.structs.count where isWanted(shared.pointee.structs[index].pointee.name) {
            return shared.pointee.structs[index]
        }
        return nil
    }

    /// The code of a registration, after which what is not registered is still the caller's.
    static func register(_ candidate: StructRef) -> (code: Int32, isTaken: Bool) {
        Shared.withLock { shared in
            if let known = find(in: shared, { Heap.isSame($0, candidate.pointee.name) }) {
                return (Heap.isSame(known.pointee.text, candidate.pointee.text) ? 0 : -CoroErrno.exists, false)
            }
            // What libffi needs stays for ever, so it is made for those alone that are new.
            guard shared.pointee.structs.reserveOne(), candidate.describe() else { return (Code.noMemory, false) }
            shared.pointee.structs.appendReserved(candidate)
            return (0, true)
        } ?? (Code.noMemory, false)
    }
}

/// A field, or an array of them.
struct StructField {
    let name: UnsafeMutablePointer<CChar>
    let type: coro_type
    let count: Int
    let offset: Int
}

extension StructRef {
    func free() {
        Heap.free(pointee.name)
        Heap.free(pointee.text)
        freeFields(pointee.fields)
        Heap.free(self)
    }

    func field(_ name: UnsafePointer<CChar>) -> StructField? {
        for index in 0..<pointee.fields.count where Heap.isSame(pointee.fields[index].name, name) {
            return pointee.fields[index]
        }
        return nil
    }

    /// Has libffi look at it. An array is as many members to it. False without memory.
    fileprivate func describe() -> Bool {
        var total = 0
        for index in 0..<pointee.fields.count { total += pointee.fields[index].count }
        guard let members = Heap.zeroed(coro_type.self, count: total) else { return false }
        defer { Heap.free(members) }
        var next = 0
        for index in 0..<pointee.fields.count {
            for _ in 0..<pointee.fields[index].count {
                members[next] = pointee.fields[index].type
                next += 1
            }
        }
        pointee.type = coro_type_of_struct(members, total)
        return pointee.type.described != nil
    }
}

func freeFields(_ fields: Vector<StructField>) {
    for index in 0..<fields.count { Heap.free(fields[index].name) }
    Heap.free(fields.elements)
}
