/// The latest failure of an application, a pool or a module, for an administrator.
public struct FailureRecord: Codable, Sendable, Equatable {
    /// The status that requests get for it, with its substatus: `502.5`, `500.32`; `nil` where it reached no request.
    public var status: String?
    /// What happened: `the worker ended with exit status 134 (SIGABRT) 1.2 s after its start`.
    public var message: String
    /// What to do next, or where to look.
    public var hint: String?
    public var time: Timestamp?

    public init(status: String? = nil, message: String, hint: String? = nil, time: Timestamp? = nil) {
        (self.status, self.message, self.hint, self.time) = (status, message, hint, time)
    }
}
