/// A client of the control socket: one connection, one request, one answer.
///
/// Blocks the calling thread, for no longer than `timeLimit` unless an answer is followed. Every answer is bounded in
/// size and distrusted: what is not HTTP/1.1 with the JSON of this version is refused, never half shown.
public struct ControlClient: Sendable {
    /// Where `berth-control.socket` puts it.
    public static let socketPathDefault = "/run/berth/control.sock"
    /// The variable that names another one.
    public static let socketPathVariable = "BERTH_CONTROL_SOCKET"
    /// The largest content of an answer: the longest list a daemon sends is that of 10 000 sites, about 16 MiB.
    public static let answerSizeMaxDefault = 64 << 20
    /// Longest time an exchange may take. The daemon answers from memory: longer means that it is stuck.
    public static let timeLimitDefault = Duration.seconds(10)
    /// The same for what waits on purpose: systemd gives a reload 90 s too (`DefaultTimeoutStartSec=`).
    public static let timeLimitWaiting = Duration.seconds(90)

    public let socketPath: String
    /// `nil`: what suits the request.
    public var timeLimit: Duration?
    public var answerSizeMax: Int

    public init(
        socketPath: String = socketPathDefault, timeLimit: Duration? = nil, answerSizeMax: Int = answerSizeMaxDefault
    ) {
        (self.socketPath, self.timeLimit, self.answerSizeMax) = (socketPath, timeLimit, answerSizeMax)
    }

    /// Asks for `route` and returns the content of the answer, all of it.
    ///
    /// - Parameter content: JSON, for the routes that take some.
    public func exchange(_ route: ControlRoute, content: [UInt8]? = nil) throws(ControlFailure) -> [UInt8] {
        var connection = try open(route, content: content)
        var collected: [UInt8] = []
        while let piece = try connection.nextPiece() {
            guard piece.count <= answerSizeMax - collected.count else {
                throw ControlFailure.answerTooLarge(sizeMax: answerSizeMax)
            }
            collected += piece
        }
        guard let head = connection.head else {
            throw ControlFailure.malformedAnswer(path: socketPath, what: "no response head")
        }
        guard head.status < 300 else { throw refusal(head, collected) }
        return collected
    }

    /// Asks for `route` and decodes the answer.
    public func fetch<Value: Decodable>(
        _ route: ControlRoute, as type: Value.Type = Value.self, content: [UInt8]? = nil
    ) throws(ControlFailure) -> Value {
        try decode(type, from: exchange(route, content: content))
    }

    /// Decodes what `exchange` returned.
    public func decode<Value: Decodable>(
        _ type: Value.Type, from content: [UInt8]
    ) throws(ControlFailure) -> Value {
        do { return try ControlJSON.decode(type, from: content) } catch {
            throw ControlFailure.malformedAnswer(path: socketPath, what: Self.describe(error))
        }
    }

    /// Asks for `route` and hands over the content of the answer as it comes, until the daemon ends it or `receive`
    /// returns `false`. Only the response head is awaited with a time limit.
    public func follow(
        _ route: ControlRoute, receive: ([UInt8]) throws(ControlFailure) -> Bool
    ) throws(ControlFailure) {
        var connection = try open(route, content: nil)
        try connection.readHead()
        guard let head = connection.head else {
            throw ControlFailure.malformedAnswer(path: socketPath, what: "no response head")
        }
        guard head.status < 300 else {
            var collected: [UInt8] = []
            while collected.count <= answerSizeMax, let piece = try connection.nextPiece() { collected += piece }
            throw refusal(head, collected)
        }
        connection.liftTimeLimit()
        while let piece = try connection.nextPiece() {
            guard try receive(piece) else { return }
        }
    }

    private func open(_ route: ControlRoute, content: [UInt8]?) throws(ControlFailure) -> ControlConnection {
        var request = "\(route.method) \(route.target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        if route.method == "POST" {
            if content != nil { request += "Content-Type: \(ControlJSON.mediaType)\r\n" }
            request += "Content-Length: \(content?.count ?? 0)\r\n"
        }
        let limit = timeLimit ?? (route.waits ? Self.timeLimitWaiting : Self.timeLimitDefault)
        var connection = try ControlConnection(path: socketPath, timeLimit: limit)
        try connection.send(Array((request + "\r\n").utf8) + (content ?? []))
        return connection
    }

    /// The problem that an answer with an error status carries, or one made from the status where it carries none.
    private func refusal(_ head: ControlResponseReader.Head, _ content: [UInt8]) -> ControlFailure {
        if head.mediaType == ControlJSON.problemMediaType,
            let problem = try? ControlJSON.decode(ProblemDocument.self, from: content)
        {
            return .refused(problem)
        }
        guard (400...599).contains(head.status) else {
            return .malformedAnswer(path: socketPath, what: "status \(head.status)")
        }
        return .refused(ProblemDocument(status: head.status))
    }

    private static func describe(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, let context):
            "the member \(key.stringValue) is missing\(path(context))"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            "\(context.debugDescription)\(path(context))"
        default: "no JSON of this version"
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        let steps = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
        return steps.isEmpty ? "" : " (at \(steps.joined()))"
    }
}
