import CCoro
import CCoroPlatform

// coro.h: Targets, the structs that they take and return by value

@c @implementation
public func coro_struct_register(_ name: UnsafePointer<CChar>?, _ fields: UnsafePointer<CChar>?) -> CInt {
    call { runtime throws(Refusal) in
        try runtime.registerStruct(runtime.require(name, "name is NULL"), runtime.require(fields, "fields is NULL"))
    }
}

@c @implementation
public func coro_struct_size(_ name: UnsafePointer<CChar>?) -> Int {
    Int(
        callForID { runtime throws(Refusal) in
            Int64(try runtime.findStruct(runtime.require(name, "name is NULL")).pointee.type.size)
        })
}

@c @implementation
public func coro_struct_offset(_ name: UnsafePointer<CChar>?, _ field: UnsafePointer<CChar>?) -> Int {
    Int(
        callForID { runtime throws(Refusal) in
            let found = try runtime.findStruct(runtime.require(name, "name is NULL"))
            return try runtime.offset(of: runtime.require(field, "field is NULL"), in: found)
        })
}
