import CCoro

// coro.h: Select

@c @implementation
public func coro_select(_ cases: UnsafeMutablePointer<coro_select_case>?, _ n: CInt, _ timeout: Int64) -> CInt {
    call { runtime throws(Refusal) in
        if timeout < 0 { throw runtime.refuseArgument("timeout is negative") }
        let result = try runtime.select(cases, n, timeout)
        return result == Code.again ? runtime.fail(Code.timeout) : result
    }
}

@c @implementation
public func coro_try_select(_ cases: UnsafeMutablePointer<coro_select_case>?, _ n: CInt) -> CInt {
    call { runtime throws(Refusal) in
        let result = try runtime.select(cases, n, 0)
        return result == Code.again ? runtime.fail(result) : result
    }
}

extension RuntimeRef {
    @inline(__always)
    fileprivate func select(
        _ cases: UnsafeMutablePointer<coro_select_case>?, _ n: CInt, _ timeout: Int64
    ) throws(Refusal) -> Int32 {
        if n < 0 { throw refuseArgument("n is negative") }
        if cases == nil, n > 0 { throw refuseArgument("cases is NULL") }
        assert(MemoryLayout<SelectCase>.size == MemoryLayout<coro_select_case>.size)
        let start = UnsafeMutableRawPointer(cases)?.assumingMemoryBound(to: SelectCase.self)
        let index = try select(SelectCases(start: start, count: start == nil ? 0 : Int(n)), timeout: timeout)
        return Int32(truncatingIfNeeded: index)
    }
}
