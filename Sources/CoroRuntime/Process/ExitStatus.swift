import CCoroPlatform

/// What a wait status says: "exited with 3", "killed by SIGKILL".
func describeStatus(_ status: Int32, in text: inout TextBuffer) {
    let exitCode = coro_system_exit_code(status)
    let signum = coro_system_term_signal(status)
    if exitCode >= 0 {
        text.append("exited with ")
        text.append(exitCode)
    } else if signum > 0 {
        text.append("killed by ")
        text.append(signal: signum)
        if coro_system_dumped_core(status) { text.append(", core dumped") }
    } else {
        text.append("not ended (status ")
        text.append(status)
        text.append(")")
    }
}
