/// One setting of a module, as its ABI takes it: text, with the place it came from.
///
/// Of a built-in module, numbers are decimal, switches `true` or `false`, sizes octets, durations milliseconds.
/// Of a loaded one, values are as written; the keys of a table are joined by a dot (`cache.size`).
public struct ModuleSetting: Sendable, Hashable {
    public var name: String
    public var value: String
    public var location: SourceLocation

    public init(name: String, value: String, location: SourceLocation = .none) {
        self.name = name
        self.value = value
        self.location = location
    }
}
