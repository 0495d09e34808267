import CCoroPlatform

/// Starting processes.
extension RuntimeRef {
    func startProcess(_ plan: ProcessPlan) throws(Refusal) -> ProcessRef {
        ChildRegistry.reapStrays()
        guard pointee.processes.reserveOne(), let id = ChildRegistry.openHandle() else {
            throw Refusal(code: fail(Code.noMemory))
        }
        guard let process = Heap.one(Process(id: id)) else {
            ChildRegistry.drop(id)
            throw Refusal(code: fail(Code.noMemory))
        }
        do throws(Refusal) {
            try withoutAlarm { () throws(Refusal) in try start(process, plan) }
        } catch {
            ChildRegistry.drop(id)
            Heap.free(process)
            throw error
        }
        pointee.processes.appendReserved(process)
        return process
    }

    private func start(_ process: ProcessRef, _ plan: ProcessPlan) throws(Refusal) {
        var descriptors = StartDescriptors()
        do throws(Refusal) {
            try open(&descriptors, plan)
            process.pointee.hasGroup = !plan.flags.isDisjoint(with: [.group, .session])
            process.pointee.pid = try spawn(plan, descriptors)
        } catch {
            descriptors.closeTheirs()
            closeOurs(descriptors)
            throw error
        }
        descriptors.closeTheirs()
        let watch = openWatch(on: process.pointee.pid)
        if watch >= 0 {
            process.pointee.watch = watch
            ChildRegistry.setPid(process.pointee.pid, of: process.pointee.id)
        } else if watch == -CoroErrno.noChild {
            // It has run and ended, and the system has thrown its status away. What it has written is in the pipes.
            process.pointee.state = .lost
        } else {
            // It can't be watched: then it must not run.
            coro_system_kill_and_reap(process.pointee.pid)
            closeOurs(descriptors)
            throw Refusal(code: watch)
        }
        for stream in 0...2 {
            guard let end = pointee.poller.known(descriptors.ours[stream]) else { continue }
            process.pointee.pipes[stream] = PipeEnd(
                descriptor: descriptors.ours[stream], generation: end.pointee.generation)
        }
    }

    private func closeOurs(_ descriptors: StartDescriptors) {
        for stream in 0...2 where descriptors.ours[stream] >= 0 { discard(descriptors.ours[stream]) }
    }

    // -- before --

    private func open(_ descriptors: inout StartDescriptors, _ plan: ProcessPlan) throws(Refusal) {
        for stream in 0...2 {
            let result = openStream(stream, plan.streams[stream], &descriptors)
            if result < 0 { throw refuseStream(result, stream, plan.streams[stream]) }
        }
        if let path = plan.directory {
            descriptors.directory = coro_system_open_directory(path)
            if descriptors.directory < 0 { throw refusePath(descriptors.directory, "the directory to run in", path) }
        }
        descriptors.place = coro_system_wakeup_create()
        if descriptors.place < 0 { throw Refusal(code: explainCreation(descriptors.place)) }
    }

    private func openStream(_ stream: Int, _ plan: StreamPlan, _ descriptors: inout StartDescriptors) -> Int32 {
        switch plan.mode {
        case .inherit, .joinsOutput: return 0
        case .pipe:
            var ours: Int32 = -1
            var childs: Int32 = -1
            let error = coro_system_pipe_to_child(stream == 0, &ours, &childs)
            if error < 0 { return error }
            descriptors.childs[stream] = childs
            // Not a byte pipe: the other end may put packets into it.
            descriptors.ours[stream] = adopt(ours, kind: CORO_KIND_NONBLOCKING)
            return Swift.min(descriptors.ours[stream], 0)
        case .descriptor: descriptors.childs[stream] = coro_system_copy_above_standard(plan.descriptor)
        case .null: descriptors.childs[stream] = coro_system_open_stream("/dev/null", CORO_STREAM_BOTH)
        case .file:
            let use = stream == 0 ? CORO_STREAM_READ : CORO_STREAM_WRITE
            descriptors.childs[stream] = coro_system_open_stream(plan.path.unsafelyUnwrapped, use)
        case .append:
            descriptors.childs[stream] = coro_system_open_stream(plan.path.unsafelyUnwrapped, CORO_STREAM_APPEND)
        }
        return descriptors.childs[stream]
    }

    private func refuseStream(_ error: Int32, _ stream: Int, _ plan: StreamPlan) -> Refusal {
        if error == -CoroErrno.tooManyFiles || error == -CoroErrno.tooManyFilesInSystem {
            return Refusal(code: explainCreation(error))
        }
        let name: StaticString =
            stream == 0 ? "the standard input" : stream == 1 ? "the standard output" : "the standard error"
        if let path = plan.path { return refusePath(error, name, path) }
        return Refusal(
            code: fail(error) {
                $0.append(name)
                if plan.mode == .descriptor {
                    $0.append(": descriptor ")
                    $0.append(plan.descriptor)
                }
            })
    }

    private func refusePath(_ error: Int32, _ what: StaticString, _ path: UnsafePointer<CChar>) -> Refusal {
        if error == -CoroErrno.tooManyFiles { return Refusal(code: explainCreation(error)) }
        return Refusal(
            code: fail(error) {
                $0.append(what)
                $0.append(", '")
                $0.append(cString: path)
                $0.append("'")
            })
    }

    // -- the start itself --

    private func spawn(_ plan: ProcessPlan, _ descriptors: StartDescriptors) throws(Refusal) -> Int32 {
        var spawn = coro_spawn(
            program: plan.program, arguments: plan.arguments, environment: plan.environment, directory: descriptors.directory,
            streams: (descriptors.childs[0], descriptors.childs[1], descriptors.childs[2]),
            error_joins_output: plan.streams[2].mode == .joinsOutput, new_group: plan.flags.contains(.group),
            new_session: plan.flags.contains(.session), keeps_descriptors: plan.flags.contains(.keepsDescriptors))
        let pid = coro_system_spawn(&spawn)
        if pid < 0 { throw refuseProgram(pid, plan.program) }
        return pid
    }

    private func refuseProgram(_ error: Int32, _ program: UnsafePointer<CChar>) -> Refusal {
        Refusal(
            code: fail(error) {
                $0.append("program '")
                $0.append(cString: program)
                $0.append("'")
                $0.append(Self.reason(ofStartError: -error, isPath: Self.hasSlash(program)))
            })
    }

    private static func hasSlash(_ text: UnsafePointer<CChar>) -> Bool {
        var next = text
        while next.pointee != 0 {
            if next.pointee == CChar(bitPattern: UInt8(ascii: "/")) { return true }
            next += 1
        }
        return false
    }

    private static func reason(ofStartError error: Int32, isPath: Bool) -> StaticString {
        switch error {
        case CoroErrno.noEntry where isPath: ": it does not exist, or the interpreter that its first line names does not"
        case CoroErrno.noEntry: " is in no directory of PATH"
        case CoroErrno.noAccess: ": it may not be executed, is a directory, or lies on a file system without execution"
        case CoroErrno.notExecutable: ": not a program for this machine; a script must begin with #! and its interpreter"
        case CoroErrno.tooLong: ": the arguments and the environment are too long together; see getconf ARG_MAX and ulimit -s"
        case CoroErrno.again: ": no more processes may be made; see ulimit -u and the control group's pids.max"
        case CoroErrno.textBusy: ": somebody has it open for writing"
        default: ""
        }
    }
}
