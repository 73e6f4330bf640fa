/// When the `Server` field is added. Source: HTTP.sys `DisableServerHeader`, whose numbers the cases have.
public enum ServerHeaderPolicy: Int, Sendable {
    /// To every response without one.
    case always = 0
    /// Not to responses that the listener makes itself.
    case notOnOwnResponses = 1
    /// Never.
    case never = 2
}
