/// A property that an input shows not to hold.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

/// Throws unless `condition` holds. The message says what is wrong, not what was expected to be right.
func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
    if !condition { throw Violation(description: message()) }
}
