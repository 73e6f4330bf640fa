/// Which of a worker's two streams a line came from.
public enum OutputStream: UInt8, Sendable {
    case standardOutput = 1
    case standardError = 2
}
