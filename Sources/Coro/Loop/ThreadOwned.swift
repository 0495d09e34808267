import Glibc

/// A value that each thread has of its own, until it ends.
struct ThreadOwned<Value>: Sendable {
    private let key: pthread_key_t

    init() {
        var key = pthread_key_t()
        let error = pthread_key_create(&key) { Unmanaged<AnyObject>.fromOpaque($0!).release() }
        precondition(error == 0, "no more thread-local variables: pthread_key_create returned \(error)")
        self.key = key
    }

    /// The calling thread's; nil if it has none.
    var value: Value? {
        get { pthread_getspecific(key).map { Unmanaged<Box<Value>>.fromOpaque($0).takeUnretainedValue().value } }
        nonmutating set {
            let before = pthread_getspecific(key)
            let error = pthread_setspecific(key, newValue.map { UnsafeRawPointer(Unmanaged.passRetained(Box($0)).toOpaque()) })
            precondition(error == 0, "no memory for a thread-local variable: pthread_setspecific returned \(error)")
            // Last: who is released may look at the value.
            if let before { Unmanaged<Box<Value>>.fromOpaque(before).release() }
        }
    }
}

/// A value as an object, so that C can hold it.
final class Box<Value> {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}
