import CCoro

extension EventLoop {
    /// Writes a line to stderr: the running coroutine's id, date and time, and the text up to its first NUL. In one piece, so
    /// that lines of several threads do not mix; never suspends, and never fails. See `coro_write_stderr`.
    public static func printToStandardError(_ text: String) {
        coro_write_stderr(text)
    }
}
