/// A column of a W3C log. The order is IIS's order in the file.
enum LogColumn: UInt8, CaseIterable {
    case date, time, siteName, computerName, serverAddress, method, uriStem, uriQuery, serverPort, userName
    case clientAddress, version, userAgent, cookie, referer, host, status, substatus, win32Status, bytesSent
    case bytesReceived, timeTaken

    /// The name in the `#Fields` line, which is the one in a site file too.
    var name: String {
        switch self {
        case .date: "date"
        case .time: "time"
        case .siteName: "s-sitename"
        case .computerName: "s-computername"
        case .serverAddress: "s-ip"
        case .method: "cs-method"
        case .uriStem: "cs-uri-stem"
        case .uriQuery: "cs-uri-query"
        case .serverPort: "s-port"
        case .userName: "cs-username"
        case .clientAddress: "c-ip"
        case .version: "cs-version"
        case .userAgent: "cs(User-Agent)"
        case .cookie: "cs(Cookie)"
        case .referer: "cs(Referer)"
        case .host: "cs-host"
        case .status: "sc-status"
        case .substatus: "sc-substatus"
        case .win32Status: "sc-win32-status"
        case .bytesSent: "sc-bytes"
        case .bytesReceived: "cs-bytes"
        case .timeTaken: "time-taken"
        }
    }

    /// What is logged when a site file says nothing. Source: IIS `logExtFileFlags` of the IIS 8.5 schema and later.
    static let standard: [LogColumn] = [
        .date, .time, .serverAddress, .method, .uriStem, .uriQuery, .serverPort, .userName, .clientAddress, .userAgent,
        .referer, .status, .substatus, .win32Status, .timeTaken,
    ]

    init?(name: String) {
        guard let column = Self.allCases.first(where: { $0.name.lowercased() == name.lowercased() }) else { return nil }
        self = column
    }
}
