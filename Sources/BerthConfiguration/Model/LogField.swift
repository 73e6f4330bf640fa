/// A column of the W3C log, named as in its `#Fields` line. The order of the cases is IIS's order of columns.
public enum LogField: String, Sendable, CaseIterable {
    case date = "date"
    case time = "time"
    case siteName = "s-sitename"
    case computerName = "s-computername"
    case serverAddress = "s-ip"
    case method = "cs-method"
    case uriStem = "cs-uri-stem"
    case uriQuery = "cs-uri-query"
    case serverPort = "s-port"
    case userName = "cs-username"
    case clientAddress = "c-ip"
    case protocolVersion = "cs-version"
    case userAgent = "cs(User-Agent)"
    case cookie = "cs(Cookie)"
    case referer = "cs(Referer)"
    case host = "cs-host"
    case status = "sc-status"
    case substatus = "sc-substatus"
    case win32Status = "sc-win32-status"
    case bytesSent = "sc-bytes"
    case bytesReceived = "cs-bytes"
    case timeTaken = "time-taken"

    /// IIS's default columns (`logExtFileFlags`), `time-taken` included as IIS Manager's stock site has it.
    public static let standard: [LogField] = [
        .date, .time, .serverAddress, .method, .uriStem, .uriQuery, .serverPort, .userName, .clientAddress, .userAgent,
        .referer, .status, .substatus, .win32Status, .timeTaken,
    ]
}
