import BerthEventLoop
import BerthPipeline

/// Asking the loops which requests they have.
extension Server {
    /// Collections that wait for answers. Ours: what a few administrators and the sites that stop ask for.
    static let collectionsMax = 64

    /// Asks every loop; nil: too many are asking already.
    func collectRequests(
        site: String? = nil, elapsedMin: UInt64 = 0, limit: Int = RequestCollection.requestsMax
    ) -> RequestCollection? {
        loop.updateTime()
        collections = collections.filter { !$0.value.isComplete(at: loop.now) }
        guard collections.count < Self.collectionsMax else { return nil }
        collectionCount += 1
        let collection = RequestCollection(loops: loops.count, at: loop.now)
        collections[collectionCount] = collection
        let question = RequestQuestion(number: collectionCount, site: site, elapsedMin: elapsedMin, limit: limit)
        post { Message.make(kind: LoopMessage.listRequests, a: Message.word(retaining: question)) }
        return collection
    }

    /// A loop has answered.
    func take(_ listing: RequestListing) {
        guard let collection = collections[listing.number] else { return }
        collection.take(listing)
        if collection.isComplete(at: loop.now) {
            collections[listing.number] = nil
            control?.wake()
        }
    }

    // MARK: Sites that stop

    /// A site was stopped, and its requests are being finished or not.
    func note(site: String, hasRequests: Bool) { stoppingSites[site] = hasRequests ? .some(nil) : nil }

    /// Once a second: asks whether sites that stop have requests still.
    func watchStoppingSites() {
        for (site, asked) in stoppingSites {
            if registry.counters(named: site)?.isStarted ?? true {
                stoppingSites[site] = nil
            } else if let collection = asked {
                guard collection.isComplete(at: loop.now) else { continue }
                stoppingSites[site] =
                    collection.requests.isEmpty && !collection.isTruncated
                    ? nil : .some(collectRequests(site: site, limit: 1))
            } else {
                stoppingSites[site] = .some(collectRequests(site: site, limit: 1))
            }
        }
    }
}
