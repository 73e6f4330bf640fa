import BerthHTTP

/// An answer that the listener makes itself, before any module: status, the HTTPERR reason, and one sentence for the client.
///
/// It cannot be customised, and the connection ends with it. Source: HTTP.sys, "malformed and refused input".
struct FrontAnswer: BitwiseCopyable {
    let status: UInt16
    /// As HTTPERR writes it.
    let reason: StaticString
    /// What is wrong, as a sentence.
    let detail: StaticString
    /// The reason phrase of the status line; nil: the standard one.
    let phrase: StaticString?

    init(status: UInt16, reason: StaticString, detail: StaticString, phrase: StaticString? = nil) {
        self.status = status
        self.reason = reason
        self.detail = detail
        self.phrase = phrase
    }

    init(_ rejection: RequestRejection) {
        self.init(status: rejection.status, reason: rejection.httpErrReason, detail: rejection.detail)
    }

    /// No prefix of the endpoint accepts the request's host.
    static var hostNotServed: Self {
        Self(status: 400, reason: "Hostname", detail: "The request hostname is invalid.")
    }
    /// A prefix accepts the host, none the path.
    static var notFound: Self {
        Self(status: 404, reason: "NotFound", detail: "The requested resource is not found.")
    }
    /// The client ended its side in the middle of a head.
    static var incompleteHead: Self {
        Self(status: 400, reason: "BadRequest", detail: "The request ends before its header section does.")
    }
    /// RFC 9110 §10.1.1.
    static var expectationFailed: Self {
        Self(status: 417, reason: "Precondition", detail: "The expectation in the request cannot be met.")
    }
    /// RFC 9110 §7.4.
    static var misdirected: Self {
        Self(status: 421, reason: "Hostname", detail: "An https URL is not served on this connection.")
    }

    /// - Parameter isTold: the client is told why (503 verbosity "full").
    static func unavailable(_ reason: StaticString, isTold: Bool) -> Self {
        Self(
            status: 503, reason: reason, detail: "The service is unavailable.",
            phrase: isTold ? phrase(of: reason) : nil)
    }

    /// In our words, what HTTP.sys says with full verbosity.
    private static func phrase(of reason: StaticString) -> StaticString {
        switch "\(reason)" {
        case "QueueFull": "Application Queue Full"
        case "ConnLimit": "Too Many Users"
        case "AppOffline": "Application Taken Offline"
        case "Disabled": "Application Taken Offline By Administrator"
        case "AppShutdown": "Application Shut Down"
        case "AppPoolTimer": "Timed Out In Queue"
        default: "Service Unavailable"
        }
    }
}
