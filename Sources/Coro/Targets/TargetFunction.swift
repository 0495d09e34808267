import CCoro
import Glibc

/// A target with the Swift types of its parameters and of its result: called, it runs in a coroutine that the caller waits for.
///
///     let resize = try Target.named("resize", as: ((String, Int32) throws -> Int32).self)
///     let size = try resize("a.png", 640)
///     let later = try resize.spawn("b.png", 640)
///     print(try later.join())
///
/// Every thread can use it.
public struct TargetFunction<each Argument: CArgument, Result>: Sendable {
    /// The target itself, as all languages know it.
    public let target: Target
    let result: CResult<Result>
    /// If it is written in Swift, and came from `register`: then nothing needs to go through C.
    let closure: TargetClosure<repeat each Argument, Result>?

    /// Makes a coroutine that runs it. What a closure of Swift throws is thrown by `join()`, if this came from
    /// `Target.register`; of other targets it is the code.
    ///
    /// A pointer's memory must live until the coroutine has ended. Texts are copied.
    public func spawn(
        _ arguments: repeat each Argument, name: String? = nil, stackSize: Int = 0, start: CoroutineStart = .queued
    ) throws -> Coroutine<Result, any Error> {
        if let closure {
            if !target.isRegistered { throw CoroError.system(errno: ESRCH) }
            return try Coroutine.spawn(name: name ?? closure.name, stackSize: stackSize, start: start) {
                try closure.body(repeat each arguments)
            }
        }
        var call = CArguments()
        repeat try (each arguments).pass(to: &call)
        let options = Target.SpawnOptions(name: name, stackSize: stackSize, start: start)
        return Coroutine(Outcome(TypedTargetWork(id: try target.start(call, options), result)), start: start)
    }

    /// Runs it in a coroutine of its own, and waits for its end. Suspends, as if the caller had called the function itself:
    /// what interrupts the caller meanwhile is raised in the function, and thrown if that lets it through.
    @available(*, noasync, message: "use `spawn`, or call it in a coroutine")
    @discardableResult
    public func callAsFunction(_ arguments: repeat each Argument) throws -> Result {
        try spawn(repeat each arguments).joinAsCall()
    }

    /// Has libcoro know the structs among the types.
    static func declareStructs(_ result: CResult<Result>) throws {
        for type in repeat (each Argument).self { try (type as? any CStruct.Type)?.declare() }
        try result.declare()
    }

    /// Throws if the types are not those of a prototype.
    static func check(_ result: CResult<Result>, against prototype: String) throws {
        guard let declared = CPrototype(prototype) else { throw TargetError("\(prototype): not understood by Swift") }
        var types: [(passed: CType, name: String)] = []
        for type in repeat (each Argument).self { types.append((type.cType, "\(type)")) }
        func fail(_ what: String) -> TargetError {
            TargetError("Swift's (\(types.map(\.name).joined(separator: ", "))) -> \(Result.self) is not \(prototype): \(what)")
        }
        if types.count != declared.parameters.count {
            throw fail("\(types.count) parameters, and \(declared.parameters.count) in C")
        }
        for (index, type) in types.enumerated() {
            guard let parameter = declared.parameters[index] else {
                throw fail("parameter \(index + 1) is of no type known here")
            }
            if !type.passed.isPassed(as: parameter) { throw fail("parameter \(index + 1) is \(type.passed.spelling)") }
        }
        guard let type = declared.result else { throw fail("the result is of no type known here") }
        if !result.type.isPassed(as: type) { throw fail("the result is \(result.type.spelling)") }
    }
}

extension Target {
    /// The target of that name as a function. Throws `TargetError` if the types are not those of its prototype.
    public static func named<each Argument: CArgument, Result: CValue>(
        _ name: String, as: ((repeat each Argument) throws -> Result).Type
    ) throws -> TargetFunction<repeat each Argument, Result> {
        try named(name).function(CValueResult())
    }

    /// The same of one that returns nothing.
    public static func named<each Argument: CArgument>(
        _ name: String, as: ((repeat each Argument) throws -> Void).Type
    ) throws -> TargetFunction<repeat each Argument, Void> {
        try named(name).function(CVoidResult())
    }

    /// Registers a C function: a function pointer of C, or its address. Throws as `coro_target_register`, and `TargetError` if
    /// the types are not those of the prototype.
    ///
    ///     let add = try Target.register("int add(int, int)", dlsym(library, "add"), as: ((Int32, Int32) throws -> Int32).self)
    public static func register<each Argument: CArgument, Result: CValue, Function>(
        _ prototype: String, _ function: Function, as: ((repeat each Argument) throws -> Result).Type
    ) throws -> TargetFunction<repeat each Argument, Result> {
        try register(prototype, function, CValueResult())
    }

    /// The same of one that returns nothing.
    public static func register<each Argument: CArgument, Function>(
        _ prototype: String, _ function: Function, as: ((repeat each Argument) throws -> Void).Type
    ) throws -> TargetFunction<repeat each Argument, Void> {
        try register(prototype, function, CVoidResult())
    }

    private static func register<each Argument: CArgument, Result, Function>(
        _ prototype: String, _ function: Function, _ result: CResult<Result>
    ) throws -> TargetFunction<repeat each Argument, Result> {
        if MemoryLayout<Function>.size != MemoryLayout<coro_function>.size {
            throw TargetError("\(Function.self) is no function pointer of C: write `as @convention(c) (...) -> ...`")
        }
        try TargetFunction<repeat each Argument, Result>.declareStructs(result)
        let target = Target(id: try check(coro_target_register(prototype, unsafeBitCast(function, to: coro_function?.self))))
        do {
            return try target.function(result)
        } catch {
            try? target.unregister()
            throw error
        }
    }

    private func function<each Argument: CArgument, Result>(
        _ result: CResult<Result>
    ) throws -> TargetFunction<repeat each Argument, Result> {
        try TargetFunction<repeat each Argument, Result>.declareStructs(result)
        guard let prototype else { throw CoroError.system(errno: ESRCH) }
        try TargetFunction<repeat each Argument, Result>.check(result, against: prototype)
        return TargetFunction(target: self, result: result, closure: nil)
    }
}
