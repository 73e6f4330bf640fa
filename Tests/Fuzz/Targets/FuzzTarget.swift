/// What octets of strangers are fed to: each has a property that holds for every input whatever.
///
/// The same code is run by libFuzzer (`scripts/fuzz`) and by the unit tests, which replay the corpus and mutate it.
enum FuzzTarget: String, CaseIterable {
    /// Request heads with their content, and how they are written for a worker.
    case request
    /// Response heads of workers.
    case response
    /// The chunked coding.
    case chunked
    /// Raw paths of request targets.
    case path
    /// UrlPrefix and the other spellings of a binding.
    case prefix
    /// A site's file, and the same text as the daemon's.
    case configuration
    /// The `web.config` of an application.
    case webconfig

    /// Throws a `Violation` if the property does not hold. Never traps, whatever the input, or that is the finding.
    func check(_ input: [UInt8]) throws {
        switch self {
        case .request: try RequestProperties.check(input)
        case .response: try ResponseProperties.check(input)
        case .chunked: try ChunkedProperties.check(input)
        case .path: try PathProperties.check(input)
        case .prefix: try PrefixProperties.check(input)
        case .configuration: try ConfigurationProperties.checkTOML(input)
        case .webconfig: try ConfigurationProperties.checkWebConfig(input)
        }
    }
}
