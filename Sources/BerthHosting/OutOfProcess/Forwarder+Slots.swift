import BerthEventLoop

/// What happens when no slot or no descriptor is left for a connection to a worker.
extension Forwarder {
    /// Takes the place of a connection that nobody uses. There is none only when descriptors are used up by others, whose end
    /// nobody tells: there are as many slots as exchanges, and this one has no connection.
    func starve(_ x: UnsafeMutablePointer<Exchange>) -> Int32 {
        if reclaim() { return attempt(x) }
        retryLater(x.pointee.application)
        return wait(x)
    }

    /// Closes one unused connection of any application. False: there is none. Cost: a look at each slot, only when all are taken.
    func reclaim() -> Bool {
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
