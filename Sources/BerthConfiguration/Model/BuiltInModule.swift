/// The modules that come with Berth, by the name a site file uses.
public enum BuiltInModule: String, Sendable, CaseIterable {
    case requestLogging = "request-logging"
    case anonymousAuthentication = "anonymous-authentication"
    case basicAuthentication = "basic-authentication"
    case urlAuthorization = "url-authorization"
    case requestFiltering = "request-filtering"
}
