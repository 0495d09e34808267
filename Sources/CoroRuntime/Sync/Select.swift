typealias SelectCases = UnsafeMutableBufferPointer<SelectCase>

/// Waiting for the first of several things.
///
/// All cases are looked at first. If some can happen, one of them is drawn, and done; nothing is done to the others. If none
/// can, a stand-in waits for each, and the first that is woken is the one.
extension RuntimeRef {
    /// Returns which case has happened; timeout 0: -EAGAIN if none could without waiting.
    @inline(__always)
    func select(_ cases: SelectCases, timeout: Int64) throws(Refusal) -> Int {
        if let index = try takeOneThatCan(of: cases, waits: timeout > 0) { return index }
        return timeout == 0 ? Int(Code.again) : try selectLater(cases, timeout: timeout)
    }

    /// Draws one of those that can happen now, and does it; nil: none can.
    @inline(__always)
    private func takeOneThatCan(of cases: SelectCases, waits: Bool) throws(Refusal) -> Int? {
        var ready: UInt64 = 0
        var drawn = 0
        var outcome: Int32 = 0
        for index in 0..<cases.count {
            let result: Int32
            do throws(BadCase) {
                result = try look(at: cases.case(index), waits: waits)
            } catch {
                throw refuse(error, index)
            }
            if result == Code.again { continue }
            ready &+= 1
            if ready > 1, pointee.order.draw(below: ready) != 0 { continue }
            drawn = index
            outcome = result
        }
        if ready == 0 { return nil }
        perform(cases.case(drawn), outcome)
        return drawn
    }

    @inline(never)
    private func selectLater(_ cases: SelectCases, timeout: Int64) throws(Refusal) -> Int {
        let deadline = timeout == .max ? Int64.max : addClamped(pointee.clock.read(), timeout)
        while true {
            let index = try waitForFirst(of: cases, until: deadline)
            if !isFalseAlarm(cases.case(index)) { return index }
            if let index = try takeOneThatCan(of: cases, waits: true) { return index }
        }
    }

    @inline(never)
    private func refuse(_ bad: BadCase, _ index: Int) -> Refusal {
        guard let reason = bad.reason else { return Refusal(code: bad.code) }
        return Refusal(
            code: fail(bad.code) {
                $0.append("case ")
                $0.append(index)
                $0.append(": ")
                $0.append(reason)
            })
    }

    private func waitForFirst(of cases: SelectCases, until deadline: Int64) throws(Refusal) -> Int {
        let error = obstacle()
        if error != 0 { throw Refusal(code: error) }
        let me = pointee.current
        var wait = SelectWait(of: me, caseCount: cases.count)
        return try withUnsafeMutablePointer(to: &wait) { wait throws(Refusal) in
            try addStandIns(to: wait, for: cases)
            me.pointee.selfishActsLeft = selfishActs(of: me)
            let code = park(.select, on: Int(bitPattern: wait), until: deadline)
            guard let chosen = wait.pointee.chosen else { throw Refusal(code: fail(code)) }
            let it = cases.case(chosen)
            if code != 0 {
                guard wait.pointee.code == 0, it.pointee.movesSomething else { throw Refusal(code: fail(code)) }
                // Done before it was interrupted: the next call that would suspend is.
                setPendingInterrupt(of: me, code)
            }
            it.pointee.error = wait.pointee.code
            if it.pointee.kind == SelectCase.Kind.event.rawValue { it.pointee.value = wait.pointee.value }
            return chosen
        }
    }

    /// Those for children first: a descriptor of theirs is new, and who waits for what its number meant before is woken.
    private func addStandIns(to wait: SelectWaitRef, for cases: SelectCases) throws(Refusal) {
        try addStandIns(to: wait, for: cases, ofChildren: true)
        try addStandIns(to: wait, for: cases, ofChildren: false)
    }

    private func addStandIns(to wait: SelectWaitRef, for cases: SelectCases, ofChildren: Bool) throws(Refusal) {
        for index in 0..<cases.count where (cases[index].kind == SelectCase.Kind.child.rawValue) == ofChildren {
            let error = beginWait(for: cases.case(index), index, of: wait)
            if error == 0 { continue }
            removeStandIns(of: wait)
            throw Refusal(code: error)
        }
    }
}

extension SelectCases {
    @inline(__always)
    fileprivate func `case`(_ index: Int) -> SelectCaseRef { baseAddress.unsafelyUnwrapped + index }
}
