import BerthEventLoop
import BerthHTTP
import BerthListener
import CBerthBytes
public import CBerthModule
import CBerthSystem
import Glibc

/// The host's half of the module ABI: what `berth_host` promises, over the listener of the loop that owns the request.
///
/// Everything a module passes is checked here, never trusted: fields for CR, LF and NUL, states, lengths.
public enum HostCallTable {
    /// Octets of content that `respond` copies; longer content must be stable.
    static let respondCopyMax = 262_144
    /// Fields of one response. Ours: twice what Kestrel takes in a request.
    static let fieldsMax: UInt32 = 256
    /// Octets of the `berth_response_head` of the first ABI version.
    static let headSizeMin: UInt32 = 48
    /// Memory a request may ask for. The arena holds a little more.
    static let allocationMax = 16_384

    /// Where log lines of modules go; set once at start.
    nonisolated(unsafe) private static var logSink: (@convention(c) (Int32, UnsafePointer<UInt8>, Int) -> Void)?

    /// Sets where log lines of modules go. Before the first module is loaded.
    public static func setLogSink(_ sink: @escaping @convention(c) (Int32, UnsafePointer<UInt8>, Int) -> Void) {
        logSink = sink
    }

    /// The table, which lives as long as the process.
    public nonisolated(unsafe) static let table: UnsafePointer<berth_host> = {
        let host = UnsafeMutablePointer<berth_host>.allocate(capacity: 1)
        host.initialize(
            to: berth_host(
                size: UInt32(MemoryLayout<berth_host>.size), abi_version: BERTH_ABI_VERSION,
                respond: { HostCallTable.respond($0, $1, $2, $3) },
                start_response: { HostCallTable.startResponse($0, $1) },
                write_response: { HostCallTable.writeResponse($0, $1, $2) },
                send_file: { HostCallTable.sendFile($0, $1, $2, $3) },
                flush_response: { HostCallTable.flushResponse($0) },
                finish_response: { HostCallTable.finishResponse($0) },
                add_response_field: { HostCallTable.addResponseField($0, $1, $2) },
                read_entity: { HostCallTable.readEntity($0, $1, $2) },
                set_user: { HostCallTable.setUser($0, $1, $2) },
                set_status: { HostCallTable.setStatus($0, $1, $2, $3) },
                limit_entity: { HostCallTable.limitEntity($0, $1) },
                allocate: { HostCallTable.allocate($0, $1) },
                slot: { HostCallTable.slot($0) },
                handle: { HostCallTable.handle($0) },
                complete: { RequestHandle(rawValue: $0).complete($1) },
                run_blocking: { HostCallTable.runBlocking($0, $1, $2, $3) },
                log: { HostCallTable.log($0, $1, $2) },
                wall_seconds: { HostCallTable.wallSeconds() },
                monotonic_nanoseconds: { HostCallTable.monotonicNanoseconds() }))
        return UnsafePointer(host)
    }()

    typealias View = UnsafeMutablePointer<berth_request>

    // MARK: Responses

    private static func respond(
        _ view: View, _ head: UnsafePointer<berth_response_head>, _ pieces: UnsafePointer<berth_octets>?,
        _ count: UInt32
    ) -> Int32 {
        if count == 1, let pieces, respondAsBefore(view, head, pieces.pointee.run) { return BERTH_OK.result }
        return respondAnew(view, head, pieces, count)
    }

    /// The usual response: 200, one piece of content, and fields that were judged when they were sent before in this second.
    @inline(__always)
    private static func respondAsBefore(
        _ view: View, _ head: UnsafePointer<berth_response_head>, _ content: OctetRun
    ) -> Bool {
        let context = Pipeline.context(of: view)
        let request = Pipeline.request(of: view)
        guard head.pointee.status == 200, head.pointee.size >= headSizeMin, head.pointee.reason.count == 0,
            head.pointee.flags & BERTH_RESPONSE_CLOSE.rawValue == 0, let fields = head.pointee.fields,
            request.pointee.phase != RequestContext.Phase.finished, !context.pointee.isSending,
            !context.pointee.chain.pointee.hasSendStage,
            context.pointee.pipeline.listener.respondAsBefore(
                request, fields: UnsafeRawPointer(fields).assumingMemoryBound(to: ResponseField.self),
                fieldCount: Int(head.pointee.field_count), content: content)
        else { return false }
        noteStarted(view, request, head)
        return true
    }

    @inline(never)
    private static func respondAnew(
        _ view: View, _ head: UnsafePointer<berth_response_head>, _ pieces: UnsafePointer<berth_octets>?,
        _ count: UInt32
    ) -> Int32 {
        var total: UInt64 = 0
        if count == 1, let pieces {
            total = pieces.pointee.count
        } else {
            var i = 0
            while i < Int(count) {
                let (sum, overflows) = total.addingReportingOverflow(pieces?[i].count ?? 0)
                if overflows { return BERTH_INVALID.result }
                total = sum
                i &+= 1
            }
        }
        if total > UInt64(Int64.max) { return BERTH_INVALID.result }
        let isStable = head.pointee.flags & BERTH_RESPONSE_STABLE_CONTENT.rawValue != 0
        if total > UInt64(respondCopyMax) && !(isStable && count == 1) { return BERTH_TOO_LARGE.result }
        let only = count == 1 ? pieces?.pointee.run : nil
        let started = start(view, head, contentLength: Int64(total), content: only ?? OctetRun(nil, 0))
        if started != BERTH_OK.result { return started }
        let request = Pipeline.request(of: view)
        let listener = Pipeline.context(of: view).pointee.pipeline.listener
        if listener.hasEnded(request) { return BERTH_OK.result }
        if isStable && count == 1 && total > 16_384, let piece = pieces?.pointee {
            _ = listener.writeTail(request, file: -1, memory: piece.start, offset: 0, count: piece.count)
        } else {
            var i = 0
            while i < Int(count) {
                if let piece = pieces?[i], let octets = piece.start, piece.count > 0 {
                    if !listener.write(request, octets, Int(piece.count)) { return BERTH_GONE.result }
                }
                i &+= 1
            }
        }
        listener.end(request)
        return BERTH_OK.result
    }

    private static func startResponse(_ view: View, _ head: UnsafePointer<berth_response_head>) -> Int32 {
        if head.pointee.content_length < -1 { return BERTH_INVALID.result }
        return start(view, head, contentLength: head.pointee.content_length, content: OctetRun(nil, 0))
    }

    /// Checks a head and hands it to the listener.
    @inline(__always)
    private static func start(
        _ view: View, _ head: UnsafePointer<berth_response_head>, contentLength: Int64, content: OctetRun
    ) -> Int32 {
        let status = head.pointee.status
        let fieldCount = head.pointee.field_count
        if status < 200 || status > 999 || fieldCount > fieldsMax || head.pointee.size < headSizeMin {
            return BERTH_INVALID.result
        }
        let reason = head.pointee.reason
        if reason.count > 0, !isFieldValue(reason) { return BERTH_INVALID.result }
        var i = 0
        while i < Int(fieldCount) {
            guard let field = head.pointee.fields?[i], isAcceptable(field.name, field.value) else {
                return BERTH_INVALID.result
            }
            i &+= 1
        }
        let context = Pipeline.context(of: view)
        let request = Pipeline.request(of: view)
        if request.pointee.phase == RequestContext.Phase.finished || context.pointee.isSending {
            return BERTH_INVALID.result
        }
        let pipeline = context.pointee.pipeline
        pipeline.runSendStage(request, status: status, substatus: head.pointee.substatus)
        var response = ResponseStart(status: status, contentLength: contentLength)
        response.reason = reason.run
        if head.pointee.flags & BERTH_RESPONSE_CLOSE.rawValue != 0 { response.flags.insert(.close) }
        response.fields = UnsafeRawPointer(head.pointee.fields)?.assumingMemoryBound(to: ResponseField.self)
        response.fieldCount = Int(fieldCount)
        if let failure = pipeline.listener.start(request, &response, content: content) {
            switch failure {
            case .alreadyStarted: return BERTH_INVALID.result
            case .gone: return BERTH_GONE.result
            case .tooLarge: return BERTH_TOO_LARGE.result
            }
        }
        noteStarted(view, request, head)
        return BERTH_OK.result
    }

    /// What modules of later stages see of a response that has begun.
    @inline(__always)
    private static func noteStarted(
        _ view: View, _ request: UnsafeMutablePointer<Request>, _ head: UnsafePointer<berth_response_head>
    ) {
        request.pointee.substatus = head.pointee.substatus
        view.pointee.status = head.pointee.status
        view.pointee.substatus = head.pointee.substatus
        view.pointee.flags |= BERTH_REQUEST_RESPONSE_STARTED.rawValue
    }

    /// A token, a value without CR, LF and NUL, and no field that belongs to the framing (RFC 9112 §6, RFC 9110 §7.6.1).
    @inline(__always)
    private static func isAcceptable(_ name: berth_octets, _ value: berth_octets) -> Bool {
        isCommon(name, value) || isAcceptableAfterAll(name, value)
    }

    /// Nearly every field: two vector comparisons. A name of letters and "-" with a length or a first letter that no framing
    /// field has, and a value that is not empty.
    @inline(__always)
    private static func isCommon(_ name: berth_octets, _ value: berth_octets) -> Bool {
        guard let nameStart = name.start, let valueStart = value.start else { return false }
        return name.count &- 1 < 63 && value.count &- 1 < 65_535
            && (framingNameLengths &>> name.count & 1 == 0 || framingNameInitials &>> (nameStart[0] & 31) & 1 == 0)
            && cberth_scan_common_name_passes(nameStart, Int(name.count))
            && OctetRules.isFieldValue(valueStart, Int(value.count))
    }

    @inline(never)
    private static func isAcceptableAfterAll(_ name: berth_octets, _ value: berth_octets) -> Bool {
        guard let start = name.start, name.count > 0, name.count <= 65_535, value.count <= 65_535 else { return false }
        if !OctetRules.isToken(start, Int(name.count)) { return false }
        if value.count > 0, !isFieldValue(value) { return false }
        // Nearly every name is told apart by its length.
        if name.count > 17 || framingNameLengths &>> name.count & 1 == 0 { return true }
        switch FieldID.of(start, Int(name.count)) {
        case .connection, .transferEncoding, .contentLength, .date, .keepAlive, .upgrade, .trailer, .proxyConnection:
            return false
        default: return true
        }
    }

    /// A bit for each length that a name of `isAcceptable`'s list has.
    private static var framingNameLengths: UInt64 { 1 << 4 | 1 << 7 | 1 << 10 | 1 << 14 | 1 << 16 | 1 << 17 }

    /// A bit for each letter that one of them begins with, in either case: c, d, k, p, t, u.
    private static var framingNameInitials: UInt32 { 1 << 3 | 1 << 4 | 1 << 11 | 1 << 16 | 1 << 20 | 1 << 21 }

    @inline(__always)
    private static func isFieldValue(_ value: berth_octets) -> Bool {
        guard let start = value.start else { return value.count == 0 }
        return OctetRules.isFieldValue(start, Int(value.count))
    }

    private static func writeResponse(_ view: View, _ octets: UnsafePointer<UInt8>, _ count: UInt64) -> Int64 {
        let request = Pipeline.request(of: view)
        let listener = Pipeline.context(of: view).pointee.pipeline.listener
        if request.pointee.isBroken { return Int64(BERTH_GONE.result) }
        if !listener.hasStarted(request) || listener.hasEnded(request) { return Int64(BERTH_INVALID.result) }
        if count == 0 { return 0 }
        let part = min(
            Int(min(count, UInt64(Int.max))), listener.isBodiless(request) ? Int.max : listener.room(request))
        if request.pointee.isBroken { return Int64(BERTH_GONE.result) }
        if part == 0 {
            listener.waitForRoom(request)
            return 0
        }
        if listener.write(request, octets, part) {
            if part < Int(min(count, UInt64(Int.max))) { listener.waitForRoom(request) }
            return Int64(part)
        }
        return Int64(request.pointee.isBroken ? BERTH_GONE.result : BERTH_INVALID.result)
    }

    private static func sendFile(_ view: View, _ fd: Int32, _ offset: UInt64, _ length: UInt64) -> Int32 {
        let request = Pipeline.request(of: view)
        let listener = Pipeline.context(of: view).pointee.pipeline.listener
        if request.pointee.isBroken { return BERTH_GONE.result }
        if fd < 0 || offset > UInt64(Int64.max) || length > UInt64(Int64.max) { return BERTH_INVALID.result }
        return listener.writeTail(request, file: fd, memory: nil, offset: offset, count: length)
            ? BERTH_OK.result : BERTH_INVALID.result
    }

    private static func flushResponse(_ view: View) -> Int32 {
        Pipeline.context(of: view).pointee.pipeline.listener.flush()
        return Pipeline.request(of: view).pointee.isBroken ? BERTH_GONE.result : BERTH_OK.result
    }

    private static func finishResponse(_ view: View) -> Int32 {
        let request = Pipeline.request(of: view)
        let listener = Pipeline.context(of: view).pointee.pipeline.listener
        if !listener.hasStarted(request) || listener.hasEnded(request) { return BERTH_INVALID.result }
        return listener.end(request) ? BERTH_OK.result : BERTH_INVALID.result
    }

    private static func addResponseField(_ view: View, _ name: berth_octets, _ value: berth_octets) -> Int32 {
        if !isAcceptable(name, value) { return BERTH_INVALID.result }
        let request = Pipeline.request(of: view)
        switch Pipeline.context(of: view).pointee.pipeline.listener.addField(request, name: name.run, value: value.run)
        {
        case nil: return BERTH_OK.result
        case .tooLarge: return BERTH_TOO_LARGE.result
        default: return BERTH_INVALID.result
        }
    }

    // MARK: Content

    private static func readEntity(_ view: View, _ buffer: UnsafeMutablePointer<UInt8>, _ capacity: UInt64) -> Int64 {
        if capacity == 0 { return Int64(BERTH_INVALID.result) }
        let request = Pipeline.request(of: view)
        let context = Pipeline.context(of: view)
        let listener = context.pointee.pipeline.listener
        switch listener.content(of: request) {
        case .octets(let start, let available):
            let count = Int(min(UInt64(available), capacity))
            memcpy(buffer, start, count)
            listener.consumeContent(request, count)
            return Int64(count)
        case .wait: return Int64(BERTH_AGAIN.result)
        case .end: return 0
        case .failed(let failure):
            switch failure {
            case .gone, .timedOut:
                return Int64(BERTH_GONE.result)
            case .tooLarge:
                // What the host answers when the module makes nothing better of it.
                if context.pointee.status == 0 { (context.pointee.status, context.pointee.substatus) = (413, 1) }
                return Int64(BERTH_TOO_LARGE.result)
            case .malformed:
                if context.pointee.status == 0 { context.pointee.status = 400 }
                return Int64(BERTH_MALFORMED.result)
            }
        }
    }

    private static func limitEntity(_ view: View, _ octetsMax: UInt64) -> Int32 {
        Pipeline.context(of: view).pointee.pipeline.listener.limitContent(Pipeline.request(of: view), octetsMax)
        return BERTH_OK.result
    }

    // MARK: What a module says about the request

    private static func setUser(_ view: View, _ user: berth_octets, _ type: berth_octets) -> Int32 {
        // The usual anonymous caller needs no memory.
        let anonymous: StaticString = "Anonymous"
        if user.count == 0 && type.count == 9, let start = type.start, memcmp(start, anonymous.utf8Start, 9) == 0 {
            view.pointee.user = berth_octets(start: nil, count: 0)
            view.pointee.authentication_type = berth_octets(start: anonymous.utf8Start, count: 9)
            return BERTH_OK.result
        }
        return setNamedUser(view, user, type)
    }

    @inline(never)
    private static func setNamedUser(_ view: View, _ user: berth_octets, _ type: berth_octets) -> Int32 {
        let request = Pipeline.request(of: view)
        let listener = Pipeline.context(of: view).pointee.pipeline.listener
        if user.count > 1024 || type.count > 64 { return BERTH_TOO_LARGE.result }
        guard let memory = listener.allocate(request, Int(user.count &+ type.count)) else {
            return BERTH_TOO_LARGE.result
        }
        let octets = memory.assumingMemoryBound(to: UInt8.self)
        if let start = user.start { memcpy(octets, start, Int(user.count)) }
        if let start = type.start { memcpy(octets + Int(user.count), start, Int(type.count)) }
        view.pointee.user = berth_octets(start: UnsafePointer(octets), count: user.count)
        view.pointee.authentication_type = berth_octets(
            start: UnsafePointer(octets + Int(user.count)), count: type.count)
        return BERTH_OK.result
    }

    private static func setStatus(_ view: View, _ status: UInt16, _ substatus: UInt16, _ reason: berth_octets) -> Int32
    {
        if status < 200 || status > 999 { return BERTH_INVALID.result }
        let context = Pipeline.context(of: view)
        context.pointee.status = status
        context.pointee.substatus = substatus
        context.pointee.reason = nil
        context.pointee.reasonLength = 0
        let length = Int(min(reason.count, 1024))
        if length > 0, let start = reason.start,
            let memory = context.pointee.pipeline.listener.allocate(Pipeline.request(of: view), length)
        {
            memcpy(memory, start, length)
            context.pointee.reason = UnsafePointer(memory.assumingMemoryBound(to: UInt8.self))
            context.pointee.reasonLength = UInt16(length)
        }
        return BERTH_OK.result
    }

    private static func allocate(_ view: View, _ size: UInt64) -> UnsafeMutableRawPointer? {
        if size > UInt64(allocationMax) { return nil }
        return Pipeline.context(of: view).pointee.pipeline.listener.allocate(Pipeline.request(of: view), Int(size))
    }

    private static func slot(_ view: View) -> UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        let context = Pipeline.context(of: view)
        let offset = MemoryLayout<RequestContext>.offset(of: \.slots) ?? 0
        let slots = (UnsafeMutableRawPointer(context) + offset).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
        return slots + Int(context.pointee.module)
    }

    // MARK: Time and threads

    private static func handle(_ view: View) -> UInt64 {
        Pipeline.context(of: view).pointee.pipeline.listener.handle(of: Pipeline.request(of: view)).rawValue
    }

    private static func runBlocking(
        _ view: View, _ kind: UInt32, _ work: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Int64,
        _ argument: UnsafeMutableRawPointer?
    ) -> Int32 {
        let context = Pipeline.context(of: view)
        let pipeline = context.pointee.pipeline
        return pipeline.runBlocking(Pipeline.request(of: view), kind: kind, argument: argument, work)
            ? BERTH_OK.result : BERTH_BUSY.result
    }

    private static func log(_ view: View?, _ level: Int32, _ text: berth_octets) {
        guard let start = text.start, text.count > 0, let logSink else { return }
        logSink(level, start, Int(min(text.count, 8192)))
    }

    private static func wallSeconds() -> Int64 {
        let system = cberth_system_linux()
        return system.pointee.wall_seconds(system)
    }

    private static func monotonicNanoseconds() -> UInt64 {
        let system = cberth_system_linux()
        return system.pointee.monotonic_nanoseconds(system)
    }
}

extension Pipeline {
    /// Runs `work` on the blocking pool; `Request.Events.blockingDone` follows. One job a request at a time.
    func runBlocking(
        _ request: UnsafeMutablePointer<Request>, kind: UInt32, argument: UnsafeMutableRawPointer?,
        _ work: @escaping @convention(c) (UnsafeMutableRawPointer?) -> Int64
    ) -> Bool {
        if request.pointee.jobIsOutstanding { return false }
        return listener.submit(request, to: state.pointee.blockingPool, kind: kind, argument: argument, work)
    }
}
