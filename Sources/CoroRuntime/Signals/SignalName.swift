import CCoroPlatform

extension TextBuffer {
    /// "SIGUSR1", "SIGRTMIN+3"; "signal 100" for a number that is none here.
    mutating func append(signal number: Int32) {
        if coro_system_signal_kind(number) == CORO_SIGNAL_KIND_NONE {
            append("signal ")
            append(number)
            return
        }
        var above: Int32 = 0
        append("SIG")
        append(cString: coro_system_signal_name(number, &above))
        if above == 0 { return }
        append("+")
        append(above)
    }
}
