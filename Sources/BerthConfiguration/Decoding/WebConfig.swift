/// What Berth takes from an ASP.NET Core `web.config` (ancm §1).
struct WebConfig {
    struct Module {
        var processPath: String?
        var arguments: String?
        var hostingModel: Located<HostingModel>?
        var startupTimeLimit: Duration?
        var shutdownTimeLimit: Duration?
        var requestTimeout: Duration?
        var rapidFailsPerMinute: Int?
        var processes: Int?
        var stdoutLogEnabled = false
        var stdoutLogFile: String?
        var disableStartupErrorPage = false
        var environment: [EnvironmentVariable] = []
        var location: SourceLocation
    }

    /// `<aspNetCore>`.
    var module: Module?
    /// `<requestLimits>`.
    var requestLimits = RequestLimits()
}
