import CCoroPlatform

/// The system's error numbers that this code speaks of. (Swift sees no macro that expands to another.)
enum CoroErrno {
    static let notPermitted: Int32 = 1
    static let noEntry: Int32 = 2
    static let noSuchProcess: Int32 = 3
    static let interrupted: Int32 = 4
    static let inputOutput: Int32 = 5
    static let tooLong: Int32 = 7
    static let notExecutable: Int32 = 8
    static let badDescriptor: Int32 = 9
    static let noChild: Int32 = 10
    static let again: Int32 = 11
    static let noMemory: Int32 = 12
    static let noAccess: Int32 = 13
    static let busy: Int32 = 16
    static let exists: Int32 = 17
    static let invalid: Int32 = 22
    static let tooManyFilesInSystem: Int32 = 23
    static let tooManyFiles: Int32 = 24
    static let textBusy: Int32 = 26
    static let noSpace: Int32 = 28
    static let brokenPipe: Int32 = 32
    static let range: Int32 = 34
    static let deadlock: Int32 = 35
    static let nameTooLong: Int32 = 36
    static let noSystemCall: Int32 = 38
    static let overflow: Int32 = 75
    static let notSocket: Int32 = 88
    static let messageTooLong: Int32 = 90
    static let addressInUse: Int32 = 98
    static let noBuffers: Int32 = 105
    static let already: Int32 = 114
    static let inProgress: Int32 = 115
    static let cancelled: Int32 = 125
    static let ownerDead: Int32 = 130
}

/// The names and texts of libcoro's own errors.
enum ErrorTable {
    static func find(_ code: Int32) -> (name: StaticString, text: StaticString)? {
        switch code {
        case Code.schedule:
            ("CORO_ESCHEDULE", "the coroutine can't be scheduled: it is running, runnable, or was started before")
        case Code.dead: ("CORO_EDEAD", "the coroutine has ended")
        case Code.closed: ("CORO_ECLOSED", "the descriptor or the object was closed or freed")
        case Code.notStarted: ("CORO_ENOTSTARTED", "the coroutine was never started")
        case Code.timeout: ("CORO_ETIMEOUT", "the time given ran out")
        case Code.simultaneous: ("CORO_ESIMULTANEOUS", "another coroutine waits already for the same")
        case Code.shutdown: ("CORO_ESHUTDOWN", "the coroutine was told to end")
        case Code.wakeUp: ("CORO_EWAKEUP", "the wait was broken off")
        case Code.interrupted: ("CORO_EINTERRUPTED", "the wait was interrupted")
        case Code.yieldFromMain: ("CORO_EYIELDFROMMAIN", "this call may suspend, which is not allowed here")
        case Code.lock: ("CORO_ELOCK", "the lock is not held by the caller")
        case Code.inParallel: ("CORO_EINPARALLEL", "some of the functions run in parallel failed")
        case Code.wrongThread: ("CORO_EWRONGTHREAD", "the coroutine or the object belongs to another thread")
        case Code.endOfFile: ("CORO_EEOF", "the stream ended before all bytes had come")
        case Code.blocking: ("CORO_EBLOCKING", "the descriptor is in blocking mode")
        case Code.loopRunning: ("CORO_ELOOPRUNNING", "the loop runs already on this thread")
        case Code.failed: ("CORO_EFAILED", "the coroutine failed with an error that has no code")
        default: findNameError(code)
        }
    }

    /// What getaddrinfo(3) and getnameinfo(3) have errors of their own for.
    private static func findNameError(_ code: Int32) -> (name: StaticString, text: StaticString)? {
        switch code {
        case -5101: ("CORO_EAI_BADFLAGS", "ai_flags has a bit that means nothing")
        case -5102: ("CORO_EAI_NONAME", "the name or service is not known")
        case -5103: ("CORO_EAI_AGAIN", "the name server does not answer for now")
        case -5104: ("CORO_EAI_FAIL", "the name server has failed for good")
        case -5105: ("CORO_EAI_NODATA", "the name has no address")
        case -5106: ("CORO_EAI_FAMILY", "the address family is not known")
        case -5107: ("CORO_EAI_SOCKTYPE", "the socket type is not known")
        case -5108: ("CORO_EAI_SERVICE", "the service is not known for this socket type")
        case -5109: ("CORO_EAI_ADDRFAMILY", "the name has no address of this family")
        case -5112: ("CORO_EAI_OVERFLOW", "the buffer is too small for the name")
        case -5205: ("CORO_EAI_IDN_ENCODE", "the name can't be encoded")
        default: nil
        }
    }
}

/// What `CORO_E…` stands for, under the names that Swift code reads. `include/coro.h` has the same numbers
/// and documents them.
enum Code {
    static let schedule: Int32 = -5001
    static let dead: Int32 = -5002
    static let closed: Int32 = -5003
    static let notStarted: Int32 = -5004
    static let timeout: Int32 = -5005
    static let simultaneous: Int32 = -5006
    static let shutdown: Int32 = -5007
    static let wakeUp: Int32 = -5008
    static let interrupted: Int32 = -5009
    static let yieldFromMain: Int32 = -5010
    static let lock: Int32 = -5011
    static let inParallel: Int32 = -5012
    static let wrongThread: Int32 = -5013
    static let endOfFile: Int32 = -5014
    static let blocking: Int32 = -5015
    static let loopRunning: Int32 = -5016
    static let failed: Int32 = -5017
    static let nameOverflow: Int32 = -5112

    /// Not an error that anybody sees: woken because the time of a scope is up. Not negative, so that nobody can raise it.
    static let timeIsUp: Int32 = 1

    static let noSuchCoroutine = -CoroErrno.noSuchProcess
    static let invalid = -CoroErrno.invalid
    static let noMemory = -CoroErrno.noMemory
    static let deadlock = -CoroErrno.deadlock
    static let again = -CoroErrno.again
    static let badDescriptor = -CoroErrno.badDescriptor
    static let overflow = -CoroErrno.overflow
    static let busy = -CoroErrno.busy
    static let ownerDead = -CoroErrno.ownerDead
}
