internal import CBerthModule
internal import CBerthSystem
internal import Glibc

/// The log of one instance on one loop: formats lines into a buffer, and gives full ones to the writer. Loop thread only.
struct LogContext {
    /// Octets of a value that are logged; the rest is cut. Source: IIS `maxCustomFieldLength`, default 4096.
    static let valueMax = 4096
    /// Room for everything in a line but the values that came from outside.
    static let fixedRoom = 1024
    /// Most a line can be: seven values at their limit, a user name of three octets each, and the rest.
    static let lineMax = 7 * valueMax + 3 * valueMax + fixedRoom
    /// Time between two complaints about lost lines, in seconds. Ours.
    static let complaintInterval: Int64 = 60

    let host: HostTable
    let file: Unmanaged<LogFile>
    let columns: UnsafeMutablePointer<LogColumn>
    let columnCount: Int
    /// Which of User-Agent, Cookie and Referer are wanted.
    let wantsFields: Bool
    /// Longest time a line waits, in seconds; 0: it doesn't.
    let flushInterval: Int64
    /// Seconds of a period: 3600 or 86400.
    let periodLength: Int64
    let siteName: berth_octets
    let computerName: berth_octets

    var current: UnsafeMutablePointer<LogBuffer>
    var spare: UnsafeMutablePointer<LogBuffer>
    var linesLost: UInt64 = 0
    var complainedAt: Int64 = 0

    /// "2026-11-21 12:34:56" of `clockSecond`, and its period.
    let clock: UnsafeMutablePointer<UInt8>
    var clockSecond: Int64 = -1
    var clockPeriod: Int64 = 0
    /// The line begins with date and time, as nearly every one does: one copy.
    let beginsWithClock: Bool
    var server = AddressText()
    var client = AddressText()
    var port = PortText()

    /// Octets of date and time.
    private static let clockLength = 19

    init(_ instance: LogInstance) {
        host = instance.host.table
        file = .passRetained(instance.file)
        columnCount = instance.columns.count
        columns = .allocate(capacity: columnCount)
        columns.initialize(from: instance.columns, count: columnCount)
        wantsFields = instance.columns.contains { [.userAgent, .cookie, .referer].contains($0) }
        flushInterval = instance.flushInterval
        periodLength = instance.periodLength
        siteName = .copy(of: instance.siteName)
        computerName = .copy(of: instance.computerName)
        current = LogBuffer.make(file)
        spare = LogBuffer.make(file)
        beginsWithClock = instance.columns.starts(with: [.date, .time])
        clock = .allocate(capacity: 64)
        clock.initialize(repeating: 0, count: 64)
    }

    /// Writes out what is left and gives everything back. Off the loops.
    mutating func end() {
        LogWriter.shared.wait(for: spare)
        current.writeOut()
        current.free()
        spare.free()
        server.text.deallocate()
        client.text.deallocate()
        port.text.deallocate()
        clock.deallocate()
        columns.deallocate()
        siteName.deallocate()
        computerName.deallocate()
        file.release()
    }

    // MARK: Buffers

    /// Gives the buffer to the writer, unless it still has the other one.
    mutating func handOver() {
        guard current.pointee.count > 0, !spare.isWithWriter else { return }
        swap(&current, &spare)
        LogWriter.shared.take(spare)
    }

    mutating func tick(_ wallSeconds: Int64) {
        if current.pointee.count > 0, wallSeconds - current.pointee.firstLineAt >= flushInterval { handOver() }
        if linesLost > 0, wallSeconds - complainedAt >= Self.complaintInterval {
            host.log(
                Int(BERTH_LOG_ERROR),
                "request-logging: \(linesLost) lines were lost, since the disk does not keep up with the requests")
            linesLost = 0
            complainedAt = wallSeconds
        }
    }

    // MARK: A line

    mutating func log(_ request: RequestPointer) {
        let now = host.pointee.wall_seconds()
        if now != clockSecond { setClock(now) }
        var (userAgent, cookie, referer) = (berth_octets(nil, 0), berth_octets(nil, 0), berth_octets(nil, 0))
        if wantsFields { findFields(request, &userAgent, &cookie, &referer) }

        let wanted =
            Self.fixedRoom + request.pointee.target.length + request.pointee.method.length + userAgent.length
            + cookie.length + referer.length + request.pointee.host.length + 3
            * min(request.pointee.user.length, Self.valueMax)
        let needed = min(wanted, Self.lineMax)
        let period = clockPeriod
        if current.pointee.count > 0,
            period != current.pointee.period || current.pointee.count + needed > LogBuffer.capacity
        {
            handOver()
        }
        guard current.pointee.count + needed <= LogBuffer.capacity else {
            linesLost &+= 1
            return
        }
        if current.pointee.count == 0 {
            current.pointee.firstLineAt = now
            current.pointee.period = period
        }

        let start = current.pointee.octets + current.pointee.count
        var line = OctetWriter(end: start)
        var column = columns
        let last = columns + columnCount
        if beginsWithClock {
            line.copyWide(clock, Self.clockLength)
            line.put(0x20)
            column += 2
        }
        while column < last {
            switch column.pointee {
            case .date: line.copy(clock, 10)
            case .time: line.copy(clock + 11, 8)
            case .serverAddress:
                let text = server.text(of: Self.localAddress(request), request.pointee.address_family)
                line.copyWide(text, server.count)
            case .clientAddress:
                let text = client.text(of: Self.remoteAddress(request), request.pointee.address_family)
                line.copyWide(text, client.count)
            case .method: line.value(request.pointee.method, max: Self.valueMax)
            case .uriStem: line.value(Self.stem(request), max: Self.valueMax)
            case .uriQuery: line.value(request.pointee.query, max: Self.valueMax)
            case .serverPort:
                if request.pointee.address_family == 0 {
                    line.put(0x2d)
                } else {
                    let text = port.text(of: request.pointee.local_port)
                    line.copyWide(text, port.count)
                }
            case .userName:
                if request.pointee.user.count == 0 {
                    line.put(0x2d)
                } else {
                    line.userName(request.pointee.user, max: Self.valueMax)
                }
            case .userAgent: line.value(userAgent, max: Self.valueMax)
            case .referer: line.value(referer, max: Self.valueMax)
            case .cookie: line.value(cookie, max: Self.valueMax)
            case .host: line.value(request.pointee.host, max: Self.valueMax)
            case .version:
                line.value(berth_octets("HTTP/"), max: 5)
                line.number(UInt64(request.pointee.version >> 8))
                line.put(0x2e)
                line.number(UInt64(request.pointee.version & 255))
            case .status: line.number(UInt64(request.pointee.status))
            case .substatus: line.number(UInt64(request.pointee.substatus))
            case .win32Status: line.number(UInt64(request.pointee.error_number.magnitude))
            case .bytesSent: line.number(request.pointee.octets_sent)
            case .bytesReceived: line.number(request.pointee.octets_received)
            case .timeTaken:
                let (began, ended) = (request.pointee.received_at, request.pointee.finished_at)
                line.number(ended > began ? (ended &- began) / 1_000_000 : 0)
            case .siteName: line.value(siteName, max: Self.valueMax)
            case .computerName: line.value(computerName, max: Self.valueMax)
            }
            line.put(0x20)
            column += 1
        }
        (line.end - 1).pointee = 0x0a
        current.pointee.count += line.end - start
        current.pointee.lineCount &+= 1
        if flushInterval == 0 { handOver() }
    }

    @inline(__always)
    private static func localAddress(_ request: RequestPointer) -> UnsafeRawPointer {
        UnsafeRawPointer(request) + (MemoryLayout<berth_request>.offset(of: \.local_address) ?? 0)
    }

    @inline(__always)
    private static func remoteAddress(_ request: RequestPointer) -> UnsafeRawPointer {
        UnsafeRawPointer(request) + (MemoryLayout<berth_request>.offset(of: \.remote_address) ?? 0)
    }

    /// The target as received, without query and, in absolute form, without scheme and authority.
    @inline(__always)
    private static func stem(_ request: RequestPointer) -> berth_octets {
        let target = request.pointee.target
        var end = target.length
        let query = request.pointee.query.length
        if query > 0 {
            end = max(0, end &- query &- 1)
        } else if end > 0, let start = target.start, start[end &- 1] == 0x3f {
            end &-= 1
        }
        if request.pointee.flags & UInt32(BERTH_REQUEST_ABSOLUTE_FORM) != 0 {
            return pathOfAbsolute(target.prefix(end))
        }
        return target.prefix(end)
    }

    private static func pathOfAbsolute(_ target: berth_octets) -> berth_octets {
        guard let start = target.start else { return target }
        // "http://host/path": the slash after the two of the scheme.
        var slashes = 0
        for index in 0..<target.length where start[index] == 0x2f {
            slashes += 1
            if slashes == 3 { return target.dropFirst(index) }
        }
        return berth_octets("/")
    }

    /// One pass over the field lines; the first of each name counts.
    @inline(__always)
    private func findFields(
        _ request: RequestPointer, _ userAgent: inout berth_octets, _ cookie: inout berth_octets,
        _ referer: inout berth_octets
    ) {
        guard let fields = request.pointee.fields else { return }
        var field = fields
        let last = fields + Int(request.pointee.field_count)
        while field < last {
            // The three numbers follow each other.
            let place = field.pointee.id &- UInt16(BERTH_FIELD_USER_AGENT)
            if place < 3 {
                let value = request.fieldValue(field.pointee)
                switch Int(field.pointee.id) {
                case BERTH_FIELD_USER_AGENT: if userAgent.start == nil { userAgent = value }
                case BERTH_FIELD_REFERER: if referer.start == nil { referer = value }
                default: if cookie.start == nil { cookie = value }
                }
            }
            field += 1
        }
    }

    @inline(never)
    private mutating func setClock(_ now: Int64) {
        let date = CivilDate(seconds: now)
        var text = OctetWriter(end: clock)
        text.padded(date.year, digits: 4)
        text.put(0x2d)
        text.padded(date.month, digits: 2)
        text.put(0x2d)
        text.padded(date.day, digits: 2)
        text.put(0x20)
        text.padded(date.hour, digits: 2)
        text.put(0x3a)
        text.padded(date.minute, digits: 2)
        text.put(0x3a)
        text.padded(date.second, digits: 2)
        clockSecond = now
        clockPeriod = now / periodLength
    }
}
