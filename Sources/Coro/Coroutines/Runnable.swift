/// An object that a coroutine runs: for classes whose subclasses say what is run.
///
///     class Worker: Runnable {
///         func run() throws {}
///     }
///     final class Printer: Worker {
///         override func run() throws { ... }
///     }
///     try Printer().spawn().join()
public protocol Runnable: AnyObject {
    /// What `run()` returns.
    associatedtype Success

    /// What the coroutine runs. What it returns, or throws, is `join()`'s.
    func run() throws -> Success
}

extension Runnable {
    /// Makes a coroutine that runs this object, and holds it until it has ended. Its name is the object's class, if no other is
    /// given. An object may be run by several.
    public func spawn(
        name: String? = nil, stackSize: Int = 0, start: CoroutineStart = .queued
    ) throws(CoroError) -> Coroutine<Success, any Error> {
        try Coroutine.spawn(name: name ?? "\(type(of: self))", stackSize: stackSize, start: start) { try self.run() }
    }
}
