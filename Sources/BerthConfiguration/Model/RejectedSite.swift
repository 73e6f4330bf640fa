/// A site whose file is wrong: known by name, not served (unless an earlier, good generation of it still is).
public struct RejectedSite: Sendable, Hashable {
    public let name: String
    public let file: String
    /// The errors that cost the site its place, and its warnings, by place.
    public let diagnostics: [ConfigurationDiagnostic]
    /// The bindings that could be read. Those of a host name stay its own: nobody else answers there in its place.
    public let bindings: [Binding]

    public init(name: String, file: String, diagnostics: [ConfigurationDiagnostic], bindings: [Binding] = []) {
        self.bindings = bindings
        self.name = name
        self.file = file
        self.diagnostics = diagnostics
    }
}
