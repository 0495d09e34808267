import CCoro
import Glibc

/// What the C side holds of a closure that it calls with arguments.
class CalledByC: @unchecked Sendable {
    func run(_ result: UnsafeMutableRawPointer?, _ arguments: UnsafePointer<UnsafeMutableRawPointer?>) {}

    /// Registers it. The C side has a reference of its own then, until nothing is left of the target.
    final func register(_ prototype: String) throws(CoroError) -> Target {
        var options = coro_target_options()
        coro_target_options_init(&options)
        options.handler = { context, result, arguments in
            Unmanaged<CalledByC>.fromOpaque(context!).takeUnretainedValue().run(result, arguments)
        }
        options.release = { Unmanaged<CalledByC>.fromOpaque($0!).release() }
        let reference = Unmanaged.passRetained(self)
        options.context = reference.toOpaque()
        let id = coro_target_register_with(prototype, nil, &options)
        if id < 0 { reference.release() }
        return Target(id: try check(id))
    }
}

/// Arguments as C passes them, taken one by one.
struct CalledArguments {
    private let addresses: UnsafePointer<UnsafeMutableRawPointer?>
    private var count = 0

    init(_ addresses: UnsafePointer<UnsafeMutableRawPointer?>) {
        self.addresses = addresses
    }

    mutating func next<Argument: CArgument>(as: Argument.Type) throws -> Argument {
        defer { count += 1 }
        if let argument = Argument.load(from: addresses[count]!) { return argument }
        throw TargetError("argument \(count + 1) is NULL, for which Swift's \(Argument.self) has no value")
    }
}

/// A closure that is a target.
final class TargetClosure<each Argument: CArgument, Result>: CalledByC, @unchecked Sendable {
    let name: String
    let body: @Sendable (repeat each Argument) throws -> Result
    private let result: CResult<Result>

    init(_ name: String, _ result: CResult<Result>, _ body: @escaping @Sendable (repeat each Argument) throws -> Result) {
        self.name = name
        self.result = result
        self.body = body
    }

    override func run(_ result: UnsafeMutableRawPointer?, _ arguments: UnsafePointer<UnsafeMutableRawPointer?>) {
        var arguments = CalledArguments(arguments)
        do {
            self.result.store(try body(repeat try arguments.next(as: (each Argument).self)), to: result)
        } catch {
            _ = error.failCoroutine()
        }
    }
}

extension Target {
    /// Registers a closure under a name. Every language then makes coroutines that run it, on every thread.
    ///
    ///     let resize = try Target.register("resize", parameters: ["path", "width = 800"]) { (path: String, width: Int32) in
    ///         try Image(path).resized(to: width).save()      // returns an Int32
    ///     }
    ///
    /// Its prototype is made of its types; `parameters` has their names, with their defaults as C writes them. It runs as any
    /// coroutine does. What it throws is thrown by `join()` of `resize.spawn(...)`; other languages, and who has found it by
    /// its name, get the code of a `CoroError`, `CORO_EFAILED` for other errors.
    public static func register<each Argument: CArgument, Result: CValue>(
        _ name: String, parameters: [String] = [], _ body: @escaping @Sendable (repeat each Argument) throws -> Result
    ) throws -> TargetFunction<repeat each Argument, Result> {
        try register(TargetClosure(name, CValueResult(), body), CValueResult(), parameters)
    }

    /// The same of a closure that returns nothing.
    public static func register<each Argument: CArgument>(
        _ name: String, parameters: [String] = [], _ body: @escaping @Sendable (repeat each Argument) throws -> Void
    ) throws -> TargetFunction<repeat each Argument, Void> {
        try register(TargetClosure(name, CVoidResult(), body), CVoidResult(), parameters)
    }

    private static func register<each Argument: CArgument, Result>(
        _ closure: TargetClosure<repeat each Argument, Result>, _ result: CResult<Result>, _ parameters: [String]
    ) throws -> TargetFunction<repeat each Argument, Result> {
        let prototype = try CPrototype.text(closure.name, result, repeat (each Argument).self, parameters: parameters)
        // What is in the names could be more than names.
        try TargetFunction<repeat each Argument, Result>.check(result, against: prototype)
        return TargetFunction(target: try closure.register(prototype), result: result, closure: closure)
    }
}

extension CPrototype {
    /// The prototype of a function with these types. The structs among them are declared.
    static func text<each Argument: CArgument>(
        _ name: String, _ result: CResult<some Any>, _ types: repeat (each Argument).Type, parameters: [String] = []
    ) throws -> String {
        var spellings: [String] = []
        for type in repeat each types {
            try (type as? any CStruct.Type)?.declare()
            spellings.append(type.cType.spelling)
        }
        try result.declare()
        if !parameters.isEmpty, parameters.count != spellings.count {
            throw TargetError("\(name): \(parameters.count) names for \(spellings.count) parameters")
        }
        let declarations = parameters.isEmpty ? spellings : zip(spellings, parameters).map { "\($0) \($1)" }
        return "\(result.type.spelling) \(name)(\(declarations.isEmpty ? "void" : declarations.joined(separator: ", ")))"
    }
}
