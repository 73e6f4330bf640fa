import BerthPipeline
import CBerthModule
import CBerthSystem

/// What one site has answered: a few words for each loop on a cache line of its own, written by that loop alone and read by
/// any thread. Lives as long as the process.
struct SiteTally: @unchecked Sendable, BitwiseCopyable {
    /// Words of one loop.
    private static let stride = 8
    private static let served = 0
    private static let failed = 1

    private let words: UnsafeMutablePointer<UInt64>
    private let loops: Int

    init(loops: Int) {
        self.loops = loops
        let memory = UnsafeMutableRawPointer.allocate(byteCount: loops * Self.stride * 8, alignment: 64)
        words = memory.bindMemory(to: UInt64.self, capacity: loops * Self.stride)
        words.initialize(repeating: 0, count: loops * Self.stride)
    }

    /// Requests answered since the start, over all loops.
    var requestsServed: UInt64 { sum(Self.served) }
    /// Of these, with a status of 500 or above.
    var requestsFailed: UInt64 { sum(Self.failed) }

    private func sum(_ word: Int) -> UInt64 {
        (0..<loops).reduce(0) { $0 &+ cberth_atomic_load_relaxed(words + $1 * Self.stride + word) }
    }

    /// The entry of the end stage that counts on one loop.
    func entry(loop: Int, module: UInt32) -> ChainEntry {
        ChainEntry(
            function: { context, view in
                if let words = context?.assumingMemoryBound(to: UInt64.self) {
                    cberth_count(words + SiteTally.served, 1)
                    if view.pointee.status >= 500 { cberth_count(words + SiteTally.failed, 1) }
                }
                return Int32(truncatingIfNeeded: BERTH_CONTINUE)
            }, resumed: nil, context: words + loop * Self.stride, module: module)
    }
}
