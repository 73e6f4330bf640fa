import BerthControl
import BerthListener

/// One request to the control socket, from its head to its last octet. Control thread only.
final class ControlExchange {
    /// What it waits for.
    enum Phase {
        /// The rest of its content.
        case reading
        /// Every loop serves with this generation; then the answer is `result`.
        case installing(UInt64, ReloadResult)
        /// The answers of the loops; then the answer is made of them.
        case collecting(RequestCollection, (RequestCollection) throws(ProblemDocument) -> ControlAnswer)
        /// Room for the rest of the answer.
        case writing
        /// Room, or more to say.
        case following
    }

    let route: ControlRoute
    let handle: RequestHandle
    var phase = Phase.reading
    var content: [UInt8] = []
    /// What is to be written, from `written` on.
    var output: [UInt8] = []
    var written = 0
    /// A silent stream of events is to say that it is still there.
    var needsKeepAlive = false
    /// The latest event that was sent.
    var lastEvent: UInt64 = 0
    /// When the latest line that was sent was read, in nanoseconds since 1970.
    var lastLine: Int64 = 0

    init(route: ControlRoute, handle: RequestHandle) { (self.route, self.handle) = (route, handle) }
}
