import Synchronization
import TestSupport

/// Clients that ask again and again over kept connections, and for whom every answer but 200 is a failure.
final class Load: Sendable {
    private let port: Int
    private let isOver = Atomic<Bool>(false)

    init(port: Int) { self.port = port }

    /// Asks until `end`; the result is how often.
    func run(host: String, target: String) throws -> Int {
        let client = try Client(port: port)
        var count = 0
        while !isOver.load(ordering: .relaxed) {
            let response = try client.request(target, host: host)
            guard response.status == 200 else {
                throw Failure("request \(count) to \(host): \(response.status)\n\(response.text)")
            }
            count += 1
        }
        return count
    }

    func end() { isOver.store(true, ordering: .relaxed) }
}
