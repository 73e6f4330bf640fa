/// A field of the HTTPERR log, in the order in which a line has them. The first thirteen are HTTP.sys' default.
public enum ErrorLogField: String, Sendable, CaseIterable {
    case date
    case time
    case clientAddress = "c-ip"
    case clientPort = "c-port"
    case serverAddress = "s-ip"
    case serverPort = "s-port"
    case version = "cs-version"
    case method = "cs-method"
    case uri = "cs-uri"
    case status = "sc-status"
    case siteID = "s-siteid"
    case reason = "s-reason"
    case queueName = "s-queuename"
    case computerName = "s-computername"
    case host = "cs-host"
    case userAgent = "cs(User-Agent)"
    case cookie = "cs(Cookie)"
    case referer = "cs(Referer)"
    case octetsSent = "sc-bytes"
    case octetsReceived = "cs-bytes"
    case timeTaken = "time-taken"

    public static let standard = Array(allCases.prefix(13))
}
