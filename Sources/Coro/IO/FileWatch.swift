import CCoro
import Glibc

/// What happens to files and directories, as it happens.
///
///     let watch = try FileWatch()
///     let log = try watch.add("/var/log", [.created, .modified])
///     while true {
///         let event = try watch.next()
///         print(event.name, event.what)
///     }
///
/// It belongs to the thread that made it. See inotify(7).
public final class FileWatch {
    private let watch: OpaquePointer

    /// One that watches nothing yet. Throws `CoroError.system(errno:)`, EMFILE perhaps.
    public init() throws(CoroError) {
        guard let watch = coro_watch_new() else { throw .system(errno: EMFILE) }
        self.watch = watch
    }

    deinit {
        // Nobody waits: who does holds this object.
        _ = coro_watch_free(watch)
    }

    /// What may happen, or has.
    public struct Events: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// It was read.
        public static let read = Events(rawValue: UInt32(IN_ACCESS))
        /// It was written to.
        public static let modified = Events(rawValue: UInt32(IN_MODIFY))
        /// Its permissions, times, owner or links.
        public static let attributesChanged = Events(rawValue: UInt32(IN_ATTRIB))
        /// By one who had it open to write.
        public static let closedAfterWriting = Events(rawValue: UInt32(IN_CLOSE_WRITE))
        /// Somebody opened it.
        public static let opened = Events(rawValue: UInt32(IN_OPEN))
        /// In a directory that is watched; so are the next three.
        public static let created = Events(rawValue: UInt32(IN_CREATE))
        /// In a directory that is watched, something was removed.
        public static let removed = Events(rawValue: UInt32(IN_DELETE))
        /// In a directory that is watched, something got another name, or another directory: its name was this.
        public static let movedFrom = Events(rawValue: UInt32(IN_MOVED_FROM))
        /// The same: its name is this now.
        public static let movedTo = Events(rawValue: UInt32(IN_MOVED_TO))
        /// What is watched itself.
        public static let selfRemoved = Events(rawValue: UInt32(IN_DELETE_SELF))
        /// What is watched itself has another path.
        public static let selfMoved = Events(rawValue: UInt32(IN_MOVE_SELF))

        /// Of an event alone: it is about a directory.
        public static let isDirectory = Events(rawValue: UInt32(IN_ISDIR))
        /// Of an event alone: that file is watched no more.
        public static let ended = Events(rawValue: UInt32(IN_IGNORED))
        /// Of an event alone: too much has happened, and events are lost. Look at everything anew.
        public static let overflow = Events(rawValue: UInt32(IN_Q_OVERFLOW))
    }

    /// Which of the files that are watched.
    public struct ID: Hashable, Sendable {
        fileprivate let number: Int32
    }

    /// Something that has happened.
    public struct Event: Hashable, Sendable {
        /// What `add` returned; of no file with `Events.overflow`.
        public let id: ID
        /// What has happened: one of the events, and perhaps a flag.
        public let what: Events
        /// In a directory that is watched: which of its files; else "".
        public let name: String
        /// The same in the two events of a rename, `movedFrom` and `movedTo`; else 0.
        public let cookie: UInt32
    }

    /// Watches a file or a directory. The same file again has the same id, and its events are replaced. Throws
    /// `CoroError.system(errno: ENOSPC)` if no more files may be watched, ENOENT and the like.
    @discardableResult
    public func add(_ path: String, _ events: Events) throws(CoroError) -> ID {
        ID(number: try check(withText(path) { coro_watch_add(watch, $0, events.rawValue) }))
    }

    /// Watches that file no more: after what has happened to it comes `Events.ended`. Throws `CoroError.system(errno: EINVAL)`
    /// if it isn't watched.
    public func remove(_ id: ID) throws(CoroError) {
        try check(coro_watch_remove(watch, id.number))
    }

    /// Waits for what happens next. Suspends. Throws `CoroError.simultaneous` if another coroutine waits already, or what the
    /// caller was interrupted with: that loses nothing.
    @available(*, noasync, message: "call it in a coroutine, and await that one's value")
    public func next() throws(CoroError) -> Event {
        var event = Self.empty
        try check(coro_watch_next(watch, &event))
        return Event(event)
    }

    /// What has happened and was not returned yet; nil if nothing has. Does not suspend.
    public func tryNext() throws(CoroError) -> Event? {
        var event = Self.empty
        let code = coro_watch_try_next(watch, &event)
        if code == -EAGAIN { return nil }
        try check(code)
        return Event(event)
    }

    private static var empty: coro_watch_event {
        var event = coro_watch_event()
        event.struct_size = MemoryLayout<coro_watch_event>.size
        return event
    }
}

extension FileWatch.Event {
    fileprivate init(_ event: coro_watch_event) {
        id = FileWatch.ID(number: event.id)
        what = FileWatch.Events(rawValue: event.mask)
        name = withUnsafeBytes(of: event.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        cookie = event.cookie
    }
}
