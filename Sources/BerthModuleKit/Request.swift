public import CBerthModule

/// A request, as long as the host is calling the module for it. Two words, copied freely; never keep one after the end stage.
///
/// Octets that come from it (`path`, `fields`, ...) belong to the host and stay where they are until the end stage.
/// Unless it says otherwise, a method may be called only while the host is calling the module for this request.
@frozen
public struct Request {
    /// The request as the ABI has it, for what this type does not show.
    public let raw: UnsafeMutablePointer<berth_request>
    /// The host's table.
    public let host: UnsafePointer<berth_host>

    @inlinable
    init(raw: UnsafeMutablePointer<berth_request>, host: UnsafePointer<berth_host>) {
        self.raw = raw
        self.host = host
    }
}

// MARK: What was asked

extension Request {
    /// Unique in this process.
    @inlinable public var id: UInt64 { raw.pointee.id }
    /// As received, case-sensitive.
    @inlinable public var method: Octets { Octets(raw.pointee.method) }
    /// The request target as received.
    @inlinable public var target: Octets { Octets(raw.pointee.target) }
    /// Decoded once, dot segments removed; begins with "/" (or is "*").
    @inlinable public var path: Octets { Octets(raw.pointee.path) }
    /// The path behind the application's own: "/items" of "/api/items" in the application "/api".
    @inlinable public var pathInApplication: Octets {
        let length = UInt64(raw.pointee.application_path_length)
        let path = raw.pointee.path
        guard length < path.count, let start = path.start else { return Octets(path) }
        return Octets(berth_octets(start: start + Int(length), count: path.count - length))
    }
    /// As received, without "?".
    @inlinable public var query: Octets { Octets(raw.pointee.query) }
    /// As received, with the port.
    @inlinable public var hostField: Octets { Octets(raw.pointee.host) }
    /// Who authentication found; empty: anonymous.
    @inlinable public var user: Octets { Octets(raw.pointee.user) }
    /// "Basic", ...; empty: no module said who the caller is.
    @inlinable public var authenticationType: Octets { Octets(raw.pointee.authentication_type) }
    /// Octets of content announced: nil when the content is chunked.
    @inlinable public var contentLength: Int? { raw.pointee.content_length < 0 ? nil : Int(raw.pointee.content_length) }
    @inlinable public var hasContent: Bool { raw.pointee.flags & UInt32(BERTH_REQUEST_HAS_CONTENT) != 0 }
    /// It came over TLS.
    @inlinable public var isSecure: Bool { raw.pointee.flags & UInt32(BERTH_REQUEST_SECURE) != 0 }

    /// The field lines, in order.
    @inlinable public var fields: FieldLines { FieldLines(raw) }

    /// The value of the first field line of this name, compared without regard to case. O(fields).
    @inlinable
    public func field(_ name: StaticString) -> Octets? {
        for field in fields where field.name.equalsIgnoringCase(name) { return field.value }
        return nil
    }
}

// MARK: Content of the request

/// What went wrong with reading or writing. The host has already decided what the client gets; answer `.finish`.
public enum RequestError: Int32, Error, Sendable {
    /// The client has left, or the connection is broken.
    case gone = -3
    /// An argument is wrong: a field with CR, LF or NUL, a status outside 200...999, a call in the wrong state.
    case invalid = -4
    /// The content is longer than the limit, or does not fit.
    case tooLarge = -5
    /// The bounded pool of blocking work is full: answer 503.
    case busy = -6
    /// The client's content is not framed as announced.
    case malformed = -7

    @inlinable
    init(code: Int64) { self = RequestError(rawValue: Int32(truncatingIfNeeded: code)) ?? .invalid }
}

extension Request {
    /// What `read` found.
    @frozen
    public enum Reading: Sendable {
        /// This many octets are in the buffer, at least 1.
        case octets(Int)
        /// Nothing now: answer `.pending` and wait for `.readable`.
        case wait
        /// The content is complete.
        case end
    }

    /// Copies the next piece of the request content.
    @inlinable
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(RequestError) -> Reading {
        guard let start = buffer.baseAddress else { throw .invalid }
        let count = host.pointee.read_entity(raw, start.assumingMemoryBound(to: UInt8.self), UInt64(buffer.count))
        if count > 0 { return .octets(Int(count)) }
        if count == 0 { return .end }
        if count == Int64(BERTH_AGAIN) { return .wait }
        throw RequestError(code: count)
    }

    /// Limits the request content, in octets: a longer one is answered 413. Only before it is read.
    @inlinable
    public func limitContent(to octetsMax: Int) {
        _ = host.pointee.limit_entity(raw, UInt64(max(0, octetsMax)))
    }
}

// MARK: Waiting and remembering

extension Request {
    /// What wakes this request from another thread. Take it before answering `.pending`.
    @inlinable public var completion: Completion { Completion(handle: host.pointee.handle(raw), host: host) }

    /// Runs `work(argument)` on the host's bounded pool of threads; answer `.pending` and wait for `.blockingDone`.
    ///
    /// `argument` must live until then. `kind` (0 through 3) counts against its own limit; throws `.busy` over it.
    @inlinable
    public func runBlocking(
        kind: UInt32 = 0, argument: UnsafeMutableRawPointer?,
        _ work: @convention(c) (UnsafeMutableRawPointer?) -> Int64
    ) throws(RequestError) {
        let result = host.pointee.run_blocking(raw, kind, work, argument)
        if result != 0 { throw RequestError(code: Int64(result)) }
    }

    /// One pointer of the module's own; nil at first. What it points to is let go in the end stage.
    @inlinable
    public var slot: UnsafeMutableRawPointer? {
        get { host.pointee.slot(raw).pointee }
        nonmutating set { host.pointee.slot(raw).pointee = newValue }
    }

    /// Memory that lives as long as the request, aligned to 16; nil when the request took more than 16 KiB in all.
    @inlinable
    public func allocate(octets: Int) -> UnsafeMutableRawPointer? { host.pointee.allocate(raw, UInt64(max(0, octets))) }

    /// One line for the daemon's log. Allocates for text that is not a literal; not for every request.
    public func log(_ level: LogLevel, _ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            host.pointee.log(raw, level.rawValue, berth_octets(start: utf8.baseAddress, count: UInt64(utf8.count)))
        }
    }
}

/// How grave a line of the log is, as in syslog.
public enum LogLevel: Int32, Sendable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
    case debug = 7
}

/// Wakes a pending request from any thread, also when the request is long gone.
@frozen
public struct Completion: @unchecked Sendable {
    // Safe to send: a number, and a table that lives as long as the process and is never changed.
    @usableFromInline let handle: UInt64
    @usableFromInline let host: UnsafePointer<berth_host>

    @inlinable
    init(handle: UInt64, host: UnsafePointer<berth_host>) {
        self.handle = handle
        self.host = host
    }

    /// The module's `resume` is called with `.completed(value)`. Calls before the first was delivered are folded into one.
    @inlinable
    public func complete(_ value: Int64 = 0) { host.pointee.complete(handle, value) }
}
