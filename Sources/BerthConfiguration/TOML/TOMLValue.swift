/// A value of a TOML file with the place it stands at.
struct TOMLValue {
    indirect enum Content {
        case table(TOMLTable)
        case array([TOMLValue])
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        case dateTime
    }

    var content: Content
    var location: SourceLocation

    /// For "expected a string, found ...".
    var typeName: String {
        switch content {
        case .table: "a table"
        case .array: "an array"
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a float"
        case .boolean: "a boolean"
        case .dateTime: "a date or time"
        }
    }
}
