internal import CBerthModule

typealias HostTable = UnsafePointer<berth_host>
typealias RequestPointer = UnsafeMutablePointer<berth_request>
typealias ModuleTable = UnsafeMutablePointer<berth_module>
typealias FailureText = UnsafeMutablePointer<berth_failure>

/// What a stage function answers, as the ABI numbers it.
enum StageAnswer {
    static var proceed: Int32 { Int32(BERTH_CONTINUE) }
    static var pending: Int32 { Int32(BERTH_PENDING) }
    static var finish: Int32 { Int32(BERTH_FINISH) }
    static var error: Int32 { Int32(BERTH_ERROR) }
}

extension UnsafePointer<berth_host> {
    /// Lets the host answer with a status of its own making. Ends the stage.
    @inline(never)
    func refuse(_ request: RequestPointer, _ status: UInt16, _ substatus: UInt16, _ reason: StaticString) -> Int32 {
        _ = pointee.set_status(request, status, substatus, berth_octets(reason))
        return StageAnswer.finish
    }

    /// The same with a reason that is put together. Allocates; for what should never happen.
    func refuse(_ request: RequestPointer, _ status: UInt16, _ substatus: UInt16, because reason: String) -> Int32 {
        var reason = reason
        reason.withUTF8 { utf8 in
            _ = pointee.set_status(
                request, status, substatus, berth_octets(start: utf8.baseAddress, count: UInt64(utf8.count)))
        }
        return StageAnswer.finish
    }

    /// One line for the daemon's log. Allocates; never on the request path.
    func log(_ level: Int, _ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            pointee.log(nil, Int32(level), berth_octets(start: utf8.baseAddress, count: UInt64(utf8.count)))
        }
    }
}

extension UnsafeMutablePointer<berth_module> {
    /// What every built-in module says about itself.
    func describe(_ name: StaticString) {
        pointee.abi_version = UInt32(BERTH_ABI_VERSION)
        // Literals end in NUL and live as long as the process.
        pointee.name = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        let version: StaticString = "1.0"
        pointee.version = UnsafeRawPointer(version.utf8Start).assumingMemoryBound(to: CChar.self)
        pointee.kinds = UInt32(BERTH_KIND_CHAIN)
    }
}

extension UnsafeMutablePointer<berth_failure> {
    /// Copies as much of the text as there is room for. Answers what a failing function answers.
    func write(_ text: String) -> Int32 {
        var text = text
        pointee.length = text.withUTF8 { utf8 in
            withUnsafeMutableBytes(of: &pointee.text) { room in
                let count = Swift.min(utf8.count, room.count)
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(utf8)[0..<count]))
                return UInt32(count)
            }
        }
        return -1
    }
}
