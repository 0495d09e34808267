import Glibc

/// Which signals a thread blocks.
struct SignalMask {
    private var signals = sigset_t()

    /// Of the thread that the program began with; nil if the system does not tell. The threads that Swift's tasks run on block
    /// nearly all, which threads and programs started there would inherit.
    static var ofMainThread: SignalMask? {
        guard let file = fopen("/proc/self/task/\(getpid())/status", "re") else { return nil }
        defer { fclose(file) }
        var bits: UInt64 = 0
        let found = withUnsafeMutablePointer(to: &bits) { bits in
            var line = [CChar](repeating: 0, count: 256)
            while fgets(&line, Int32(line.count), file) != nil {
                if withVaList([bits], { vsscanf(line, "SigBlk: %lx", $0) }) == 1 { return true }
            }
            return false
        }
        return found ? SignalMask(bits: bits) : nil
    }

    private init(bits: UInt64) {
        sigemptyset(&signals)
        for signal in 1..<Int32(64) where bits >> (signal - 1) & 1 == 1 { sigaddset(&signals, signal) }
    }

    /// Makes it the calling thread's.
    func apply() {
        var signals = signals
        pthread_sigmask(SIG_SETMASK, &signals, nil)
    }
}
