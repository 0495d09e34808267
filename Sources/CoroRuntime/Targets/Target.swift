import CCoroPlatform

typealias TargetRef = UnsafeMutablePointer<Target>

/// A function and its signature. It does not change once it is registered, and is freed when nobody holds it any more: see
/// `TargetRegistry`.
struct Target {
    /// `Watchdog` relies on its place.
    let signature: SignatureRef
    var id: Int64 = 0
    let body: Body
    let options: Options
    let layout: CallLayout

    // -- behind the process lock --

    /// The next with the same hash of its name.
    var nextNamed: TargetRef?
    /// Its neighbours in the order of registration.
    var previous: TargetRef?
    var next: TargetRef?

    /// What runs it.
    enum Body {
        case function(Function)
        /// The same, called without libffi.
        case direct(Function)
        case handler(Handler)
    }

    typealias Function = @convention(c) () -> Void
    typealias Handler =
        @convention(c) (
            _ context: UnsafeMutableRawPointer?, _ result: UnsafeMutableRawPointer?,
            _ arguments: UnsafePointer<UnsafeMutableRawPointer?>
        ) -> Void

    struct Options {
        /// For the handler.
        var context: UnsafeMutableRawPointer?
        /// Called with the context when the target is freed.
        var release: ReleaseFunction?
        /// Calls of it must not suspend.
        var mustNotSuspend = false
        /// The stacks of its coroutines are of this class at least.
        var stackClass: UInt8 = 0
    }
}

/// Where things are in a block of a call: after its head the result, the arguments, and the pointers to those.
struct CallLayout {
    let result: Int
    let arguments: Int
    let pointers: Int
    /// Of all that.
    let size: Int
    /// Whether there are texts to copy among the arguments,
    let copiesTexts: Bool
    /// and some to be given to free(3).
    let ownsArguments: Bool

    init(of signature: SignatureRef, headSize: Int, needsPointers: Bool) {
        result = Self.align(headSize)
        // Room for a register, which is what some results are stored as.
        arguments = result + Self.align(max(signature.pointee.result.size, MemoryLayout<UInt64>.size))
        pointers = arguments + Self.align(Int(signature.pointee.size))
        size = pointers + (needsPointers ? Int(signature.pointee.count) * MemoryLayout<UnsafeRawPointer>.size : 0)
        var (copiesTexts, ownsArguments) = (false, false)
        for index in 0..<signature.count {
            switch signature.parameter(index).pointee.ownership {
            case UInt32(CORO_ARGUMENT_COPIED): copiesTexts = true
            case UInt32(CORO_ARGUMENT_OWNED): ownsArguments = true
            default: break
            }
        }
        self.copiesTexts = copiesTexts
        self.ownsArguments = ownsArguments
    }

    private static func align(_ size: Int) -> Int { (size + 15) & ~15 }
}

extension SignatureRef {
    var count: Int { Int(pointee.count) }

    /// index: below `count`.
    func parameter(_ index: Int) -> UnsafeMutablePointer<coro_parameter> {
        pointee.parameters.unsafelyUnwrapped + index
    }
}

extension TargetRef {
    /// Runs it, here and now. result: room for it, at least a register's size, all zero if that is a handler. pointers: to the
    /// arguments, which are one after the other in `block`; only handlers and libffi need them.
    @inline(__always)
    func run(result: UnsafeMutableRawPointer, block: UnsafeRawPointer, pointers: UnsafePointer<UnsafeMutableRawPointer?>) {
        switch pointee.body {
        case .direct(let function): coro_signature_call_direct(pointee.signature, function, result, block)
        case .function(let function): coro_signature_call(pointee.signature, function, result, pointers)
        case .handler(let handler):
            let hasResult = pointee.signature.pointee.result.size > 0
            handler(pointee.options.context, hasResult ? result : nil, pointers)
        }
    }

    /// The function that it runs; nil: a handler.
    var function: Target.Function? {
        switch pointee.body {
        case .function(let function), .direct(let function): function
        case .handler: nil
        }
    }

    /// Its name, or else what it is called in errors.
    func appendName(to text: inout TextBuffer) {
        if let name = pointee.signature.pointee.name {
            text.append(cString: UnsafePointer(name))
        } else {
            text.append("the target")
        }
    }

    /// "parameter 'width' of resize", or "parameter 2 of resize".
    func appendParameter(_ index: Int, to text: inout TextBuffer) {
        text.append("parameter ")
        if let name = pointee.signature.parameter(index).pointee.name {
            text.append("'")
            text.append(cString: UnsafePointer(name))
            text.append("'")
        } else {
            text.append(index + 1)
        }
        text.append(" of ")
        appendName(to: &text)
    }
}
