/// What a caller of the control socket may do; each role may do what the ones before it may.
public enum ControlRole: Int, Sendable, Comparable {
    /// See everything.
    case view
    /// Start, stop and recycle.
    case operate
    /// Change the configuration.
    case administer

    public static func < (left: ControlRole, right: ControlRole) -> Bool { left.rawValue < right.rawValue }
}
