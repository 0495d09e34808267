import CCoro
import Glibc

/// A function with its C prototype that coroutines run, whatever language it is written in: `coro_target_t`.
///
///     let resize = try Target.named("resize")
///     let size = try resize("a.png", width: 640)
///
/// Called as a function it is checked against the prototype at run time, call by call; as a `TargetFunction` by the compiler.
/// Targets belong to the process: every thread can start any of them.
@dynamicCallable
public struct Target: Hashable, Sendable {
    /// What C calls it by.
    public let id: Int64

    /// The target that C calls `id`: there needn't be one.
    public init(id: Int64) {
        self.id = id
    }

    /// The target that is registered under a name. Throws `CoroError.system(errno: ENOENT)` if there is none.
    public static func named(_ name: String) throws(CoroError) -> Target {
        Target(id: try check(coro_target_find(name)))
    }

    /// Those that are registered, in the order in which they were.
    public static var all: [Target] {
        let count = coro_target_list(nil, 0)
        let ids = [Int64](unsafeUninitializedCapacity: Int(max(count, 0))) { buffer, initialized in
            initialized = Int(max(0, min(count, coro_target_list(buffer.baseAddress, count))))
        }
        return ids.map(Target.init(id:))
    }

    /// Its prototype, in one spelling: "int resize(const char *path, int width = 800)". nil: it isn't registered any more.
    public var prototype: String? {
        let length = Int(coro_target_describe(id, nil, 0))
        if length < 0 { return nil }
        return String(unsafeUninitializedCapacity: length + 1) { buffer in
            let written = buffer.withMemoryRebound(to: CChar.self) {
                Int(coro_target_describe(id, $0.baseAddress, $0.count))
            }
            return max(0, min(written, length))
        }
    }

    /// Whether anything can still be made of it.
    public var isRegistered: Bool { coro_target_result_size(id) >= 0 }

    /// Takes it out of the registry: its name is free, and nothing can be made of it any more. What was made of it stays. The
    /// closure of one that is written in Swift is released when that is over, and nobody has its `TargetFunction`.
    public func unregister() throws(CoroError) {
        try check(coro_target_unregister(id))
    }

    /// Makes a coroutine that runs it with these values, which are checked against the prototype: first those for the first
    /// parameters, then others by their names. What is missing must have a default.
    ///
    ///     let coroutine = try resize.spawn(["a.png"], ["width": 640])
    ///
    /// Throws as `coro_spawn_kwargs`; `CoroError.detail` names the parameter. `TargetError` for a text whose parameter is a
    /// pointer of another kind than `const char *`, or `borrowed` or `owned`: nobody would keep a copy of it.
    public func spawn(
        _ arguments: [TargetValue] = [], _ named: KeyValuePairs<String, TargetValue> = [:], name: String? = nil,
        stackSize: Int = 0, start: CoroutineStart = .queued
    ) throws -> Coroutine<TargetValue, any Error> {
        let names = arguments.map { _ in nil } + named.map { $0.key as String? }
        return try spawn(arguments + named.map(\.value), names, SpawnOptions(name: name, stackSize: stackSize, start: start))
    }

    /// Runs it with these values, as a function that is called: see `TargetFunction`. Suspends.
    @available(*, noasync, message: "use `spawn`, or call it in a coroutine")
    @discardableResult
    public func dynamicallyCall(withKeywordArguments arguments: KeyValuePairs<String, TargetValue>) throws -> TargetValue {
        let names = arguments.map { $0.key.isEmpty ? nil : $0.key }
        return try spawn(arguments.map(\.value), names, SpawnOptions()).joinAsCall()
    }

    private func spawn(
        _ values: [TargetValue], _ names: [String?], _ options: SpawnOptions
    ) throws -> Coroutine<TargetValue, any Error> {
        // Before it is started: then it may be unregistered already.
        let size = try check(coro_target_result_size(id))
        try checkTexts(values, names)
        var call = CArguments()
        for value in values { try value.pass(to: &call) }
        return Coroutine(Outcome(ValueTargetWork(id: try start(call, named: names, options), size: size)), start: options.start)
    }

    /// Throws if a text would be passed as a pointer: it is gone when this call is over, and not free(3)'s.
    private func checkTexts(_ values: [TargetValue], _ names: [String?]) throws {
        let texts = values.indices.filter { if case .text = values[$0] { true } else { false } }
        if texts.isEmpty { return }
        guard let prototype else { throw CoroError.system(errno: ESRCH) }
        guard let declared = CPrototype(prototype) else { throw TargetError("\(prototype): not understood by Swift") }
        for index in texts {
            if let parameter = declared.refusal(ofTextAt: index, named: names[index]) {
                throw TargetError("a text is copied for a 'const char *' alone; for '\(parameter)' pass a pointer")
            }
        }
    }

    /// How to make a coroutine.
    struct SpawnOptions {
        var name: String?
        var stackSize = 0
        var start = CoroutineStart.queued
    }

    func start(
        _ arguments: consuming CArguments, named names: [String?] = [], _ spawn: SpawnOptions
    ) throws(CoroError) -> Int64 {
        var options = coro_options()
        coro_options_init(&options)
        options.stack_size = spawn.stackSize
        options.flags = spawn.start == .now ? UInt32(CORO_START_NOW) : 0
        let make = spawn.start == .later ? coro_new_kwargs_with : coro_spawn_kwargs_with
        return try check(arguments.withValues(named: names) { names, values, count in
            guard let name = spawn.name else { return make(id, names, values, count, &options) }
            return name.withCString { text in
                options.name = text
                return make(id, names, values, count, &options)
            }
        })
    }
}
