import BerthControl

/// `logs` and `events`: what has happened, and what happens.
enum StreamCommands {
    static func logs(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let site = session.invocation.arguments[0]
        let lines = try session.invocation.number("lines", in: 0...UInt64(ControlRoute.logLinesMax))
        let follow = session.invocation.has("follow")
        let route = ControlRoute.logs(
            site: site, follow: follow, lines: lines.map { Int($0) } ?? ControlRoute.logLinesDefault)
        var splitter = LineSplitter(sizeMax: ServerSentEventParser.sizeMax)
        do {
            try session.follow(route) { (octets) throws(ControlFailure) in
                for line in try read(octets, &splitter, session.client.socketPath) {
                    guard show(line, session) else { return false }
                }
                return true
            }
        } catch { throw NameSuggestion.improve(error, site, among: [.site], session) }
        if let line = splitter.end() { _ = show(line, session) }
        return .ok
    }

    static func events(_ session: Session) throws(CommandFailure) -> ExitStatus {
        let after = try session.invocation.number("after", in: 0...UInt64.max)
        guard session.invocation.has("follow") else {
            _ = try session.show(.events(follow: false, after: after), as: ResourceList<EventRecord>.self) {
                list, page in
                for event in list.items { page.add(line(event)) }
                if list.items.isEmpty { page.add("nothing has happened", .faint) }
            }
            return .ok
        }
        var parser = ServerSentEventParser()
        try session.follow(.events(follow: true, after: after)) { (octets) throws(ControlFailure) in
            for event in try read(octets, &parser, session.client.socketPath) {
                guard try show(event, session) else { return false }
            }
            return true
        }
        return .ok
    }

    /// `2026-11-21T09:30:00.125Z  #12 error  worker-crashed  shop: it ended (because of #11)`
    static func line(_ event: EventRecord) -> [(text: String, style: Style?)] {
        let style: Style? =
            switch event.severity {
            case .error: .bad
            case .warning: .warning
            case .information, .unknown: nil
            }
        let subject = [
            event.site, event.pool == event.site ? nil : event.pool.map { "pool \($0)" }, event.pid.map { "pid \($0)" },
        ]
        .compactMap { $0 }.joined(separator: ", ")
        return [
            ("\(event.time) #\(event.number) ", .faint), (event.kind, style),
            (" " + (subject.isEmpty ? "" : subject + ": ") + event.message, nil),
            (event.cause.map { " (because of #\($0))" } ?? "", .faint),
        ]
    }

    private static func show(_ event: ServerSentEvent, _ session: Session) throws(ControlFailure) -> Bool {
        let record = try session.client.decode(EventRecord.self, from: Array(event.data.utf8))
        guard !session.wantsJSON else { return session.terminal.write(event.data + "\n") }
        var page = Page(width: nil, usesColor: session.terminal.usesColor)
        page.add(line(record))
        return session.terminal.write(page.text)
    }

    private static func show(_ line: String, _ session: Session) -> Bool {
        if session.wantsJSON {
            guard let record = LogRecord(line: line), let octets = try? ControlJSON.encode(record) else { return true }
            return session.terminal.write(String(decoding: octets, as: UTF8.self) + "\n")
        }
        guard session.terminal.isInteractive else { return session.terminal.write(line + "\n") }
        var page = Page(width: nil, usesColor: session.terminal.usesColor)
        if let record = LogRecord(line: line) {
            let style: Style? = record.stream == .err ? .warning : record.stream == .host ? .heading : nil
            page.add([("\(record.time) \(record.pid) ", .faint), (record.text, style)])
        } else {
            page.add(line)
        }
        return session.terminal.write(page.text)
    }

    private static func read(
        _ octets: [UInt8], _ splitter: inout LineSplitter, _ path: String
    ) throws(ControlFailure) -> [String] {
        do throws(LineSplitter.Overflow) { return try splitter.read(octets) } catch {
            throw ControlFailure.malformedAnswer(path: path, what: "a line of the log is too long")
        }
    }

    private static func read(
        _ octets: [UInt8], _ parser: inout ServerSentEventParser, _ path: String
    ) throws(ControlFailure) -> [ServerSentEvent] {
        do throws(LineSplitter.Overflow) { return try parser.read(octets) } catch {
            throw ControlFailure.malformedAnswer(path: path, what: "an event is too large")
        }
    }
}
