import CCoroPlatform

/// Asking for the name of an address, in memory of its own: an interrupted caller does not wait for the answer.
private struct AddressName {
    var address: sockaddr_storage
    let length: socklen_t
    let wantsHost: Bool
    let wantsService: Bool
    let flags: Int32
    var code: Int32 = 0
    let host: UnsafeMutablePointer<CChar>
    let service: UnsafeMutablePointer<CChar>
}

/// Where to put an answer.
struct NameBuffer {
    let memory: UnsafeMutablePointer<CChar>?
    let size: Int

    var isWanted: Bool { memory != nil && size > 0 }

    /// false: it does not fit.
    fileprivate func take(_ text: UnsafePointer<CChar>) -> Bool {
        guard isWanted, let memory else { return true }
        let length = Heap.length(of: text)
        if length >= size { return false }
        memory.update(from: text, count: length + 1)
        return true
    }
}

private func runName(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let name = argument.unsafelyUnwrapped.assumingMemoryBound(to: AddressName.self)
    var address = name.pointee.address
    name.pointee.code = withUnsafeBytes(of: &address) {
        coro_system_name(
            $0.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: sockaddr.self), name.pointee.length,
            name.pointee.wantsHost ? name.pointee.host : nil, socklen_t(CORO_NAME_SIZE),
            name.pointee.wantsService ? name.pointee.service : nil, socklen_t(CORO_SERVICE_SIZE),
            name.pointee.flags)
    }
    return nil
}

private func freeName(_ argument: UnsafeMutableRawPointer?, _ result: UnsafeMutableRawPointer?) {
    coro_memory_free(argument)
}

extension RuntimeRef {
    /// getnameinfo(3). Returns 0 or an error, with its report.
    func findName(
        of address: UnsafePointer<sockaddr>, _ length: socklen_t, host: NameBuffer, service: NameBuffer, flags: Int32
    ) -> Int32 {
        guard length <= MemoryLayout<sockaddr_storage>.size else { return failName(Code.invalid) }
        let numeric = (!host.isWanted || flags & NI_NUMERICHOST != 0) && (!service.isWanted || flags & NI_NUMERICSERV != 0)
        if numeric {
            let code = coro_system_name(
                address, length, host.memory, socklen_t(clamping: host.size), service.memory, socklen_t(clamping: service.size),
                flags)
            return code == 0 ? 0 : failName(code)
        }
        // The name and its buffers in one piece.
        let texts = MemoryLayout<AddressName>.stride
        let size = texts + Int(CORO_NAME_SIZE) + Int(CORO_SERVICE_SIZE)
        guard let memory = coro_memory_allocate(size, 16) else { return fail(Code.noMemory) }
        let hostText = (memory + texts).assumingMemoryBound(to: CChar.self)
        let name = memory.bindMemory(to: AddressName.self, capacity: 1)
        name.initialize(
            to: AddressName(
                address: sockaddr_storage(), length: length, wantsHost: host.isWanted, wantsService: service.isWanted,
                flags: flags, host: hostText, service: hostText + Int(CORO_NAME_SIZE)))
        memory.copyMemory(from: address, byteCount: Int(length)) // the address is its first field
        let work = BlockingWork(argument: memory, discard: freeName, mayBeAbandoned: true, isSlow: true)
        let error = runOnPool(runName, work, .names, result: nil)
        if error != 0 { return error }
        var code = name.pointee.code
        if code == 0, !host.take(name.pointee.host) || !service.take(name.pointee.service) { code = Code.nameOverflow }
        coro_memory_free(memory)
        return code == 0 ? 0 : failName(code)
    }

    private func failName(_ code: Int32) -> Int32 {
        fail(code) {
            if code == Code.nameOverflow { $0.append("a buffer is too small for the name") }
            if code == Code.invalid { $0.append("the address is longer than a sockaddr_storage") }
        }
    }
}
