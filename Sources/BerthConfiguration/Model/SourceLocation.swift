/// A place in a configuration file, kept on everything that an error may refer to later.
///
/// Lines and columns count from 1; a column counts Unicode scalars, as editors do. Line 0 means the file as a whole.
public struct SourceLocation: Sendable, Hashable, CustomStringConvertible {
    public let file: String
    public let line: Int
    public let column: Int

    public init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`, or the file alone where no line is known.
    public var description: String { line == 0 ? file : "\(file):\(line):\(column)" }

    /// The place of what nobody wrote in a file: a default, or a site built by the program itself.
    public static let none = SourceLocation(file: "(built in)")
}

extension SourceLocation: Comparable {
    public static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}
