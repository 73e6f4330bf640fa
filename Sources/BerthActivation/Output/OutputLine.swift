/// One line that a worker wrote, without its end.
public struct OutputLine: Hashable, Sendable {
    public let stream: OutputStream
    public let pid: Int32
    /// When it was read, in nanoseconds since 1970 UTC.
    public let wallNanoseconds: Int64
    public let text: String

    public init(stream: OutputStream, pid: Int32, wallNanoseconds: Int64, text: String) {
        (self.stream, self.pid, self.wallNanoseconds, self.text) = (stream, pid, wallNanoseconds, text)
    }
}
