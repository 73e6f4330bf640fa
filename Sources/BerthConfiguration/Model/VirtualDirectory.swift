/// A path of an application whose files lie in a folder of their own.
public struct VirtualDirectory: Sendable, Hashable {
    /// `/img`: below the application's path, without a slash at its end.
    public var path: String
    /// Absolute.
    public var physicalPath: String
    public var location: SourceLocation

    public init(path: String, physicalPath: String, location: SourceLocation = .none) {
        self.path = path
        self.physicalPath = physicalPath
        self.location = location
    }
}
