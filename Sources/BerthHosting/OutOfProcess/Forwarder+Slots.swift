import BerthEventLoop

/// What happens when no slot or no descriptor is left for a connection to a worker.
extension Forwarder {
    /// Takes the slot of a connection that nobody uses, or lets the exchange wait until one is closed.
    ///
    /// - Parameter pauses: it is descriptors that are used up, maybe by others, whose end nobody tells.
    func starve(_ x: UnsafeMutablePointer<Exchange>, pauses: Bool) -> Int32 {
        if reclaim() { return attempt(x) }
        let a = x.pointee.application
        if pauses { retryLater(a) }
        let result = wait(x)
        if result == Self.pending && !a.pointee.isStarved {
            a.pointee.isStarved = true
            a.pointee.nextStarved = 0
            let name = a.pointee.number &+ 1
            if state.pointee.starvedLast != 0 {
                application(state.pointee.starvedLast &- 1).pointee.nextStarved = name
            } else {
                state.pointee.starvedFirst = name
            }
            state.pointee.starvedLast = name
        }
        return result
    }

    /// A slot has become free: whoever has waited longest for one tries again.
    func wakeStarved() {
        while state.pointee.starvedFirst != 0 {
            let a = application(state.pointee.starvedFirst &- 1)
            state.pointee.starvedFirst = a.pointee.nextStarved
            if a.pointee.nextStarved == 0 { state.pointee.starvedLast = 0 }
            a.pointee.isStarved = false
            if a.pointee.waitingFirst != 0 { return wakeNext(a) }
        }
    }

    /// Closes one unused connection of any application. False: there is none. Cost: a look at each slot, only when all are taken.
    private func reclaim() -> Bool {
        let count = state.pointee.connections.highWater
        for _ in 0..<count {
            if state.pointee.reclaimAt >= count { state.pointee.reclaimAt = 0 }
            let index = state.pointee.reclaimAt
            state.pointee.reclaimAt += 1
            let c = state.pointee.connections.pointer(at: index)
            if c.pointee.generation != 0 && c.pointee.fd >= 0 && c.pointee.exchange == 0 {
                unlinkIdle(c, worker(of: c))
                close(UInt32(index), c, reset: false)
                return true
            }
        }
        return false
    }
}
