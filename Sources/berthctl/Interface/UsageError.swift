/// The command line cannot be understood.
package struct UsageError: Error, Equatable {
    package var message: String
    package var hint: String?

    package init(_ message: String, _ hint: String?) { (self.message, self.hint) = (message, hint) }
}
