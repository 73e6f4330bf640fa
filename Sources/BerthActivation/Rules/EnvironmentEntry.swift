/// One variable of a worker's environment.
public struct EnvironmentEntry: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}
