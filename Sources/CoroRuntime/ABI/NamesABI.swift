import CCoro
import CCoroPlatform

// coro.h: Names and connections

@c @implementation
public func coro_getaddrinfo(
    _ node: UnsafePointer<CChar>?, _ service: UnsafePointer<CChar>?, _ hints: UnsafePointer<addrinfo>?,
    _ result: UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>?
) -> CInt {
    call { runtime throws(Refusal) in
        let result = try runtime.require(result, "res is NULL")
        var list: AddressList?
        let code = runtime.lookUp(NameQuery(node: node, service: service, hints: hints), &list)
        result.pointee = list
        return code
    }
}

@c @implementation
public func coro_freeaddrinfo(_ list: UnsafeMutablePointer<addrinfo>?) {
    coro_system_free_addresses(list)
}

@c @implementation
public func coro_getnameinfo(
    _ address: UnsafePointer<sockaddr>?, _ length: socklen_t, _ host: UnsafeMutablePointer<CChar>?, _ hostSize: socklen_t,
    _ service: UnsafeMutablePointer<CChar>?, _ serviceSize: socklen_t, _ flags: CInt
) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.findName(
            of: runtime.require(address, "address is NULL"), length, host: NameBuffer(memory: host, size: Int(hostSize)),
            service: NameBuffer(memory: service, size: Int(serviceSize)), flags: flags)
    }
}

@c @implementation
public func coro_test_set_resolver(
    _ resolver: (
        @convention(c) (
            UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<addrinfo>?,
            UnsafeMutablePointer<UnsafeMutablePointer<addrinfo>?>
        ) -> CInt
    )?
) {
    coro_system_set_resolver(resolver)
}
