import CCoroPlatform

/// How to start a process: what `coro_process_options` says.
struct ProcessPlan {
    /// Looked for in PATH if it has no slash.
    var program: UnsafePointer<CChar>
    var arguments: UnsafePointer<UnsafePointer<CChar>?>
    /// nil: ours.
    var environment: UnsafePointer<UnsafePointer<CChar>?>?
    /// nil: ours.
    var directory: UnsafePointer<CChar>?
    var streams = PerStream(StreamPlan())
    var flags: Flags = []

    struct Flags: OptionSet {
        let rawValue: UInt32
        /// It leads a process group of its own,
        static let group = Flags(rawValue: 1 << 0)
        /// or a session of its own, which implies a group.
        static let session = Flags(rawValue: 1 << 1)
        /// It is given all descriptors that are not close-on-exec, not only the standard streams.
        static let keepsDescriptors = Flags(rawValue: 1 << 2)
    }
}

/// What a standard stream is to be.
struct StreamPlan {
    var mode: Mode = .inherit
    /// For `.descriptor`.
    var descriptor: Int32 = -1
    /// For `.file` and `.append`.
    var path: UnsafePointer<CChar>?

    /// The numbers are `CORO_STDIO_…`.
    enum Mode: Int32 {
        case inherit, null, pipe, descriptor, file, append, joinsOutput
    }
}

/// The descriptors that a start has opened so far.
struct StartDescriptors {
    /// What the child's streams will be: above 2; -1: they stay what they are.
    var childs = PerStream<Int32>(-1)
    /// Our ends of pipes; -1: it is none.
    var ours = PerStream<Int32>(-1)
    var directory: Int32 = -1
    /// Keeps a place free for the descriptor by which the process is watched: that can only be made when it runs.
    var place: Int32 = -1

    /// Closes what the child has by now, or will never have.
    func closeTheirs() {
        for stream in 0...2 { closeIfOpen(childs[stream]) }
        closeIfOpen(directory)
        closeIfOpen(place)
    }

    private func closeIfOpen(_ descriptor: Int32) {
        if descriptor >= 0 { _ = coro_system_close(descriptor) }
    }
}
