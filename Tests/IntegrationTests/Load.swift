import Synchronization
import TestSupport

/// Clients that ask again and again over kept connections, and for whom every answer but 200 is a failure.
final class Load: Sendable {
    private let port: Int
    private let isOver = Atomic<Bool>(false)
    /// How many answers each client has got, and whether one has ended.
    private let progress = Mutex<(counts: [Int], failed: Bool)>(([], false))

    init(port: Int) { self.port = port }

    /// Asks until `end`; the result is how often.
    func run(host: String, target: String) throws -> Int {
        let number = progress.withLock { progress in
            progress.counts.append(0)
            return progress.counts.count - 1
        }
        defer { progress.withLock { $0.failed = $0.failed || !isOver.load(ordering: .relaxed) } }
        let client = try Client(port: port)
        var count = 0
        while !isOver.load(ordering: .relaxed) {
            let response = try client.request(target, host: host)
            guard response.status == 200 else {
                throw Failure("request \(count) to \(host): \(response.status)\n\(response.text)")
            }
            count += 1
            progress.withLock { $0.counts[number] = count }
        }
        return count
    }

    /// Starts that many clients on threads of their own.
    func start(_ clients: Int, host: String = "localhost", target: String) throws -> [Threads.Running<Int>] {
        try (0..<clients).map { _ in try Threads.run { try self.run(host: host, target: target) } }
    }

    /// Waits until each of that many clients has begun and got the answer to a request since now; or until one has failed, which
    /// the end of its thread tells.
    func waitForRound(of clients: Int) throws {
        let before = progress.withLock { $0.counts }
        _ = try Deadline().look("every client gets an answer") {
            progress.withLock { now in
                // The first answer may be to a request of before.
                let all = now.counts.enumerated().allSatisfy { $1 >= ($0 < before.count ? before[$0] : 0) + 2 }
                return now.failed || now.counts.count >= clients && all ? true : nil
            }
        }
    }

    func end() { isOver.store(true, ordering: .relaxed) }
}
