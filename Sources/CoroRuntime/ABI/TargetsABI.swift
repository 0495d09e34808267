import CCoro
import CCoroPlatform

// coro.h: Targets: the registry

@c @implementation
public func coro_target_options_init(_ options: UnsafeMutablePointer<coro_target_options>) {
    options.initialize(to: coro_target_options())
    options.pointee.struct_size = MemoryLayout<coro_target_options>.size
}

@c @implementation
public func coro_target_register(_ prototype: UnsafePointer<CChar>?, _ fn: coro_function?) -> coro_target_t {
    callForID { runtime throws(Refusal) in try runtime.register(prototype, fn, nil) }
}

@c @implementation
public func coro_target_register_with(
    _ prototype: UnsafePointer<CChar>?, _ fn: coro_function?, _ options: UnsafePointer<coro_target_options>?
) -> coro_target_t {
    callForID { runtime throws(Refusal) in try runtime.register(prototype, fn, options) }
}

extension RuntimeRef {
    fileprivate func register(
        _ prototype: UnsafePointer<CChar>?, _ fn: coro_function?, _ options: UnsafePointer<coro_target_options>?
    ) throws(Refusal) -> Int64 {
        let prototype = try require(prototype, "prototype is NULL")
        let (handler, checked) = try targetOptions(options)
        if (fn == nil) == (handler == nil) {
            throw refuseArgument(fn == nil ? "fn is NULL, and there is no handler" : "fn must be NULL, for there is a handler")
        }
        return try register(parsePrototype(prototype), fn, handler, checked)
    }

    private func targetOptions(
        _ options: UnsafePointer<coro_target_options>?
    ) throws(Refusal) -> (coro_handler?, Target.Options) {
        guard let options else { return (nil, Target.Options()) }
        guard options.pointee.struct_size == MemoryLayout<coro_target_options>.size else {
            throw refuseArgument("coro_target_options.struct_size is wrong: start from CORO_TARGET_OPTIONS_INIT")
        }
        if options.pointee.flags & ~UInt32(CORO_TARGET_NO_SUSPEND) != 0 || options.pointee.reserved != 0 {
            throw refuseArgument("coro_target_options.flags has bits that mean nothing")
        }
        return (
            options.pointee.handler,
            Target.Options(
                context: options.pointee.context, release: options.pointee.release,
                mustNotSuspend: options.pointee.flags & UInt32(CORO_TARGET_NO_SUSPEND) != 0,
                stackClass: options.pointee.stack_size == 0 ? 0 : try stackClass(options.pointee.stack_size))
        )
    }

    /// Runs body with a target, which it holds meanwhile.
    fileprivate func withTarget<Result>(_ id: Int64, _ body: (TargetRef) -> Result) throws(Refusal) -> Result {
        let target = try takeTarget(id)
        defer { TargetRegistry.leave(target) }
        return body(target)
    }
}

@c @implementation
public func coro_target_unregister(_ target: coro_target_t) -> CInt {
    call { runtime throws(Refusal) in
        if !TargetRegistry.unregister(target) { throw runtime.refuseTarget(target) }
        return 0
    }
}

@c @implementation
public func coro_target_find(_ name: UnsafePointer<CChar>?) -> coro_target_t {
    callForID { runtime throws(Refusal) in
        let target = try runtime.takeTarget(named: runtime.require(name, "name is NULL"))
        defer { TargetRegistry.leave(target) }
        return target.pointee.id
    }
}

@c @implementation
public func coro_target_list(_ targets: UnsafeMutablePointer<coro_target_t>?, _ n: CInt) -> CInt {
    CInt(clamping: TargetRegistry.list(into: targets, capacity: Int(n)))
}

@c @implementation
public func coro_target_describe(_ target: coro_target_t, _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.withTarget(target) {
            var text = TextBuffer(buffer, capacity: size)
            if let prototype = $0.pointee.signature.pointee.text { text.append(cString: UnsafePointer(prototype)) }
            return CInt(clamping: text.length)
        }
    }
}

@c @implementation
public func coro_target_result_size(_ target: coro_target_t) -> Int {
    Int(
        callForID { runtime throws(Refusal) in
            try runtime.withTarget(target) { Int64($0.pointee.signature.pointee.result.size) }
        })
}

// For who makes values in a language without unions.

@c @implementation
public func coro_value_of_signed(_ value: Int64) -> coro_value {
    coro_value(.signed(value))
}

@c @implementation
public func coro_value_of_unsigned(_ value: UInt64) -> coro_value {
    coro_value(.unsigned(value))
}

@c @implementation
public func coro_value_of_double(_ value: Double) -> coro_value {
    coro_value(.double(value))
}

@c @implementation
public func coro_value_of_pointer(_ value: UnsafeRawPointer?) -> coro_value {
    coro_value(.pointer(value))
}

@c @implementation
public func coro_value_of_bytes(_ bytes: UnsafeRawPointer?, _ size: Int) -> coro_value {
    coro_value(.bytes(bytes, size))
}

@c @implementation
public func coro_value_of_value(_ value: coro_value) -> coro_value {
    value
}

extension coro_value {
    init(_ value: TargetValue) {
        self.init()
        switch value {
        case .byDefault: kind = UInt32(CORO_VALUE_DEFAULT)
        case .signed(let number):
            kind = UInt32(CORO_VALUE_SIGNED)
            `as`.i = number
        case .unsigned(let number):
            kind = UInt32(CORO_VALUE_UNSIGNED)
            `as`.u = number
        case .double(let number):
            kind = UInt32(CORO_VALUE_DOUBLE)
            `as`.d = number
        case .pointer(let pointer):
            kind = UInt32(CORO_VALUE_POINTER)
            `as`.p = pointer
        case .bytes(let bytes, let count):
            kind = UInt32(CORO_VALUE_BYTES)
            size = UInt32(clamping: count)
            `as`.p = bytes
        case .void: kind = UInt32(CORO_VALUE_VOID)
        }
    }
}

extension TargetValue {
    /// What has a kind that there is not is of no type.
    init(_ value: coro_value) {
        switch Int32(bitPattern: value.kind) {
        case CORO_VALUE_DEFAULT: self = .byDefault
        case CORO_VALUE_SIGNED: self = .signed(value.as.i)
        case CORO_VALUE_UNSIGNED: self = .unsigned(value.as.u)
        case CORO_VALUE_DOUBLE: self = .double(value.as.d)
        case CORO_VALUE_POINTER: self = .pointer(value.as.p)
        case CORO_VALUE_BYTES: self = .bytes(value.as.p, Int(value.size))
        default: self = .void
        }
    }
}
