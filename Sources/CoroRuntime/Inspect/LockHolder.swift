/// Who holds what others wait for, as people read of it.
extension RuntimeRef {
    /// "locked by #7 (worker)"; `owner` is looked into only if it is still the one of that id.
    func appendHolder(_ owner: CoroutineRef?, _ id: Int64, to text: inout TextBuffer) {
        guard let owner, owner.pointee.id == id, owner.pointee.state != .ended else {
            text.append("locked by a coroutine that has ended")
            return
        }
        text.append("locked by ")
        if owner == pointee.main {
            text.append("the thread's own stack")
        } else {
            appendNumberAndName(of: owner, to: &text)
        }
    }

    /// ", locked by #7 (worker)"
    func appendHolder(of mutex: MutexRef, to text: inout TextBuffer) {
        if mutex.pointee.depth == 0 { return }
        text.append(", ")
        appendHolder(mutex.pointee.owner, mutex.pointee.ownerID, to: &text)
    }
}
