/// What `POST /v1/check` is asked to validate; without a body it validates the directories of the daemon.
///
/// The content travels, not only the path: the daemon reads no file on behalf of a caller who might not read it himself.
public struct CheckRequest: Codable, Sendable, Equatable {
    public struct File: Codable, Sendable, Equatable {
        /// For the diagnostics; its last component, without `.toml`, is the name of the site.
        public var path: String
        public var content: String

        public init(path: String, content: String) { (self.path, self.content) = (path, content) }
    }

    public var files: [File]

    public init(files: [File]) { self.files = files }
}
