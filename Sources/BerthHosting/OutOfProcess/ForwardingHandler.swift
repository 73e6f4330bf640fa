import BerthListener
public import BerthPipeline
import CBerthModule

/// The execute stage of an out-of-process application.
public enum ForwardingHandler {
    /// The entry of a chain of this loop. Any thread; the application is told what it is by messages of `Forwarder`.
    ///
    /// - Parameters:
    ///   - application: a number below `Forwarder.applicationsMax` that it keeps over reloads.
    ///   - module: the handler's number in its chain.
    public static func entry(_ forwarder: Forwarder, application: UInt32, module: UInt32) -> ChainEntry {
        ChainEntry(
            function: { ForwardingHandler.execute($0, $1) }, resumed: { ForwardingHandler.resumed($0, $1, $2, $3) },
            context: forwarder.application(application), module: module)
    }

    @inline(__always)
    private static func execute(_ context: UnsafeMutableRawPointer?, _ view: UnsafeMutablePointer<berth_request>)
        -> Int32
    {
        guard let application = context?.assumingMemoryBound(to: ForwardingApplication.self),
            let forwarder = application.pointee.forwarder
        else {
            // Nobody has said what the application is: its configuration is still on its way.
            return HostCallTable.table.pointee.set_status(view, 503, 0, berth_octets(start: nil, count: 0)) == 0
                ? Forwarder.finish : Forwarder.failed
        }
        return forwarder.begin(Pipeline.request(of: view), application)
    }

    @inline(__always)
    private static func resumed(
        _ context: UnsafeMutableRawPointer?, _ view: UnsafeMutablePointer<berth_request>, _ event: UInt32,
        _ value: Int64
    ) -> Int32 {
        guard let forwarder = context?.assumingMemoryBound(to: ForwardingApplication.self).pointee.forwarder else {
            return Forwarder.failed
        }
        return forwarder.resume(Pipeline.request(of: view), event)
    }
}

extension Forwarder {
    /// What stage functions answer, as the ABI's integers.
    static var pending: Int32 { Int32(truncatingIfNeeded: BERTH_PENDING) }
    static var finish: Int32 { Int32(truncatingIfNeeded: BERTH_FINISH) }
    static var failed: Int32 { Int32(truncatingIfNeeded: BERTH_ERROR) }
    static var readableEvent: UInt32 { UInt32(truncatingIfNeeded: BERTH_EVENT_READABLE) }
    static var writableEvent: UInt32 { UInt32(truncatingIfNeeded: BERTH_EVENT_WRITABLE) }
    static var clientGoneEvent: UInt32 { UInt32(truncatingIfNeeded: BERTH_EVENT_CLIENT_GONE) }
}
