public import CBerthModule

/// The modules that come with Berth, each registered as a loaded one is.
public enum BuiltInModules {
    /// By the name a site file uses, in the order in which they stand in a chain.
    public static let all: [(name: String, register: berth_module_register_function)] = [
        ("request-filtering", RequestFiltering.register),
        ("basic-authentication", BasicAuthentication.register),
        ("anonymous-authentication", AnonymousAuthentication.register),
        ("url-authorization", URLAuthorization.register),
        ("static-files", StaticFiles.register),
        ("request-logging", RequestLogging.register),
    ]

    /// Lowers what all static sites together keep of files in memory, in octets; before the first module is made.
    public static func limitFileContent(to octets: Int) { FileBudget.daemon.limitContent(to: octets) }
}
