/// Which fields a line of the HTTPERR log has. The order is always that of `all`.
///
/// The bits are those of HTTP.sys' `ErrorLoggingFields`.
public struct ErrorLogFields: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let date = Self(rawValue: 0x1)
    public static let time = Self(rawValue: 0x2)
    public static let clientAddress = Self(rawValue: 0x4)
    public static let computerName = Self(rawValue: 0x20)
    public static let serverAddress = Self(rawValue: 0x40)
    public static let method = Self(rawValue: 0x80)
    public static let status = Self(rawValue: 0x400)
    public static let octetsSent = Self(rawValue: 0x1000)
    public static let octetsReceived = Self(rawValue: 0x2000)
    public static let timeTaken = Self(rawValue: 0x4000)
    public static let serverPort = Self(rawValue: 0x8000)
    public static let userAgent = Self(rawValue: 0x10000)
    public static let cookie = Self(rawValue: 0x20000)
    public static let referer = Self(rawValue: 0x40000)
    public static let version = Self(rawValue: 0x80000)
    public static let host = Self(rawValue: 0x100000)
    public static let clientPort = Self(rawValue: 0x400000)
    public static let uri = Self(rawValue: 0x800000)
    public static let siteID = Self(rawValue: 0x1000000)
    public static let reason = Self(rawValue: 0x2000000)
    public static let queueName = Self(rawValue: 0x4000000)

    /// Every field with its name, in the order of a line: HTTP.sys' default ones, then the others.
    public static let all: [(field: ErrorLogFields, name: String)] = [
        (.date, "date"), (.time, "time"), (.clientAddress, "c-ip"), (.clientPort, "c-port"), (.serverAddress, "s-ip"),
        (.serverPort, "s-port"), (.version, "cs-version"), (.method, "cs-method"), (.uri, "cs-uri"),
        (.status, "sc-status"), (.siteID, "s-siteid"), (.reason, "s-reason"), (.queueName, "s-queuename"),
        (.computerName, "s-computername"), (.host, "cs-host"), (.userAgent, "cs(User-Agent)"), (.cookie, "cs(Cookie)"),
        (.referer, "cs(Referer)"), (.octetsSent, "sc-bytes"), (.octetsReceived, "cs-bytes"), (.timeTaken, "time-taken"),
    ]

    /// Source: HTTP.sys, 0x7c884c7.
    public static let standard = Self(rawValue: 0x7c8_84c7)

    /// The first lines of a file, or of a part of one with other fields.
    ///
    /// - Parameter date: when it was begun, in UTC, as "2026-11-21 09:30:00".
    public func header(date: String) -> String {
        let names = Self.all.filter { contains($0.field) }.map(\.name)
        return "#Software: Berth\n#Version: 1.0\n#Date: \(date)\n#Fields: \(names.joined(separator: " "))\n"
    }
}
