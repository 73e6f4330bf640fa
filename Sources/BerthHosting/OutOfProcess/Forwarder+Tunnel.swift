import BerthHTTP
import BerthListener
import Glibc

/// After 101: octets in both directions without framing, until either side ends (RFC 9110 §7.8, ancm §12).
extension Forwarder {
    /// - Parameter octets: what the worker has sent behind its head.
    func openTunnel(
        _ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>,
        _ octets: UnsafePointer<UInt8>, _ count: Int
    ) -> Int32 {
        let listener = state.pointee.listener
        let request = x.pointee.request
        x.pointee.state = .tunnel
        x.pointee.application.count(.tunnels)
        listener.contentBecomesTunnel(request)
        if count > 0 && !listener.write(request, octets, count) { return clientGone(x) }
        dropHead(x)
        // The 101 must not wait for what the client says next.
        listener.flush()
        return pump(x, c)
    }

    func pumpTunnel(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>) -> Int32 {
        let result = tunnelToWorker(x, c)
        if result != Self.pending { return result }
        return tunnelToClient(x, c)
    }

    private func tunnelToWorker(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>)
        -> Int32
    {
        let listener = state.pointee.listener
        let request = x.pointee.request
        var budget = state.pointee.loop.turnShare
        while !x.pointee.flags.contains(.clientFinished) && x.pointee.upload != .abandoned {
            if x.pointee.unsentBlock != 0 && !sendUnsent(x, c) { return Self.pending }
            if x.pointee.flags.contains(.waitsForClient) { return Self.pending }
            if budget <= 0 {
                sendNextTurn(x, c)
                return Self.pending
            }
            switch listener.content(of: request) {
            case .octets(let start, let count):
                let isSent = send(x, c, start, count)
                listener.consumeContent(request, count)
                if !isSent { return Self.pending }
                budget &-= count
            case .wait: x.pointee.flags.insert(.waitsForClient)
            case .end:
                // The worker may go on for a while; how long is limited again from here on.
                x.pointee.flags.insert(.clientFinished)
                _ = state.pointee.system.pointee.shut_down_sending(state.pointee.system, c.pointee.fd)
            case .failed: return clientGone(x)
            }
        }
        return Self.pending
    }

    private func tunnelToClient(_ x: UnsafeMutablePointer<Exchange>, _ c: UnsafeMutablePointer<WorkerConnection>)
        -> Int32
    {
        let listener = state.pointee.listener
        let request = x.pointee.request
        let system = state.pointee.system
        var budget = state.pointee.loop.turnShare
        while c.pointee.flags.contains(.readable) && !x.pointee.flags.contains(.waitsForRoom) {
            let room = listener.room(request)
            if request.pointee.isBroken { return clientGone(x) }
            if room == 0 {
                x.pointee.flags.insert(.waitsForRoom)
                listener.waitForRoom(request)
                return Self.pending
            }
            if budget <= 0 {
                readNextTurn(x, c)
                return Self.pending
            }
            let capacity = min(room, Self.scratchSize)
            let count = system.pointee.receive(system, c.pointee.fd, state.pointee.scratch, capacity)
            if count == -Int(EAGAIN) {
                c.pointee.flags.remove(.readable)
            } else if count == 0 {
                x.pointee.flags.insert(.lastOnConnection)
                return complete(x, c, leftover: false)
            } else if count < 0 {
                return breakOff(x)
            } else {
                if count < capacity && !c.pointee.flags.contains(.peerFinished) { c.pointee.flags.remove(.readable) }
                budget &-= count
                if !listener.write(request, state.pointee.scratch, count) { return clientGone(x) }
            }
        }
        return Self.pending
    }
}
