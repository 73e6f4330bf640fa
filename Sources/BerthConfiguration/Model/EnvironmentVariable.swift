/// A variable of a worker's environment. The name is not empty and holds neither `=` nor NUL.
public struct EnvironmentVariable: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
