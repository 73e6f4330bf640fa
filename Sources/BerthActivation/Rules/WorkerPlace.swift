/// Where in the configuration an application lies, as its worker is told (ancm §4.2, §4.3).
public struct WorkerPlace: Hashable, Sendable {
    /// `/` for the root of a site, `/sub/app` otherwise, without a slash at the end.
    public var virtualPath = "/"
    public var physicalPath = ""
    public var siteName = ""
    public var siteNumber: UInt32 = 0
    public var poolName = ""
    /// The file that describes the application.
    public var configurationFile = ""
    /// Kinds of authentication that are on: decides `ASPNETCORE_IIS_HTTPAUTH`.
    public var windowsAuthentication = false
    public var basicAuthentication = false
    public var anonymousAuthentication = true
    /// The single https port of the site; nil: there is none, or there are several.
    public var httpsPort: UInt16?

    public init() {}

    /// `windows;`, `basic;`, `anonymous;` in this order, or `none`.
    var httpAuthentication: String {
        let kinds =
            (windowsAuthentication ? "windows;" : "") + (basicAuthentication ? "basic;" : "")
            + (anonymousAuthentication ? "anonymous;" : "")
        return kinds.isEmpty ? "none" : kinds
    }
}
