/// What `berthd` is asked to do.
enum ProgramVerb: String, Sendable, CaseIterable {
    /// The daemon; the verb that needs no word.
    case run
    case serve
    case check
}
