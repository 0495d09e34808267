/// What a member of a group runs, then its result.
final class GroupMember<Success> {
    private let body: () throws -> Success
    private var result: Result<Success, any Error>?
    /// Called once, when it has ended, or never will run: just before the group knows.
    var deliver: ((Result<Success, any Error>) -> Void)?

    init(_ body: @escaping () throws -> Success) {
        self.body = body
    }

    deinit {
        // It goes with the closure that has it run.
        deliver?(result ?? .failure(CoroError.shutdown))
    }

    func run() throws {
        do {
            result = .success(try body())
        } catch {
            result = .failure(error)
            throw error
        }
    }
}

extension Result {
    /// Why its group failed: one that was told to end has not failed.
    var groupFailure: (any Error)? {
        guard case .failure(let error) = self, error as? CoroError != .shutdown else { return nil }
        return error
    }
}
