/// A module's once-a-second call on one loop.
public struct ModuleTick: BitwiseCopyable {
    let function: @convention(c) (UnsafeMutableRawPointer?, Int64) -> Void
    let context: UnsafeMutableRawPointer?

    /// Loop thread only.
    public func callAsFunction(_ wallSeconds: Int64) { function(context, wallSeconds) }
}
