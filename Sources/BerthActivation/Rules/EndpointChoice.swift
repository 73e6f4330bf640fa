/// How a worker learns where it shall listen.
public enum EndpointChoice: Hashable, Sendable {
    /// A loopback port in `ASPNETCORE_PORT`, `PORT`, `HTTP_PLATFORM_PORT` and `ASPNETCORE_URLS`: a free one at random from
    /// `portRange`, or `fixed`, which is used untested.
    case port(fixed: UInt16?)
    /// The path of a Unix socket in `BERTH_SOCKET` and `ASPNETCORE_URLS`; the worker makes it.
    case unixSocket
    /// Descriptor 3 listens already (`LISTEN_FDS`). Requests can be sent as soon as the process exists.
    case inherited
    /// Somebody else runs the application: it is never started or stopped.
    case external(WorkerEndpoint)

    /// Source: ANCM, `MIN_PORT` and `MAX_PORT`.
    public static let portRange: ClosedRange<UInt16> = 1025...48000
}
